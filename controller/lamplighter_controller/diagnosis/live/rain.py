"""Rain over the city: what gauges measure, and what somebody or a weather service says."""

from math import isnan, nan
from statistics import median
from typing import Final

from lamplighter_contract.quantities import Kind
from lamplighter_controller.series.port import Readings

QUANTITY: Final = "rain_mm_h"
FRESH_MS: Final = 3_600_000
"""A gauge that said nothing for so long, civil, says nothing of now."""


class Rain:
    """The newest word of every gauge: any device of kind `sensor` that measures `rain_mm_h`."""

    def __init__(self) -> None:
        """Nobody has said anything."""
        self._said: dict[str, tuple[float, int]] = {}

    def take(self, readings: Readings) -> None:
        """Readings as they were stored; what is no gauge's is left alone."""
        if readings.kind is not Kind.SENSOR or QUANTITY not in readings.values:
            return
        columns = readings.device, readings.values[QUANTITY].tolist(), readings.time_ms.tolist()
        for device, mm_h, time_ms in zip(*columns, strict=True):
            if mm_h >= 0 and time_ms >= self._said.get(device, (0.0, 0))[1]:
                self._said[device] = mm_h, time_ms

    def mm_h(self, now_ms: int, told: float) -> float:
        """The middle gauge, and no less than what is `told`; NaN where nobody knows."""
        fresh = [mm_h for mm_h, time_ms in self._said.values() if abs(now_ms - time_ms) <= FRESH_MS]
        measured = median(fresh) if fresh else nan
        if isnan(measured) or isnan(told):
            return told if isnan(measured) else measured
        return max(measured, told)
