"""The loop of the fleet: what is stored is judged, violations follow, policies and limits follow them."""

import asyncio
import contextlib
import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from random import Random
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np

from lamplighter_contract.clock import Clock
from lamplighter_contract.geo.box import Box
from lamplighter_contract.quantities import Kind
from lamplighter_contract.truck import interlock
from lamplighter_controller.checkpoints import Checkpoints
from lamplighter_controller.events import (
    CommandChanged,
    DeviceHappened,
    DevicesChanged,
    Events,
    FleetChanged,
    ReadingsStored,
    Subscription,
)
from lamplighter_controller.fleet.judging.bounds import Bounds
from lamplighter_controller.fleet.limits.desk import LimitDesk
from lamplighter_controller.fleet.limits.ground import Commands, Ground
from lamplighter_controller.fleet.limits.judging import Sight
from lamplighter_controller.fleet.limits.keeper import LimitKeeper
from lamplighter_controller.fleet.limits.sights import Sights
from lamplighter_controller.fleet.live import history
from lamplighter_controller.fleet.live.city import City, Register, city_of
from lamplighter_controller.fleet.live.collector import fixes_of, parted
from lamplighter_controller.fleet.live.judge import LiveJudge
from lamplighter_controller.fleet.live.reading import city_now
from lamplighter_controller.fleet.live.second_pass import SecondPass
from lamplighter_controller.fleet.live.silence import Silence
from lamplighter_controller.fleet.policies.desk import PolicyDesk
from lamplighter_controller.fleet.policies.keeper import PolicyKeeper
from lamplighter_controller.fleet.trips import records as trip_records
from lamplighter_controller.fleet.trips.desk import TripDesk
from lamplighter_controller.fleet.violations.desk import ViolationDesk
from lamplighter_controller.fleet.violations.violation import Violation
from lamplighter_controller.fleet.waybills.desk import WaybillDesk
from lamplighter_controller.intake.alarms import Alarms
from lamplighter_controller.ledger.engine import Ledger
from lamplighter_controller.ledger.errors import LedgerUnavailable
from lamplighter_controller.series.port import Readings, Series, SeriesUnavailable
from lamplighter_controller.twin.columns import Twin

log = logging.getLogger(__name__)

RED_ALERT: Final = "red_alert"
STEP_S: Final = 1.0
LOOK_S: Final = 10.0
MINUTE_S: Final = 60.0
RETRY_S: Final = 2.0
ROOM: Final = "fleet"
OVERLAP_MS: Final = 120_000  # what was on its way when the checkpoint was written


@dataclass(frozen=True, slots=True)
class Around:
    """What the engine stands on. `vouched`: would the gateway of a terminal tell more if there were more?"""

    ledger: Ledger
    series: Series
    twin: Twin
    events: Events
    commands: Commands
    alarms: Alarms
    clock: Clock
    random: Random
    zone: ZoneInfo
    rate: float
    box: Box | None
    folder: Path
    vouched: Callable[[str], bool]
    bounds: Bounds = field(default_factory=Bounds)
    limits: interlock.Bounds = interlock.DEFAULT


