"""What each truck told last, report by report: a value that a report does not have is unknown, never the one before."""

from dataclasses import dataclass, field
from typing import Final

import numpy as np

from lamplighter_contract.quality import Quality
from lamplighter_contract.quantities import Kind
from lamplighter_controller.fleet.limits.judging import STATUS, Sight
from lamplighter_controller.fleet.limits.limit import What
from lamplighter_controller.series.port import Readings

NOTHING: Final = Sight(None, {})
WHEREABOUTS: Final = frozenset({"latitude", "longitude", "speed_kmh"})
DOUBTFUL: Final = Quality.STALE | Quality.CLOCK_UNTRUSTED


@dataclass(slots=True)
class Sights:
    """The last live report of each device; `rate` civil seconds pass in a real one."""

    rate: float
    limited: set[tuple[str, What]] = field(default_factory=set)  # who showed a limit since somebody last looked
    _last: dict[str, tuple[Readings, int]] = field(default_factory=dict)

    def take(self, readings: Readings) -> None:
        """Reports as they are stored; those that came late or by a doubtful clock tell nothing of now."""
        if readings.kind is not Kind.TRUCK:
            return
        times, believed = readings.time_ms, (readings.quality & DOUBTFUL) == 0
        for what, name in STATUS.items():
            shown = believed & (readings.values.get(name, np.zeros(len(times))) == 1)
            self.limited |= {(readings.device[row], what) for row in np.flatnonzero(shown).tolist()}
        for row in np.flatnonzero(believed).tolist():
            device = readings.device[row]
            before = self._last.get(device)
            if before is None or times[row] >= before[0].time_ms[before[1]]:
                self._last[device] = readings, row

    def of(self, device: str, wall_ms: int, civil_ms: int) -> Sight:
        """What is known of a device now; without a fix neither where it is nor how fast."""
        found = self._last.get(device)
        if found is None:
            return NOTHING
        readings, row = found
        values = {name: float(column[row]) for name, column in readings.values.items() if not np.isnan(column[row])}
        if values.get("fix") == 0:
            values = {name: value for name, value in values.items() if name not in WHEREABOUTS}
        age_ms = (civil_ms - int(readings.time_ms[row])) / self.rate
        return Sight(round(wall_ms - age_ms), values)
