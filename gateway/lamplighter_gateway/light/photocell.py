"""Light sensors of the gateway's own: is it dark enough for light, when neither plan nor clock can say? Pure.

Times in monotonic seconds, so that no clock is needed.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from statistics import median
from typing import Final

from lamplighter_contract.quality import Quality
from lamplighter_gateway.drivers.port import Reading

FRESH_S: Final = 300.0
BRIGHT_FOR_S: Final = 120.0  # headlights and lightning end no night
_DOUBTFUL: Final = Quality.STALE | Quality.OUT_OF_RANGE | Quality.FROZEN


@dataclass(frozen=True, slots=True)
class Dusk:
    """Light is wanted below `on_lux`, none above `off_lux`; between them it stays as it is."""

    on_lux: float = 50.0
    off_lux: float = 100.0


class Photocell:
    """The median of all fresh sensors; dark at once, bright only after a while."""

    def __init__(self, dusk: Dusk) -> None:
        """Nothing has been seen."""
        self._dusk = dusk
        self._seen: dict[str, tuple[float, float]] = {}
        self._dark: bool | None = None
        self._bright_since_s: float | None = None

    def observe(self, readings: Iterable[Reading], now_s: float) -> None:
        """Note what sensors tell, whichever device they are part of."""
        for reading in readings:
            lux = reading.values.get("lux")
            if isinstance(lux, int | float) and not reading.quality & _DOUBTFUL:
                self._seen[reading.device] = (float(lux), now_s)

    def dark(self, now_s: float) -> bool | None:
        """Whether light is wanted; None when no sensor has spoken of late."""
        fresh = [lux for lux, at_s in self._seen.values() if now_s < at_s + FRESH_S]
        if not fresh:
            self._dark = self._bright_since_s = None
            return None
        self._dark = self._judged(median(fresh), now_s)
        return self._dark

    def _judged(self, lux: float, now_s: float) -> bool:
        if lux <= self._dusk.off_lux:
            self._bright_since_s = None
            return lux < self._dusk.on_lux or self._dark is not False
        if self._dark is None:
            return False
        if self._bright_since_s is None:
            self._bright_since_s = now_s
        return self._dark and now_s < self._bright_since_s + BRIGHT_FOR_S
