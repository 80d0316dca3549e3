"""How well diagnosis tells what is broken: campaigns of unseen seeds, against fixed thresholds and learned detectors.

Every seed makes four campaigns of 2,200 lamps and six days: every single fault, pairs, the twelve group cases,
and nights in which nothing is broken. The same data goes through baselines, and through diagnosis that is denied
something.
"""

import os
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from math import isnan
from typing import Any, Final

from benchmarks.diagnosis.course import ABLATIONS, WHOLE
from benchmarks.diagnosis.scores import Scores
from benchmarks.diagnosis.seeds import DEVELOPMENT, JUDGEMENT
from benchmarks.diagnosis.table import class_table, method_table
from benchmarks.diagnosis.trials import LEARNERS, OURS, RULES, Trial, together
from benchmarks.diagnosis.trials import run as run_trials
from benchmarks.figure import Effort, Figure
from lamplighter_firmware_sim.campaign.groups import CASES
from lamplighter_firmware_sim.campaign.recipes import What

_ABLATION_SEEDS: Final = 2
_LEARNER_SEEDS: Final = 2
_THRESHOLDS: Final = ("Echelon CPD 3000", "city platform")


def run(effort: Effort) -> Iterator[Figure]:
    """The figures of diagnosis-quality; the tables behind them go to standard error."""
    trials = list(_trials(effort))
    scored = run_trials(trials, len(os.sched_getaffinity(0)), effort.kept)
    whole = [(trial, method, scores) for trial, method, scores in scored if trial.ablation is WHOLE]
    methods = together((method, scores) for _, method, scores in whole)
    ours = methods[OURS]
    print(class_table(ours), method_table(methods), _ablations(scored), sep="\n", file=sys.stderr)
    config = _config(effort, trials, ours)
    rules = {name: scores for name, scores in methods.items() if name != OURS}
    peers = {name: _brief(scores) for name, scores in rules.items()}
    best = min(rules[name].false_per_1000_lamp_days for name in _THRESHOLDS)
    false = ours.false_per_1000_lamp_days
    yield Figure("diagnosis-quality.macro_f1", ours.macro_f1, "", peers, config)
    yield Figure("diagnosis-quality.root_cause", ours.root_cause(CASES), "of group cases", {}, config)
    yield Figure("diagnosis-quality.false_raises_per_1000", false, "per 1,000 lamp-days", peers, config)
    least = max(false, 1000 / ours.lamp_days)  # none at all counts as one
    yield Figure("diagnosis-quality.vs_best_rule", best / least, "times fewer false raises", {}, config)
    hours = ours.row("driver_drift").from_sight_h
    yield Figure("diagnosis-quality.drift_hours", None if isnan(hours) else hours, "h", {}, config)
    yield Figure("diagnosis-quality.wasted_trips", ours.wasted_share, "of dispatched orders", {}, config)


def _trials(effort: Effort) -> Iterator[Trial]:
    """Ablations and learners see fewer seeds, and come last."""
    if effort.quick:
        yield from (Trial(DEVELOPMENT[0], what, tuple(RULES)) for what in What)
        return
    for seed in JUDGEMENT:
        yield from (Trial(seed, what, tuple(RULES)) for what in What)
    for seed in JUDGEMENT[:_LEARNER_SEEDS] if find_spec("sklearn") else ():
        yield from (Trial(seed, what, tuple(LEARNERS)) for what in What)
    for seed in JUDGEMENT[:_ABLATION_SEEDS]:
        yield from (Trial(seed, what, (OURS,), ablation) for ablation in ABLATIONS for what in What)


def _ablations(scored: list[tuple[Trial, str, Scores]]) -> str:
    """What each thing is worth, on the seeds on which it was taken away."""
    seeds = {trial.seed for trial, _, _ in scored if trial.ablation is not WHOLE}
    ours = ((trial, scores) for trial, method, scores in scored if method == OURS and trial.seed in seeds)
    return method_table(together((trial.ablation.name, scores) for trial, scores in ours)) if seeds else ""


def _config(effort: Effort, trials: list[Trial], ours: Scores) -> dict[str, Any]:
    return {
        "seeds": len({trial.seed for trial in trials}),
        "campaigns": sorted({str(trial.what) for trial in trials}),
        "lamp_days": round(ours.lamp_days),
        "faults": sum(len(found) for found in ours.found.values()),
        "calibration_error": round(ours.calibration_error, 4),
        "lamp_alarms_per_incident": round(ours.alarms_per_incident, 2),
        "false_per_100_cabinet_days": round(ours.false_per_100_cabinet_days, 3),
        "drift": "2 % a day, hours from its first visible reading, median",
        "quick": effort.quick,
    }


def _brief(scores: Scores) -> str:
    return f"F1 {scores.macro_f1:.3f}, {scores.false_per_1000_lamp_days:.2f} false per 1,000 lamp-days"
