"""Tests that gather small evidence reading by reading, and the slow learning of what is usual."""

from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from lamplighter_controller.diagnosis.arrays import F32, I64, U8, U32, Flags
from lamplighter_controller.diagnosis.lamps.columns import LampColumns
from lamplighter_controller.diagnosis.lamps.expectation.expected import (
    STEEPEST,
    Expectation,
    own_exponent,
)
from lamplighter_controller.diagnosis.lamps.sequences.limits import BLOCK_S, DRIFT_REFERENCE, STEP_REFERENCE, Limits

MOST_Z: Final = 6.0
"""One reading adds at most this many sigma: no single outlier raises anything."""
LEARN_Z: Final = 3.5
MODEL_SPREAD: Final = 0.03
LEAST_SIGMA: Final = 0.005
DISCHARGE_SIGMA: Final = 0.02
"""Ballast and arc follow voltage, temperature and age each in its own way."""
EXPONENT_DOUBT: Final = np.float32(0.1)
DISCHARGE_DOUBT: Final = np.float32(0.3)
"""Standard deviation of a single lamp's voltage exponent around its model's."""
UNLIKE_SHARE: Final = 0.12
UNLIKE_SIGMA: Final = 0.05
UNLIKE_BEND: Final = 0.2
"""What such a lamp is loosely judged by grows with how much its gains of low and high levels differ."""
STEP_W: Final = 0.06
"""Standard deviation of what a meter's coarse steps add."""
GAIN_H: Final = 60.0
"""Lit hours over which the unit gain is learned, once it is certain."""
CERTAIN: Final = 16
MATURE: Final = 20
GROSS: Final = 0.15
"""Until so many steady readings of a lamp, only deviations larger than this are counted."""
TRUSTED: Final = 4
"""Steady readings of a lamp after which it is judged; what differs before begins its gain anew."""
COMMISSIONED_AFTER: Final = 24
VARIANCE_RATE: Final = 0.02
LOST: Final = 0.94
"""A gain below this share of the one at commissioning has drifted, however slowly."""
SWING_AFTER: Final = 8
SWING_UNTIL: Final = 100
"""Steady readings between which the lamp's own exponent is learned: before, its gain is not known; later on a drift
could pass for one."""
SAG: Final = 0.04
KNOWN_SWING: Final = 0.03
"""A reading that far from usual voltage says nothing of a lamp whose own exponent nobody knows yet: the records may
take it for one that follows the voltage, or for one that does not. Up to this exponent the voltage explains it."""
NOISE_RATE: Final = 0.08
PEERS: Final = 4
PEERS_SHARE: Final = 0.5
PEERS_CLIP: Final = 0.05
USUAL_AFTER: Final = 40
USUAL_VOLTAGE_RATE: Final = 0.0005


@dataclass(frozen=True, slots=True)
class Steady:
    """Steady readings of one part of the city, all (n,): `counts` marks them, the rest of the rows mean nothing.

    `by_voltage`: what they are off by, a sag may have done.
    """

    counts: Flags
    residual: F32
    sigma: F32
    weight: F32
    by_voltage: Flags

    def telling(self, rows: Flags) -> "Steady":
        """Those of `rows` that say something of the lamp."""
        return replace(self, counts=self.counts & ~self.by_voltage & rows)


def by_voltage(held: LampColumns, residual: F32, deviation: F32) -> Flags:
    """(n,) readings in a sag or swell, of lamps of which nobody knows yet how they follow it, off by no more."""
    far = np.abs(deviation)
    sagging = far > SAG
    if not sagging.any():
        return sagging
    return sagging & (far < np.float32(0.3)) & (held.swing < KNOWN_SWING) & (np.abs(residual) < STEEPEST * far)


def spread(held: LampColumns, expectation: Expectation, deviation: F32, discharge: Flags, unlike: Flags) -> F32:
    """Sigma of a healthy lamp's residual: its own, the meter's steps, doubt about its gain and about the exponent."""
    certain = expectation.certain.astype(np.float32)
    doubt = np.float32(MODEL_SPREAD**2) / (1 + 6 * certain * certain)
    steps = np.float32(STEP_W) / np.maximum(expectation.expected_w, 1)
    away = np.abs(deviation)
    away = np.where(away < 0.5, away, np.float32(0)) * np.where(discharge, DISCHARGE_DOUBT, EXPONENT_DOUBT)
    least = np.where(discharge, np.float32(DISCHARGE_SIGMA**2), np.float32(LEAST_SIGMA**2))
    rows = np.flatnonzero(unlike)
    least[rows] = (UNLIKE_SIGMA + UNLIKE_BEND * _bend(held, rows)) ** 2
    return np.sqrt(np.maximum(held.variance, least) + doubt + steps * steps + away * away)


def _bend(held: LampColumns, rows: I64) -> F32:
    """(k,) by how much the gains of seen bands differ, relative to the largest."""
    seen = held.gain_count[rows] > 0
    most = np.where(seen, held.gain[rows], 0).max(axis=1)
    return 1 - np.where(seen, held.gain[rows], most[:, None]).min(axis=1) / np.maximum(most, np.float32(1e-3))


def unlike_model(held: LampColumns) -> Flags:
    """(n,) lamps that never drew what their model should: the records may name another one, with another curve."""
    off = np.abs(held.gain - np.float32(1)) > UNLIKE_SHARE
    return off[:, 0] | off[:, 1] | off[:, 2]


def weigh(time_s: U32, before_s: U32) -> F32:
    """Share of a block that a reading stands for."""
    gap_s = np.where(before_s > 0, time_s - np.minimum(before_s, time_s), BLOCK_S)
    return np.minimum(gap_s.astype(np.float32) / np.float32(BLOCK_S), np.float32(1))


