"""Campaigns of many seeds through one method after another, on all cores."""

from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import lru_cache

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


Key = tuple[str, str]  # method, ablation


def run(trials: Iterable[Trial], cores: int) -> dict[Key, Scores]:
    """Scores of every method under every ablation, all seeds together."""
    total: dict[Key, Scores] = {}
    with ProcessPoolExecutor(cores) as pool:
        for scored in pool.map(tried, trials):
            for key, scores in scored:
                total[key] = total[key].plus(scores) if key in total else scores
    return total


def tried(trial: Trial) -> list[tuple[Key, Scores]]:
    """One campaign through its methods."""
    order = Order(what=trial.what, interval_s=trial.ablation.interval_s, wrong_share=trial.ablation.wrong_share)
    random = np.random.default_rng([trial.seed, list(What).index(trial.what)])
    course = course_of(generate(random, order), trial.ablation)
    judge = Judge(course.campaign, int(course.campaign.step_ms[-1]) + 1000 * order.interval_s)
    return [((method, trial.ablation.name), judge.score(_said(method, course))) for method in trial.methods]


def _said(method: str, course: Course) -> list[Episode]:
    return RULES[method](course) if method in RULES else LEARNERS[method](course, _learned())


@lru_cache(maxsize=1)
def _learned() -> Learned:
    return learn()
