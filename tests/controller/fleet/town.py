"""A fleet on a real ledger; terminals, gateways and what commands do are played."""

import asyncio
import json
from collections.abc import Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from random import Random
from typing import Any, cast
from zoneinfo import ZoneInfo

import numpy as np
from shapely.geometry import mapping

from lamplighter_contract.clock import ManualClock
from lamplighter_contract.commands.states import CommandState
from lamplighter_contract.quality import Quality
from lamplighter_contract.quantities import Kind
from lamplighter_contract.truck import interlock
from lamplighter_contract.wire.documents import DeviceEntry
from lamplighter_controller.events import CommandChanged, DeviceHappened, Events, ReadingsStored, Subscription
from lamplighter_controller.fleet.engine import Around, Fleet
from lamplighter_controller.fleet.register import records as register
from lamplighter_controller.fleet.register.things import (
    SHELVES,
    Company,
    ObjectKind,
    Permit,
    Place,
    Truck,
    WatchedObject,
)
from lamplighter_controller.intake.alarms import Alarms
from lamplighter_controller.intake.journal import Journal
from lamplighter_controller.series.port import Readings, Series
from lamplighter_controller.twin.columns import Twin
from tests.controller.api.memory import MemoryCommands
from tests.controller.fleet.days import MORNING_MS, PLACES, PLANE, Day
from tests.controller.ledgers import open_in

ABLE = ("truck.limit_speed", "truck.limit_lift", "truck.release", "truck.speak", "truck.locate")
QUANTITIES = ("latitude", "longitude", "speed_kmh", "odometer_km", "ignition", "lift", "cover", "load")
LIFT = {0: 0.0, 1: 1.0, -2: 2.0, -1: 3.0}
LOAD = {0: 0.0, 1: 1.0, 2: 2.0, -2: 3.0, -1: 4.0}


def entry(device: str) -> DeviceEntry:
    return DeviceEntry(device, Kind.TRUCK, "zt-8f", f"{device}/1", ABLE, {"zh": "", "en": ""}, None, None)


def things() -> dict[str, list[Any]]:
    places = [Place(one.id, one.kind, json.dumps(mapping(one.outline)), limit_kmh=one.limit_kmh) for one in PLACES]
    return {
        "companies": [Company("red", "Red"), Company("blue", "Blue")],
        "trucks": [
            Truck(f"truck-{number}", f"鲁A{number:05}", "red" if number % 2 else "blue", f"t-{number}")
            for number in range(1, 8)
        ],
        "places": places,
        "objects": [
            WatchedObject("seven", ObjectKind.SITE, "Seven", "site"),
            WatchedObject("east", ObjectKind.GROUND, "East", "ground"),
        ],
        "permits": [Permit("p-1", "truck-1", "seven", "east", "2026-01-01", "2026-12-31")],
    }


@dataclass
class MemorySeries:
    """Keeps what was stored, in order of arrival."""

    kept: list[Readings] = field(default_factory=list)

    async def range(self, kind, devices, quantities, start_ms, end_ms, limit):
        rows = (
            sorted(
                (device, int(time_ms), batch, row)
                for batch in self.kept
                for row, (device, time_ms) in enumerate(zip(batch.device, batch.time_ms, strict=True))
                if device in devices and start_ms <= time_ms < end_ms
            )[:limit]
            if self.kept
            else []
        )
        return Readings(
            kind,
            [row[0] for row in rows],
            np.array([row[1] for row in rows], np.int64),
            {name: np.array([_value(row[2], name, row[3]) for row in rows]) for name in quantities},
            np.zeros(len(rows), np.uint8),
        )


def _value(batch: Readings, name: str, row: int) -> float:
    column = batch.values.get(name)
    return np.nan if column is None else float(column[row])


