"""Commands: signed, numbered, with an expiry.

`expires` bounds acceptance (real time), `until` bounds the effect (civil time).
"""

from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Annotated, Any, Final

import msgspec

from lamplighter_contract.errors import Reason, Refusal
from lamplighter_contract.ids import is_id
from lamplighter_contract.quantities import Kind
from lamplighter_contract.truck import orders
from lamplighter_contract.truck.orders import Check
from lamplighter_contract.wire.files import file_name
from lamplighter_contract.wire.limits import (
    EARLIEST_TIME_MS,
    LATEST_TIME_MS,
    MAX_COMMAND_DEVICES,
    MAX_COMMAND_LIFE_MS,
    MAX_EVIDENCE_MS,
    MAX_PHOTOS,
    MAX_TEXT,
)
from lamplighter_contract.wire.pieces import DIGEST
from lamplighter_contract.wire.version import WIRE_VERSION

FULL_PERCENT: Final = 100


class Operation(StrEnum):
    """Everything a gateway can be told to do."""

    LIGHT_SET = "light.set"
    LIGHT_RESUME = "light.resume"
    LIGHT_IDENTIFY = "light.identify"
    SUPPLY_ISOLATE = "supply.isolate"
    SUPPLY_RESTORE = "supply.restore"
    DEVICE_READ = "device.read"
    DEVICE_LOCK = "device.lock"
    DEVICE_UNLOCK = "device.unlock"
    TRUCK_LIMIT_SPEED = "truck.limit_speed"
    TRUCK_LIMIT_LIFT = "truck.limit_lift"
    TRUCK_RELEASE = "truck.release"
    TRUCK_SPEAK = "truck.speak"
    TRUCK_LOCATE = "truck.locate"
    TRUCK_EVIDENCE = "truck.evidence"
    TRUCK_TRACK = "truck.track"
    TRUCK_PHOTO = "truck.photo"
    TRUCK_CONFIRM_ALARM = "truck.confirm_alarm"
    TRUCK_PARAMETERS = "truck.parameters"
    TRUCK_SET_PARAMETERS = "truck.set_parameters"
    TRUCK_FENCE = "truck.fence"
    TRUCK_UNFENCE = "truck.unfence"
    TRUCK_CONTROL = "truck.control"
    GATEWAY_PROBE = "gateway.probe"
    GATEWAY_RESEND = "gateway.resend"
    GATEWAY_UPDATE = "gateway.update"
    GATEWAY_SUPPORT = "gateway.support"
    GATEWAY_RESTART = "gateway.restart"


class Target(msgspec.Struct, frozen=True, omit_defaults=True):
    """Devices by id, or a group of a plan version; empty for operations on the gateway itself."""

    devices: Annotated[tuple[str, ...], msgspec.Meta(max_length=MAX_COMMAND_DEVICES)] = ()
    group: str | None = None
    plan_version: int | None = None


class Command(msgspec.Struct, frozen=True):
    """One command to one gateway; `issued` and `expires` in real epoch ms."""

    id: str
    seq: Annotated[int, msgspec.Meta(ge=0, lt=2**53)]
    gateway: str
    issued: int
    expires: int
    by: str
    reason: str
    target: Target
    op: Operation
    args: dict[str, Any] = {}
    approvals: tuple[str, ...] = ()
    v: int = WIRE_VERSION

    def as_json(self) -> Any:
        """The command as plain JSON values, ready to be signed."""
        return msgspec.to_builtins(self)


def _number(minimum: float, maximum: float) -> Check:
    def check(value: object) -> str | None:
        fits = type(value) in {int, float} and minimum <= value <= maximum  # type: ignore[operator]  # type is known by now
        return None if fits else f"a number from {minimum:g} to {maximum:g}"

    return check


def _text(maximum: int) -> Check:
    def check(value: object) -> str | None:
        return None if isinstance(value, str) and 0 < len(value) <= maximum else f"text of at most {maximum} characters"

    return check


def _time(value: object) -> str | None:
    fits = type(value) is int and EARLIEST_TIME_MS <= value < LATEST_TIME_MS
    return None if fits else "epoch milliseconds"


def _whole(value: object) -> str | None:
    return None if type(value) is int and 0 <= value < 2**53 else "a whole number"


