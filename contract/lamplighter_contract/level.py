"""What level should a lamp have now, and why? One pure function for gateway, controller and console."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class Winner(StrEnum):
    """Who decides a lamp's level, highest first."""

    EMERGENCY = "emergency"
    OVERRIDE = "override"
    SCENE = "scene"
    ADAPTIVE = "adaptive"
    PROGRAM = "program"
    DEFAULT = "default"
    OWN = "own"  # no plan was ever given: the lamp follows its own schedule


@dataclass(frozen=True, slots=True)
class Override:
    """A level wanted for one device until a civil time; its id is its command's id, `issued` in real ms."""

    id: str
    seq: int
    issued_ms: int
    device: str
    level_percent: float
    until_ms: int


@dataclass(frozen=True, slots=True)
class Why:
    """The winner, what it beat, and until when (civil ms; None = no end known)."""

    winner: Winner
    source: str = ""
    until_ms: int | None = None
    beat: tuple[Winner, ...] = ()


@dataclass(frozen=True, slots=True)
class Level:
    """The level a lamp should have, None = leave it to the lamp's own schedule."""

    level_percent: float | None
    why: Why


OWN_SCHEDULE = Level(None, Why(Winner.OWN))


def level(overrides: Iterable[Override], device: str, now_ms: int) -> Level:
    """The level of one lamp at a civil time: of the overrides in force for it, the newest issued wins."""
    mine = [record for record in overrides if record.device == device and now_ms < record.until_ms]
    if not mine:
        return OWN_SCHEDULE
    newest = max(mine, key=lambda record: (record.issued_ms, record.seq))
    return Level(newest.level_percent, Why(Winner.OVERRIDE, newest.id, newest.until_ms, (Winner.OWN,)))
