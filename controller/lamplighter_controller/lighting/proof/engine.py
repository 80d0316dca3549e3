"""Works each night out when it is over, and again when more of it comes in late; counts replaced parts anew."""

import asyncio
import logging
from datetime import date, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from apscheduler.schedulers.asyncio import (  # type: ignore[import-untyped]  # APScheduler 3 has no types
    AsyncIOScheduler,
)

from lamplighter_contract.light.sky.nights import date_of_night
from lamplighter_controller.events import ElementReplaced, Events, ReadingsStored, Subscription
from lamplighter_controller.intake.alarms import Alarms
from lamplighter_controller.ledger.errors import LedgerUnavailable
from lamplighter_controller.lighting.proof.desk import ProofDesk
from lamplighter_controller.lighting.proof.store import Night
from lamplighter_controller.series.port import SeriesUnavailable

log = logging.getLogger(__name__)

TICK_S: Final = 10.0
QUIET_S: Final = 60.0  # backlog comes in bursts: a night waits until no more of it came for so long, real time
SETTLE_MS: Final = 30 * 60_000  # after noon, civil: the last readings of the morning are in
ALARM: Final = "proof"
LAMP: Final = "lamp"


class ProofKeeper:
    """Asks at each tick which nights are due; a missed tick is made good by the next."""

    def __init__(self, desk: ProofDesk, events: Events, alarms: Alarms) -> None:
        """Keep the nights of this desk."""
        self._desk, self._events, self._alarms = desk, events, alarms
        self._late: dict[date, float] = {}
        self._empty: set[date] = set()
        self._replaced: list[ElementReplaced] = []
        self._tick = asyncio.Event()

    async def run(self) -> None:
        """Work nights out; for ever."""
        scheduler = AsyncIOScheduler()
        scheduler.add_job(self._tick.set, "interval", seconds=TICK_S, coalesce=True, misfire_grace_time=None)
        with self._events.subscribe(ReadingsStored, ElementReplaced) as news:
            scheduler.start()
            try:
                async with asyncio.TaskGroup() as group:
                    group.create_task(self._listen(news), name="proof-backlog")
                    group.create_task(self._look_for_ever(), name="proof-nights")
            finally:
                scheduler.shutdown(wait=False)

    async def _listen(self, news: Subscription) -> None:
        async for event in news:
            if isinstance(event, ElementReplaced):
                self._replaced.append(event)
                self._tick.set()
            elif isinstance(event, ReadingsStored) and not event.live and len(event.readings.time_ms):
                self.late(int(event.readings.time_ms.min()), int(event.readings.time_ms.max()))

    async def _look_for_ever(self) -> None:
        while True:
            await self._tick.wait()
            self._tick.clear()
            await self.look()

    def late(self, first_ms: int, last_ms: int) -> None:
        """Readings of a stretch of time came late; a reading at the end of one night counts in the next one, too."""
        zone, now_s = ZoneInfo(self._desk.work.zone), self._desk.work.clock.monotonic_s()
        day, last = date_of_night(first_ms, zone), date_of_night(last_ms + self._desk.work.hold_ms, zone)
        day = max(day, self._desk.oldest)
        while day <= min(last, self._desk.last_over):
            self._late[day] = now_s
            self._empty.discard(day)
            day += timedelta(days=1)

    async def look(self) -> None:
        """Work out whatever is due, the oldest night first."""
        try:
            await self._count_anew()
            await self._note_late()
            for day in await self._due():
                if await self._desk.work_out(day) is None:
                    self._empty.add(day)
        except (LedgerUnavailable, SeriesUnavailable) as error:
            self._alarms.raised(ALARM, f"the proof of last night waits for its store: {error}")
            return
        self._alarms.cleared(ALARM)

    async def _count_anew(self) -> None:
        """Hours of lamps whose parts were replaced; what the ledger does not take now waits for the next look."""
        while self._replaced:
            event = self._replaced[0]
            await self._desk.parts_replaced([name for kind, name in event.elements if kind == LAMP], event.time_ms)
            self._replaced.remove(event)

    async def _note_late(self) -> None:
        """Late nights go into the ledger once it is quiet, so that a restart does not forget them."""
        now_s = self._desk.work.clock.monotonic_s()
        quiet = [day for day, at_s in self._late.items() if now_s - at_s >= QUIET_S]
        if quiet:
            await self._desk.now_due(quiet)
            for day in quiet:
                self._late.pop(day, None)

    async def _due(self) -> list[date]:
        """Nights to be worked out: over and not done, done before meters had told all, or with readings since."""
        desk, now_ms = self._desk, self._desk.work.clock.civil_ms()
        known = {one.day: one for one in await desk.nights(limit=32)}
        first = min(known, default=desk.last_over)
        day, found = max(first, desk.oldest), []
        while day <= desk.last_over:
            if day not in self._late and day not in self._empty and _is_due(known.get(day), day, desk, now_ms):
                found.append(day)
            day += timedelta(days=1)
        return found


def _is_due(known: Night | None, day: date, desk: ProofDesk, now_ms: int) -> bool:
    if known is None or not known.over:
        return desk.is_settled(day, SETTLE_MS)
    return known.due or (known.through_ms < known.complete_ms <= now_ms - SETTLE_MS)
