"""The simulated trucks on their roads and wires, in the caller's own event loop."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from lamplighter_contract.clock import Clock
from lamplighter_firmware_sim.trucks.fleet import Fleet, Tracker
from lamplighter_firmware_sim.trucks.offences import Offence
from lamplighter_firmware_sim.trucks.traffic import Traffic
from lamplighter_firmware_sim.trucks.wire.mqtt import MqttTrackers
from lamplighter_firmware_sim.trucks.wire.onboard import Onboard
from lamplighter_firmware_sim.trucks.wire.quirks import Quirks, Sickness, quirks
from lamplighter_firmware_sim.trucks.wire.relay import Forwarding, VendorPlatform
from lamplighter_firmware_sim.trucks.wire.terminal import Terminal

TICK_S: Final = 0.2
SPREAD_S: Final = 0.02  # between two terminals that call first


@dataclass(frozen=True, slots=True, kw_only=True)
class Reporting:
    """How trucks report: every `interval_s` civil seconds, but never more often than `least_s` real ones.

    `healthy` gives every terminal no quirks; `per_truck_day` is how many offences the script holds; so long they have
    been at work by the start.
    """

    interval_s: float = 10.0
    least_s: float = 2.0
    healthy: bool = False
    per_truck_day: float = 0.3
    at_work_s: float = 0.0


@dataclass(slots=True)
class RunningTrucks:
    """Trucks that are under way, and everything inside for a test to look at."""

    traffic: Traffic
    onboard: dict[str, Onboard]
    terminals: dict[str, Terminal]
    mqtt: MqttTrackers | None
    clock: Clock
    vendor: VendorPlatform | None = None
    supervisor: asyncio.Task[None] | None = None

    def offend(self, truck: str, offence: Offence) -> None:
        """Have a truck do something wrong."""
        self.traffic.offend(truck, offence)

    def seen(self, truck: str) -> dict[str, Any]:
        """What is true of a truck now."""
        self.traffic.index(truck)
        return self.onboard[truck].seen()

    async def until(self, stop: asyncio.Event) -> None:
        """Wait until `stop` is set or something inside fails; the failure is raised when the block ends."""
        asked = asyncio.create_task(stop.wait(), name="simulated trucks stop")
        inside = {self.supervisor} if self.supervisor else set()
        await asyncio.wait({asked, *inside}, return_when=asyncio.FIRST_COMPLETED)
        asked.cancel()


@contextlib.asynccontextmanager
async def running_trucks(
    fleet: Fleet,
    clock: Clock,
    server: tuple[str, int],
    broker: tuple[str, int] | None,
    reporting: Reporting | None = None,
    forwarding: Forwarding | None = None,
) -> AsyncIterator[RunningTrucks]:
    """Trucks that work and report until the block ends: to a JT/T 808 server, to a broker, through their vendor."""
    reporting = reporting or Reporting()
    traffic = Traffic(fleet, clock.civil_ms() - round(reporting.at_work_s * 1000), reporting.per_truck_day)
    traffic.work(reporting.at_work_s)
    seeds = np.random.SeedSequence((fleet.seed, 1)).spawn(len(fleet.trucks))
    onboard = {}
    for number, driver in enumerate(traffic.drivers):
        its = Quirks() if reporting.healthy else quirks(fleet.seed, number)
        onboard[driver.truck.id] = Onboard(fleet, driver, Sickness(its, np.random.default_rng(seeds[number])))
    terminals = {
        name: Terminal(one, server, clock, reporting.interval_s, reporting.least_s)
        for name, one in onboard.items()
        if one.truck.tracker not in (Tracker.MQTT, Tracker.RELAY)
    }
    others = [one for one in onboard.values() if one.truck.tracker is Tracker.MQTT]
    mqtt = MqttTrackers(others, broker, clock, reporting.interval_s, reporting.least_s) if broker and others else None
    shown = [one for one in onboard.values() if one.truck.tracker is Tracker.RELAY]
    rhythm = reporting.interval_s, reporting.least_s
    vendor = VendorPlatform(shown, forwarding, clock, *rhythm) if forwarding and shown else None
    trucks = RunningTrucks(traffic, onboard, terminals, mqtt, clock, vendor)
    supervisor = trucks.supervisor = asyncio.create_task(_supervise(trucks), name="simulated trucks")
    try:
        yield trucks
    finally:
        supervisor.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await supervisor


async def _supervise(trucks: RunningTrucks) -> None:
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(_tick(trucks), name="simulated trucks clock")
        if trucks.mqtt is not None:
            tasks.create_task(trucks.mqtt.run(), name="mqtt trackers")
        if trucks.vendor is not None:
            tasks.create_task(trucks.vendor.run(), name="vendor's platform")
        for name, terminal in trucks.terminals.items():
            tasks.create_task(terminal.run(), name=f"terminal of {name}")
            await asyncio.sleep(SPREAD_S)


async def _tick(trucks: RunningTrucks) -> None:
    while True:
        trucks.traffic.step(trucks.clock.civil_ms())
        await asyncio.sleep(TICK_S)
