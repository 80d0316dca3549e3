"""The rules of commanding: what may be asked, how it is split, and where a command goes from where it is."""

import hashlib
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Final

import msgspec

from lamplighter_contract.commands.command import RULES, Operation, check_args
from lamplighter_contract.commands.results import Result
from lamplighter_contract.commands.states import FINAL, CommandState, may_follow, summary
from lamplighter_contract.errors import Reason, Refusal
from lamplighter_contract.wire.limits import (
    MAX_COMMAND_BYTES,
    MAX_COMMAND_DEVICES,
    MAX_COMMAND_LIFE_MS,
    MAX_COUNT,
    MAX_LIMIT_MS,
    MAX_OVERRIDE_MS,
    MAX_TEXT,
)
from lamplighter_controller.commands.model import Change, CommandRequest, Order, Part
from lamplighter_controller.commands.ports import Devices

MAX_REQUEST_DEVICES: Final = 50_000
MAX_REQUEST_GATEWAYS: Final = 2_000
MAX_APPROVALS: Final = 16
MAX_KEY: Final = 128
NAMES_BYTES: Final = MAX_COMMAND_BYTES - 16_384  # the rest of a command takes less than that
GRACE_MS: Final = 60_000
HIGHEST_BELIEVED: Final = MAX_COUNT // 2  # numbers begin at the time in ms; no gateway can have seen one above this
WORKED_OUT: Final = frozenset({"until", "closed"})
WORD_BYTES: Final = 3  # two quotes and a comma

TRUCK_LIMITS: Final = frozenset({Operation.TRUCK_LIMIT_SPEED, Operation.TRUCK_LIMIT_LIFT})
ON_TRUCKS: Final = TRUCK_LIMITS | {
    Operation.TRUCK_RELEASE,
    Operation.TRUCK_SPEAK,
    Operation.TRUCK_LOCATE,
    Operation.TRUCK_EVIDENCE,
    Operation.TRUCK_TRACK,
    Operation.TRUCK_PHOTO,
    Operation.TRUCK_CONFIRM_ALARM,
    Operation.TRUCK_PARAMETERS,
    Operation.TRUCK_SET_PARAMETERS,
    Operation.TRUCK_FENCE,
    Operation.TRUCK_UNFENCE,
    Operation.TRUCK_CONTROL,
}
ON_DEVICES: Final = ON_TRUCKS | {
    Operation.LIGHT_SET,
    Operation.LIGHT_RESUME,
    Operation.LIGHT_IDENTIFY,
    Operation.DEVICE_READ,
    Operation.SUPPLY_ISOLATE,
    Operation.SUPPLY_RESTORE,
    Operation.DEVICE_LOCK,
    Operation.DEVICE_UNLOCK,
}
ON_GATEWAYS: Final = frozenset(
    {
        Operation.GATEWAY_PROBE,
        Operation.GATEWAY_RESEND,
        Operation.GATEWAY_RESTART,
        Operation.GATEWAY_SUPPORT,
        Operation.GATEWAY_UPDATE,
    }
)
EVERY_DEVICE_CAN: Final = frozenset({Operation.DEVICE_READ, Operation.DEVICE_LOCK, Operation.DEVICE_UNLOCK})
OPEN: Final = frozenset(CommandState) - FINAL
NOT_TAKEN: Final = frozenset({CommandState.REJECTED, CommandState.EXPIRED})


def refusal_of(request: CommandRequest, devices: Devices, civil_ms: int) -> Refusal | None:
    """What is wrong with a request of allowed size, None when nothing is; nothing is ever clamped or left out."""
    return (
        _operation_refusal(request)
        or check_args(request.op, request.args)
        or _until_refusal(request, civil_ms)
        or next((wrong for device in request.devices if (wrong := _device_refusal(request.op, device, devices))), None)
    )


