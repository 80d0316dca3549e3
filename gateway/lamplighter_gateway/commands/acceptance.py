"""May this command act? The contract's checks in the contract's order. Pure."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec

from lamplighter_contract.commands.command import RULES, Command, Operation, refusal_of
from lamplighter_contract.commands.results import DeviceResult
from lamplighter_contract.commands.signing import Keyring
from lamplighter_contract.commands.states import CommandState
from lamplighter_contract.errors import Reason, Refusal
from lamplighter_contract.wire.documents import DeviceEntry
from lamplighter_contract.wire.limits import MAX_LIMIT_MS, MAX_OVERRIDE_MS, SEQUENCE_WINDOW
from lamplighter_contract.wire.version import WIRE_VERSION

OFFERED: Final = frozenset(
    {
        Operation.LIGHT_SET,
        Operation.LIGHT_RESUME,
        Operation.LIGHT_IDENTIFY,
        Operation.DEVICE_READ,
        Operation.GATEWAY_PROBE,
        Operation.GATEWAY_RESEND,
        Operation.GATEWAY_RESTART,
        Operation.GATEWAY_SUPPORT,
        Operation.GATEWAY_UPDATE,
        Operation.TRUCK_LIMIT_SPEED,
        Operation.TRUCK_LIMIT_LIFT,
        Operation.TRUCK_RELEASE,
        Operation.TRUCK_SPEAK,
        Operation.TRUCK_LOCATE,
        Operation.SUPPLY_ISOLATE,
        Operation.SUPPLY_RESTORE,
        Operation.DEVICE_LOCK,
        Operation.DEVICE_UNLOCK,
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
)
READS: Final = frozenset(
    {
        Operation.DEVICE_READ,
        Operation.GATEWAY_PROBE,
        Operation.GATEWAY_RESEND,
        Operation.GATEWAY_SUPPORT,
        Operation.TRUCK_LOCATE,
        Operation.TRUCK_EVIDENCE,
        Operation.TRUCK_TRACK,
        Operation.TRUCK_PHOTO,
        Operation.TRUCK_PARAMETERS,
    }
)
_FOR_ALL: Final = frozenset({Operation.DEVICE_READ, Operation.DEVICE_LOCK, Operation.DEVICE_UNLOCK})
_PAST_LOCKS: Final = READS | {Operation.SUPPLY_ISOLATE}
_WITHOUT_CLOCK: Final = READS | {Operation.LIGHT_RESUME, Operation.TRUCK_RELEASE}
_TRUCK_LIMITS: Final = frozenset({Operation.TRUCK_LIMIT_SPEED, Operation.TRUCK_LIMIT_LIFT})
_FULL_LIGHT: Final = 100
_CLOCKS_APART_MS: Final = 300_000  # the centre counted the longest life of a level by its own clock


@dataclass(frozen=True, slots=True)
class Facts:
    """What the gateway knows at the moment of judging; `begins_ms`: its memory of commands reaches back to there."""

    gateway: str
    keyring: Keyring
    wall_ms: int
    civil_ms: int
    clock_trusted: bool
    begins_ms: int
    highest_seq: int
    seen: Collection[str]
    used: Collection[int]
    last_of: Mapping[str, int]
    entries: Mapping[str, DeviceEntry]
    holders: Mapping[str, str] = field(default_factory=dict)  # of locked devices, whose commands pass


@dataclass(frozen=True, slots=True)
class Accepted:
    """The command acts on `devices`; `refused` are the parts that do not."""

    command: Command
    devices: tuple[str, ...]
    refused: tuple[DeviceResult, ...]


@dataclass(frozen=True, slots=True)
class Repeated:
    """Seen before: its results are told again, nothing acts."""

    id: str


@dataclass(frozen=True, slots=True)
class Refused:
    """It does not act. `command` is there when it is authentic, for us and new: then the refusal is remembered.

    `id` is empty when it is not proven that the centre sent this command to us: anybody may write a live command's id
    into a forged one, and an answer by id would be about the real one.
    """

    id: str
    refusal: Refusal
    state: CommandState = CommandState.REJECTED
    command: Command | None = None


Verdict = Accepted | Repeated | Refused


def judge(document: Mapping[str, Any], facts: Facts) -> Verdict:
    """The verdict on a raw command as received."""
    refusal = facts.keyring.check(document, _moment_ms(document, facts))
    if refusal is not None:
        return Refused("", refusal)
    addressee = document.get("gateway")
    if addressee != facts.gateway:
        return Refused("", Refusal(Reason.ADDRESS, f"for {str(addressee)[:64]}, this is {facts.gateway}"))
    command = _typed(document)
    if isinstance(command, Refusal):
        return Refused(_identity(document), command)
    return _judge_authentic(command, facts)


def _moment_ms(document: Mapping[str, Any], facts: Facts) -> int:
    """The real time at which the key has to be in force: without a clock, the one the sender signed."""
    issued = document.get("issued")
    return facts.wall_ms if facts.clock_trusted or not isinstance(issued, int) else issued


def _identity(document: Mapping[str, Any]) -> str:
    name = document.get("id")
    return name if isinstance(name, str) and 0 < len(name) <= 64 else ""


def _typed(document: Mapping[str, Any]) -> Command | Refusal:
    if document.get("v") != WIRE_VERSION:
        return Refusal(Reason.VERSION, f"v is {str(document.get('v'))[:20]}")
    try:
        return msgspec.convert(document, Command)
    except msgspec.ValidationError as error:
        return Refusal(Reason.MALFORMED, f"command: {error}")


def _judge_authentic(command: Command, facts: Facts) -> Verdict:
    if command.id in facts.seen:
        return Repeated(command.id)
    late = _late(command, facts)
    if late is not None:
        return Refused(command.id, late, CommandState.EXPIRED, command)
    replay = _replay(command, facts)
    if replay is not None:
        return Refused(command.id, replay)
    refusal = _clock_refusal(command, facts) or refusal_of(command) or _unfit(command, facts)
    if refusal is not None:
        return Refused(command.id, refusal, command=command)
    return _parts(command, facts)


def _late(command: Command, facts: Facts) -> Refusal | None:
    if facts.clock_trusted and command.expires <= facts.wall_ms:
        return Refusal(Reason.EXPIRED, f"expired {facts.wall_ms - command.expires} ms ago")
    return None


def _replay(command: Command, facts: Facts) -> Refusal | None:
    if command.seq in facts.used:
        return Refusal(Reason.SEQUENCE, f"seq {command.seq} is used")
    if command.seq <= facts.highest_seq - SEQUENCE_WINDOW:
        return Refusal(Reason.SEQUENCE, f"seq {command.seq} is too far below {facts.highest_seq}")
    if facts.clock_trusted and command.issued < facts.begins_ms:
        return Refusal(Reason.REPLAYED, "issued before this gateway's memory of commands begins")
    return None


def _clock_refusal(command: Command, facts: Facts) -> Refusal | None:
    full_light = command.op is Operation.LIGHT_SET and command.args.get("level_percent") == _FULL_LIGHT
    if facts.clock_trusted or full_light or command.op in _WITHOUT_CLOCK:
        return None
    return Refusal(Reason.CLOCK, "the clock is not trusted: reads, releases and full light only")


def _unfit(command: Command, facts: Facts) -> Refusal | None:
    if command.op not in OFFERED:
        return Refusal(Reason.OPERATION, f"{command.op} is not offered by this gateway")
    if command.target.group is not None:
        return Refusal(Reason.PLAN_VERSION, f"plan version {command.target.plan_version} is not here")
    longest_ms = MAX_LIMIT_MS if command.op in _TRUCK_LIMITS else MAX_OVERRIDE_MS
    return _until_refusal(command.args.get("until"), facts, longest_ms) if facts.clock_trusted else None


def _until_refusal(until: int | None, facts: Facts, longest_ms: int) -> Refusal | None:
    if until is None:
        return None
    if until <= facts.civil_ms:
        return Refusal(Reason.ARGUMENT, "until has passed")
    if until > facts.civil_ms + longest_ms + _CLOCKS_APART_MS:
        return Refusal(Reason.ARGUMENT, f"until is more than {longest_ms // 3_600_000} h away")
    return None


def _parts(command: Command, facts: Facts) -> Verdict:
    """Each device for itself; when none is left, the command is refused as its first device is."""
    devices, refused = [], []
    for device in dict.fromkeys(command.target.devices):
        part = _device_refusal(command, device, facts)
        if part is None:
            devices.append(device)
        else:
            refused.append(part)
    if RULES[command.op].kinds and not devices:
        first = refused[0]
        return Refused(command.id, Refusal(Reason(first.reason), first.device), first.state, command)
    return Accepted(command, tuple(devices), tuple(refused))


def _device_refusal(command: Command, device: str, facts: Facts) -> DeviceResult | None:
    # A read leaves no effect: it neither supersedes nor is superseded.
    if command.op not in READS and command.seq < facts.last_of.get(device, -1):
        return DeviceResult(device, CommandState.SUPERSEDED, Reason.SUPERSEDED)
    entry = facts.entries.get(device)
    if entry is None:
        return DeviceResult(device, CommandState.REJECTED, Reason.UNKNOWN_DEVICE)
    if entry.view_only:
        return DeviceResult(device, CommandState.REJECTED, Reason.VIEW_ONLY)
    offered = command.op in _FOR_ALL or command.op in entry.capabilities
    if entry.kind not in RULES[command.op].kinds or not offered:
        return DeviceResult(device, CommandState.REJECTED, Reason.OPERATION)
    holder = facts.holders.get(device)
    if holder is not None and not _passes(command, holder):
        return DeviceResult(device, CommandState.REJECTED, Reason.LOCKED)
    return None


def _passes(command: Command, holder: str) -> bool:
    """The holder of a lock passes; so does a look, and opening a circuit. Another may unlock with a second person."""
    if command.op in _PAST_LOCKS or command.by == holder:
        return True
    return command.op is Operation.DEVICE_UNLOCK and bool(command.approvals)