def _flag(value: object) -> str | None:
    return None if isinstance(value, bool) else "true or false"


def _digests(value: object) -> str | None:
    fits = isinstance(value, list | tuple) and len(value) <= MAX_PHOTOS
    fits = fits and all(isinstance(one, str) and DIGEST.fullmatch(one) for one in value)  # type: ignore[attr-defined]  # a list by now
    return None if fits else f"at most {MAX_PHOTOS} SHA-256 digests in hexadecimal"


def _emergency(args: Mapping[str, Any]) -> str | None:
    dim = args.get("emergency") and args["level_percent"] != FULL_PERCENT
    return f"level_percent {FULL_PERCENT} in an emergency" if dim else None


def _span(args: Mapping[str, Any]) -> str | None:
    fits = 0 < args["to"] - args["from"] <= MAX_EVIDENCE_MS
    return None if fits else f"to after from, by at most {MAX_EVIDENCE_MS} ms"


def _file(value: object) -> str | None:
    return None if file_name(value) is not None else "a file as <sha256>:<bytes>"


class Rule(msgspec.Struct, frozen=True):
    """What an operation takes: kinds of device it acts on (none: the gateway itself), arguments needed and allowed.

    `together` looks at arguments that are each right by themselves.
    """

    kinds: frozenset[Kind]
    needs: Mapping[str, Check] = {}
    allows: Mapping[str, Check] = {}
    together: Callable[[Mapping[str, Any]], str | None] = lambda _args: None


_LAMPS: Final = frozenset({Kind.LAMP})
_SUPPLY: Final = frozenset({Kind.CIRCUIT})
_ANY: Final = frozenset(Kind)
_TRUCKS: Final = frozenset({Kind.TRUCK})
_GATEWAY: Final[frozenset[Kind]] = frozenset()

RULES: Final[dict[Operation, Rule]] = {
    Operation.LIGHT_SET: Rule(
        _LAMPS, {"level_percent": _number(0, 100), "until": _time}, {"emergency": _flag}, _emergency
    ),
    Operation.LIGHT_RESUME: Rule(_LAMPS),
    Operation.LIGHT_IDENTIFY: Rule(_LAMPS, {"seconds": _number(1, 600)}),
    Operation.SUPPLY_ISOLATE: Rule(_SUPPLY),
    Operation.SUPPLY_RESTORE: Rule(_SUPPLY, {"confirmation": _text(MAX_TEXT)}),
    Operation.DEVICE_READ: Rule(_ANY),
    Operation.DEVICE_LOCK: Rule(_ANY, {"holder": _text(64)}),
    Operation.DEVICE_UNLOCK: Rule(_ANY, {"confirmation": _text(MAX_TEXT)}),
    Operation.TRUCK_LIMIT_SPEED: Rule(
        _TRUCKS, {"limit_kmh": _number(1, 120), "until": _time}, {"closed": orders.closed}
    ),
    Operation.TRUCK_LIMIT_LIFT: Rule(_TRUCKS, {"until": _time}, {"closed": orders.closed}),
    Operation.TRUCK_RELEASE: Rule(_TRUCKS, {}, {"what": _text(16)}),
    Operation.TRUCK_SPEAK: Rule(_TRUCKS, {"text": _text(MAX_TEXT)}),
    Operation.TRUCK_LOCATE: Rule(_TRUCKS),
    Operation.TRUCK_EVIDENCE: Rule(
        _TRUCKS, {"from": _time, "to": _time, "violation": _text(64)}, {"photos": _digests}, _span
    ),
    Operation.TRUCK_TRACK: Rule(
        _TRUCKS, {"interval_s": orders.whole(0, 3_600)}, {"seconds": orders.whole(1, 86_400)}, orders.tracking
    ),
    Operation.TRUCK_PHOTO: Rule(_TRUCKS, {"channel": orders.whole(1, 64)}),
    Operation.TRUCK_CONFIRM_ALARM: Rule(_TRUCKS, {"alarms": orders.alarms}),
    Operation.TRUCK_PARAMETERS: Rule(_TRUCKS, {}, {"ids": orders.identities}),
    Operation.TRUCK_SET_PARAMETERS: Rule(_TRUCKS, {"values": orders.parameters}),
    Operation.TRUCK_FENCE: Rule(
        _TRUCKS,
        {"fence": orders.whole(1, orders.LAST_FENCE), "shape": orders.one_of(orders.Shape), "points": orders.points},
        {
            "radius_m": orders.whole(1, orders.LONGEST_RADIUS_M),
            "width_m": orders.whole(1, orders.WIDEST_ROUTE_M),
            "meaning": orders.one_of(orders.Meaning),
            "crossing": orders.one_of(orders.Crossing),
            "overspeed_kmh": orders.whole(10, 120),
            "begins": orders.hour,
            "ends": orders.hour,
            "name": orders.label,
        },
        orders.fence,
    ),
    Operation.TRUCK_UNFENCE: Rule(
        _TRUCKS, {"shape": orders.one_of(orders.Shape)}, {"fence": orders.whole(1, orders.LAST_FENCE)}
    ),
    Operation.TRUCK_CONTROL: Rule(_TRUCKS, {"action": orders.one_of(orders.Action)}),
    Operation.GATEWAY_PROBE: Rule(_GATEWAY, {"bus": _text(64)}),
    Operation.GATEWAY_RESEND: Rule(_GATEWAY, {"from": _whole, "to": _whole}),
    Operation.GATEWAY_UPDATE: Rule(_GATEWAY, {"bundle": _file}),
    Operation.GATEWAY_SUPPORT: Rule(_GATEWAY),
    Operation.GATEWAY_RESTART: Rule(_GATEWAY),
}


