"""Which class a case belongs to: a prior by how often such things happen, and what each kind of evidence adds to it.

Every term is a log-likelihood ratio against a healthy lamp, so that a probability can be told as the sum of its
reasons. Weights were set on seeds of their own, and classes that readings cannot part share their probability.
"""

from typing import Final

import numpy as np

from lamplighter_contract.faults import FaultBit
from lamplighter_controller.diagnosis.arrays import F32, Flags
from lamplighter_controller.diagnosis.lamps.sequences.triggers import Trigger
from lamplighter_controller.diagnosis.lamps.signs.showing import HOT_C
from lamplighter_controller.diagnosis.lamps.suspects.cases import Cases

CLASSES: Final = (
    "lamp_dead",
    "driver_dead",
    "relay_open",
    "gear_fault",
    "led_partial",
    "led_short",
    "driver_drift",
    "relay_stuck_on",
    "dim_fail",
    "pf_cap",
    "cycling",
    "meter_bad",
    "clock_bad",
    "overtemp",
    "tilt",
    "ov",
    "uv",
    "flicker",
)
PRIORS: Final = {
    "driver_dead": -0.5,
    "relay_open": -0.7,
    "gear_fault": -1.0,
    "led_short": -0.3,
    "flicker": -1.5,
    "clock_bad": -0.5,
}
"""Logarithms of how often a class occurs, relative to a dead lamp."""

DISCHARGE_ONLY: Final = ("gear_fault",)
LED_ONLY: Final = ("led_partial", "led_short", "driver_dead", "driver_drift")
UNSUPPORTED: Final = -6.0
IMPOSSIBLE: Final = -12.0
SHORT_SHARE: Final = 0.13
"""A short takes less than this share of the power, open strings more; in between it is open."""
LEAST_SHORT: Final = 0.028
SHORT_BLUR: Final = 0.012
BETWEEN: Final = 0.04
FACTOR_FALL: Final = 0.0075
FACTOR_BLUR: Final = 0.002
"""Open strings load the driver less, which lowers its power factor; shorted ones do not."""
SUDDEN: Final = 0.045
"""What is gone by more than this when it is first seen did not drift away."""
CREPT_H: Final = 3.0
GROWTH: Final = 0.5
LEAST_GROWTH: Final = 0.008


def log_likelihood(cases: Cases, discharge: Flags) -> F32:
    """(k, classes) of every case, priors not included."""
    score = {name: np.full(len(cases), UNSUPPORTED, np.float32) for name in CLASSES}
    for add in (_dark, _lit, _off_level, _drifting, _stuck, _instruments, _around, _restless):
        add(score, cases, discharge)
    for names, never in ((DISCHARGE_ONLY, ~discharge), (LED_ONLY, discharge)):
        for name in names:
            score[name][never] += IMPOSSIBLE / 2
    return np.stack([score[name] for name in CLASSES], axis=1)


def posterior(scores: F32) -> F32:
    """(k, classes) probabilities given that something is wrong."""
    prior = np.array([PRIORS.get(name, 0.0) for name in CLASSES], np.float32)
    total = scores + prior
    weight = np.exp(total - total.max(axis=1, keepdims=True, initial=-np.inf))
    return (weight / weight.sum(axis=1, keepdims=True)).astype(np.float32)


Score = dict[str, F32]


def _has(cases: Cases, trigger: Trigger) -> Flags:
    return (cases.bits & np.uint32(trigger)) != 0


def _says(cases: Cases, bit: FaultBit) -> Flags:
    """The gear itself says so."""
    return (cases.said & np.uint32(bit)) != 0


def _add(score: Score, name: str, value: F32 | float, where: Flags) -> None:
    score[name] += np.where(where, value, 0).astype(np.float32)


def _dark(score: Score, cases: Cases, discharge: Flags) -> None:
    dark = _has(cases, Trigger.DARK)
    share = cases.dark / np.maximum(cases.dark + cases.lit_up, 1)
    nothing = (cases.glow_w < 0.15) & ~(cases.glow_a > 0.004)
    faint = ~nothing & (cases.glow_w < 1.0)
    inductive = discharge & (cases.glow_w > 4) & (cases.glow_a * 115 > cases.glow_w)
    for name in ("lamp_dead", "driver_dead", "relay_open", "gear_fault"):
        _add(score, name, 12 * share - 2, dark)
    _add(score, "relay_open", np.where(nothing, 1.5, -4), dark)
    _add(score, "lamp_dead", np.where(nothing, -1.5, np.where(faint, -1.2, 0)), dark)
    _add(score, "driver_dead", np.where(nothing, -2, np.where(faint, 0, -3)), dark)
    _add(score, "gear_fault", np.where(inductive, 4, -4), dark)
    _add(score, "lamp_dead", 5, dark & _says(cases, FaultBit.LAMP_FAILED))
    _add(score, "driver_dead", 5, dark & _says(cases, FaultBit.GEAR_SILENT))


def _lit(score: Score, cases: Cases, discharge: Flags) -> None:  # noqa: ARG001 - all terms are called alike
    _add(score, "relay_stuck_on", 12, _has(cases, Trigger.LIT))


