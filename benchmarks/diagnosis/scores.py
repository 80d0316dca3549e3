"""Counts that add up over campaigns, and the figures made of them."""

from collections import defaultdict
from dataclasses import dataclass, field
from statistics import median
from typing import Self

_BINS = 10


@dataclass(frozen=True, slots=True)
class Found:
    """Whether a fault was told by its class; `exact`: at the very element; `noticed`: as anything at all. Hours."""

    right: bool
    noticed: bool = False
    exact: bool = False
    from_onset_h: float = 0.0
    from_sight_h: float = 0.0


@dataclass
class Scores:
    """What was counted."""

    campaigns: int = 0
    lamp_days: float = 0
    cabinet_days: float = 0
    found: dict[str, list[Found]] = field(default_factory=dict)
    by_case: dict[str, list[Found]] = field(default_factory=dict)
    false: dict[str, int] = field(default_factory=dict)
    false_lamp: int = 0
    false_node: int = 0
    trips: int = 0
    wasted: int = 0
    incidents: int = 0
    lamp_alarms: int = 0
    calibration: list[tuple[float, bool]] = field(default_factory=list)

    def add_fault(self, kind: str, case: str, found: Found) -> None:
        """One fault and what became of it."""
        self.found.setdefault(kind, []).append(found)
        self.by_case.setdefault(case, []).append(found)

    def false_of(self, class_id: str) -> None:
        """A class that was told where it was not so."""
        self.false[class_id] = self.false.get(class_id, 0) + 1

    def plus(self, other: Self) -> Self:
        """With the counts of another campaign."""
        for mine, theirs in ((self.found, other.found), (self.by_case, other.by_case)):
            for name, some in theirs.items():
                mine.setdefault(name, []).extend(some)
        for name, count in other.false.items():
            self.false[name] = self.false.get(name, 0) + count
        self.calibration += other.calibration
        for name in (
            "campaigns",
            "lamp_days",
            "cabinet_days",
            "false_lamp",
            "false_node",
            "trips",
            "wasted",
            "incidents",
            "lamp_alarms",
        ):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        return self

    @property
    def macro_f1(self) -> float:
        """Mean of the classes' F1, over classes that occurred."""
        rows = [self.row(name) for name in self.found]
        return sum(row.f1 for row in rows) / len(rows) if rows else float("nan")

    @property
    def noticed(self) -> float:
        """Share of faults of whose element anything was told, under whatever name."""
        every = [one for found in self.found.values() for one in found]
        return sum(one.noticed or one.right for one in every) / len(every) if every else float("nan")

    def row(self, class_id: str) -> "Row":
        """Figures of one class."""
        found = self.found.get(class_id, [])
        right = [one for one in found if one.right]
        false = self.false.get(class_id, 0)
        recall = len(right) / len(found) if found else 0.0
        precision = len(right) / (len(right) + false) if right or false else 0.0
        f1 = 2 * precision * recall / (precision + recall) if precision + recall else 0.0
        return Row(
            class_id,
            len(found),
            precision,
            recall,
            f1,
            median([one.from_onset_h for one in right]) if right else float("nan"),
            median([one.from_sight_h for one in right]) if right else float("nan"),
        )

    def root_cause(self, cases: tuple[str, ...]) -> float:
        """Share of group cases told by class at the very element."""
        found = [one for case in cases for one in self.by_case.get(case, [])]
        return sum(one.right and one.exact for one in found) / len(found) if found else float("nan")

    @property
    def false_per_1000_lamp_days(self) -> float:
        """Raises about lamps that nothing ailed."""
        return 1000 * self.false_lamp / self.lamp_days if self.lamp_days else float("nan")

    @property
    def false_per_100_cabinet_days(self) -> float:
        """Raises about anything above the lamp that nothing ailed."""
        return 100 * self.false_node / self.cabinet_days if self.cabinet_days else float("nan")

    @property
    def wasted_share(self) -> float:
        """Share of trips to something that nothing ailed."""
        return self.wasted / self.trips if self.trips else float("nan")

    @property
    def alarms_per_incident(self) -> float:
        """Lamp alarms beside each group incident."""
        return self.lamp_alarms / self.incidents if self.incidents else float("nan")

    @property
    def calibration_error(self) -> float:
        """Expected calibration error of the confidence, ten bins."""
        if not self.calibration:
            return float("nan")
        bins: dict[int, list[tuple[float, bool]]] = defaultdict(list)
        for confidence, right in self.calibration:
            bins[min(_BINS - 1, int(confidence * _BINS))].append((confidence, right))
        off = sum(abs(sum(c for c, _ in some) - sum(r for _, r in some)) for some in bins.values())
        return off / len(self.calibration)


@dataclass(frozen=True, slots=True)
class Row:
    """One class: how many faults there were, and how they were told."""

    class_id: str
    faults: int
    precision: float
    recall: float
    f1: float
    from_onset_h: float
    from_sight_h: float
