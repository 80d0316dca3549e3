"""Instructions to a terminal as messages of JT/T 808: what limits nobody. Pure.

A speed in a fence is the one above which the terminal raises an alarm. Limits go another way, through the interlock.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from lamplighter_contract.commands.command import Operation
from lamplighter_contract.truck.orders import Alarm
from lamplighter_gateway.drivers.jt808.codec.fields import Edition
from lamplighter_gateway.drivers.jt808.codec.frame import MOST_BODY
from lamplighter_gateway.drivers.jt808.codec.messages import write_body
from lamplighter_gateway.drivers.jt808.fencing import Message, fence_messages, unfence_messages
from lamplighter_gateway.profiles.model import TrackerMap

TRACK_S: Final = 300
RESET: Final = 4
ALARM_BITS: Final = {
    Alarm.EMERGENCY: 0,
    Alarm.DANGER: 3,
    Alarm.AREA: 20,
    Alarm.ROUTE: 21,
    Alarm.SEGMENT_TIME: 22,
    Alarm.ILLEGAL_IGNITION: 27,
    Alarm.ILLEGAL_MOVE: 28,
}
PARAMETER_IDS: Final = {
    "heartbeat_s": 0x0001,
    "asleep_report_s": 0x0027,
    "alarm_report_s": 0x0028,
    "report_s": 0x0029,
    "corner_deg": 0x0030,
    "overspeed_kmh": 0x0055,
    "overspeed_after_s": 0x0056,
    "early_warning_tenth_kmh": 0x005B,
}
_PHOTO: Final = {
    "pictures": 1,
    "interval_s": 0,
    "keep": 0,
    "resolution": 1,
    "quality": 5,
    "brightness": 128,
    "contrast": 64,
    "saturation": 64,
    "chroma": 128,
}


@dataclass(frozen=True, slots=True)
class Instruction:
    """Messages that are each acknowledged; then a question, whose answer is told and must hold what is `expected`."""

    messages: tuple[Message, ...]
    question: Message | None = None
    expected: Mapping[str, int] | None = None


def instruction(
    operation: Operation, args: Mapping[str, Any], edition: Edition, profile: TrackerMap
) -> Instruction | str:
    """What to send; why not, in words, where this terminal has nothing for it."""
    if operation in (Operation.TRUCK_FENCE, Operation.TRUCK_UNFENCE):
        fencing = fence_messages if operation is Operation.TRUCK_FENCE else unfence_messages
        messages = fencing(args, edition, profile.fences)
        if isinstance(messages, str):
            return messages
        if any(len(body) > MOST_BODY for _, body in messages):
            return f"fewer points: a fence has to fit into one message of {MOST_BODY} bytes"
        return Instruction(messages)
    made = _MADE.get(operation)
    return f"no {operation} on a terminal" if made is None else made(args, edition)


def _track(args: Mapping[str, Any], edition: Edition) -> Instruction:
    interval_s = args["interval_s"]
    validity = {"validity_s": args.get("seconds", TRACK_S)} if interval_s else {}
    return _one(0x8202, {"interval_s": interval_s} | validity, edition)


def _photo(args: Mapping[str, Any], edition: Edition) -> Instruction:
    return _one(0x8801, _PHOTO | {"channel": args["channel"]}, edition)


def _confirm(args: Mapping[str, Any], edition: Edition) -> Instruction:
    word = sum(1 << ALARM_BITS[Alarm(name)] for name in set(args["alarms"]))
    return _one(0x8203, {"answers_serial": 0, "alarms": word}, edition)  # 0: all alarms of these kinds


def _control(args: Mapping[str, Any], edition: Edition) -> Instruction:
    del args  # there is one word that a platform may say
    return _one(0x8105, {"control": RESET}, edition)


def _ask(args: Mapping[str, Any], edition: Edition) -> Instruction:
    return Instruction((), question_of(args.get("ids", ()), edition))


def _set(args: Mapping[str, Any], edition: Edition) -> Instruction:
    wanted = {f"0x{PARAMETER_IDS[name]:04x}": int(value) for name, value in args["values"].items()}
    parameters = [{"id": name, "value": value} for name, value in wanted.items()]
    question = question_of([int(name, 16) for name in wanted], edition)
    return Instruction(_one(0x8103, {"parameters": parameters}, edition).messages, question, wanted)


def question_of(ids: list[int] | tuple[int, ...], edition: Edition) -> Message:
    """The question for parameters: some, or all where none are named."""
    return (0x8106, write_body(0x8106, {"ids": list(ids)}, edition)) if ids else (0x8104, b"")


def _one(message: int, values: Mapping[str, Any], edition: Edition) -> Instruction:
    return Instruction(((message, write_body(message, values, edition)),))


_MADE: Final[Mapping[Operation, Callable[[Mapping[str, Any], Edition], Instruction]]] = {
    Operation.TRUCK_TRACK: _track,
    Operation.TRUCK_PHOTO: _photo,
    Operation.TRUCK_CONFIRM_ALARM: _confirm,
    Operation.TRUCK_CONTROL: _control,
    Operation.TRUCK_PARAMETERS: _ask,
    Operation.TRUCK_SET_PARAMETERS: _set,
}
