"""Positions, drivers, waybills, texts and what else a journey brings (JT/T 808-2019, 8.12 to 8.33 and 8.41 to 8.47)."""

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
    Group,
    Many,
    Moment,
    Raw,
    Text,
)
from lamplighter_gateway.drivers.jt808.codec.layouts.terminal import ANSWERS, Fields
from lamplighter_gateway.drivers.jt808.codec.position import Position

_NEW: Final = Edition.V2019
_TRANSPARENT: Final = (Field("kind", BYTE), Field("content", Raw()))


def journey_layouts(edition: Edition) -> Mapping[int, Fields]:
    """Fields of each message by its id."""
    return {
        0x8201: (),
        0x0201: (ANSWERS, Field("location", Position(items=True))),
        0x8202: (Field("interval_s", WORD), Field("validity_s", DWORD, optional=True)),
        0x8203: (ANSWERS, Field("alarms", DWORD)),
        0x0500: (ANSWERS, Field("location", Position(items=True))),
        0x8300: (Field("flags", BYTE), Field("kind", BYTE, since=_NEW), Field("text", Text())),
        0x0701: (Field("waybill", CountedText(DWORD)),),
        0x0702: _DRIVER,
        0x8702: (),
        0x0705: _can_bus(edition),
        0x0900: _TRANSPARENT,
        0x8900: _TRANSPARENT,
        0x0901: (Field("compressed", Raw(count=DWORD)),),
        0x8A00: (Field("exponent", DWORD), Field("modulus", Raw(128))),
        0x0A00: (Field("exponent", DWORD), Field("modulus", Raw(128))),
        **_questions(edition),
    }


_DRIVER: Final = (
    Field("card", BYTE),
    Field("time", Moment()),
    Field("result", BYTE, optional=True),
    Field("name", CountedText(), optional=True),
    Field("licence", Text(20), optional=True),
    Field("agency", CountedText(), optional=True),
    Field("valid_until", Digits(4), optional=True),
    Field("identity_card", Text(20), since=_NEW, optional=True),
)


def _can_bus(edition: Edition) -> Fields:
    frames = Many(_group(edition, Field("id", DWORD), Field("data", Raw(8))), None)
    return (Field("count", WORD), Field("time_of_day", Digits(5)), Field("frames", frames))


def _questions(edition: Edition) -> Mapping[int, Fields]:
    """Events, questions and information services, which the edition of 2019 no longer has."""
    named = _group(edition, Field("id", BYTE), Field("text", CountedText()))
    service = _group(edition, Field("kind", BYTE), Field("name", CountedText(WORD)))
    answer = _group(edition, Field("id", BYTE), Field("text", CountedText(WORD)))
    contact = _group(edition, Field("flags", BYTE), Field("phone", CountedText()), Field("name", CountedText()))
    return {
        0x8301: (Field("kind", BYTE), Field("events", Many(named))),
        0x0301: (Field("event", BYTE),),
        0x8302: (Field("flags", BYTE), Field("question", CountedText()), Field("answers", Many(answer, None))),
        0x0302: (ANSWERS, Field("answer", BYTE)),
        0x8303: (Field("kind", BYTE), Field("services", Many(service))),
        0x0303: (Field("kind", BYTE), Field("wanted", BYTE)),
        0x8304: (Field("kind", BYTE), Field("text", CountedText(WORD))),
        0x8400: (Field("kind", BYTE), Field("phone", Text(20))),
        0x8401: (Field("kind", BYTE), Field("contacts", Many(contact))),
    }


def _group(edition: Edition, *fields: Field) -> Group:
    return Group(fields, edition)
