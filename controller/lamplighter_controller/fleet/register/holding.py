"""Which permit of a truck holds at a moment, and why one does not."""

from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum
from typing import Final

from lamplighter_controller.fleet.register.things import Permit, Weekday, within

DAYS: Final = tuple(Weekday)


class Why(StrEnum):
    """Why a permit does not hold."""

    SUSPENDED = "suspended"
    NOT_YET = "not_yet"
    EXPIRED = "expired"
    HOURS = "hours"
    DAY = "day"


def why_not(permit: Permit, local: datetime) -> Why | None:
    """What keeps a permit from holding, None when it holds; over midnight the day is that on which its hours began."""
    if permit.suspended:
        return Why.SUSPENDED
    day = f"{local:%Y-%m-%d}"
    if day < permit.issued:
        return Why.NOT_YET
    if day > permit.expires:
        return Why.EXPIRED
    clock, weekday = f"{local:%H:%M}", local.weekday()
    if within(clock, permit.start, permit.end) is False:
        return Why.HOURS
    if permit.start is not None and permit.end is not None and clock < permit.end < permit.start:
        weekday = (weekday - 1) % 7
    return Why.DAY if permit.days and DAYS[weekday] not in permit.days else None


def holds(permit: Permit, local: datetime) -> bool:
    """True on its days, within its hours and its term."""
    return why_not(permit, local) is None


def holding(permits: Iterable[Permit], local: datetime, *, suspended: bool) -> Permit | None:
    """The first permit that holds; on a red-alert day (`suspended`) none does."""
    if suspended:
        return None
    return next((permit for permit in permits if holds(permit, local)), None)
