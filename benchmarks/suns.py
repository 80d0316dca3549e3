"""Twenty years of dusks and dawns, day by day, against an ephemeris that shares nothing with the formulas in use."""

import math
from collections.abc import Iterator
from typing import Any, Final

import ephem  # type: ignore[import-untyped]  # it has no types of its own

from lamplighter_contract.light.sky.sun import DAY_MS, falls

LATITUDES: Final = (0.0, 10.0, -20.0, 30.0, 36.67, -45.0, 50.0, 55.0, 60.0, 66.0)
BELOW_DEG: Final = (-0.833, -3.0, -4.5, -6.0)
YEARS: Final = 20
FIRST_MS: Final = 1_136_116_800_000  # 2006-01-01 12:00 UTC
EPHEM_EPOCH_MS: Final = -2_209_032_000_000  # ephem counts days from 1899-12-31 12:00 UTC
QUICK_DEG_PER_H: Final = 3.0  # where the sun moves faster, what counts is the time of its crossing
MOST_S: Final = 30.0
MOST_DEG: Final = 0.02
_BESIDE_MS: Final = 100_000.0


def twenty_years() -> dict[str, Any]:
    """A verdict; `worst_s` where the sun crosses quickly, `worst_deg` where it does not."""
    worst_s = worst_deg = 0.0
    crossings = 0
    for off_deg, deg_per_h in _crossings():
        crossings += 1
        if deg_per_h >= QUICK_DEG_PER_H:
            worst_s = max(worst_s, off_deg / deg_per_h * 3600)
        else:
            worst_deg = max(worst_deg, off_deg)
    good = crossings > 0 and worst_s <= MOST_S and worst_deg <= MOST_DEG
    return {"good": good, "crossings": crossings, "worst_s": round(worst_s, 2), "worst_deg": round(worst_deg, 5)}


def _crossings() -> Iterator[tuple[float, float]]:
    """Of each dusk and dawn there is: degrees off, and how fast the sun moves then, in degrees per hour."""
    for latitude in LATITUDES:
        for day in range(YEARS * 365 + 5):
            longitude, below_deg = -170 + day * 2.8 % 340, BELOW_DEG[day % len(BELOW_DEG)]
            found = falls(FIRST_MS + day * DAY_MS, latitude, longitude, below_deg)
            for exists, time_ms in ((found.sets, found.dusk_ms), (found.rises, found.dawn_ms)):
                if exists and found.dark:
                    yield _seen(float(time_ms), latitude, longitude, below_deg)


def _seen(time_ms: float, latitude: float, longitude: float, below_deg: float) -> tuple[float, float]:
    before, now, after = (
        _by_ephem_deg(time_ms + beside_ms, latitude, longitude) for beside_ms in (-_BESIDE_MS, 0.0, _BESIDE_MS)
    )
    return abs(now - below_deg), abs(after - before) / (2 * _BESIDE_MS) * 3_600_000


def _by_ephem_deg(time_ms: float, latitude: float, longitude: float) -> float:
    """The sun's true elevation, without refraction."""
    observer = ephem.Observer()
    observer.lat, observer.lon = math.radians(latitude), math.radians(longitude)
    observer.pressure = 0
    observer.date = (time_ms - EPHEM_EPOCH_MS) / DAY_MS
    return math.degrees(ephem.Sun(observer).alt)
