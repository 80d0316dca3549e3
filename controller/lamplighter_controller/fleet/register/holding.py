"""Which permit of a truck holds at a moment."""

from collections.abc import Iterable
from datetime import datetime
from typing import Final

from lamplighter_controller.fleet.register.things import Permit, Weekday

DAYS: Final = tuple(Weekday)


def holds(permit: Permit, local: datetime) -> bool:
    """True on its days, within its hours and its term; over midnight the day is that on which the hours began."""
    if permit.suspended or not permit.issued <= f"{local:%Y-%m-%d}" <= permit.expires:
        return False
    clock = f"{local:%H:%M}"
    start, end = permit.start, permit.end
    weekday = local.weekday()
    if start is not None and end is not None:
        within = start <= clock < end if start <= end else clock >= start or clock < end
        if not within:
            return False
        if start > end and clock < end:
            weekday = (weekday - 1) % 7
    return not permit.days or DAYS[weekday] in permit.days


def holding(permits: Iterable[Permit], local: datetime, *, suspended: bool) -> Permit | None:
    """The first permit that holds; on a red-alert day (`suspended`) none does."""
    if suspended:
        return None
    return next((permit for permit in permits if holds(permit, local)), None)
