"""Sun, daylight and air over the city."""

import datetime as dt
import math
import zoneinfo
from dataclasses import dataclass
from typing import Final

import numpy as np

# Horizontal illuminance under a clear sky by solar elevation: published values at sunset and civil twilight's end,
# between them about a factor e per degree.
_ELEVATION_DEG: Final = (-18.0, -12.0, -6.0, -5.0, -4.0, -3.6, -3.2, -0.833, 5.0, 15.0, 30.0, 60.0, 90.0)
_LOG_LUX: Final = tuple(math.log(lux) for lux in (1e-3, 1e-2, 3, 7, 20, 30, 45, 500, 6e3, 2e4, 5e4, 9e4, 1.1e5))


@dataclass(frozen=True, slots=True)
class Sky:
    """What the sky does at one moment. Local hour counts from midnight, standard time."""

    lux: float
    ambient_c: float
    local_hour: float


def solar_elevation_deg(time_ms: int, latitude: float, longitude: float) -> float:
    """Height of the sun's centre, good to about 0.3 degrees; no refraction."""
    days = time_ms / 86_400_000 + 2440587.5 - 2451545.0
    mean, anomaly = 280.460 + 0.9856474 * days, math.radians(357.528 + 0.9856003 * days)
    ecliptic = math.radians(mean + 1.915 * math.sin(anomaly) + 0.020 * math.sin(2 * anomaly))
    tilt = math.radians(23.439)
    declination = math.asin(math.sin(tilt) * math.sin(ecliptic))
    ascension = math.degrees(math.atan2(math.cos(tilt) * math.sin(ecliptic), math.cos(ecliptic)))
    hour = math.radians(280.46062 + 360.98564737 * days + longitude - ascension)
    north = math.radians(latitude)
    height = math.sin(north) * math.sin(declination) + math.cos(north) * math.cos(declination) * math.cos(hour)
    return math.degrees(math.asin(max(-1.0, min(1.0, height))))


def daylight_lux(elevation_deg: float) -> float:
    """Illuminance on the ground under a clear sky."""
    return math.exp(float(np.interp(elevation_deg, _ELEVATION_DEG, _LOG_LUX)))


def ambient_c(time_ms: int, local_hour: float) -> float:
    """Air temperature of a northern inland city: a year's wave and a day's wave, warmest in July and at 15 h."""
    year = (time_ms / 86_400_000 - 201) / 365.25
    return 14.5 + 13.5 * math.cos(2 * math.pi * year) + 5.0 * math.cos(2 * math.pi * (local_hour - 15) / 24)


def sky_at(time_ms: int, latitude: float, longitude: float, zone: str) -> Sky:
    """The sky at a civil time."""
    local = dt.datetime.fromtimestamp(time_ms / 1000, zoneinfo.ZoneInfo(zone))
    hour = local.hour + local.minute / 60 + local.second / 3600
    lux = daylight_lux(solar_elevation_deg(time_ms, latitude, longitude))
    return Sky(lux, ambient_c(time_ms, hour), hour)
