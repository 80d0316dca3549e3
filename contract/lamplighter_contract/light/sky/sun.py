"""Where the sun stands and when it crosses an elevation, by NOAA's solar equations.

After Meeus, Astronomical Algorithms, chapters 12, 22, 25 and 28; the hour angle comes from sidereal time and right
ascension instead of the short series for the equation of time, whose error of four seconds would be most of what is
allowed. Elevation is geometric: of the sun's centre, without refraction. One set of formulas serves one lamp and a
whole city: `m` is `SCALAR` or the numpy module (2.0 or later), times and degrees are numbers or arrays that broadcast.
"""

import math
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, Final

DAY_MS: Final = 86_400_000
HALF_DAY_MS: Final = DAY_MS // 2
HORIZON_DEG: Final = -0.833  # geometric elevation at visible sunset: refraction 34', half the sun's disc 16'

_J2000_MS: Final = 946_728_000_000  # 2000-01-01 12:00 UTC
_CENTURY_DAYS: Final = 36_525
_RAD: Final = math.pi / 180
_PARALLAX_DEG: Final = 0.00244  # at the horizon: who looks stands on the ground, not in the earth's centre
_HALVINGS: Final = 8  # from twelve hours to 169 s, in which elevation is nearly a straight line
_STRAIGHT_STEPS: Final = 3

X = Any  # a number, or an array of them

SCALAR: Final = SimpleNamespace(
    sin=math.sin,
    cos=math.cos,
    asin=math.asin,
    atan2=math.atan2,
    where=lambda condition, yes, no: yes if condition else no,
)


@dataclass(frozen=True, slots=True)
class Sun:
    """The apparent sun: declination in radians, Greenwich hour angle in degrees."""

    declination: X
    hour_angle_deg: X


def sun_at(time_ms: X, m: Any = SCALAR) -> Sun:
    """The sun at epoch ms UTC; good to 0.005 degrees between 1950 and 2050."""
    days = (time_ms - _J2000_MS) / DAY_MS
    t = days / _CENTURY_DAYS
    longitude = (280.46646 + t * (36000.76983 + t * 0.0003032)) * _RAD
    anomaly = (357.52911 + t * (35999.05029 - t * 0.0001537)) * _RAD
    centre = (
        m.sin(anomaly) * (1.914602 - t * (0.004817 + t * 0.000014))
        + m.sin(2 * anomaly) * (0.019993 - t * 0.000101)
        + m.sin(3 * anomaly) * 0.000289
    ) * _RAD
    node = (125.04 - 1934.136 * t) * _RAD
    nutation = -0.00478 * m.sin(node)
    apparent = longitude + centre + (nutation - 0.00569) * _RAD
    obliquity = (23.4392911 - 0.0130042 * t + 0.00256 * m.cos(node)) * _RAD
    ascension = m.atan2(m.cos(obliquity) * m.sin(apparent), m.cos(apparent))
    sidereal = 280.46061837 + 360.98564736629 * days + nutation * m.cos(obliquity)
    return Sun(m.asin(m.sin(obliquity) * m.sin(apparent)), sidereal - ascension / _RAD)


def elevation_deg(time_ms: X, latitude: X, longitude: X, m: Any = SCALAR) -> X:
    """Geometric elevation of the sun's centre in degrees, at epoch ms UTC and WGS-84 degrees."""
    sun = sun_at(time_ms, m)
    hour_angle = (sun.hour_angle_deg + longitude) * _RAD
    sine = m.sin(latitude * _RAD) * m.sin(sun.declination)
    sine = sine + m.cos(latitude * _RAD) * m.cos(sun.declination) * m.cos(hour_angle)
    centre = m.asin(sine) / _RAD
    return centre - _PARALLAX_DEG * m.cos(centre * _RAD)


@dataclass(frozen=True, slots=True)
class Falls:
    """When the sun goes below an elevation and comes back, epoch ms; each means something only where its flag is set.

    `sets`: it stood above at the last culmination and goes below. `rises`: it stands above again at the next one.
    `dark`: it goes below at all.
    """

    dusk_ms: X
    dawn_ms: X
    sets: X
    rises: X
    dark: X


def falls(middle_ms: X, latitude: X, longitude: X, below_deg: X, m: Any = SCALAR) -> Falls:
    """Dusk and dawn around the sun's lowest point nearest to `middle_ms`, found by bracketing: no case diverges."""
    lowest_ms = _lowest(middle_ms, longitude, m)

    def above(time_ms: X) -> X:
        return elevation_deg(time_ms, latitude, longitude, m) - below_deg

    depth = above(lowest_ms)
    before_ms, after_ms = lowest_ms - HALF_DAY_MS, lowest_ms + HALF_DAY_MS
    before, after = above(before_ms), above(after_ms)
    return Falls(
        dusk_ms=_crossing(above, (before_ms, before), (lowest_ms, depth), m),
        dawn_ms=_crossing(above, (after_ms, after), (lowest_ms, depth), m),
        sets=before >= 0,
        rises=after >= 0,
        dark=depth < 0,
    )


def _lowest(middle_ms: X, longitude: X, m: Any) -> X:
    """The sun's lower culmination nearest to a time, to a few seconds."""
    hour_angle = (sun_at(middle_ms, m).hour_angle_deg + longitude) % 360
    return middle_ms - (hour_angle - 180) / 360 * DAY_MS


def _crossing(above: Any, high: tuple[X, X], low: tuple[X, X], m: Any) -> X:
    """Time at which `above` is zero between a time where it is positive and one where it is negative."""
    (high_ms, high_value), (low_ms, low_value) = high, low
    for step in range(_HALVINGS + _STRAIGHT_STEPS):
        share = 0.5 if step < _HALVINGS else _share(high_value, low_value, m)
        middle_ms = high_ms + (low_ms - high_ms) * share
        value = above(middle_ms)
        positive = value >= 0
        high_ms, high_value = m.where(positive, middle_ms, high_ms), m.where(positive, value, high_value)
        low_ms, low_value = m.where(positive, low_ms, middle_ms), m.where(positive, low_value, value)
    return high_ms + (low_ms - high_ms) * _share(high_value, low_value, m)


def _share(high_value: X, low_value: X, m: Any) -> X:
    """How far along the straight line from a positive to a negative value zero lies; half where there is none."""
    drop = high_value - low_value
    crosses = (high_value >= 0) & (low_value < 0)
    return m.where(crosses, high_value / m.where(crosses, drop, 1.0), 0.5)