def read_command(document: Mapping[str, Any]) -> Command | Refusal:
    """A typed command from the raw object (its signature already checked)."""
    if document.get("v") != WIRE_VERSION:
        return Refusal(Reason.VERSION, f"v is {str(document.get('v'))[:20]}")
    try:
        command = msgspec.convert(document, Command)
    except msgspec.ValidationError as error:
        return Refusal(Reason.MALFORMED, f"command: {error}")
    return refusal_of(command) or command


def refusal_of(command: Command) -> Refusal | None:
    """What is wrong with a command in itself, whoever sent it and whenever; None when nothing is."""
    if not 0 < len(command.id) <= 64 or not is_id(command.gateway) or not command.by:
        return Refusal(Reason.MALFORMED, "id, gateway or by is empty or too long")
    if max(map(len, (command.by, command.reason, *command.approvals))) > MAX_TEXT:
        return Refusal(Reason.TOO_LARGE, "by, reason or approvals is too long")
    if not 0 < command.expires - command.issued <= MAX_COMMAND_LIFE_MS:
        return Refusal(Reason.TOO_LONG, "a command lives more than 0 and at most 24 hours")
    return _target_refusal(command) or check_args(command.op, command.args)


def _target_refusal(command: Command) -> Refusal | None:
    target, needs_target = command.target, bool(RULES[command.op].kinds)
    if not all(map(is_id, target.devices)):
        return Refusal(Reason.MALFORMED, "target: a device id is not well-formed")
    if target.group is not None and (target.devices or target.plan_version is None):
        return Refusal(Reason.MALFORMED, "target: a group goes with a plan version and without devices")
    if needs_target != bool(target.devices or target.group):
        return Refusal(Reason.MALFORMED, f"target: {command.op} {'needs' if needs_target else 'takes no'} devices")
    return None


def check_args(operation: Operation, args: Mapping[str, object]) -> Refusal | None:
    """Refuse arguments that are missing, unknown or out of bounds; nothing is ever clamped."""
    rule = RULES[operation]
    for name in rule.needs:
        if name not in args:
            return Refusal(Reason.ARGUMENT, f"{operation} needs {name}")
    for name, value in args.items():
        check = rule.needs.get(name) or rule.allows.get(name)
        if check is None:
            return Refusal(Reason.ARGUMENT, f"{operation} does not take {name[:40]!r}")
        expected = check(value)
        if expected is not None:
            return Refusal(Reason.ARGUMENT, f"{name} is {repr(value)[:40]}, expected {expected}")
    wrong = rule.together(args)
    if wrong is not None:
        return Refusal(Reason.ARGUMENT, f"{operation}: expected {wrong}")
    return None
