"""What can be asked of a unit, as the library's messages, and whether an answer belongs to it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from pymodbus.pdu import ModbusPDU
from pymodbus.pdu.bit_message import ReadCoilsRequest, ReadDiscreteInputsRequest, WriteSingleCoilRequest
from pymodbus.pdu.register_message import (
    ReadHoldingRegistersRequest,
    ReadInputRegistersRequest,
    WriteMultipleRegistersRequest,
    WriteSingleRegisterRequest,
)

from lamplighter_gateway.drivers.modbus.answers import BlockAnswer
from lamplighter_gateway.drivers.modbus.planner import Span
from lamplighter_gateway.profiles.model import Table

_READS: Final[dict[Table, type[ModbusPDU]]] = {
    Table.HOLDING: ReadHoldingRegistersRequest,
    Table.INPUT: ReadInputRegistersRequest,
    Table.COIL: ReadCoilsRequest,
    Table.DISCRETE: ReadDiscreteInputsRequest,
}
_WRITE_ANSWER: Final = 8


@dataclass(frozen=True, slots=True)
class Question:
    """One request to one unit; `characters` is the length of request and answer together on a serial line."""

    pdu: ModbusPDU
    unit: int
    characters: int
    answer_bytes: int

    @property
    def reads(self) -> bool:
        """True for a read, whose answer can never look like the question."""
        return self.answer_bytes > 0

    @property
    def answer_characters(self) -> int:
        """Length of the answer's frame on a serial line, where it is no refusal."""
        return 5 + self.answer_bytes if self.reads else _WRITE_ANSWER

    def answered_by(self, answer: ModbusPDU) -> bool:
        """True if function and length, or the echo of a write, are those of this question."""
        if answer.function_code != self.pdu.function_code:
            return False
        if isinstance(answer, BlockAnswer):
            return len(answer.block) == self.answer_bytes
        return answer.address == self.pdu.address and self._echoes(answer)

    def _echoes(self, answer: ModbusPDU) -> bool:
        if isinstance(self.pdu, WriteMultipleRegistersRequest):
            return answer.count == self.pdu.count
        return list(answer.registers) == list(self.pdu.registers) and answer.bits[:1] == self.pdu.bits[:1]


def read_question(unit: int, table: Table, span: Span) -> Question:
    """Read a span of one table."""
    answer_bytes = -(-span.count // 8) if table.is_bits else 2 * span.count
    pdu = _READS[table](dev_id=unit, address=span.start, count=span.count)
    return Question(pdu, unit, 8 + 5 + answer_bytes, answer_bytes)


def write_registers(unit: int, address: int, registers: Sequence[int]) -> Question:
    """Write one register with function 6, more with function 16. Unit 0 is every unit, and nobody answers."""
    pdu: ModbusPDU
    if len(registers) == 1:
        pdu = WriteSingleRegisterRequest(dev_id=unit, address=address, registers=list(registers))
        return Question(pdu, unit, 16, 0)
    pdu = WriteMultipleRegistersRequest(dev_id=unit, address=address, registers=list(registers))
    return Question(pdu, unit, 9 + 2 * len(registers) + 8, 0)


def write_coil(unit: int, address: int, closed: bool) -> Question:
    """Write one coil with function 5."""
    return Question(WriteSingleCoilRequest(dev_id=unit, address=address, bits=[closed]), unit, 16, 0)
