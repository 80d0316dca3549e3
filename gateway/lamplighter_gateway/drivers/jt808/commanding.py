"""Writes as messages of JT/T 808, and what in the status word proves them. Pure."""

from dataclasses import dataclass
from math import ceil
from typing import Final

from lamplighter_gateway.drivers.jt808.codec.fields import Edition
from lamplighter_gateway.drivers.jt808.codec.messages import write_body
from lamplighter_gateway.drivers.port import Point
from lamplighter_gateway.profiles.model import Limiter

SPEED: Final = 0x8F02
LIFT: Final = 0x8F03
TEXT: Final = 0x8300
MOST_SPEED_KMH: Final = 255
_ALOUD: Final = 0b1000  # read aloud in the cabin; with bit 0 as an urgent one


@dataclass(frozen=True, slots=True)
class Told:
    """A message to a terminal, and the quantity that proves its effect; None where only its acknowledgement does."""

    message: int
    body: bytes
    proof: str | None = None


def speak_message(text: str, edition: Edition) -> Told:
    """Read a text aloud in the cabin; characters outside GBK become question marks (JT/T 808-2019, 8.31)."""
    spoken = text.encode("gbk", "replace").decode("gbk")
    urgent = 0b01
    values = {"flags": _ALOUD | urgent, "kind": 1, "text": spoken}
    return Told(TEXT, write_body(TEXT, values, edition))


def limit_message(point: Point, value: float, limiter: Limiter) -> Told | str:
    """Set a limit, or end it with 0; why not, in words, where this terminal cannot."""
    if limiter is Limiter.NONE:
        return "this terminal has no limits that can be set"
    if point is Point.SPEED_LIMIT:
        kmh = ceil(value)
        if not 0 <= kmh <= MOST_SPEED_KMH:
            return f"a limit of {value:g} km/h, expected 0 to {MOST_SPEED_KMH}"
        return Told(SPEED, _switch(SPEED, kmh), "speed_limited")
    if point is Point.LIFT_LIMIT:
        return Told(LIFT, _switch(LIFT, int(bool(value))), "lift_limited")
    return f"no {point} on a terminal"


def _switch(message: int, value: int) -> bytes:
    return write_body(message, {"repeats": message, "reserved": "00000000", "value": value}, Edition.V2013)
