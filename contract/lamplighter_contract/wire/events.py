"""Events: what happened at or near a gateway, with an id of its own, so that a repeat is known as one."""

from typing import Any

import msgspec

from lamplighter_contract.errors import Reason, Refusal
from lamplighter_contract.wire.fields import Count, Whole, is_plain
from lamplighter_contract.wire.limits import EARLIEST_TIME_MS, LATEST_TIME_MS, MAX_TEXT


class Event(msgspec.Struct, frozen=True, omit_defaults=True):
    """One event. `time` is civil epoch ms; `count` says how many equal ones it stands for since `first`."""

    id: str
    time: int
    event: str
    device: str | None = None
    detail: dict[str, str | float | int | bool | None] = {}
    count: Count = 1
    first: Whole | None = None

    def as_json(self) -> Any:
        """The event as plain JSON values."""
        return msgspec.to_builtins(self)


def read_event(value: object) -> Event | Refusal:
    """One event from plain JSON values."""
    try:
        event = msgspec.convert(value, Event)
    except msgspec.ValidationError as error:
        return Refusal(Reason.MALFORMED, f"event: {error}")
    if not 0 < len(event.id) <= 128 or not 0 < len(event.event) <= 64 or len(event.device or "") > 64:
        return Refusal(Reason.OUT_OF_BOUNDS, "event: id, event or device is empty or too long")
    said = [str(item) for pair in event.detail.items() for item in pair]
    if len(event.detail) > 32 or any(len(item) > MAX_TEXT for item in said):
        return Refusal(Reason.TOO_LARGE, "event: detail is too large")
    if not all(map(is_plain, (event.id, event.event, event.device or "", *said))):
        return Refusal(Reason.MALFORMED, "event: there is a control character in it")
    if not EARLIEST_TIME_MS <= event.time < LATEST_TIME_MS:
        return Refusal(Reason.ABSURD_TIME, f"event: time is {event.time}")
    return event
