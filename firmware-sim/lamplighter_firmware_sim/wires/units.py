"""The slaves of the city: single-lamp controllers, and cabinets with their circuits."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import ClassVar, Final

from lamplighter_contract.quantities import Kind
from lamplighter_firmware_sim.simulation import Simulation
from lamplighter_firmware_sim.wires.modbus import ExceptionCode, Unit
from lamplighter_firmware_sim.wires.registers import CABINET_REGISTERS, CIRCUIT_REGISTERS, LAMP_REGISTERS

_CIRCUIT_STEP: Final = 10
_LEVEL, _RESUME, _IDENTIFY, _NUMBER = 32, 33, 34, 35
_LAMP_BOUNDS: Final = {_LEVEL: (0, 100), _RESUME: (1, 1), _IDENTIFY: (1, 600), _NUMBER: (1, 247)}


def _keeps(_number: int) -> None:
    """Not on a bus whose numbers can change."""


@dataclass(frozen=True, slots=True)
class LampUnit:
    """A single-lamp controller: sixteen registers to read, four to write; `renumber` gives it another number."""

    simulation: Simulation
    index: int
    renumber: Callable[[int], None] = _keeps
    hears_broadcast: ClassVar = True

    def answers(self) -> bool:
        """Whether it has supply and a sound wire."""
        return self.simulation.lamp_answers(self.index)

    def strength(self, fault: str) -> float:
        """How strongly a fault of its wire befalls it, 0 where all is well."""
        return float(self.simulation.faults.strength(fault, Kind.LAMP)[self.index])

    def read(self, address: int, count: int) -> bytes | ExceptionCode:
        """Registers as they go over the wire."""
        if address + count > LAMP_REGISTERS:
            return ExceptionCode.ILLEGAL_ADDRESS
        return self.simulation.bank.lamps[self.index, address : address + count].tobytes()

    def write(self, address: int, values: Sequence[int]) -> ExceptionCode | None:
        """Take level, resume, identify, its own number, alone or in a row."""
        for register, value in enumerate(values, address):
            bounds = _LAMP_BOUNDS.get(register)
            if bounds is None:
                return ExceptionCode.ILLEGAL_ADDRESS
            if not bounds[0] <= value <= bounds[1]:
                return ExceptionCode.ILLEGAL_VALUE
        for register, value in enumerate(values, address):
            self._take(register, value)
        return None

    def _take(self, register: int, value: int) -> None:
        if register == _LEVEL:
            self.simulation.write_level(self.index, value)
        elif register == _RESUME:
            self.simulation.resume(self.index)
        elif register == _NUMBER:
            self.renumber(value)
        else:
            self.simulation.identify(self.index, value)


@dataclass(frozen=True, slots=True)
class CabinetUnit:
    """A supply point: its meter at 0, its circuits from 100 on, ten registers each."""

    simulation: Simulation
    index: int
    hears_broadcast: ClassVar = False

    def answers(self) -> bool:
        """Whether its wire is sound; it has supply of its own."""
        return not self.strength("silent")

    def strength(self, fault: str) -> float:
        """How strongly a fault of its wire befalls it, 0 where all is well."""
        return float(self.simulation.faults.strength(fault, Kind.CABINET)[self.index])

    def read(self, address: int, count: int) -> bytes | ExceptionCode:
        """Registers of the meter or of one circuit; no request spans both."""
        bank = self.simulation.bank
        if address + count <= CABINET_REGISTERS:
            return bank.cabinets[self.index, address : address + count].tobytes()
        start = address % _CIRCUIT_STEP
        circuit = self.simulation.city.contactors.get((self.index, address - start))
        if circuit is None or start + count > CIRCUIT_REGISTERS:
            return ExceptionCode.ILLEGAL_ADDRESS
        return bank.circuits[circuit, start : start + count].tobytes()

    def write(self, address: int, values: Sequence[int]) -> ExceptionCode | None:
        """Open or close one contactor."""
        circuit = self.simulation.city.contactors.get((self.index, address))
        if circuit is None or len(values) != 1:
            return ExceptionCode.ILLEGAL_ADDRESS
        if values[0] not in {0, 1}:
            return ExceptionCode.ILLEGAL_VALUE
        self.simulation.switch(circuit, closed=bool(values[0]))
        return None


def cabinet_units(simulation: Simulation, cabinet: int, *, lamps: bool) -> dict[int, Unit]:
    """The slaves on a cabinet's bus by unit id; without `lamps` only the cabinet itself."""
    units: dict[int, Unit] = {simulation.city.cabinets[cabinet].unit: CabinetUnit(simulation, cabinet)}
    if lamps:
        for index in simulation.city.lamps_of(cabinet):
            unit = simulation.city.lamps[index].unit
            units[unit] = LampUnit(simulation, index, partial(_renumber, units, index))
    return units


def _renumber(units: dict[int, Unit], lamp: int, number: int) -> None:
    """A lamp answers to another number from now on; whoever had it is not heard any more."""
    old = next(one for one, unit in units.items() if isinstance(unit, LampUnit) and unit.index == lamp)
    units[number] = units.pop(old)
