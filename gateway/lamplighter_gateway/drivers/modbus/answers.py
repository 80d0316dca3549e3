"""What comes back from a unit, and what went wrong when nothing usable did."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from pymodbus.pdu import DecodePDU, ModbusPDU


class Cause(StrEnum):
    """Why a question has no usable answer."""

    SILENT = "no answer"
    GARBLED = "garbled answer"
    FOREIGN = "answer to another question"
    REFUSED = "refused"  # an exception answer; `code` says which
    OFFLINE = "not connected"
    LOST = "connection lost while waiting for the answer"
    EXPIRED = "deadline passed before it was sent"


_EXCEPTIONS: Final = {  # Modbus application protocol 1.1b3, 7
    1: "illegal function",
    2: "illegal data address",
    3: "illegal data value",
    4: "device failure",
    5: "acknowledge, still working",
    6: "busy",
    8: "memory parity error",
    10: "gateway path unavailable",
    11: "gateway target does not respond",
}
ILLEGAL_ADDRESS: Final = frozenset({2, 3})
TARGET_GONE: Final = frozenset({10, 11})


@dataclass(frozen=True, slots=True)
class Trouble:
    """No usable answer, and why."""

    cause: Cause
    code: int = 0

    @property
    def unit_silent(self) -> bool:
        """True if the unit itself did not answer, as far as can be seen from here."""
        return self.cause in (Cause.SILENT, Cause.GARBLED, Cause.FOREIGN) or self.code in TARGET_GONE

    @property
    def illegal(self) -> bool:
        """True if the unit does not have what was asked for."""
        return self.cause is Cause.REFUSED and self.code in ILLEGAL_ADDRESS

    def __str__(self) -> str:
        """In words for a person."""
        if self.cause is Cause.REFUSED:
            return f"refused: {_EXCEPTIONS.get(self.code, 'exception')} ({self.code})"
        return self.cause.value


class BlockAnswer(ModbusPDU):
    """The answer to a read, kept as bytes: `struct` reads them once, instead of one object per register."""

    rtu_byte_count_pos = 2
    block: bytes = b""

    def decode(self, data: bytes) -> None:
        """Keep the bytes; a wrong byte count leaves none."""
        self.block = data[1:] if data and data[0] == len(data) - 1 else b""

    def __str__(self) -> str:
        """For the library's debug log."""
        return f"{len(self.block)} bytes from {self.dev_id}"


class CoilAnswer(BlockAnswer):
    """Answer to function 1."""

    function_code = 1


class DiscreteAnswer(BlockAnswer):
    """Answer to function 2."""

    function_code = 2


class HoldingAnswer(BlockAnswer):
    """Answer to function 3."""

    function_code = 3


class InputAnswer(BlockAnswer):
    """Answer to function 4."""

    function_code = 4


class Undecodable(ModbusPDU):
    """An answer that is no Modbus message; it belongs to no question."""


_BLOCKS: Final = {answer.function_code: answer for answer in (CoilAnswer, DiscreteAnswer, HoldingAnswer, InputAnswer)}


class AnswerDecoder(DecodePDU):
    """The library's decoder with reads kept as bytes; nothing a unit sends makes it raise."""

    def __init__(self) -> None:
        """Decode answers, not requests."""
        super().__init__(is_server=False)
        for answer in _BLOCKS.values():
            self.register(answer)

    def decode(self, frame: bytes) -> ModbusPDU:
        """One message without address and checksum."""
        kind = _BLOCKS.get(frame[0])
        if kind is None:
            return super().decode(frame) or Undecodable()
        answer = kind()
        answer.decode(frame[1:])
        return answer
