"""Campaigns of many seeds through one method after another, on all cores."""

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path

import msgspec
import numpy as np

from benchmarks.diagnosis.baselines import cabinet_rule, city_platform, echelon
from benchmarks.diagnosis.course import WHOLE, Ablation, Course, course_of
from benchmarks.diagnosis.episodes import Episode, diagnose
from benchmarks.diagnosis.judging import Judge
from benchmarks.diagnosis.learners import Learned, isolation_forest, learn, random_forest
from benchmarks.diagnosis.scores import Scores
from lamplighter_firmware_sim.campaign.generate import Order, generate
from lamplighter_firmware_sim.campaign.recipes import What

OURS = "lamplighter"
RULES: dict[str, Callable[[Course], list[Episode]]] = {
    OURS: diagnose,
    "Echelon CPD 3000": echelon,
    "city platform": city_platform,
    "SLightliMon (cabinets)": cabinet_rule,
}
LEARNERS: dict[str, Callable[[Course, Learned], list[Episode]]] = {
    "random forest": random_forest,
    "isolation forest": isolation_forest,
}


@dataclass(frozen=True)
class Trial:
    """One campaign and the methods that are tried on it."""

    seed: int
    what: What
    methods: tuple[str, ...]
    ablation: Ablation = WHOLE

    @property
    def name(self) -> str:
        """A name for a file of its scores."""
        return f"{self.seed} {self.what} {self.ablation.name} {self.methods[0]}"


def run(trials: Sequence[Trial], cores: int, kept: Path | None = None) -> list[tuple[Trial, str, Scores]]:
    """Scores of every method in every trial, in their order; trials whose scores are `kept` are not tried."""
    if kept is not None:
        kept.mkdir(parents=True, exist_ok=True)
    with ProcessPoolExecutor(cores) as pool:
        every = pool.map(partial(_kept_or_tried, kept), trials)
        return [
            (trial, method, scores)
            for trial, scored in zip(trials, every, strict=True)
            for method, scores in scored.items()
        ]


def together(scored: Iterable[tuple[str, Scores]]) -> dict[str, Scores]:
    """All scores of one name added up, in order of the names' first coming."""
    total: dict[str, Scores] = {}
    for name, scores in scored:
        total.setdefault(name, Scores()).plus(scores)
    return total


def _kept_or_tried(kept: Path | None, trial: Trial) -> dict[str, Scores]:
    if kept is None:
        return tried(trial)
    file = kept / f"{trial.name}.json"
    if file.exists():
        return msgspec.json.decode(file.read_bytes(), type=dict[str, Scores])
    scored = tried(trial)
    fresh = file.with_suffix(".part")
    fresh.write_bytes(msgspec.json.encode(scored))
    fresh.replace(file)
    return scored


def tried(trial: Trial) -> dict[str, Scores]:
    """One campaign through its methods."""
    order = Order(what=trial.what, interval_s=trial.ablation.interval_s, wrong_share=trial.ablation.wrong_share)
    random = np.random.default_rng([trial.seed, list(What).index(trial.what)])
    course = course_of(generate(random, order), trial.ablation)
    judge = Judge(course.campaign, int(course.campaign.step_ms[-1]) + 1000 * order.interval_s)
    return {method: judge.score(_said(method, course)) for method in trial.methods}


def _said(method: str, course: Course) -> list[Episode]:
    return RULES[method](course) if method in RULES else LEARNERS[method](course, _learned())


@lru_cache(maxsize=1)
def _learned() -> Learned:
    return learn()
