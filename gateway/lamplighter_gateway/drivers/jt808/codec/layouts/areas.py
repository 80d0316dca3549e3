"""Areas and routes that a terminal watches by itself (JT/T 808-2019, 8.34 to 8.42)."""

from collections.abc import Mapping
from typing import Final

from lamplighter_gateway.drivers.jt808.codec.fields import (
    BYTE,
    DWORD,
    WORD,
    CountedText,
    Degrees,
    Edition,
    Field,
    Group,
    Many,
    Moment,
)
from lamplighter_gateway.drivers.jt808.codec.layouts.terminal import Fields

_NEW: Final = Edition.V2019
_TIMED: Final = ("attributes", 1 << 0)
_SPEED: Final = ("attributes", 1 << 1)
_HEAD: Final = (Field("id", DWORD), Field("attributes", WORD))
_HOURS: Final = (Field("start", Moment(), needs=_TIMED), Field("end", Moment(), needs=_TIMED))
_SPEEDS: Final = (Field("max_speed_kmh", WORD, needs=_SPEED), Field("overspeed_s", BYTE, needs=_SPEED))
_NIGHT: Final = Field("night_max_speed_kmh", WORD, needs=_SPEED, since=_NEW)
_NAME: Final = Field("name", CountedText(WORD), since=_NEW)
_POINT: Final = (Field("latitude", Degrees()), Field("longitude", Degrees()))
_IDS: Final = (Field("ids", Many(DWORD)),)

_CIRCLE: Final = (*_HEAD, *_POINT, Field("radius_m", DWORD), *_HOURS, *_SPEEDS, _NIGHT, _NAME)
_RECTANGLE: Final = (
    *_HEAD,
    Field("north_latitude", Degrees()),
    Field("west_longitude", Degrees()),
    Field("south_latitude", Degrees()),
    Field("east_longitude", Degrees()),
    *_HOURS,
    *_SPEEDS,
    _NIGHT,
    _NAME,
)
_TURN: Final = (
    Field("id", DWORD),
    Field("segment", DWORD),
    *_POINT,
    Field("width_m", BYTE),
    Field("attributes", BYTE),
    Field("longest_s", WORD, needs=_TIMED),
    Field("shortest_s", WORD, needs=_TIMED),
    *_SPEEDS,
    _NIGHT,
)


def area_layouts(edition: Edition) -> Mapping[int, Fields]:
    """Fields of each message by its id."""
    points = Field("points", Many(Group(_POINT, edition), WORD))
    turns = Field("turns", Many(Group(_TURN, edition), WORD))
    return {
        0x8600: (Field("action", BYTE), Field("areas", Many(Group(_CIRCLE, edition)))),
        0x8602: (Field("action", BYTE), Field("areas", Many(Group(_RECTANGLE, edition)))),
        0x8604: (*_HEAD, *_HOURS, *_SPEEDS, points, _NIGHT, _NAME),
        0x8606: (*_HEAD, *_HOURS, turns, _NAME),
        0x8601: _IDS,
        0x8603: _IDS,
        0x8605: _IDS,
        0x8607: _IDS,
        0x8608: (Field("kind", BYTE), Field("ids", Many(DWORD, DWORD))),
        0x0608: (Field("kind", BYTE), Field("count", DWORD)),
    }
