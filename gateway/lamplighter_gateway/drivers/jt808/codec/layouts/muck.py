"""The downlinks 0x8F01 to 0x8F0B of one family of muck-truck terminals; read from firmware, so experimental.

The body repeats its message id first, and longitude comes before latitude, unlike the national standard.
"""

from collections.abc import Mapping
from typing import Final

from lamplighter_gateway.drivers.jt808.codec.fields import (
    BYTE,
    DWORD,
    WORD,
    Degrees,
    Edition,
    Field,
    Group,
    Many,
    Raw,
    Text,
)
from lamplighter_gateway.drivers.jt808.codec.layouts.terminal import Fields

_REPEATED: Final = Field("repeats", WORD)
_SWITCH: Final = (_REPEATED, Field("reserved", Raw(4)), Field("value", BYTE))
_POINT: Final = (Field("longitude", Degrees()), Field("latitude", Degrees()))


def muck_layouts(edition: Edition) -> Mapping[int, Fields]:
    """Fields of each message by its id."""
    points = Field("points", Many(Group(_POINT, edition), WORD))
    return {
        0x8F01: _SWITCH,
        0x8F02: _SWITCH,
        0x8F03: _SWITCH,
        0x8F04: _SWITCH,
        0x8F06: (_REPEATED, Field("reserved", Raw(6)), Field("text", Text())),
        0x8F08: (_REPEATED, Field("id", DWORD), Field("kind", BYTE), Field("max_speed_kmh", BYTE), points),
        0x8F09: (_REPEATED, Field("action", BYTE), Field("ids", Many(DWORD))),
        0x8F0B: (_REPEATED, Field("id", DWORD), Field("width_m", BYTE), Field("max_speed_kmh", BYTE), points),
    }