def size_refusal(request: CommandRequest) -> Refusal | None:
    """What is too large in a request, whatever it asks for."""
    if len(request.devices) > MAX_REQUEST_DEVICES or len(request.gateways) > MAX_REQUEST_GATEWAYS:
        return Refusal(Reason.TOO_LARGE, f"at most {MAX_REQUEST_DEVICES} devices or {MAX_REQUEST_GATEWAYS} gateways")
    if len(request.approvals) > MAX_APPROVALS or max(map(len, (request.reason, *request.approvals))) > MAX_TEXT:
        return Refusal(Reason.TOO_LARGE, f"reason and approvals: at most {MAX_TEXT} characters each")
    if request.key is not None and not (0 < len(request.key) <= MAX_KEY and request.key.isprintable()):
        return Refusal(Reason.MALFORMED, f"key: 1 to {MAX_KEY} printable characters")
    if not 1 <= request.expires_s * 1000 <= MAX_COMMAND_LIFE_MS:
        return Refusal(Reason.TOO_LONG, f"expires_s is {request.expires_s}, expected more than 0 and at most 86400")
    return None


def split(devices: Sequence[str], gateway_of: Callable[[str], str | None]) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Gateway and devices of each command: one gateway each, and never more than a command may carry."""
    by_gateway: defaultdict[str, list[str]] = defaultdict(list)
    for device in dict.fromkeys(devices):
        gateway = gateway_of(device)
        if gateway is not None:  # it was served when the request was checked
            by_gateway[gateway].append(device)
    for gateway, mine in by_gateway.items():
        for chunk in _chunks(mine):
            yield gateway, chunk


def content_of(request: CommandRequest) -> str:
    """What two requests under one key must have in common; an end, and places near a truck, are worked out anew."""
    args = {name: value for name, value in request.args.items() if name not in WORKED_OUT}
    essence = (request.op, sorted(request.devices), sorted(request.gateways), args)
    return hashlib.sha256(msgspec.json.encode(essence, order="deterministic")).hexdigest()


def next_seq(stored: int, gateway_highest: int, wall_ms: int) -> int:
    """The next command number: one more than the last, unless our memory begins anew or the gateway has seen more."""
    told = believed(gateway_highest)
    if stored > 0 and told <= stored:
        return stored + 1
    return max(told + 1, wall_ms)


def believed(gateway_highest: int) -> int:
    """The number a gateway says it has seen, 0 when it cannot be: counting on from it would end in no number at all."""
    return gateway_highest if gateway_highest <= HIGHEST_BELIEVED else 0


def advance(order: Order, result: Result) -> Change | None:
    """The order after a result, None when it tells nothing new: a repeat, or a step back."""
    if not result.devices and result.state in NOT_TAKEN and order.accepted:
        return None  # the answer to a copy that came late: the first one had been taken
    told = {part.device: Part(part.device, part.state, part.reason, part.reading) for part in result.devices}
    whole = not told or result.state not in FINAL
    changed: list[Part] = []
    for part in order.parts.values():
        following = told.get(part.device)
        if following is not None:
            if may_follow(part.state, following.state):
                changed.append(following)
        elif whole and may_follow(part.state, result.state):
            changed.append(Part(part.device, result.state, result.reason, part.reading))
    return _changed(order, changed, result.state, result.reason, accepted=_says_accepted(result))


def sent(order: Order) -> Change | None:
    """The order when it is handed to the broker."""
    return _all(order, CommandState.SENT, "")


def unsendable(order: Order, why: str) -> Change | None:
    """The order when it cannot be put into a message at all."""
    return _all(order, CommandState.FAILED, f"it cannot be signed: {why}")


def refused(order: Order, refusal: Refusal) -> Change | None:
    """The order when its gateway may not be commanded at all."""
    return _all(order, CommandState.REJECTED, f"{refusal.reason}: {refusal.detail}")


def overdue_ms(order: Order) -> int | None:
    """Real epoch ms at which time alone changes the order, None when it never will."""
    if order.state not in OPEN:
        return None
    return order.request.expires_ms + (0 if _never_left(order) else GRACE_MS)


def time_out(order: Order, wall_ms: int) -> Change | None:
    """What time alone makes of the order: expired if it never left us, else unconfirmed, for it may have acted."""
    due_ms = overdue_ms(order)
    if due_ms is None or wall_ms < due_ms:
        return None
    if _never_left(order):
        return _all(order, CommandState.EXPIRED, "the gateway could not be reached before the expiry")
    return _all(order, CommandState.UNCONFIRMED, "no result came in time; it may have acted")


def wants_sending(order: Order) -> bool:
    """True until the gateway has taken it."""
    return order.state in {CommandState.CREATED, CommandState.SENT} and not order.accepted


def state_of(orders: Sequence[Order]) -> CommandState:
    """The state of a whole request."""
    return summary(frozenset(order.state for order in orders))


def _operation_refusal(request: CommandRequest) -> Refusal | None:
    if request.op not in ON_DEVICES | ON_GATEWAYS:
        return Refusal(Reason.OPERATION, f"{request.op} cannot be asked for here")
    named, other = (
        (request.devices, request.gateways) if RULES[request.op].kinds else (request.gateways, request.devices)
    )
    if not named or other:
        return Refusal(
            Reason.ARGUMENT, f"{request.op} needs {'devices' if RULES[request.op].kinds else 'gateways'} only"
        )
    return None


def _until_refusal(request: CommandRequest, civil_ms: int) -> Refusal | None:
    until = request.args.get("until")
    if until is None:
        return None
    if until <= civil_ms:
        return Refusal(Reason.ARGUMENT, f"until is {until}, which has passed: it is {civil_ms} now")
    longest_ms = MAX_LIMIT_MS if request.op in TRUCK_LIMITS else MAX_OVERRIDE_MS
    if until > civil_ms + longest_ms:
        hours = longest_ms // 3_600_000
        return Refusal(Reason.ARGUMENT, f"until is {until}, expected at most {hours} h after now, which is {civil_ms}")
    return None


def _device_refusal(op: Operation, device: str, devices: Devices) -> Refusal | None:
    entry = devices.entry(device)
    if entry is None or devices.gateway_of(device) is None:
        return Refusal(Reason.UNKNOWN_DEVICE, f"no gateway serves a device {device[:64]!r}")
    if entry.kind not in RULES[op].kinds or (op not in EVERY_DEVICE_CAN and op not in entry.capabilities):
        return Refusal(Reason.OPERATION, f"{device} ({entry.kind}, {entry.profile}) cannot do {op}")
    return None


def _chunks(devices: Sequence[str]) -> Iterator[tuple[str, ...]]:
    chunk: list[str] = []
    size = 0
    for device in devices:
        size += len(device) + WORD_BYTES
        if chunk and (len(chunk) == MAX_COMMAND_DEVICES or size > NAMES_BYTES):
            yield tuple(chunk)
            chunk, size = [], len(device) + WORD_BYTES
        chunk.append(device)
    if chunk:
        yield tuple(chunk)


def _says_accepted(result: Result) -> bool:
    return bool(result.devices) or result.state not in NOT_TAKEN | {CommandState.CREATED, CommandState.SENT}


def _never_left(order: Order) -> bool:
    return order.state is CommandState.CREATED and not order.accepted


def _all(order: Order, state: CommandState, reason: str) -> Change | None:
    following = [part for part in order.parts.values() if may_follow(part.state, state)]
    changed = [Part(part.device, state, reason, part.reading) for part in following]
    return _changed(order, changed, state, reason, accepted=False)


def _changed(
    order: Order, changed: Sequence[Part], state: CommandState, reason: str, *, accepted: bool
) -> Change | None:
    """The order with changed parts; its own state is theirs, or `state` when it acts on the gateway itself."""
    accepted = accepted or order.accepted
    if order.parts:
        parts = {**order.parts, **{part.device: part for part in changed}}
        state = summary(frozenset(part.state for part in parts.values()))
    else:
        parts = dict(order.parts)
        state = state if may_follow(order.state, state) else order.state
    if not changed and (state, accepted) == (order.state, order.accepted):
        return None
    reason = reason if state is not order.state else order.reason
    return Change(replace(order, state=state, reason=reason, accepted=accepted, parts=parts), tuple(changed))
