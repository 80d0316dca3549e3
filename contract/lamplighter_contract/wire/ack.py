"""Acknowledgements: which frames are stored, as ranges. They count only for the boot that sent the frames."""

from collections.abc import Iterable
from typing import Annotated

import msgspec

from lamplighter_contract.errors import Reason, Refusal
from lamplighter_contract.wire.fields import Count
from lamplighter_contract.wire.limits import MAX_ACK_RANGES, MAX_FRAME_BYTES
from lamplighter_contract.wire.version import WIRE_VERSION

Seq = Annotated[int, msgspec.Meta(ge=0, lt=2**53)]


class Ack(msgspec.Struct, frozen=True):
    """Frames [first, last] that are all stored; from this controller in this epoch, for this boot of the gateway."""

    controller: str
    epoch: Count
    boot: str
    seq: Annotated[tuple[tuple[Seq, Seq], ...], msgspec.Meta(max_length=MAX_ACK_RANGES)]
    v: int = WIRE_VERSION

    def encode(self) -> bytes:
        """The ack as it is sent."""
        return msgspec.json.encode(self)


def ranges(numbers: Iterable[int]) -> tuple[tuple[int, int], ...]:
    """Sorted, merged [first, last] ranges of frame numbers."""
    merged: list[tuple[int, int]] = []
    for number in sorted(set(numbers)):
        if merged and merged[-1][1] == number - 1:
            merged[-1] = (merged[-1][0], number)
        else:
            merged.append((number, number))
    return tuple(merged)


def decode_ack(payload: bytes) -> Ack | Refusal:
    """Read an ack."""
    if len(payload) > MAX_FRAME_BYTES:
        return Refusal(Reason.TOO_LARGE, f"{len(payload)} bytes")
    try:
        ack = msgspec.json.decode(payload, type=Ack)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        return Refusal(Reason.MALFORMED, f"ack: {error}")
    if ack.v != WIRE_VERSION:
        return Refusal(Reason.VERSION, f"v is {ack.v}")
    if any(first > last for first, last in ack.seq):
        return Refusal(Reason.MALFORMED, "ack: a range ends before it begins")
    return ack
