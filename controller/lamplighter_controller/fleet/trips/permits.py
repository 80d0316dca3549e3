"""Whether a load had a permit when it left its site, and came to the ground that the permit names. Pure.

Who is not in the register, and a register without permits, say nothing about what is allowed.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

from lamplighter_controller.fleet.judging.violations import Class, Finding
from lamplighter_controller.fleet.live.city import City
from lamplighter_controller.fleet.register.holding import Why, holds, why_not
from lamplighter_controller.fleet.register.things import Permit
from lamplighter_controller.fleet.trips.follow import Moved

SEEN: Final = 0.95
GUESSED: Final = 0.7  # no sensor that is trusted told of the load
NOWHERE: Final = 0.6  # it was not at any known site when it loaded
_CLASSES: Final[Mapping[Why, Class]] = {  # the mildest explanation first
    Why.SUSPENDED: Class.PERMIT_SUSPENDED,
    Why.DAY: Class.OUTSIDE_HOURS,
    Why.HOURS: Class.OUTSIDE_HOURS,
    Why.EXPIRED: Class.PERMIT_EXPIRED,
    Why.NOT_YET: Class.NO_PERMIT,
}


def judged(moved: Moved, city: City, local: datetime, *, suspended: bool) -> Finding | None:
    """What a trip that went on means; `local` is when its load left the site, `suspended`: a red-alert day."""
    trip, row = moved.trip, city.row_of_truck.get(moved.trip.truck)
    if row is None or not city.rows[row].registered or not city.register.permits or trip.left_ms is None:
        return None
    permits = city.permits_of.get(trip.truck, ())
    if trip.unloaded_ms is not None:
        return _arrived(moved, row, city, [one for one in permits if holds(one, local) and not suspended])
    return _left(moved, row, city, permits, local, suspended=suspended)


def _left(
    moved: Moved, row: int, city: City, permits: Sequence[Permit], local: datetime, *, suspended: bool
) -> Finding | None:
    site = moved.trip.site
    here = [one for one in permits if site is None or _place(city, one.site) in (None, site)]
    why = {one.id: Why.SUSPENDED if suspended else why_not(one, local) for one in here}
    if None in why.values():
        return None
    for reason, kind in _CLASSES.items():
        for permit in here:
            if why[permit.id] is reason:
                return _finding(moved, row, kind, {"permit": permit.id, **_term(permit), "why": reason.value})
    return _finding(moved, row, Class.NO_PERMIT, {"permits": float(len(permits)), "permits_of_site": 0.0})


def _arrived(moved: Moved, row: int, city: City, held: Sequence[Permit]) -> Finding | None:
    """Another ground than any permit in force names; a load that goes outside every ground is another violation."""
    ground = moved.trip.ground
    allowed = {_place(city, one.ground) for one in held}
    if ground is None or not held or ground in allowed or None in allowed:
        return None
    return _finding(
        moved, row, Class.WRONG_GROUND, {"permit": held[0].id, "ground": ground, "permitted": held[0].ground}
    )


def _finding(moved: Moved, row: int, kind: Class, evidence: Mapping[str, float | str | None]) -> Finding:
    trip = moved.trip
    over = kind is Class.WRONG_GROUND
    time_ms = trip.unloaded_ms if over else trip.left_ms
    assert time_ms is not None
    score = SEEN if moved.told else GUESSED
    return Finding(
        row,
        kind,
        min(score, NOWHERE) if trip.site is None and not over else score,
        time_ms,
        time_ms,
        trip.ground if over else trip.site,
        moved.latitude,
        moved.longitude,
        {
            **evidence,
            "loaded_ms": float(trip.loaded_ms),
            "load_told_by": "sensor" if moved.told else "stay at the site",
        },
    )


def _term(permit: Permit) -> Mapping[str, str]:
    hours = f"{permit.start}-{permit.end}" if permit.start is not None else "all day"
    return {"issued": permit.issued, "expires": permit.expires, "hours": hours, "days": " ".join(permit.days)}


def _place(city: City, name: str) -> str | None:
    """The place of a watched object, None when nobody has drawn it: then nobody can hold a truck to it."""
    found = city.register.objects.get(name)
    return found.place if found is not None else None
