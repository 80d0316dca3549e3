"""What is read together: the devices of one unit that share a period, and the requests that cover them.

Holes, and then whole blocks, are given up where the unit refuses them (exceptions 2 and 3); quantities that it refuses
even alone are left out. All of this is forgotten when the unit comes back from a silence: it may be another one.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

from lamplighter_gateway.config.model import Device
from lamplighter_gateway.drivers.modbus.planner import BusCost, Grain, Span, plan
from lamplighter_gateway.drivers.modbus.questions import Question, read_question
from lamplighter_gateway.drivers.modbus.values import Decode, bits_decoder, block_decoder
from lamplighter_gateway.drivers.port import Reading, Value
from lamplighter_gateway.profiles.model import Register, RegisterField, Table


@dataclass(frozen=True, slots=True)
class Block:
    """One request, and for each device in it (by its place in the poll) what its answer means."""

    table: Table
    span: Span
    question: Question
    parts: tuple[tuple[int, Decode], ...]


@dataclass(frozen=True, slots=True)
class _Wanted:
    device: int
    field: RegisterField
    span: Span


class Poll:
    """One unit's devices of one period. Compared by identity."""

    def __init__(
        self, unit: int, devices: Sequence[Device], cost: BusCost, only: Collection[str] | None = None
    ) -> None:
        """`only` names the quantities that are read, where not all are."""
        self.unit = unit
        self.devices = tuple(devices)
        self._cost = cost
        wanted = [item for index, device in enumerate(devices) for item in _wanted(index, device)]
        self._wanted = [item for item in wanted if only is None or item.field.quantity.name in only]
        self._budget = min(device.profile.modbus.max_registers for device in devices if device.profile.modbus)
        self._names = [[item.field.quantity.name for item in self._wanted if item.device == i] for i in self._indices]
        self._grain = Grain.FILLED
        self._relearnt = False
        self._absent: set[tuple[Table, Span]] = set()
        self.blocks: tuple[Block, ...] = self._planned()

    def blank(self) -> list[dict[str, Value]]:
        """A fresh set of values for each device, nothing read yet."""
        return [dict.fromkeys(names) for names in self._names]

    def present(self, device: int) -> bool:
        """True if the unit has anything of this device."""
        return any(device == index for block in self.blocks for index, _ in block.parts)

    def refused(self, block: Block) -> bool:
        """Note that the unit refused the block; True if the plan changed and the unit should be asked again."""
        if self._grain is Grain.SINGLE:
            self._absent.add((block.table, block.span))
            return False
        self._grain = Grain.SINGLE if self._relearnt else Grain(self._grain + 1)
        self.blocks = self._planned()
        return True

    def completed(self) -> None:
        """Note a whole pass: once every quantity was asked for alone, those that are there can be joined again."""
        if self._grain is Grain.SINGLE and not self._relearnt:
            self._relearnt = True
            self._grain = Grain.ADJACENT
            self.blocks = self._planned()

    def forget(self) -> None:
        """Forget what the unit refused."""
        if self._grain is not Grain.FILLED:
            self._grain, self._relearnt, self._absent = Grain.FILLED, False, set()
            self.blocks = self._planned()

    def readings(self, values: Sequence[dict[str, Value]], quality: Sequence[int], time_ms: int) -> list[Reading]:
        """One reading for each device that the unit has."""
        every = self._grain is Grain.FILLED
        return [
            Reading(device.id, device.profile.kind, time_ms, values[index], quality[index])
            for index, device in enumerate(self.devices)
            if every or self.present(index)
        ]

    def _planned(self) -> tuple[Block, ...]:
        present = [item for item in self._wanted if (item.field.register.table, item.span) not in self._absent]
        return tuple(block for table in Table for block in self._plan_table(table, present))

    @property
    def _indices(self) -> range:
        return range(len(self.devices))

    def _plan_table(self, table: Table, present: Sequence[_Wanted]) -> list[Block]:
        mine = [item for item in present if item.field.register.table is table]
        budget = 16 * self._budget if table.is_bits else self._budget
        spans = plan((item.span for item in mine), self._cost, budget, self._grain)
        return [self._block(table, span, mine) for span in spans]

    def _block(self, table: Table, span: Span, mine: Sequence[_Wanted]) -> Block:
        inside = [item for item in mine if span.start <= item.span.start and item.span.end <= span.end]
        make: Callable[[Span, Sequence[tuple[RegisterField, int]]], Decode]
        make = bits_decoder if table.is_bits else block_decoder
        parts = tuple(
            (index, make(span, [(item.field, item.span.start) for item in inside if item.device == index]))
            for index in self._indices
            if any(item.device == index for item in inside)
        )
        return Block(table, span, read_question(self.unit, table, span), parts)


def _wanted(index: int, device: Device) -> list[_Wanted]:
    fields = device.profile.modbus.read if device.profile.modbus else ()
    return [_Wanted(index, field, _span(field.register, device.offset)) for field in fields]


def _span(register: Register, offset: int) -> Span:
    return Span(register.address + offset, 1 if register.table.is_bits else register.type.registers)
