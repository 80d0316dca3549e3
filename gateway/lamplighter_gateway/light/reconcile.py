"""What should this lamp show, what does it show, what is to be done? Pure; times in monotonic seconds."""

from dataclasses import dataclass
from typing import Final

from lamplighter_contract.level import Level
from lamplighter_gateway.drivers.port import Point

TOLERANCE_PERCENT: Final = 1.0
RETRY_FIRST_S: Final = 2.0
RETRY_MOST_S: Final = 60.0


@dataclass(frozen=True, slots=True)
class Shown:
    """The level a lamp last told, and when."""

    level_percent: float | None
    at_s: float


@dataclass(frozen=True, slots=True)
class Tried:
    """When a write last ended, and how many in a row did not bring the lamp where it should be.

    One that did not answer counts as one failure, however often: it is waited for anyway, and back it owes nothing.
    """

    at_s: float
    failures: int


@dataclass(frozen=True, slots=True)
class Action:
    """One write."""

    point: Point
    value: float = 0.0


def reconcile(wanted: Level, shown: Shown | None, tried: Tried | None, now_s: float) -> Action | None:
    """The write that brings a held lamp where it should be, or None.

    Only a lamp that has spoken since the last attempt is written to: a silent one is waited for, and gets what is
    wanted then as soon as it is back.
    """
    if shown is None or (tried is not None and not _due(shown, tried, now_s)):
        return None
    if wanted.level_percent is None:
        return Action(Point.RESUME)
    return None if fits(wanted, shown) else Action(Point.LEVEL, wanted.level_percent)


def fits(wanted: Level, shown: Shown) -> bool:
    """True when the lamp shows the level wanted; off is off, not merely low."""
    if wanted.level_percent is None or shown.level_percent is None:
        return False
    if wanted.level_percent == 0:
        return shown.level_percent < TOLERANCE_PERCENT
    return abs(wanted.level_percent - shown.level_percent) <= TOLERANCE_PERCENT


def _due(shown: Shown, tried: Tried, now_s: float) -> bool:
    pause_s = min(RETRY_MOST_S, RETRY_FIRST_S * 2.0 ** min(tried.failures - 1, 10)) if tried.failures else 0.0
    return shown.at_s > tried.at_s and now_s >= tried.at_s + pause_s
