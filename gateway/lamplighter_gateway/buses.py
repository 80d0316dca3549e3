"""The buses as running tasks: some may be exchanged while the others go on undisturbed."""

import asyncio
import logging
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Final, NoReturn

from lamplighter_contract.wire.documents import BusEntry, DeviceEntry
from lamplighter_gateway.drivers.port import Driver, Reading
from lamplighter_gateway.light.registry import Registry

log = logging.getLogger(__name__)

END_S: Final = 10.0  # a driver that takes longer to let go of its port is left to itself


@dataclass(frozen=True, slots=True)
class Served:
    """What a gateway serves: devices, the bus of each, how the centre is told of buses, and the drivers that are new.

    A bus without a new driver goes on with the one it has.
    """

    entries: Mapping[str, DeviceEntry]
    bus_of: Mapping[str, str]
    buses: tuple[BusEntry, ...]
    new: Mapping[str, Driver]


class Buses:
    """Runs the driver of every bus in the registry."""

    def __init__(self, registry: Registry) -> None:
        """Nothing runs before `run`."""
        self._registry = registry
        self._running: dict[str, asyncio.Task[None]] = {}
        self._group: asyncio.TaskGroup | None = None
        self.heard_s: dict[str, float] = {}

    async def run(self) -> NoReturn:
        """Serve every bus until cancelled."""
        async with asyncio.TaskGroup() as group:
            self._group = group
            for bus, driver in self._registry.drivers.items():
                self._start(group, bus, driver)
            await asyncio.Event().wait()
        raise AssertionError("unreachable")

    def hear(self, readings: Collection[Reading], now_s: float) -> None:
        """Devices answered."""
        for reading in readings:
            self.heard_s[self._registry.bus_of.get(reading.device, "")] = now_s

    def answering(self, since_s: float) -> bool:
        """True when a device of any bus was heard since then, or a truck can be reached."""
        if any(self.heard_s.get(bus, -1.0) >= since_s for bus in self._registry.drivers):
            return True
        return any(self._reached(device) for device in self._registry.entries)

    async def serve(self, served: Served) -> None:
        """End the buses that are gone or have a new driver, then begin the new ones; the others notice nothing."""
        names = {bus.bus for bus in served.buses}
        kept = {bus for bus in self._registry.drivers if bus in names and bus not in served.new}
        ending = [self._running.pop(bus) for bus in self._registry.drivers if bus not in kept and bus in self._running]
        for task in ending:
            task.cancel()
        if ending:
            _, late = await asyncio.wait(ending, timeout=END_S)
            if late:
                log.error("%s did not end in time", ", ".join(task.get_name() for task in late))
        drivers = {bus: self._registry.drivers[bus] for bus in kept} | dict(served.new)
        self._registry.serve(served.entries, served.bus_of, drivers, served.buses)
        for bus, driver in served.new.items():
            self.heard_s.pop(bus, None)
            if self._group is not None:
                self._start(self._group, bus, driver)

    def _reached(self, device: str) -> bool:
        trackers = self._registry.trackers(device)
        return trackers is not None and trackers.online(device)

    def _start(self, group: asyncio.TaskGroup, bus: str, driver: Driver) -> None:
        self._running[bus] = group.create_task(driver.run(), name=f"bus-{bus}")
