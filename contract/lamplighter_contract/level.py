"""What level should a lamp have now, and why? The terms of the answer, and the answer as long as there is no plan.

With a plan it is `light.level`.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class Winner(StrEnum):
    """Who decides a lamp's level, highest first; what stands in for a plan comes last. Stored by place: only append."""

    EMERGENCY = "emergency"
    OVERRIDE = "override"
    SCENE = "scene"
    ADAPTIVE = "adaptive"
    PROGRAM = "program"
    DEFAULT = "default"
    OWN = "own"  # no plan was ever given: the lamp follows its own schedule
    PHOTOCELL = "photocell"  # a plan or the clock is of no use, and a light sensor is
    FAIL_SAFE = "fail-safe"  # neither is of use: full light


@dataclass(frozen=True, slots=True)
class Override:
    """A level wanted for one device until a civil time; its id is its command's id, `issued` in real ms.

    An emergency is full light that stands above every other wish until its end.
    """

    id: str
    seq: int
    issued_ms: int
    device: str
    level_percent: float
    until_ms: int
    emergency: bool = False


@dataclass(frozen=True, slots=True)
class Why:
    """The winner, what it beat, and until when (civil ms; None = no end known).

    `source`: id of the override, scene or adaptive rule, or the program's stage. `calendar`, `rule` and `program` say
    what the plan has for the night and `program_percent` what it asks now, whoever wins. `unused`: adaptive rules that
    did not speak, and why. `asked_percent`: the level before virtual and constant light output scaled it, None when
    they did not.
    """

    winner: Winner
    source: str = ""
    until_ms: int | None = None
    beat: tuple[Winner, ...] = ()
    calendar: str = ""
    rule: str = ""
    program: str = ""
    program_percent: float | None = None
    unused: tuple[str, ...] = ()
    asked_percent: float | None = None
    virtual_percent: float = 100.0
    constant_percent: float = 100.0


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
    newest = max(mine, key=rank) if mine[1:] else mine[0]
    winner = Winner.EMERGENCY if newest.emergency else Winner.OVERRIDE
    return Level(newest.level_percent, Why(winner, newest.id, newest.until_ms, (Winner.OWN,)))


def rank(record: Override) -> tuple[bool, int, int, str]:
    """Overrides of one device in order of precedence: emergencies last, then the newest issued."""
    return record.emergency, record.issued_ms, record.seq, record.id