class Fleet:
    """Judges trucks for ever; a restart goes on from the checkpoint, and judges what was stored meanwhile."""

    def __init__(self, around: Around) -> None:
        """Begin with nothing; `run` loads what there is."""
        self._around = around
        self._sights = Sights(around.rate)
        ground = Ground(
            around.ledger,
            around.twin,
            around.commands,
            around.events,
            around.alarms,
            around.clock,
            around.random,
            self._sights,
            around.limits,
        )
        self._judge = LiveJudge(
            Checkpoints(around.folder, ROOM), around.zone, around.bounds, city_of(Register(), (), around.box)
        )
        self.violations = ViolationDesk(around.ledger, around.events, around.clock, around.zone, ground.new_id)
        self.keeper = LimitKeeper(ground, lambda: self.city)
        self.limits = LimitDesk(ground, self.keeper, lambda: self.city, self.wake)
        self._policies = PolicyKeeper(self.limits, self.violations)
        self.policies = PolicyDesk(self.limits, self._policies)
        self._trips = TripDesk(around.ledger, around.zone, ground.new_id)
        self.waybills = WaybillDesk(around.ledger, around.clock, around.zone, ground.new_id)
        self._late = SecondPass(around.series, self.violations, around.zone, around.bounds)
        self._silence = Silence()
        self._live: list[Readings] = []
        self._fresh: list[Violation] = []  # violations of now that no policy has considered yet
        self._moved = False
        self._wake = asyncio.Event()
        self._looked_s = self._kept_s = around.clock.monotonic_s()
        self._judged_ms = 0
        self.began = asyncio.Event()  # what was stored before has been judged

    @property
    def city(self) -> City:
        """The fleet as it is judged now."""
        return self._judge.city

    def trip_state(self, truck: str) -> int:
        """What a truck is doing now, -1 = unknown."""
        row = self.city.row_of_truck.get(truck)
        return -1 if row is None else int(self._judge.judge.trips.state[row])

    def trucks_in(self, place: str) -> list[str]:
        """Who is within a place now."""
        judge = self._judge.judge
        numbers = [number for number, one in enumerate(judge.places.places) if one.id == place]
        return [self.city.rows[row].truck for number in numbers for row in np.flatnonzero(judge.inside[:, number])]

    def sight(self, device: str) -> Sight:
        """What a terminal told last, in its last live report alone."""
        return self._sights.of(device, self._around.clock.wall_ms(), self._around.clock.civil_ms())

    def red_alert(self) -> bool:
        """True while all permits are suspended."""
        return self.keeper.book.thrown(RED_ALERT)

    def wake(self) -> None:
        """Look again, now."""
        self._wake.set()

    def register_changed(self) -> None:
        """Trucks, places or permits changed."""
        self._moved = True
        self._around.events.publish(FleetChanged("register", "", "", "changed", self._around.clock.civil_ms()))
        self.wake()

    async def run(self) -> None:
        """Take up where the last run ended, then step by step, for ever."""
        kinds = (ReadingsStored, DevicesChanged, CommandChanged, DeviceHappened, FleetChanged)
        with self._around.events.subscribe(*kinds) as news:
            await self._begin()
            self.began.set()
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._listen(news), name="fleet-listen")
                tasks.create_task(self._work(), name="fleet-steps")

    async def keep(self) -> None:
        """Write the checkpoint, at the end of a run too."""
        if self._judged_ms:
            await self._judge.keep(self._judged_ms)
        with contextlib.suppress(LedgerUnavailable):
            await self._trips.keep_days()

    async def _begin(self) -> None:
        """Both stores may still be on their way."""
        while True:
            try:
                await self.keeper.book.load()
                await self.violations.load()
                await self._policies.load()
                self._judge.trips.load(await self._around.ledger.read(trip_records.open_trips))
                self._judge.moved(await city_now(self._around.ledger, self._around.twin, self._around.box))
                self._routes()
                await self._catch_up(await self._judge.begin())
            except (LedgerUnavailable, SeriesUnavailable) as error:
                log.info("the fleet waits for its stores: %s", error)
                await asyncio.sleep(RETRY_S)
            else:
                return

    async def _catch_up(self, judged_ms: int | None) -> None:
        """What was stored while nobody judged: it makes the record whole and limits nobody."""
        now_ms = self._around.clock.civil_ms()
        self._judged_ms = now_ms
        if judged_ms is None or judged_ms >= now_ms:
            return
        await self.waybills.catch_up(judged_ms - OVERLAP_MS)
        count = 0
        async for readings in history.since(self._around.series, self.city, judged_ms - OVERLAP_MS, now_ms):
            fixes = fixes_of(readings, self.city.row_of_device)
            outcome = await self._judge.step(self._judge.unseen(fixes))
            findings = [*outcome.findings, *self._trips.note(outcome.moved, self.city, suspended=self.red_alert())]
            await self.violations.take(findings, self.city, now_ms, suspended=self.red_alert(), late=True)
            await self._trips.save(self.city, suspended=self.red_alert())
            count += sum(len(one.device) for one in readings)
        log.info("%d reports of trucks since the last run have been judged", count)

    async def _listen(self, news: Subscription) -> None:
        async for event in news:
            match event:
                case ReadingsStored() if event.readings.kind is Kind.TRUCK:
                    self._take(event)
                case DevicesChanged():
                    self._moved = True
                case CommandChanged():
                    with contextlib.suppress(LedgerUnavailable):  # the keeper looks commands up by itself
                        await self.keeper.changed(event)
                case DeviceHappened():
                    self.waybills.happened(event)
                    with contextlib.suppress(LedgerUnavailable):  # the truck's own status tells it again
                        await self.keeper.happened(event)
                case FleetChanged(what="violation"):
                    self.violations.heard(event)
                case _:
                    pass

    def _take(self, event: ReadingsStored) -> None:
        now, late = parted(event.readings, live=event.live)
        if now is not None:
            self._sights.take(now)
            self._live.append(now)
        if late is not None:
            self._late.take(late, self._around.clock.monotonic_s())

    async def _work(self) -> None:
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(STEP_S):
                    await self._wake.wait()
            self._wake.clear()
            with contextlib.suppress(LedgerUnavailable):  # the ledger says so itself, once
                await self.step()

    async def step(self) -> None:
        """Judge what came, let policies and limits follow.

        Raises:
            LedgerUnavailable: what could not be written is written with the next.
        """
        clock = self._around.clock
        if self._moved:
            await self._look_around()
        batches, self._live = self._live, []
        now_ms, now_s = clock.civil_ms(), clock.monotonic_s()
        fixes = fixes_of(batches, self.city.row_of_device)
        outcome = await self._judge.step(fixes)
        self._judged_ms = now_ms
        self._trips.heard(fixes, self.city)
        findings = [*outcome.findings, *self._silence.take(fixes, self.city, now_s)]
        if now_s - self._looked_s >= LOOK_S:
            self._looked_s = now_s
            findings += self._silence.look(self.city, now_s, self._around.vouched)
        findings += self._trips.note(outcome.moved, self.city, suspended=self.red_alert())
        noted = self.violations.note(findings, self.city, now_ms, suspended=self.red_alert())
        self._fresh += [one.violation for one in noted if one.new or one.violation.last_ms is None]
        await self.violations.save()
        await self.waybills.save(self.city, suspended=self.red_alert())
        await self._trips.save(self.city, suspended=self.red_alert())
        while self._fresh:
            await self._policies.consider(self._fresh[0])
            self._fresh.pop(0)
        await self._policies.step()
        await self.keeper.step()
        if now_s - self._kept_s >= MINUTE_S:
            self._kept_s = now_s
            await self._each_minute(now_ms)
        if self._late.due(now_s):
            with contextlib.suppress(SeriesUnavailable):
                await self._late.run(self.city, self.red_alert)

    async def _each_minute(self, now_ms: int) -> None:
        self._routes()
        self.violations.book.forget(now_ms)
        await self.limits.expire()
        await self.keep()

    async def _look_around(self) -> None:
        self._judge.moved(await city_now(self._around.ledger, self._around.twin, self._around.box))
        self._moved = False
        self._routes()

    def _routes(self) -> None:
        local = datetime.fromtimestamp(self._around.clock.civil_ms() / 1000, self._around.zone)
        self._judge.set_routes(self.city.routes(local, suspended=self.red_alert()))
