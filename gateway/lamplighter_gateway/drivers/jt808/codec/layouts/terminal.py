"""Life of a terminal: acknowledgements, log-in, parameters, control (JT/T 808-2019, 8.1 to 8.26)."""

from collections.abc import Mapping
from typing import Final

from lamplighter_gateway.drivers.jt808.codec.fields import (
    BYTE,
    DWORD,
    WORD,
    CountedText,
    Digits,
    Edition,
    Field,
    Many,
    Raw,
    Text,
)
from lamplighter_gateway.drivers.jt808.codec.parameters import PARAMETERS

Fields = tuple[Field, ...]
ANSWERS: Final = Field("answers_serial", WORD)
_NEW: Final = Edition.V2019
_ACK: Final = (ANSWERS, Field("answers_message", WORD), Field("result", BYTE))
_REGISTER_SIZES: Final = {Edition.V2011: (5, 8, 7), Edition.V2013: (5, 20, 7), Edition.V2019: (11, 30, 30)}
_ATTRIBUTE_SIZES: Final = {Edition.V2011: (5, 20, 7), Edition.V2013: (5, 20, 7), Edition.V2019: (5, 30, 30)}


def terminal_layouts(edition: Edition) -> Mapping[int, Fields]:
    """Fields of each message by its id."""
    numbers = BYTE if edition < _NEW else WORD
    resend = (ANSWERS, Field("fragments", Many(WORD, numbers)))
    return {
        0x0001: _ACK,
        0x8001: _ACK,
        0x0002: (),
        0x0003: (),
        0x0004: (),
        0x8004: (Field("time_utc", Digits(6)),),
        0x0005: resend,
        0x8003: resend,
        0x0100: _register(edition),
        0x8100: (ANSWERS, Field("result", BYTE), Field("code", Text(), optional=True)),
        0x0102: _authentication(edition),
        0x8103: (Field("parameters", PARAMETERS),),
        0x8104: (),
        0x8106: (Field("ids", Many(DWORD)),),
        0x0104: (ANSWERS, Field("parameters", PARAMETERS)),
        0x8105: (Field("control", BYTE), Field("arguments", Text(), optional=True)),
        0x8107: (),
        0x0107: _attributes(edition),
        0x8108: (
            Field("kind", BYTE),
            Field("maker", Text(5)),
            Field("version", CountedText()),
            Field("package", Raw(count=DWORD)),
        ),
        0x0108: (Field("kind", BYTE), Field("result", BYTE)),
        0x8500: _control(edition),
    }


def _register(edition: Edition) -> Fields:
    maker, model, terminal = _REGISTER_SIZES[edition]
    return (
        Field("province", WORD),
        Field("city", WORD),
        Field("maker", Text(maker)),
        Field("model", Text(model)),
        Field("terminal", Text(terminal)),
        Field("plate_colour", BYTE),
        Field("plate", Text()),
    )


def _authentication(edition: Edition) -> Fields:
    if edition < _NEW:
        return (Field("code", Text()),)
    return (Field("code", CountedText()), Field("imei", Text(15)), Field("software", Text(20)))


def _attributes(edition: Edition) -> Fields:
    maker, model, terminal = _ATTRIBUTE_SIZES[edition]
    return (
        Field("kind", WORD),
        Field("maker", Text(maker)),
        Field("model", Text(model)),
        Field("terminal", Text(terminal)),
        Field("iccid", Digits(10)),
        Field("hardware", CountedText()),
        Field("firmware", CountedText()),
        Field("gnss", BYTE),
        Field("radio", BYTE),
    )


def _control(edition: Edition) -> Fields:
    """2019 has a list; some leave its count out, some the list. Whatever follows the first word is kept as it came."""
    if edition < _NEW:
        return (Field("control", BYTE),)
    return (Field("control", WORD), Field("rest", Raw()))