def _loss(cases: Cases) -> F32:
    """Share of power that stays away, negative for more than expected; by the median of early, late and mean."""
    mean = cases.residual / np.maximum(cases.tested, 1)
    seen = np.stack([np.nan_to_num(cases.early), np.nan_to_num(cases.late), mean])
    return -np.median(seen, axis=0).astype(np.float32)


def _off_level(score: Score, cases: Cases, discharge: Flags) -> None:
    low = _has(cases, Trigger.LOW) & (cases.tested > 0)
    loss = _loss(cases)
    small = 1 / (1 + np.exp((loss - SHORT_SHARE) / SHORT_BLUR))
    _add(score, "led_partial", 9 + np.log(np.maximum(1 - small, 1e-3)), low)
    _add(score, "led_short", 9 + np.log(np.maximum(small, 1e-3)), low)
    _add(score, "led_short", -6, low & (loss < LEAST_SHORT))
    between = low & (np.abs(loss - SHORT_SHARE) < BETWEEN)
    fall = np.clip(np.nan_to_num((1 - cases.factor_share - FACTOR_FALL) / FACTOR_BLUR), -1.5, 1.5)
    _add(score, "led_partial", fall, between)
    _add(score, "led_short", -fall, between)
    _add(score, "led_short", 4, low & _says(cases, FaultBit.STRINGS_SHORTED))
    _add(score, "driver_drift", 4, low)
    _add(score, "gear_fault", 7, low & discharge)
    high = _has(cases, Trigger.HIGH) & (cases.tested > 0)
    _add(score, "meter_bad", 9, high)
    _add(score, "dim_fail", 6, high)


def _drifting(score: Score, cases: Cases, discharge: Flags) -> None:  # noqa: ARG001 - all terms are called alike
    drift = _has(cases, Trigger.DRIFT)
    early = np.nan_to_num(cases.early)
    opened_slowly = ((cases.opening & np.uint32(Trigger.DRIFT)) != 0) | (cases.crept_h > CREPT_H)
    slowly = _has(cases, Trigger.DRIFT | Trigger.LOW) & opened_slowly & (early > -SUDDEN)
    _add(score, "driver_drift", 9, slowly)
    grown = np.maximum(3 * np.nan_to_num(cases.sigma, nan=1) * GROWTH, LEAST_GROWTH)
    growing = (cases.tested > 6) & (cases.late < early - grown) & ~_has(cases, Trigger.STUCK)
    _add(score, "driver_drift", 4, growing & drift)
    for name in ("led_short", "led_partial"):
        _add(score, name, -6, slowly)
        _add(score, name, -3, growing & drift & (early > -SUDDEN))


def _stuck(score: Score, cases: Cases, discharge: Flags) -> None:  # noqa: ARG001 - all terms are called alike
    stuck = _has(cases, Trigger.STUCK)
    _add(score, "dim_fail", 11, stuck)
    count = np.maximum(cases.tested, 1)
    power, residual = cases.power / count, cases.residual / count
    several = (cases.tested >= 4) & (cases.highest - cases.lowest > 8)
    power_spread = np.sqrt(np.maximum(cases.power_squares / count - power**2, 1e-5)) / np.maximum(power, 0.02)
    share_spread = np.sqrt(np.maximum(cases.squares / count - residual**2, 1e-5)) / np.maximum(1 + residual, 0.02)
    told = several & _has(cases, Trigger.STUCK | Trigger.LOW | Trigger.HIGH)
    lean = np.clip(2 * np.log(share_spread / power_spread), -6, 6)
    _add(score, "dim_fail", lean, told)
    for name in ("led_partial", "led_short", "driver_drift", "meter_bad"):
        _add(score, name, -lean, told)
    upward = (stuck | _has(cases, Trigger.HIGH)) & (residual > 0.05)
    for name in ("led_partial", "led_short", "driver_drift"):
        _add(score, name, -6, upward)
    _add(score, "dim_fail", 3, upward & (np.abs(power - 1) < 0.05))


def _instruments(score: Score, cases: Cases, discharge: Flags) -> None:
    bad = _has(cases, Trigger.BAD | Trigger.FROZEN | Trigger.UNREAD)
    _add(score, "meter_bad", 13, bad)
    _add(score, "clock_bad", 13, _has(cases, Trigger.AHEAD))
    reactive = _has(cases, Trigger.REACTIVE)
    _add(score, "pf_cap", np.where(discharge, 13, 11), reactive)


def _around(score: Score, cases: Cases, discharge: Flags) -> None:  # noqa: ARG001 - all terms are called alike
    _add(score, "overtemp", 19, _has(cases, Trigger.HOT))
    throttled = _has(cases, Trigger.LOW) & (cases.hot_c > HOT_C)
    _add(score, "overtemp", 12, throttled & ~_has(cases, Trigger.HOT))
    _add(score, "overtemp", 3, _has(cases, Trigger.LOW) & _says(cases, FaultBit.DERATED))
    _add(score, "tilt", 15, _has(cases, Trigger.TILTED))
    _add(score, "ov", 8, _has(cases, Trigger.OVER))
    _add(score, "uv", 8, _has(cases, Trigger.UNDER))


def _restless(score: Score, cases: Cases, discharge: Flags) -> None:
    cycling = _has(cases, Trigger.CYCLING)
    _add(score, "cycling", np.where(discharge, 16, 14), cycling)
    _add(score, "flicker", 14, _has(cases, Trigger.NOISE) & ~cycling)
