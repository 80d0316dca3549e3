"""Bytes heard after a question, and what they say of the line. Pure."""

import struct
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from pymodbus.framer.rtu import FramerRTU

MBAP: Final = struct.Struct(">HHHB")
_WRITES_ONE: Final = frozenset({5, 6})  # answered by the request itself
_IDLE_BYTES: Final = frozenset({0x00, 0xFF})
READ_HOLDING: Final = 3
WRITE_REGISTER: Final = 6


class Kind(StrEnum):
    """What an answer is."""

    GOOD = "good"
    REFUSED = "refused"  # an exception: the unit is there and understood us
    SILENT = "silent"
    ECHO = "echo"  # only our own request came back
    GARBLED = "garbled"
    LEVELS = "levels"  # only 0x00 and 0xFF: a line at rest at the wrong level, no characters
    FOREIGN = "foreign"  # a whole frame, of another unit or to another question
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class Said:
    """One answer; `code` of an exception, `block` the registers of a read, `unit` of a foreign frame.

    `echoed`: our own request came first; `noisy`: bytes that belong to nothing came with it.
    """

    kind: Kind
    code: int = 0
    block: bytes = b""
    unit: int = 0
    echoed: bool = False
    noisy: bool = False

    @property
    def alive(self) -> bool:
        """True if the unit itself answered and was understood."""
        return self.kind in (Kind.GOOD, Kind.REFUSED)


def read_pdu(function: int, address: int, count: int) -> bytes:
    """Read `count` registers or bits."""
    return struct.pack(">BHH", function, address, count)


def write_pdu(address: int, value: int) -> bytes:
    """Write one register."""
    return struct.pack(">BHH", WRITE_REGISTER, address, value)


def rtu_frame(unit: int, pdu: bytes) -> bytes:
    """A request as it goes over a serial line."""
    body = bytes((unit,)) + pdu
    return body + FramerRTU.compute_CRC(body).to_bytes(2, "big")


def whole(frame: bytes) -> bool:
    """True for a serial frame whose checksum is right."""
    return len(frame) >= 4 and FramerRTU.check_CRC(frame[:-2], int.from_bytes(frame[-2:], "big"))


def understood_rtu(unit: int, pdu: bytes, heard: bytes) -> Said:
    """What was heard on a serial line after `pdu` was sent to `unit`."""
    request = rtu_frame(unit, pdu)
    single = pdu[0] in _WRITES_ONE
    echoed = heard.startswith(request) and (not single or len(heard) > len(request))
    rest = heard[len(request) :] if echoed else heard
    if not rest:
        return Said(Kind.ECHO if echoed else Kind.SILENT, echoed=echoed)
    for start in range(len(rest)):
        for length in (_answer_bytes(pdu) + 3, 5):
            frame = rest[start : start + length]
            if len(frame) == length and whole(frame) and frame[0] == unit:
                said = _answered(pdu, frame[1:-2])
                if said is not None:
                    return Said(said.kind, said.code, said.block, unit, echoed, noisy=length != len(rest))
    return _unusable(rest, echoed=echoed)


def understood_tcp(unit: int, pdu: bytes, heard: bytes, *, closed: bool) -> Said:
    """What was heard on Modbus TCP; frames there have a length and no checksum."""
    if len(heard) < MBAP.size + 1:
        return Said(Kind.CLOSED if closed else Kind.GARBLED if heard else Kind.SILENT)
    _, protocol, length, from_unit = MBAP.unpack_from(heard)
    if protocol != 0 or length + 6 != len(heard):
        return Said(Kind.GARBLED)
    said = _answered(pdu, heard[MBAP.size :]) if from_unit == unit else None
    return said or Said(Kind.FOREIGN, unit=from_unit)


def _answer_bytes(pdu: bytes) -> int:
    """Bytes of a good answer without unit and checksum."""
    if pdu[0] in (1, 2, 3, 4):
        count = int.from_bytes(pdu[3:5], "big")
        return 2 + (2 * count if pdu[0] in (3, 4) else -(-count // 8))
    return 5


def _answered(pdu: bytes, answer: bytes) -> Said | None:
    if len(answer) == 2 and answer[0] == pdu[0] | 0x80:
        return Said(Kind.REFUSED, code=answer[1])
    if len(answer) != _answer_bytes(pdu) or answer[0] != pdu[0]:
        return None
    if pdu[0] in _WRITES_ONE:
        return Said(Kind.GOOD) if answer == pdu else None
    return Said(Kind.GOOD, block=answer[2:]) if answer[1] == len(answer) - 2 else None


def _unusable(rest: bytes, *, echoed: bool) -> Said:
    if whole(rest):
        return Said(Kind.FOREIGN, unit=rest[0], echoed=echoed)
    return Said(Kind.LEVELS if set(rest) <= _IDLE_BYTES else Kind.GARBLED, echoed=echoed)
