"""How well trucks are judged: simulated weeks of unseen seeds, 5 % of the sensors broken, every confounder we know.

The weeks share nothing with the judge, neither constants nor geometry. Development used seeds from 100 on; these begin
elsewhere. The peer is the proximity rule in use elsewhere, on the same weeks.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np

from benchmarks.figure import Effort, Figure
from benchmarks.fleet.judged import judged
from benchmarks.fleet.proximity import proximity
from benchmarks.fleet.scoring import Score, score
from benchmarks.machine import versions
from lamplighter_firmware_sim.trucks.weeks.week import FAULTY, week

FIRST_SEED: Final = 9_000
TOGETHER: Final = 5  # weeks that are in memory at once
LIMITING: Final = ("dump_outside", "cover_open", "overspeed")  # what policies limit for
DUMP: Final = "dump_outside"
SURE: Final = 0.9  # a policy's least score unless it says otherwise


@dataclass(slots=True)
class Tally:
    """What came of some weeks."""

    told: Score = field(default_factory=Score)
    limiting: dict[str, Score] = field(default_factory=lambda: {kind: Score() for kind in LIMITING})
    eager: dict[str, Score] = field(default_factory=lambda: {kind: Score() for kind in LIMITING})
    rule: Score = field(default_factory=Score)
    alarms: int = 0
    truck_days: int = 0

    def add(self, other: "Tally") -> None:
        """Count another one in."""
        self.told += other.told
        for kind in LIMITING:
            self.limiting[kind] += other.limiting[kind]
            self.eager[kind] += other.eager[kind]
        self.rule += other.rule
        self.alarms += other.alarms
        self.truck_days += other.truck_days

    @property
    def false_limits(self) -> int:
        """Findings that a policy would have limited for and that nobody deserved."""
        return sum(one.false for one in self.limiting.values())


def run(effort: Effort) -> Iterator[Figure]:
    """The figures of fleet-quality."""
    seeds, dead_seeds, trucks, days = (2, 2, 10, 2) if effort.quick else (80, 20, 24, 7)
    usual, dead = _weeks(seeds, trucks, days, dead=False), _weeks(dead_seeds, trucks, days, dead=True)
    config = _config(seeds, trucks, days, usual, quick=effort.quick)
    rule = {
        "name": "proximity rule",
        "precision": round(usual.rule.precision, 3),
        "recall": round(usual.rule.recall, 3),
    }
    yield Figure("fleet-quality.precision", usual.told.precision, "of dumps outside grounds", rule, config)
    yield Figure("fleet-quality.recall", usual.told.recall, "of dumps outside grounds", rule, config)
    rule_dead = {"name": "proximity rule", "f1": round(dead.rule.f1, 3)}
    counts = {**config, "truck_days": dead.truck_days, "dumps": dead.told.right + dead.told.missed}
    yield Figure("fleet-quality.sensor_dead_f1", dead.told.f1, "of dumps outside grounds", rule_dead, counts)
    per_1000 = usual.false_limits / usual.truck_days * 1000
    yield Figure("fleet-quality.false_limits_per_1000", per_1000, "of 1,000 truck-days", {}, config)
    yield Figure("fleet-quality.alarms_per_truck_day", usual.alarms / usual.truck_days, "alarms", {}, config)


def _weeks(seeds: int, trucks: int, days: int, *, dead: bool) -> Tally:
    tally = Tally()
    for first in range(0, seeds, TOGETHER):
        numbers = range(first, min(first + TOGETHER, seeds))
        made = [week(FIRST_SEED + number, trucks, days, dead=dead) for number in numbers]
        for one, found in zip(made, judged(made), strict=True):
            sure = [each for each in found if each.score >= SURE]
            limiting = {kind: score(kind, sure, one.done) for kind in LIMITING}
            eager = {kind: score(kind, found, one.done) for kind in LIMITING}
            rule = score(DUMP, proximity(one), one.done)
            tally.add(Tally(score(DUMP, found, one.done), limiting, eager, rule, len(found), trucks * days))
    return tally


def _config(seeds: int, trucks: int, days: int, tally: Tally, *, quick: bool) -> dict[str, Any]:
    dumps = tally.told
    return {
        "seeds": f"{seeds} from {FIRST_SEED}",
        "trucks": trucks,
        "days": days,
        "truck_days": tally.truck_days,
        "faulty_sensors": FAULTY,
        "dumps": dumps.right + dumps.missed,
        "false_dumps": dumps.false,
        "false_limits": {kind: one.false for kind, one in tally.limiting.items()},
        "false_limits_of_policies_from_0.8": {kind: one.false for kind, one in tally.eager.items()},
        "delay_s_median": round(float(np.median(dumps.delays_s)), 1) if dumps.delays_s else None,
        "recall_cover_open": round(tally.eager["cover_open"].recall, 3),
        "recall_overspeed": round(tally.eager["overspeed"].recall, 3),
        "quick": quick,
        "versions": versions("numpy", "shapely"),
    }
