"""The position report, body of 0x0200 and part of many others (JT/T 808-2013 table 23, JT/T 808-2019 table 23).

It is most of what a fleet sends; so it has a reader of its own, made for speed.
"""

from collections.abc import Iterator, Mapping
from struct import Struct
from typing import Any, Final, NamedTuple

from lamplighter_gateway.drivers.jt808.codec.faults import Fault, Refused
from lamplighter_gateway.drivers.jt808.codec.values import time_bcd, time_ms

BASICS: Final = Struct(">IIIIHHH6s")
MICRODEGREES: Final = 1_000_000

_SOUTH: Final = 1 << 2
_WEST: Final = 1 << 3


Item = tuple[int, bytes]  # an additional item: its id and its bytes; a plain tuple, as millions are made


class Location(NamedTuple):
    """Where a truck was; degrees WGS-84, `alarm` and `status` as they came, `time_ms` None where it was no time.

    `torn` holds trailing bytes that are no whole item; the items before them stand.
    """

    alarm: int
    status: int
    latitude: float
    longitude: float
    altitude_m: int
    speed_kmh: float
    direction_deg: int
    time_ms: int | None
    items: tuple[Item, ...] = ()
    torn: bytes = b""


def read_location(body: bytes) -> Location | Refused:
    """A position from a body; additional items that cannot be told apart never cost the position."""
    if len(body) < BASICS.size:
        return Refused(Fault.BODY, f"a position has {BASICS.size} bytes, here are {len(body)}")
    alarm, status, latitude, longitude, altitude_m, speed, direction_deg, moment = BASICS.unpack_from(body)
    items, torn = read_items(body, BASICS.size)
    return Location(
        alarm,
        status,
        (-latitude if status & _SOUTH else latitude) / MICRODEGREES,
        (-longitude if status & _WEST else longitude) / MICRODEGREES,
        altitude_m,
        speed / 10,
        direction_deg,
        time_ms(moment),
        items,
        torn,
    )


def read_items(body: bytes, at: int) -> tuple[tuple[Item, ...], bytes]:
    """The items from `at` on, and what is left where they end too early."""
    found = []
    end = len(body)
    while at + 2 <= end:
        following = at + 2 + body[at + 1]
        if following > end:
            break
        found.append((body[at], body[at + 2 : following]))
        at = following
    return tuple(found), body[at:]


def write_location(location: Location) -> bytes:
    """The body of a position.

    Raises:
        ValueError: it has no time, an item is longer than 255 bytes, or a value does not fit.
    """
    if location.time_ms is None:
        raise ValueError("a position needs a time")
    status = location.status & ~(_SOUTH | _WEST)
    status |= (_SOUTH if location.latitude < 0 else 0) | (_WEST if location.longitude < 0 else 0)
    basics = BASICS.pack(
        location.alarm,
        status,
        round(abs(location.latitude) * MICRODEGREES),
        round(abs(location.longitude) * MICRODEGREES),
        location.altitude_m,
        round(location.speed_kmh * 10),
        location.direction_deg,
        time_bcd(location.time_ms),
    )
    return basics + b"".join([bytes((number, len(value))) + value for number, value in location.items]) + location.torn


class Batch(NamedTuple):
    """The body of 0x0704; a position that could not be read stands as the reason, beside its neighbours."""

    blind_area: bool  # stored while there was no network, and sent later
    declared: int
    locations: tuple[Location | Refused, ...]


def read_batch(body: bytes) -> Batch | Refused:
    """Positions of 0x0704 (JT/T 808-2013, 8.49)."""
    if len(body) < 3:
        return Refused(Fault.BODY, f"a batch begins with 3 bytes, here are {len(body)}")
    return Batch(bool(body[2]), body[0] << 8 | body[1], tuple(_parts(body, 3)))


def _parts(body: bytes, at: int) -> Iterator[Location | Refused]:
    while at + 2 <= len(body):
        size = body[at] << 8 | body[at + 1]
        part = body[at + 2 : at + 2 + size]
        if len(part) < size:
            yield Refused(Fault.BODY, f"a position of {size} bytes ends after {len(part)}")
            return
        yield read_location(part)
        at += 2 + size


def write_batch(locations: tuple[Location, ...], *, blind_area: bool) -> bytes:
    """The body of 0x0704."""
    parts = [write_location(location) for location in locations]
    return b"".join(
        (len(parts).to_bytes(2, "big"), bytes((blind_area,)), *(len(part).to_bytes(2, "big") + part for part in parts))
    )


def known_items(location: Location) -> Mapping[str, Any]:
    """Values of the items whose meaning the standard gives; one of an odd length is left out (8.18, table 27)."""
    found = {}
    for number, value in location.items:
        meaning = _KNOWN.get(number)
        if meaning is not None and len(value) == meaning[1]:
            found[meaning[0]] = int.from_bytes(value, "big") * meaning[2]
    return found


_KNOWN: Final[Mapping[int, tuple[str, int, float]]] = {
    0x01: ("odometer_km", 4, 0.1),
    0x02: ("fuel_l", 2, 0.1),
    0x03: ("recorder_speed_kmh", 2, 0.1),
    0x04: ("event", 2, 1),
    0x06: ("box_temperature_c", 2, 1),
    0x25: ("signals", 4, 1),
    0x2A: ("io", 2, 1),
    0x2B: ("analogue", 4, 1),
    0x30: ("signal_strength", 1, 1),
    0x31: ("satellites", 1, 1),
}
