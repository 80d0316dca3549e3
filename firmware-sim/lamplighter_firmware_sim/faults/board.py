"""Which faults hold now, and their strength on every device."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from lamplighter_contract.quantities import Kind
from lamplighter_firmware_sim.city.inventory import City
from lamplighter_firmware_sim.faults.kinds import KINDS, FaultSpan, RealSpan
from lamplighter_firmware_sim.faults.targets import Devices, devices_meant, kind_named

_FOR_EVER_S: Final = 1e12


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault of one target, which may stand for several devices."""

    number: int
    kind: str
    target: str
    value: float
    span: FaultSpan
    devices: Devices


class FaultBoard:
    """All faults of a city. `strength` gives the columns that physics and wires read, 0 where all is well."""

    def __init__(self, city: City) -> None:
        """Take the scenario's own faults."""
        self._city = city
        sizes = {Kind.LAMP: len(city.lamps), Kind.CABINET: len(city.cabinets), Kind.CIRCUIT: len(city.circuits)}
        self._strength = {(name, of): np.zeros(sizes[of]) for name, kind in KINDS.items() for of in kind.targets}
        self._faults: dict[int, Fault] = {}
        self._holding: frozenset[int] = frozenset()
        self._next, self._civil_ms, self._running_s = 1, 0, 0.0
        for fault in city.scenario.faults:
            self._insert(fault.kind, fault.target, fault.value, fault.span)

    def strength(self, kind: str, of: Kind) -> NDArray[np.float64]:
        """Strength of a fault kind on every device of a kind; the array stays the same one."""
        return self._strength[kind, of]

    def add(self, kind: str, target: str, seconds: float | None = None, value: float | None = None) -> Fault:
        """Begin a fault now, for `seconds` real seconds or until it is cleared.

        Raises:
            UnknownTargetError: no such kind, no such device, or the kind does not befall it.
            ValueError: the value is out of the kind's bounds.
        """
        known = kind_named(kind)
        strength = known.default if value is None else value
        if not known.lowest <= strength <= known.highest:
            raise ValueError(f"value {strength:g} of {kind}: expected {known.lowest:g} to {known.highest:g}")
        span = RealSpan(self._running_s, self._running_s + (_FOR_EVER_S if seconds is None else seconds))
        fault = self._insert(kind, target, strength, span)
        self.observe(self._civil_ms, self._running_s)
        return fault

    def clear(self, number: int | None = None) -> int:
        """Forget one fault or all of them, scheduled ones too; how many there were."""
        gone = [n for n in self._faults if number is None or n == number]
        for one in gone:
            del self._faults[one]
        self.observe(self._civil_ms, self._running_s)
        return len(gone)

    def all(self) -> list[Fault]:
        """Every fault on the board, waiting ones and past ones too."""
        return list(self._faults.values())

    def holds(self, fault: Fault) -> bool:
        """Whether the fault held at the last observation."""
        return fault.number in self._holding

    def observe(self, civil_ms: int, running_s: float) -> bool:
        """Ask every fault whether it holds now, and renew the columns when an answer changed; whether one did."""
        self._civil_ms, self._running_s = civil_ms, running_s
        holding = frozenset(f.number for f in self._faults.values() if f.span.holds(civil_ms, running_s))
        changed = holding != self._holding
        if changed:
            self._holding = holding
            self._renew()
        return changed

    def _renew(self) -> None:
        for column in self._strength.values():
            column[:] = 0
        for number in self._holding:
            fault = self._faults[number]
            for of, index in fault.devices:
                column = self._strength[fault.kind, of]
                column[index] = max(column[index], fault.value)

    def _insert(self, kind: str, target: str, value: float, span: FaultSpan) -> Fault:
        fault = Fault(self._next, kind, target, value, span, devices_meant(self._city, kind_named(kind), target))
        self._next += 1
        self._faults[fault.number] = fault
        return fault
