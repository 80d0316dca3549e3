"""Where trips, their waybills and the days of trucks are written down."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from zoneinfo import ZoneInfo

import numpy as np
from sqlalchemy import Connection

from lamplighter_controller.fleet.judging.fixes import Fixes
from lamplighter_controller.fleet.judging.violations import Finding
from lamplighter_controller.fleet.live.city import City
from lamplighter_controller.fleet.trips import records
from lamplighter_controller.fleet.trips.follow import Day, Moved
from lamplighter_controller.fleet.trips.permits import judged
from lamplighter_controller.fleet.waybills.following import follow
from lamplighter_controller.ledger.engine import Ledger
from lamplighter_controller.ledger.errors import LedgerUnavailable


@dataclass(slots=True)
class TripDesk:
    """What is not written yet waits for the next time."""

    ledger: Ledger
    zone: ZoneInfo
    new_id: Callable[[], str]
    _unsaved: list[Moved] = field(default_factory=list)
    _heard: dict[tuple[str, str], Day] = field(default_factory=dict)

    def heard(self, fixes: Fixes, city: City) -> None:
        """Count reports by truck and local day."""
        if not len(fixes):
            return
        for row in np.unique(fixes.truck).tolist():
            times = fixes.time_ms[fixes.truck == row]
            first_ms, last_ms = int(times.min()), int(times.max())
            key = city.rows[row].truck, f"{datetime.fromtimestamp(last_ms / 1000, self.zone):%Y-%m-%d}"
            before = self._heard.get(key)
            reports = len(times) + (before.reports if before else 0)
            self._heard[key] = Day(*key, before.first_ms if before else first_ms, last_ms, reports)

    def note(self, moved: Sequence[Moved], city: City, *, suspended: bool) -> list[Finding]:
        """Trips that went on, to be written by `save`; what they did without or against a permit."""
        self._unsaved += moved
        found = (judged(one, city, self._local(one), suspended=suspended) for one in moved)
        return [one for one in found if one is not None]

    def _local(self, moved: Moved) -> datetime:
        """When its load left its site; it is asked for by then whether it was allowed."""
        return datetime.fromtimestamp((moved.trip.left_ms or moved.trip.loaded_ms) / 1000, self.zone)

    async def save(self, city: City, *, suspended: bool) -> None:
        """Write trips and what that means for waybills.

        Raises:
            LedgerUnavailable: they are written with the next.
        """
        if not self._unsaved:
            return
        waiting = list(self._unsaved)

        def work(connection: Connection) -> None:
            for one in waiting:
                records.put_trip(connection, one.trip)
                self._waybill(connection, one, city, suspended=suspended)

        await self.ledger.write(work)
        self._unsaved = self._unsaved[len(waiting) :]

    async def keep_days(self) -> None:
        """Write which trucks were heard.

        Raises:
            LedgerUnavailable: it is written the next time.
        """
        if not self._heard:
            return
        waiting, self._heard = self._heard, {}
        try:
            await self.ledger.write(lambda connection: records.put_days(connection, waiting.values()))
        except LedgerUnavailable:
            self._heard = waiting | self._heard  # a count may be short by what came meanwhile; a day is not lost
            raise

    def _waybill(self, connection: Connection, moved: Moved, city: City, *, suspended: bool) -> None:
        permit = city.permit_of(moved.trip.truck, self._local(moved), suspended=suspended)
        follow(connection, moved, permit, city, self.new_id)
