"""Until when an incident has to be mended, and which night it is; civil time in the city's zone."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final
from zoneinfo import ZoneInfo

HOUR_MS: Final = 3_600_000
NOON: Final = dt.timedelta(hours=12)
DUSK_IS_OVER: Final = dt.timedelta(hours=8)  # after noon: whatever is to be lit has been lit for a while, all year


@dataclass(frozen=True, slots=True)
class Sla:
    """Time to mend by severity: hours of the clock, or working days; neither = no clock runs.

    The defaults are Hebei's rule for urban lighting: danger 1 h, ordinary faults 24 h, larger repairs 3 working days.
    """

    hours: Mapping[int, float] = field(default_factory=lambda: {5: 1.0, 4: 24.0, 3: 24.0})
    working_days: Mapping[int, int] = field(default_factory=lambda: {2: 3})
    holidays: frozenset[dt.date] = frozenset()
    zone: str = "Asia/Shanghai"

    def due_ms(self, severity: int, from_ms: int) -> int:
        """When an incident of that severity is due, 0 = never."""
        if severity in self.hours:
            return from_ms + round(self.hours[severity] * HOUR_MS)
        if severity not in self.working_days:
            return 0
        left, day = self.working_days[severity], self._local(from_ms)
        while left > 0:
            day += dt.timedelta(days=1)
            left -= day.weekday() < 5 and day.date() not in self.holidays
        return round(day.timestamp() * 1000)

    def night(self, time_ms: int) -> int:
        """Number of the night a time belongs to: from noon to noon."""
        return (self._local(time_ms) - NOON).date().toordinal()

    def is_well_into_the_night(self, time_ms: int) -> bool:
        """Lamps that are to be lit are lit, and have told so."""
        since_noon = self._local(time_ms) - NOON
        return dt.timedelta(hours=since_noon.hour) >= DUSK_IS_OVER

    def _local(self, time_ms: int) -> dt.datetime:
        return dt.datetime.fromtimestamp(time_ms / 1000, ZoneInfo(self.zone))
