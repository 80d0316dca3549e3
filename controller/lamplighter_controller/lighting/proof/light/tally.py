"""Lamp-time of one group of lamps, and the figures that are published of it."""

from dataclasses import dataclass
from enum import StrEnum


class By(StrEnum):
    """What lamps are grouped by."""

    CITY = "city"
    CLASS = "class"
    DISTRICT = "district"
    ROAD = "road"


class Proof(StrEnum):
    """What shows that a lamp was lit, or was dark; the order is that of precedence."""

    OWN_POWER = "own-power"
    PATROL = "patrol"
    METER = "cabinet-meter"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Tally:
    """One group's night in lamp-milliseconds: `lit` + `dark` + `unknown` is `required`.

    `own`, `patrol` and `meter` say which kind of proof stands behind lit and dark. Dark and unknown lamps are those
    that were so for long, see `rates.LONG_MS`.
    """

    key: str
    lamps: int
    required_ms: float
    lit_ms: float
    dark_ms: float
    unknown_ms: float
    own_ms: float
    patrol_ms: float
    meter_ms: float
    dark_lamps: int
    unknown_lamps: int

    @property
    def reported_percent(self) -> float | None:
        """Lit of what is proven either way; None when nothing is."""
        return _percent(self.lit_ms, self.lit_ms + self.dark_ms)

    @property
    def worst_percent(self) -> float | None:
        """Unknown taken for dark; None when no light was required."""
        return _percent(self.lit_ms, self.required_ms)

    @property
    def best_percent(self) -> float | None:
        """Unknown taken for lit; None when no light was required."""
        return _percent(self.lit_ms + self.unknown_ms, self.required_ms)

    def covered_percent(self, proof: Proof) -> float | None:
        """Share of the required lamp-time that this kind of proof stands behind."""
        proven = {Proof.OWN_POWER: self.own_ms, Proof.PATROL: self.patrol_ms, Proof.METER: self.meter_ms}
        return _percent(proven.get(proof, self.unknown_ms), self.required_ms)


def _percent(part: float, whole: float) -> float | None:
    return None if whole <= 0 else min(max(part / whole, 0.0), 1.0) * 100


class Verdict(StrEnum):
    """Whether a rule is met; `unprovable` when what is unknown decides it."""

    MET = "met"
    MISSED = "missed"
    UNPROVABLE = "unprovable"


@dataclass(frozen=True, slots=True)
class RoadRule:
    """A road by the rule of Changsha: long roads by their rate, short ones by the number of dark lamps.

    `limit` is the least percent, or the most lamps.
    """

    limit: float
    in_percent: bool
    verdict: Verdict


SHORT_ROADS: tuple[tuple[int, int], ...] = ((100, 2), (150, 3), (200, 4))  # below so many lamps: at most so many dark
LONG_ROAD_PERCENT = 97.0


def road_rule(road: Tally) -> RoadRule | None:
    """What the rule says of one road; None when no light was required on it."""
    if road.worst_percent is None or road.best_percent is None:
        return None
    for below, most in SHORT_ROADS:
        if road.lamps < below:
            return RoadRule(most, False, _verdict(road.dark_lamps + road.unknown_lamps <= most, road.dark_lamps > most))
    worst, best = road.worst_percent, road.best_percent
    return RoadRule(LONG_ROAD_PERCENT, True, _verdict(worst >= LONG_ROAD_PERCENT, best < LONG_ROAD_PERCENT))


def _verdict(surely_met: bool, surely_missed: bool) -> Verdict:
    if surely_met:
        return Verdict.MET
    return Verdict.MISSED if surely_missed else Verdict.UNPROVABLE
