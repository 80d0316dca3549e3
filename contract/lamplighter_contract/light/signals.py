"""Signals from the centre: what sensors and counters say to adaptive rules, each with its end."""

from collections.abc import Mapping
from typing import Annotated, Any

import msgspec

from lamplighter_contract.errors import Reason, Refusal
from lamplighter_contract.ids import is_id
from lamplighter_contract.light.plans.programs import Name
from lamplighter_contract.wire.limits import EARLIEST_TIME_MS, LATEST_TIME_MS
from lamplighter_contract.wire.version import WIRE_VERSION

Time = Annotated[int, msgspec.Meta(ge=EARLIEST_TIME_MS, lt=LATEST_TIME_MS)]
Word = Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
Number = Annotated[float, msgspec.Meta(ge=-1e9, le=1e9)]


class Signal(msgspec.Struct, frozen=True):
    """A number (lux, fog 0 or 1) or a word (class of traffic) that counts until a civil time, epoch ms."""

    name: Name
    value: Number | Word
    until: Time


class SignalsDocument(msgspec.Struct, frozen=True):
    """Every signal a gateway is to use, signed and retained; it replaces the one before it."""

    gateway: str
    version: Annotated[int, msgspec.Meta(ge=0, lt=2**53)]
    signals: Annotated[tuple[Signal, ...], msgspec.Meta(max_length=256)]
    v: int = WIRE_VERSION

    def as_json(self) -> Any:
        """The document as plain JSON values, ready to be signed."""
        return msgspec.to_builtins(self)


Signals = Mapping[str, Signal]


def by_name(document: SignalsDocument) -> Signals:
    """The signals as the level function takes them."""
    return {signal.name: signal for signal in document.signals}


def read_signals(document: Mapping[str, Any]) -> SignalsDocument | Refusal:
    """Typed signals from the raw object (its signature already checked)."""
    if document.get("v") != WIRE_VERSION:
        return Refusal(Reason.VERSION, f"v is {str(document.get('v'))[:20]}")
    try:
        read = msgspec.convert(document, SignalsDocument)
    except msgspec.ValidationError as error:
        return Refusal(Reason.MALFORMED, f"signals: {error}")
    if not is_id(read.gateway):
        return Refusal(Reason.MALFORMED, "gateway: not a well-formed id")
    if len(by_name(read)) < len(read.signals):
        return Refusal(Reason.MALFORMED, "signals: a name stands twice")
    return read