@dataclass
class Town:
    """The fleet and what is around it; `tell` has terminals report, `step` has it judged."""

    fleet: Fleet
    events: Events
    twin: Twin
    commands: MemoryCommands
    alarms: Alarms
    series: MemorySeries
    clock: ManualClock
    news: Subscription

    async def tell(self, device: str, *, live: bool = True, quality: int = 0, time_ms: int | None = None, **values):
        shown = {"latitude": PLANE.latitude, "longitude": PLANE.longitude, "speed_kmh": 0.0, "fix": 1.0} | values
        readings = Readings(
            Kind.TRUCK,
            [device],
            np.array([self.clock.civil_ms() if time_ms is None else time_ms], np.int64),
            {name: np.array([float(value)]) for name, value in shown.items() if value is not None},
            np.array([quality], np.uint8),
        )
        self.stored(readings, live=live)
        await asyncio.sleep(0)

    def stored(self, readings: Readings, *, live: bool = True) -> None:
        self.series.kept.append(readings)
        self.twin.apply(readings, self.clock.monotonic_s())
        self.fleet._take(ReadingsStored("gw", readings, live))

    async def live(self, *days: Day, before=None) -> None:
        """Days as they happen: the clock follows the reports, the fleet is stepped after each."""
        rows = sorted((row for day in days for row in day.rows), key=lambda row: row[1])
        for truck, time_ms, latitude, longitude, speed_kmh, odometer_km, now in rows:
            self.clock.elapsed_s = max((time_ms - self.clock.now_ms) / 1000, self.clock.elapsed_s)
            await self.tell(
                f"t-{truck}",
                time_ms=time_ms,
                latitude=latitude,
                longitude=longitude,
                speed_kmh=speed_kmh,
                odometer_km=odometer_km,
                ignition=now.get("ignition"),
                lift=LIFT[now.get("lift", -1)],
                cover=LIFT[now.get("cover", -1)],
                load=LOAD[now.get("load", -1)],
                speed_limited=now.get("speed_limited", 0),
            )
            await self.fleet.step()
            if before is not None:
                await before(self)

    async def happened(self, device: str, event: str, **detail) -> None:
        await self.fleet.keeper.happened(DeviceHappened("gw", device, event, detail, self.clock.civil_ms()))

    async def answer(self, operation: str, state: CommandState = CommandState.VERIFIED, reason: str = "") -> list[str]:
        """Let every open request of an operation come to a state; their ids."""
        moved = []
        for name, known in list(self.commands.taken.items()):
            if known.request.op == operation and known.state is CommandState.CREATED:
                self.commands.move(name, state, reason)
                moved.append(name)
        await self.heard()
        return moved

    async def heard(self) -> None:
        """Let the fleet hear what was published."""
        while not self.news.queue.empty():
            event = self.news.queue.get_nowait()
            assert isinstance(event, CommandChanged)
            await self.fleet.keeper.changed(event)

    def sent(self, operation: str) -> list[Any]:
        return [known.request for known in self.commands.taken.values() if known.request.op == operation]


@asynccontextmanager
async def open_town(
    folder,
    *,
    bounds: interlock.Bounds = interlock.DEFAULT,
    stands: Sequence[str] = tuple(SHELVES),
    series: MemorySeries | None = None,
    now_ms: int = MORNING_MS,
):
    """A town in a folder: opened again, it is the same after a restart."""
    clock = ManualClock(now_ms)
    events, twin = Events(), Twin()
    ledger = await open_in(folder)
    alarms = Alarms(clock, events, Journal(ledger))
    commands, series = MemoryCommands(twin, events, clock), series or MemorySeries()
    twin.adopt("gw", [entry(f"t-{number}") for number in range(1, 9)])

    def write(connection):
        for shelf, found in things().items():
            if shelf in stands and not register.versions(connection, shelf):
                register.put(connection, shelf, found, who="test", time_ms=clock.wall_ms())

    await ledger.write(write)
    around = Around(
        ledger, cast("Series", series), twin, events, commands, alarms, clock, Random(7), ZoneInfo("Asia/Shanghai"),
        1.0, None, folder, lambda _device: True, limits=bounds,
    )  # fmt: skip
    with events.subscribe(CommandChanged) as news:
        fleet = Fleet(around)
        await fleet._begin()
        yield Town(fleet, events, twin, commands, alarms, series, clock, news)
    await ledger.close()


STALE = int(Quality.STALE)
