"""The simulated city without its wires: plant, faults, registers, and the record of what was written to it."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from lamplighter_contract.quantities import Kind
from lamplighter_firmware_sim.city.build import build_city
from lamplighter_firmware_sim.city.inventory import City
from lamplighter_firmware_sim.errors import UnknownTargetError
from lamplighter_firmware_sim.faults.board import FaultBoard
from lamplighter_firmware_sim.physics.memory import Memory, recall
from lamplighter_firmware_sim.physics.plant import Plant
from lamplighter_firmware_sim.scenario.model import Physics, Scenario
from lamplighter_firmware_sim.wires.registers import RegisterBank

_WRITES_KEPT: Final = 100_000


@dataclass(frozen=True, slots=True)
class Write:
    """One value that a device took from its wire: `what` is level_percent, resume, identify or contactor_closed."""

    civil_ms: int
    device: str
    what: str
    value: float


@dataclass(frozen=True, slots=True)
class LampState:
    """What is true of one lamp now, free of measurement noise. `written_percent` is None on its own schedule."""

    id: str
    powered: bool
    lit: bool
    level_percent: float
    written_percent: float | None
    power_w: float
    voltage_v: float
    current_a: float
    temperature_c: float
    energy_kwh: float
    burning_h: float
    starts: int


class Simulation:
    """A city that is stepped and written to from outside. It reads no clock and opens no socket."""

    def __init__(self, scenario: Scenario, civil_ms: int, memory: Memory | None = None) -> None:
        """Begin at a civil time, going on from `memory` if it is of this city."""
        self.city: City = build_city(scenario)
        self.faults = FaultBoard(self.city)
        self.faults.observe(civil_ms, 0.0)
        self.plant = Plant(self.city, self.faults, civil_ms)
        if memory is not None and recall(self.plant, memory):
            self.plant.advance(civil_ms, 0.0)
        self.bank = RegisterBank(self.plant, scenario.seed, noise=scenario.physics is Physics.LIVE)
        self.writes: deque[Write] = deque(maxlen=_WRITES_KEPT)
        self.on_write: Callable[[], None] = _nobody
        self._civil_ms = civil_ms

    def step(self, civil_ms: int, running_s: float) -> None:
        """Move to a civil time, `running_s` real seconds after the start; static physics stay at their first time."""
        if self.city.scenario.physics is Physics.STATIC:
            civil_ms = self._civil_ms
        self._civil_ms = civil_ms
        self.faults.observe(civil_ms, running_s)
        self.plant.advance(civil_ms, running_s)
        self.bank.refresh()

    def wait(self, running_s: float) -> None:
        """Let real time pass for the faults; the city moves only if one begins or ends."""
        if self.faults.observe(self._civil_ms, running_s):
            self.step(self._civil_ms, running_s)

    def lamp(self, device: str) -> LampState:
        """The state of one lamp.

        Raises:
            UnknownTargetError: the city has no such lamp.
        """
        index, lamps = self.index(device, Kind.LAMP), self.plant.lamps
        written = float(lamps.written_percent[index])
        return LampState(
            id=device,
            powered=self.plant.powered(index),
            lit=bool(lamps.lit[index]),
            level_percent=float(lamps.level_percent[index]),
            written_percent=None if written != written else written,  # noqa: PLR0124 - NaN is the lamp's own schedule
            power_w=float(lamps.power_w[index]),
            voltage_v=float(lamps.voltage_v[index]),
            current_a=float(lamps.current_a[index]),
            temperature_c=float(lamps.temperature_c[index]),
            energy_kwh=float(lamps.energy_wh[index]) / 1000,
            burning_h=float(lamps.burning_h[index]),
            starts=int(lamps.starts[index]),
        )

    def index(self, device: str, kind: Kind) -> int:
        """Column index of a device.

        Raises:
            UnknownTargetError: the city has no such device of that kind.
        """
        of, index = self.city.places.get(device, (None, -1))
        if of is not kind:
            raise UnknownTargetError(f"{device!r}: no such {kind} in the city")
        return index

    def write_level(self, lamp: int, percent: float) -> None:
        """A controller takes a level."""
        self.plant.write_level(lamp, percent)
        self._written(self.city.lamps[lamp].id, "level_percent", percent, lamp)

    def resume(self, lamp: int) -> None:
        """A controller goes back to its own schedule."""
        self.plant.resume(lamp)
        self._written(self.city.lamps[lamp].id, "resume", 1, lamp)

    def identify(self, lamp: int, seconds: float) -> None:
        """A lamp blinks."""
        self.plant.identify(lamp, seconds)
        self._written(self.city.lamps[lamp].id, "identify", seconds, lamp)

    def switch(self, circuit: int, closed: bool) -> None:
        """A contactor moves."""
        self.plant.switch(circuit, closed)
        self.bank.circuits[circuit, 0] = self.plant.circuits.closed[circuit]
        self._written(self.city.circuits[circuit].id, "contactor_closed", float(closed), None)

    def lamp_answers(self, lamp: int) -> bool:
        """Whether a lamp's controller has supply and a sound wire."""
        return not self.faults.strength("silent", Kind.LAMP)[lamp] and self.plant.powered(lamp)

    def _written(self, device: str, what: str, value: float, lamp: int | None) -> None:
        if lamp is not None:
            self.bank.show_level(lamp)
        self.writes.append(Write(self._civil_ms, device, what, value))
        self.on_write()


def _nobody() -> None:
    """Nobody waits for writes."""
