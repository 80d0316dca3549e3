"""The simulated city on its wires, in the caller's own event loop."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Final

from lamplighter_contract.clock import Clock, SystemClock
from lamplighter_contract.quantities import Kind
from lamplighter_firmware_sim.control import Control
from lamplighter_firmware_sim.endpoints import FILE_NAME, Endpoints
from lamplighter_firmware_sim.errors import UnknownTargetError
from lamplighter_firmware_sim.faults.board import FaultBoard
from lamplighter_firmware_sim.physics.memory import MEMORY_NAME, load_memory, remember, store_memory
from lamplighter_firmware_sim.scenario.model import Physics, Scenario, Wire
from lamplighter_firmware_sim.simulation import LampState, Simulation, Write
from lamplighter_firmware_sim.wires.bus import Bus
from lamplighter_firmware_sim.wires.field import FieldLamps
from lamplighter_firmware_sim.wires.rtu import RtuBus
from lamplighter_firmware_sim.wires.tcp import TcpBus
from lamplighter_firmware_sim.wires.units import cabinet_units

_LOG: Final = logging.getLogger(__name__)
_TICK_S: Final = 0.5
_SHORTEST_TICK_S: Final = 0.05
_MEMORY_S: Final = 30.0


@dataclass(slots=True)
class RunningCity:
    """A city that answers on real wires, and everything inside it for a test to look at."""

    simulation: Simulation
    endpoints: Endpoints
    buses: dict[str, Bus]
    field_lamps: FieldLamps | None
    clock: Clock
    started_s: float
    lines: list[RtuBus] = field(default_factory=list)
    supervisor: asyncio.Task[None] | None = None

    @property
    def faults(self) -> FaultBoard:
        """What goes wrong; `add` and `clear` take effect at once."""
        return self.simulation.faults

    @property
    def writes(self) -> list[Write]:
        """What devices took from their wires so far, oldest first."""
        return list(self.simulation.writes)

    def lamp(self, device: str) -> LampState:
        """What is true of a lamp as of the last step."""
        return self.simulation.lamp(device)

    def step(self) -> None:
        """Bring the city to the clock's time now, without waiting for the next tick."""
        self.simulation.step(self.clock.civil_ms(), self.clock.monotonic_s() - self.started_s)

    async def until(self, stop: asyncio.Event) -> None:
        """Wait until `stop` is set or something inside the city fails; the failure is raised when the block ends."""
        asked = asyncio.create_task(stop.wait(), name="simulated city stop")
        inside = {self.supervisor} if self.supervisor else set()
        await asyncio.wait({asked, *inside}, return_when=asyncio.FIRST_COMPLETED)
        asked.cancel()


@contextlib.asynccontextmanager
async def running_city(
    scenario: Scenario,
    directory: Path,
    *,
    clock: Clock | None = None,
    host: str = "127.0.0.1",
    port_base: int = 0,
    gateway: str | None = None,
    field_broker: tuple[str, int] | None = None,
    control: bool = False,
    remembering: bool = False,
) -> AsyncIterator[RunningCity]:
    """Open the wires of a scenario and keep its city moving until the block ends.

    Serial lines get links `rtu-<cabinet>` in `directory`, and with `control` its socket is there, too. Port 0 as the
    base takes free ports, else cabinet n listens on base + n. With `gateway` only that gateway's part is served.
    With `remembering` the devices keep counters and written levels in `directory` from one run to the next.

    Raises:
        UnknownTargetError: the scenario has no such gateway.
        OSError: a port is taken or the directory cannot be written.
    """
    clock = clock or SystemClock()
    memory = load_memory(directory / MEMORY_NAME) if remembering else None
    simulation = Simulation(scenario, clock.civil_ms(), memory)
    if gateway is not None and gateway not in simulation.city.gateways:
        raise UnknownTargetError(f"gateway {gateway!r}: expected one of {', '.join(simulation.city.gateways)}")
    cabinets = [i for i, c in enumerate(simulation.city.cabinets) if gateway in {None, c.gateway}]
    buses = {simulation.city.cabinets[i].id: _bus(simulation, i) for i in cabinets}
    endpoints = Endpoints(host, field_broker=field_broker)
    field_lamps = _field_lamps(simulation, clock, field_broker, cabinets)
    city = RunningCity(simulation, endpoints, buses, field_lamps, clock, clock.monotonic_s())
    async with contextlib.AsyncExitStack() as stack:
        if control:  # first of all: it refuses a directory that another simulator lives in
            await stack.enter_async_context(Control(simulation, directory).listening())
            (directory / FILE_NAME).unlink(missing_ok=True)  # of a predecessor that was killed
        for index in cabinets:
            await _open(stack, city, index, port_base, directory)
        if remembering:
            stack.callback(lambda: store_memory(directory / MEMORY_NAME, remember(simulation.plant)))
        await stack.enter_async_context(_background(city, directory if remembering else None))
        yield city


