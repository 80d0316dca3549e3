"""What the powers read back at a few levels say of each class: Bayes over the alternatives and a healthy lamp."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import msgspec

from lamplighter_controller.diagnosis.findings import EvidenceLine
from lamplighter_controller.diagnosis.incidents.incident import NEVER, Incident, State, Trial

HEALTHY: Final = "healthy"
HEALTHY_PRIOR: Final = 0.1  # the fault may have gone, or was never one
SIGMA: Final = 0.06  # of rated power
STANDBY_SHARE: Final = 0.02
Reading = tuple[float, float]  # level percent commanded, watts read back


@dataclass(frozen=True, slots=True)
class Judged:
    """What is known after a test; `healthy` is the probability that nothing is wrong."""

    alternatives: tuple[tuple[str, float], ...]
    healthy: float
    evidence: tuple[EvidenceLine, ...]


def judge(
    alternatives: Sequence[tuple[str, float]], readings: Sequence[Reading], due_w: Mapping[float, float]
) -> Judged:
    """Probabilities after the readings; `due_w` is what a healthy lamp of that model draws at each level."""
    rated_w = max(due_w.values())
    shares = {level: watts / rated_w for level, watts in readings}
    due = {level: watts / rated_w for level, watts in due_w.items() if level in shares}
    prior = {name: share * (1 - HEALTHY_PRIOR) for name, share in alternatives} | {HEALTHY: HEALTHY_PRIOR}
    nats = {name: math.log(max(share, 1e-6)) + _likelihood(name, shares, due) for name, share in prior.items()}
    highest = max(nats.values())
    weight = {name: math.exp(value - highest) for name, value in nats.items()}
    total = sum(weight.values())
    healthy = weight.pop(HEALTHY) / total
    rest = sum(weight.values())
    ranked = sorted(((name, value / rest) for name, value in weight.items()), key=lambda item: -item[1])
    lines = tuple(
        EvidenceLine("test_power", share * rated_w, due[level] * rated_w, SIGMA * rated_w, 1, "W")
        for level, share in shares.items()
    )
    return Judged(tuple(ranked), healthy, lines)


def _likelihood(name: str, shares: Mapping[float, float], due: Mapping[float, float]) -> float:
    """Log-likelihood of the powers under a class; unknown fractions are taken where they fit best."""
    if name == HEALTHY:
        return _fit(shares, due)
    if name in {"lamp_dead", "driver_dead", "relay_open"}:
        return _fit(shares, dict.fromkeys(due, STANDBY_SHARE))
    if name == "relay_stuck_on":
        return _fit(shares, {level: value if level > 0 else due[max(due)] for level, value in due.items()})
    if name == "dim_fail":
        return max(_fit(shares, {level: due[one] if level > 0 else 0.0 for level in due}) for one in due if one > 0)
    if name in {"led_partial", "driver_drift"}:
        return max(_fit(shares, {level: step / 20 * value for level, value in due.items()}) for step in range(4, 19))
    return _fit(shares, due) - 2.0  # nothing that levels would show


def _fit(shares: Mapping[float, float], due: Mapping[float, float]) -> float:
    return -sum(((share - due[level]) / SIGMA) ** 2 / 2 for level, share in shares.items())


def concluded(incident: Incident, trial: Trial, judged: Judged, now_ms: int) -> Incident:
    """The incident after its test: cleared when the lamp does all it is told, else surer of its class."""
    trials = tuple(one for one in incident.trials if one.time_ms != trial.time_ms)
    if judged.healthy > 0.5:
        passed = msgspec.structs.replace(trial, state="passed", text="it does what it is told at every level")
        over = {"state": State.CLEARED, "cleared_ms": now_ms} if incident.is_open else {}
        return msgspec.structs.replace(
            incident,
            trials=(*trials, passed),
            evidence=(*judged.evidence, *incident.evidence),
            changed_ms=now_ms,
            **over,
        )
    failed = msgspec.structs.replace(trial, state="failed", text=f"it behaves like {judged.alternatives[0][0]}")
    return msgspec.structs.replace(
        incident,
        trials=(*trials, failed),
        alternatives=judged.alternatives,
        evidence=(*judged.evidence, *incident.evidence),
        settle="",
        trip_ms=incident.trip_ms if incident.trip_ms != NEVER else now_ms,
        changed_ms=now_ms,
    )
