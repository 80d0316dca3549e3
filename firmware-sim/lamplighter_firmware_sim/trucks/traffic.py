"""All trucks together, stepped from outside. It reads no clock and opens no socket."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from lamplighter_firmware_sim.errors import UnknownTargetError
from lamplighter_firmware_sim.trucks.driver import Driver
from lamplighter_firmware_sim.trucks.fleet import Fleet
from lamplighter_firmware_sim.trucks.offences import Offence, Planned, script
from lamplighter_firmware_sim.trucks.vehicle import Vehicle

STEP_S: Final = 1.0
LONGEST_S: Final = 120.0  # what a simulator that was suspended makes up for


@dataclass(slots=True)
class Traffic:
    """Drivers and their trucks, by their order in the fleet; `per_truck_day` offences come by the script."""

    fleet: Fleet
    civil_ms: int
    per_truck_day: float = 0.3
    drivers: tuple[Driver, ...] = field(init=False)
    offended: list[Planned] = field(init=False, default_factory=list)
    _script: Iterator[Planned] = field(init=False)
    _next: Planned | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        """All trucks stand in their yards."""
        roads = self.fleet.roads()
        seeds = np.random.SeedSequence(self.fleet.seed).spawn(len(self.fleet.trucks))
        self.drivers = tuple(
            Driver(truck, self.fleet, roads, Vehicle((0.0, 0.0)), np.random.default_rng(seed))
            for truck, seed in zip(self.fleet.trucks, seeds, strict=True)
        )
        self._script = script(self.fleet, self.civil_ms, self.per_truck_day)
        self._next = next(self._script) if self.per_truck_day > 0 else None

    def step(self, civil_ms: int) -> None:
        """Bring everything to a civil time; a longer sleep than two minutes is not made up for."""
        self.civil_ms = max(self.civil_ms, civil_ms - round(LONGEST_S * 1000))
        while self.civil_ms + STEP_S * 1000 <= civil_ms:
            self.civil_ms += round(STEP_S * 1000)
            self._offend()
            for driver in self.drivers:
                driver.step(STEP_S)
                driver.vehicle.step(STEP_S)

    def work(self, seconds: float) -> None:
        """Let so much time pass at once."""
        end_ms = self.civil_ms + round(seconds * 1000)
        while self.civil_ms + STEP_S * 1000 <= end_ms:
            self.step(self.civil_ms + round(STEP_S * 1000))

    def offend(self, truck: str, offence: Offence) -> None:
        """Have a truck do something wrong now, or as soon as its work allows it.

        Raises:
            UnknownTargetError: there is no such truck.
        """
        self._do(Planned(self.civil_ms, self.index(truck), offence))

    def index(self, truck: str) -> int:
        """A truck's place in the fleet.

        Raises:
            UnknownTargetError: there is no such truck.
        """
        for number, one in enumerate(self.fleet.trucks):
            if one.id == truck:
                return number
        raise UnknownTargetError(f"{truck!r}: no such truck, expected {self.fleet.trucks[0].id} or another")

    def _offend(self) -> None:
        while self._next is not None and self._next.civil_ms <= self.civil_ms:
            self._do(self._next)
            self._next = next(self._script)

    def _do(self, planned: Planned) -> None:
        self.drivers[planned.truck].offend(planned.offence)
        self.offended.append(planned)