def accumulate(held: LampColumns, steady: Steady, time_s: U32) -> None:
    """Two-sided CUSUM of steps and one of downward drift; where they leave 0 is kept."""
    z = np.where(steady.counts, np.clip(steady.residual / steady.sigma, -MOST_Z, MOST_Z), 0)
    weight = np.where(steady.counts, steady.weight, 0)
    _climb(held.low, held.low_since, weight * (-z - STEP_REFERENCE), time_s)
    _climb(held.high, held.high_since, weight * (z - STEP_REFERENCE), time_s)
    calm = np.clip(z, -3, 3)
    _climb(held.slow, held.slow_since, weight * (-calm - DRIFT_REFERENCE), time_s)


def _climb(total: F32, since: U32, add: F32, time_s: U32) -> None:
    was = total > 0
    np.maximum(total + add, 0, out=total)
    np.minimum(total, 200, out=total)
    np.copyto(since, time_s, where=~was & (total > 0))


def leave_to_peers(held: LampColumns, steady: Steady, kin: I64, limit: Limits) -> None:
    """Halve what is beyond its limit where others alike are off alike: their curve is, not the lamp.

    `kin` (n,) is the same number for lamps of one model in one cabinet.
    """
    beyond = np.flatnonzero(steady.counts & ((held.slow > limit.drift) | (held.low > limit.step)))
    if not len(beyond):
        return
    kin = kin - kin.min()
    counts = np.bincount(kin, steady.counts)[kin[beyond]] - 1
    off = np.where(steady.counts, np.clip(steady.residual, -PEERS_CLIP, PEERS_CLIP), 0)
    mean = (np.bincount(kin, off)[kin[beyond]] - off[beyond]) / np.maximum(counts, 1)
    shared = beyond[(counts >= PEERS) & (mean < PEERS_SHARE * off[beyond])]
    held.slow[shared] /= 2
    held.low[shared] /= 2


def follow_voltage(held: LampColumns, steady: Steady, suspect: Flags, seen: U8, deviation: F32) -> None:
    """Learn how the lamp's own power follows its voltage, from readings that no fault can have moved."""
    told = steady.counts & ~suspect & (np.abs(deviation) < 0.15)
    told &= (np.abs(steady.residual) < GROSS) | steady.by_voltage
    told &= (seen >= SWING_AFTER) & (seen < SWING_UNTIL)
    rows = np.flatnonzero(told)
    weight, deviation = steady.weight[rows], deviation[rows]
    own = own_exponent(held, rows)
    held.swing[rows] += weight * deviation * deviation
    held.pull[rows] += weight * deviation * (steady.residual[rows] + own * deviation)


def settle_voltage(held: LampColumns, voltage_v: F32, seen: U8, read: Flags) -> None:
    """Learn the lamp's usual voltage while lit: fast at first, then slowly."""
    usual = np.where(np.isnan(held.voltage_v), voltage_v, held.voltage_v)
    rate = np.where(seen < USUAL_AFTER, 1 / (seen + np.float32(1)), np.float32(USUAL_VOLTAGE_RATE))
    np.copyto(held.voltage_v, usual + rate * (voltage_v - usual), where=read)


def jumps(held: LampColumns, steady: Steady) -> None:
    """Follow how much neighbouring readings differ: flicker leaves the mean alone."""
    jump = np.minimum(np.abs(steady.residual - held.last_residual) / steady.sigma, 20)
    told = steady.counts & ~np.isnan(jump)
    np.copyto(held.noise, held.noise + np.float32(NOISE_RATE) * (jump - held.noise), where=told)
    np.copyto(held.last_residual, steady.residual, where=steady.counts)


def learn(
    held: LampColumns, steady: Steady, expectation: Expectation, most: U8, first_of_band: Flags, limit: Limits
) -> None:
    """Move gain and variance by healthy readings only: a lamp that leaves what is usual is not followed.

    `first_of_band`: readings at levels the lamp was never seen at, which no fault explains: its own curve differs.
    """
    z = np.abs(steady.residual) / steady.sigma
    anew = (most < TRUSTED) & (z >= LEARN_Z)
    early = (most < MATURE) & (np.abs(steady.residual) < GROSS)
    calm = (held.low < limit.step / 2) & (held.high < limit.step / 2) & (held.slow < limit.drift / 2)
    other = first_of_band & (most >= TRUSTED)
    healthy = steady.counts & (anew | early | other | ((z < LEARN_Z) & calm))
    if not healthy.any():
        return
    at, gain, count = expectation.at, held.gain.ravel(), held.gain_count.ravel()
    certain = np.where(anew, np.uint8(0), expectation.certain)
    rate = np.where(certain < CERTAIN, 1 / (certain + np.float32(1)), np.float32(0))
    rate = np.maximum(rate, steady.weight * np.float32(BLOCK_S / 3600 / GAIN_H))
    square = np.minimum(steady.residual**2, 9 * steady.sigma**2)
    moved = held.variance + np.float32(VARIANCE_RATE) * (square - held.variance)
    np.copyto(held.variance, moved, where=healthy & (certain > 1))
    gain[at] = np.where(healthy, expectation.gain * (1 + rate * steady.residual), gain[at])
    count[at] = np.where(healthy, np.minimum(certain, np.uint8(249)) + np.uint8(1), count[at])
    due = np.flatnonzero(healthy & (certain == COMMISSIONED_AFTER))
    if len(due):
        held.commissioned.ravel()[at[due]] = gain[at[due]]
