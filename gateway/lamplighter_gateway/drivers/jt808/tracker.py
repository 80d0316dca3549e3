"""A position report as a reading of a truck: standard fields, and the maker's bits as the profile says. Pure."""

from collections.abc import Iterable
from typing import Final

from lamplighter_contract.quality import Quality
from lamplighter_contract.quantities import QUANTITIES, Kind
from lamplighter_gateway.drivers.jt808.codec import status
from lamplighter_gateway.drivers.jt808.codec.location import Location, known_items
from lamplighter_gateway.drivers.port import Reading, Value
from lamplighter_gateway.profiles.model import TrackerMap

LATE_MS: Final = 60_000  # a report this much older than its arrival tells the past
EARLY_MS: Final = 60_000

_ANTENNA_FAULT: Final = 1 << 5 | 1 << 6
_POWER_LOST: Final = 1 << 8
_NUMBERS: Final = ("latitude", "longitude", "altitude_m", "speed_kmh", "heading_deg", "odometer_km", "satellites")
_BOUNDS: Final = [
    (name, (quantity.minimum, quantity.maximum))
    for name, quantity in QUANTITIES[Kind.TRUCK].items()
    if name in _NUMBERS
]


def reading_of(device: str, found: TrackerMap, location: Location, now_ms: int, *, blind_area: bool) -> Reading | None:
    """One report as a reading, None where it has no time at all. Whatever is out of bounds is left out and noted.

    A position without a fix is no position, and one that is encrypted neither.
    """
    if location.time_ms is None:
        return None
    values: dict[str, Value] = {"received": now_ms, "fix": bool(location.status & status.FIXED)}
    if values["fix"] and not location.status & status.ENCRYPTED:
        values |= _whereabouts(location)
    values |= _states(location)
    for field in found.status:
        raw = location.status >> field.bit & (1 << field.width) - 1
        values[field.quantity.name] = field.words[raw] if field.words else bool(raw)
    absurd = [name for name, (least, most) in _BOUNDS if name in values and not least <= values[name] <= most]  # type: ignore[operator]  # numbers all
    for name in absurd:
        del values[name]
    quality = Quality.OUT_OF_RANGE if absurd else Quality.GOOD
    if blind_area or now_ms - location.time_ms > LATE_MS:
        quality |= Quality.STALE
    if location.time_ms - now_ms > EARLY_MS:
        quality |= Quality.CLOCK_UNTRUSTED
    return Reading(device, Kind.TRUCK, location.time_ms, values, int(quality))


def _whereabouts(location: Location) -> dict[str, Value]:
    return {
        "latitude": location.latitude,
        "longitude": location.longitude,
        "altitude_m": float(location.altitude_m),
        "speed_kmh": location.speed_kmh,
        "heading_deg": float(location.direction_deg),
    }


def _states(location: Location) -> dict[str, Value]:
    items = known_items(location)
    found: dict[str, Value] = {
        "ignition": bool(location.status & status.IGNITION),
        "power_cut": bool(location.alarm & _POWER_LOST),
        "antenna_fault": bool(location.alarm & _ANTENNA_FAULT),
    }
    return found | {name: float(items[name]) for name in ("odometer_km", "satellites") if name in items}


def in_order(readings: Iterable[Reading | None]) -> tuple[Reading, ...]:
    """The readings that are any, by time."""
    return tuple(sorted((one for one in readings if one is not None), key=lambda one: one.time_ms))
