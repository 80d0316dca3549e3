"""Devices of the simulated city as values. Lists are in id order; a device's place in its list is its column index."""

from dataclasses import dataclass
from functools import cached_property
from typing import Final

from lamplighter_contract.quantities import Kind
from lamplighter_firmware_sim.scenario.model import LampModel, Name, Road, Scenario, Wire

PHASES: Final = "abc"
CIRCUIT_OFFSETS: Final = (100, 110, 120)  # first register of the phase's contactor on the cabinet's unit
LOOP_OFFSETS: Final = (130, 140)  # of the contactors of the all-night and the half-night loop


@dataclass(frozen=True, slots=True)
class Position:
    """WGS-84 degrees."""

    latitude: float
    longitude: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Cabinet:
    """A supply point of a road: meter, three contactors and those of its loops, door contacts, photocell."""

    id: str
    gateway: str
    wire: Wire
    unit: int
    position: Position
    name: Name
    road: Road
    loop_lamps: int

    @property
    def meter_wire(self) -> Wire:
        """What the cabinet itself speaks."""
        return Wire.MODBUS_TCP if self.wire is Wire.MQTT else self.wire


@dataclass(frozen=True, slots=True, kw_only=True)
class Circuit:
    """One contactor and breaker of a cabinet; feeds the lamps of one phase, or a loop of lamps without a controller."""

    id: str
    cabinet: int
    phase: int
    name: Name
    offset: int
    loop: str = ""
    loop_lamps: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Lamp:
    """A luminaire with its controller. `branch` and `order` say where it hangs on its circuit's cable, 0 first."""

    id: str
    cabinet: int
    circuit: int
    branch: int
    order: int
    unit: int
    address: str
    model: LampModel
    position: Position
    name: Name


@dataclass(frozen=True)
class City:
    """The whole inventory. Circuits of loops come after all others."""

    scenario: Scenario
    cabinets: tuple[Cabinet, ...]
    circuits: tuple[Circuit, ...]
    lamps: tuple[Lamp, ...]

    @cached_property
    def gateways(self) -> tuple[str, ...]:
        """Gateway ids, in order."""
        return tuple(dict.fromkeys(cabinet.gateway for cabinet in self.cabinets))

    @cached_property
    def places(self) -> dict[str, tuple[Kind, int]]:
        """Kind and column index of every device id."""
        return (
            {lamp.id: (Kind.LAMP, index) for index, lamp in enumerate(self.lamps)}
            | {cabinet.id: (Kind.CABINET, index) for index, cabinet in enumerate(self.cabinets)}
            | {circuit.id: (Kind.CIRCUIT, index) for index, circuit in enumerate(self.circuits)}
        )

    @cached_property
    def contactors(self) -> dict[tuple[int, int], int]:
        """Column index of the circuit by cabinet and first register."""
        return {(circuit.cabinet, circuit.offset): index for index, circuit in enumerate(self.circuits)}

    def lamps_of(self, cabinet: int) -> list[int]:
        """Column indices of the cabinet's lamps."""
        return self._lamps_by_cabinet[cabinet]

    @cached_property
    def _lamps_by_cabinet(self) -> list[list[int]]:
        lamps: list[list[int]] = [[] for _ in self.cabinets]
        for index, lamp in enumerate(self.lamps):
            lamps[lamp.cabinet].append(index)
        return lamps
