"""A limit as somebody wants it, and what is wrong with it. Pure."""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

import msgspec

from lamplighter_contract.truck import interlock
from lamplighter_contract.truck.interlock import Bounds
from lamplighter_controller.fleet.limits.limit import What
from lamplighter_controller.fleet.live.city import Row

MOST_TRUCKS: Final = 2_000
MOST_ALONE: Final = 5  # trucks that one person may limit: more of them is a limit of a fleet


@dataclass(frozen=True, slots=True)
class Wish:
    """Trucks by id, what for how many civil seconds; `target` in km/h."""

    trucks: tuple[str, ...]
    what: What
    reason: str
    for_s: float
    target: float = 0.0
    case_number: str = ""
    violation: str | None = None
    policy: str | None = None
    key: str | None = None

    def content(self) -> str:
        """What two wishes under one key must have in common."""
        essence = (sorted(self.trucks), self.what, self.target, self.for_s)
        return hashlib.sha256(msgspec.json.encode(essence)).hexdigest()


@dataclass(frozen=True, slots=True)
class Wrong:
    """One thing wrong with a wish: where, and what."""

    where: str
    what: str


def wrong_with(
    wish: Wish, trucks: Mapping[str, Row | None], able: Mapping[str, bool], bounds: Bounds
) -> Iterator[Wrong]:
    """Everything wrong with it; `able` says whose terminal can be limited so."""
    if not wish.trucks or len(wish.trucks) > MOST_TRUCKS:
        yield Wrong("trucks", f"{len(wish.trucks)} trucks, expected 1 to {MOST_TRUCKS}")
    if not wish.reason.strip():
        yield Wrong("reason", "every limit has a reason")
    if not 0 < wish.for_s <= bounds.longest_s:
        yield Wrong("for_s", f"{wish.for_s:g}, expected more than 0 and at most {bounds.longest_s:g}")
    if wish.what is What.SPEED and wish.target < bounds.floor_kmh:
        yield Wrong("limit_kmh", f"{wish.target:g}, expected at least {bounds.floor_kmh:g} km/h")
    if wish.what is What.LIFT and not bounds.lift_lock:
        yield Wrong("what", f"{interlock.Rule.SWITCHED_OFF}: lift locks of the platform are not switched on here")
    for name in wish.trucks:
        row = trucks.get(name)
        if row is None:
            yield Wrong(f"trucks.{name[:64]}", "there is no such truck")
        elif row.view_only:
            yield Wrong(f"trucks.{name[:64]}", "it is forwarded by another platform and can only be watched")
        elif not able.get(name):
            yield Wrong(f"trucks.{name[:64]}", f"no gateway serves a terminal of it that can limit its {wish.what}")


def grave(trucks: int, held: int) -> tuple[str, ...]:
    """Why a limit of so many trucks needs a second person; `held` has the same person limited already."""
    if trucks > MOST_ALONE:
        return (f"it is for {trucks} trucks, one person limits at most {MOST_ALONE} at a time",)
    if trucks + held > 2 * MOST_ALONE:
        return (f"with these {trucks} the same person would limit {trucks + held} trucks, at most {2 * MOST_ALONE}",)
    return ()