def _bus(simulation: Simulation, index: int) -> Bus:
    lamps = simulation.city.cabinets[index].wire is not Wire.MQTT
    return Bus(cabinet_units(simulation, index, lamps=lamps), partial(_line_fault, simulation, index))


def _line_fault(simulation: Simulation, cabinet: int, fault: str) -> float:
    return float(simulation.faults.strength(fault, Kind.CABINET)[cabinet])


def _field_lamps(
    simulation: Simulation, clock: Clock, broker: tuple[str, int] | None, cabinets: list[int]
) -> FieldLamps | None:
    lamps = [
        lamp
        for index in cabinets
        if simulation.city.cabinets[index].wire is Wire.MQTT
        for lamp in simulation.city.lamps_of(index)
    ]
    if lamps and broker is None:
        _LOG.warning("no field broker is given: the %d lamps that speak MQTT stay unreachable", len(lamps))
    return FieldLamps(simulation, clock, broker, lamps) if broker and lamps else None


async def _open(
    stack: contextlib.AsyncExitStack, city: RunningCity, index: int, port_base: int, directory: Path
) -> None:
    cabinet = city.simulation.city.cabinets[index]
    bus = city.buses[cabinet.id]
    if cabinet.meter_wire is Wire.MODBUS_RTU:
        line = RtuBus(bus, city.simulation.city.scenario.serial, directory / f"rtu-{cabinet.id}")
        stack.callback(line.close)
        line.open()
        city.lines.append(line)
        city.endpoints.devices[cabinet.id] = str(line.link)
    else:
        server = TcpBus(bus, city.endpoints.host, port_base + index + 1 if port_base else 0)
        stack.callback(server.close)
        await server.open()
        city.endpoints.ports[cabinet.id] = server.port


@contextlib.asynccontextmanager
async def _background(city: RunningCity, memory: Path | None) -> AsyncIterator[None]:
    """Run clock and field lamps beside the block; their failure is raised when the block ends."""
    supervisor = city.supervisor = asyncio.create_task(_supervise(city, memory), name="simulated city")
    try:
        yield
    finally:
        supervisor.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await supervisor


async def _supervise(city: RunningCity, memory: Path | None) -> None:
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(_tick(city), name="simulated city clock")
        if memory is not None:
            tasks.create_task(_remember(city, memory), name="simulated city memory")
        if city.field_lamps is not None:
            tasks.create_task(city.field_lamps.run(), name="field lamps")


async def _remember(city: RunningCity, directory: Path) -> None:
    while True:
        await asyncio.sleep(_MEMORY_S)
        store_memory(directory / MEMORY_NAME, remember(city.simulation.plant))


async def _tick(city: RunningCity) -> None:
    """Step at a steady pace, and soon after a write so that power follows the level."""
    written = asyncio.Event()
    city.simulation.on_write = written.set
    while True:
        try:
            async with asyncio.timeout(_TICK_S):
                await written.wait()
        except TimeoutError:
            pass
        if city.simulation.city.scenario.physics is Physics.LIVE or written.is_set():
            city.step()
        else:
            city.simulation.wait(city.clock.monotonic_s() - city.started_s)
        for line in city.lines:
            line.look()
        written.clear()
        await asyncio.sleep(_SHORTEST_TICK_S)
