"""Housekeeping by the hour of civil time: summaries and retention of the series, retention in the ledger."""

import asyncio
import logging
from typing import Final

from apscheduler.schedulers.asyncio import (  # type: ignore[import-untyped]  # APScheduler 3 has no types
    AsyncIOScheduler,
)

from lamplighter_contract.clock import Clock
from lamplighter_controller.intake import store
from lamplighter_controller.intake.alarms import Alarms
from lamplighter_controller.ledger.engine import Ledger
from lamplighter_controller.ledger.errors import LedgerUnavailable
from lamplighter_controller.losses import Losses
from lamplighter_controller.series.port import Series, SeriesUnavailable

log = logging.getLogger(__name__)

TICK_S: Final = 10.0
PERIOD_MS: Final = 3_600_000
EVENTS_KEPT: Final = 200_000
ALARM: Final = "upkeep"


class Upkeep:
    """Asks at each tick whether an hour has passed since the last time; a missed tick is made good by the next."""

    def __init__(self, ledger: Ledger, series: Series, clock: Clock, alarms: Alarms, losses: Losses) -> None:
        """Keep these two stores in shape."""
        self._ledger, self._series, self._clock, self._alarms, self._losses = ledger, series, clock, alarms, losses
        self._done_ms: int | None = None
        self._tick = asyncio.Event()

    async def run(self) -> None:
        """Keep house; for ever."""
        scheduler = AsyncIOScheduler()
        scheduler.add_job(self._tick.set, "interval", seconds=TICK_S, coalesce=True, misfire_grace_time=None)
        scheduler.start()
        try:
            while True:
                await self._tick.wait()
                self._tick.clear()
                await self.look()
        finally:
            scheduler.shutdown(wait=False)

    async def look(self) -> None:
        """Do what is due."""
        await self._losses.look()
        now_ms = self._clock.civil_ms()
        if self._done_ms is not None and 0 <= now_ms - self._done_ms < PERIOD_MS:
            return
        try:
            await self._series.maintain(now_ms)
            await self._ledger.write(lambda connection: store.retire_events(connection, EVENTS_KEPT))
        except (SeriesUnavailable, LedgerUnavailable) as error:
            self._alarms.raised(ALARM, f"summaries and retention wait for their store: {error}")
            return
        self._alarms.cleared(ALARM)
        self._done_ms = now_ms
