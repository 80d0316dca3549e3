"""Photos, sound and films (JT/T 808-2019, 8.51 to 8.60)."""

from collections.abc import Mapping
from typing import Final

from lamplighter_gateway.drivers.jt808.codec.fields import (
    BYTE,
    DWORD,
    WORD,
    Edition,
    Field,
    Group,
    Many,
    Moment,
    Raw,
)
from lamplighter_gateway.drivers.jt808.codec.layouts.terminal import ANSWERS, Fields
from lamplighter_gateway.drivers.jt808.codec.position import Position

_WHAT: Final = (Field("kind", BYTE), Field("format", BYTE), Field("event", BYTE), Field("channel", BYTE))
_WANTED: Final = (
    Field("kind", BYTE),
    Field("channel", BYTE),
    Field("event", BYTE),
    Field("start", Moment()),
    Field("end", Moment()),
)
_FOUND: Final = (
    Field("id", DWORD),
    Field("kind", BYTE),
    Field("channel", BYTE),
    Field("event", BYTE),
    Field("location", Position()),
)


def media_layouts(edition: Edition) -> Mapping[int, Fields]:
    """Fields of each message by its id."""
    return {
        0x0800: (Field("id", DWORD), *_WHAT),
        0x0801: (
            Field("id", DWORD),
            *_WHAT,
            Field("location", Position(), since=Edition.V2013),
            Field("content", Raw()),
        ),
        0x8800: (Field("id", DWORD), Field("fragments", Many(WORD), optional=True)),
        0x8801: (
            Field("channel", BYTE),
            Field("pictures", WORD),
            Field("interval_s", WORD),
            Field("keep", BYTE),
            Field("resolution", BYTE),
            Field("quality", BYTE),
            Field("brightness", BYTE),
            Field("contrast", BYTE),
            Field("saturation", BYTE),
            Field("chroma", BYTE),
        ),
        0x0805: (ANSWERS, Field("result", BYTE), Field("ids", Many(DWORD, WORD), optional=True)),
        0x8802: _WANTED,
        0x0802: (ANSWERS, Field("found", Many(Group(_FOUND, edition), WORD))),
        0x8803: (*_WANTED, Field("delete", BYTE)),
        0x8804: (Field("record", BYTE), Field("seconds", WORD), Field("keep", BYTE), Field("sampling", BYTE)),
        0x8805: (Field("id", DWORD), Field("delete", BYTE)),
    }
