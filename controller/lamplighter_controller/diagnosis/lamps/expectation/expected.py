"""What a lamp should draw, and how far it is from that once what its whole feeder shares is taken away."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from lamplighter_controller.diagnosis.arrays import F32, I64, U8, U32, Flags
from lamplighter_controller.diagnosis.lamps.columns import LampColumns
from lamplighter_controller.diagnosis.lamps.expectation.command import Command
from lamplighter_controller.diagnosis.lamps.expectation.tables import ModelTables

LEAST_EXPECTED_W: Final = 4.0
"""Below this nothing can be told from a driver's own need."""
FEWEST_PEERS: Final = 6
NO_EXPONENT: Final = 0.02
"""In the deepest sag this is less than a meter can tell."""
COARSE: Final = 0.15
FINE_SIGMA: Final = 3.0
FINE_PASSES: Final = 2
SWING_WEIGHT: Final = 0.0025
"""Weight of no exponent of its own: noise of half a percent against a spread of a tenth in the exponent."""
STEEPEST: Final = 2.2
"""No lamp's power follows its voltage by a higher exponent."""
MIDDLE_PERCENT: Final = 45.0
HIGH_PERCENT: Final = 80.0

WARM_UP_MIN: Final = (0.0, 1.0, 3.0, 5.0, 6.5, 10.0)
WARM_UP_SHARE: Final = (0.30, 0.55, 0.80, 0.94, 0.98, 1.0)
"""Share of full power of a discharge lamp by minutes since it was switched on (measured on a cabinet)."""


@dataclass(frozen=True, slots=True)
class Expectation:
    """One part of the city in one step; all (n,) but `band`.

    Args:
        full_w: what the lamp should draw by model, level and voltage, without its own gain.
        gain: its own gain at such levels.
        expected_w: with its own gain.
        cell: point of its model's curve next to the level.
        at: index of the lamp's gain of this level in `gain.ravel()`.
        certain: readings behind that gain.
    """

    full_w: F32
    gain: F32
    expected_w: F32
    cell: I64
    at: I64
    certain: U8


def expect(
    held: LampColumns, model: I64, tables: ModelTables, command: Command, voltage: F32, nominal_v: float
) -> Expectation:
    """Rated power times curve, voltage (relative to nominal), and the lamp's own gain at such levels."""
    level = command.level_percent
    full_w = tables.rated_w.take(model) * tables.share(model, level)
    follows = np.abs(tables.exponent) > NO_EXPONENT
    if follows.any():
        rows = np.flatnonzero(follows.take(model))
        exponent, deviation = tables.exponent.take(model[rows]), _deviation(voltage[rows])
        full_w[rows] *= 1 + exponent * deviation + 0.5 * exponent * (exponent - 1) * deviation * deviation
    full_w *= 1 + own_exponent(held) * _deviation(voltage * nominal_v / held.voltage_v)
    band = (level >= MIDDLE_PERCENT).astype(np.int64) + (level >= HIGH_PERCENT)
    at = np.arange(len(level)) * held.gain.shape[1] + band
    gain, certain = held.gain.ravel().take(at), held.gain_count.ravel().take(at)
    new = certain == 0
    if new.any():
        gain[new] = _nearest_gain(held.gain[new], held.gain_count[new], band[new])
    return Expectation(full_w, gain, full_w * gain, tables.cell(model, level), at, certain)


def own_exponent(held: LampColumns, rows: I64 | slice = slice(None)) -> F32:
    """By which the own power of lamps follows their voltage beyond their model's."""
    return np.clip(held.pull[rows] / (held.swing[rows] + np.float32(SWING_WEIGHT)), -STEEPEST, STEEPEST)


def _deviation(voltage: F32) -> F32:
    """From nominal, 0 where the voltage is not known or there is none."""
    return np.where(voltage > 0.5, np.clip(voltage - np.float32(1), -0.3, 0.3), 0).astype(np.float32)


def _nearest_gain(gain: F32, count: U8, band: I64) -> F32:
    """The gain of the band next to one that was never seen, 1 where none was."""
    distance = np.abs(np.arange(gain.shape[1]) - band[:, None]) + 100 * (count == 0)
    nearest = distance.argmin(axis=1)
    rows = np.arange(len(gain))
    return np.where(count[rows, nearest] > 0, gain[rows, nearest], np.float32(1))


def common_mode(residual: F32, sigma: F32, counts: Flags, start: I64) -> tuple[F32, F32]:
    """What groups of lamps have in common: (groups,) relative, and in sigma; 0 and NaN where too few can tell.

    A coarse pass and fine ones, so that one lamp that is far off moves its neighbours by little.
    `start`: first lamp of each group.
    """
    voters = np.add.reduceat(counts.astype(np.float32), start)
    enough = voters >= FEWEST_PEERS
    if not enough.any():
        return np.zeros(len(start), np.float32), np.full(len(start), np.nan, np.float32)
    size = np.diff(np.append(start, len(residual)))
    some = np.maximum(voters, 1)
    coarse = np.add.reduceat(np.where(counts, np.clip(residual, -COARSE, COARSE), 0), start) / some
    rest = residual - np.repeat(coarse, size)
    limit = FINE_SIGMA * sigma
    centre = coarse
    for _ in range(FINE_PASSES):
        centre = centre + np.add.reduceat(np.where(counts, np.clip(rest, -limit, limit), 0), start) / some
        rest = residual - np.repeat(centre, size)
    common = np.where(enough, centre, np.float32(0)).astype(np.float32)
    usual = np.add.reduceat(np.where(counts, sigma, 0), start) / some
    return common, np.where(enough, common / np.maximum(usual, np.float32(1e-4)), np.float32(np.nan))


def warming(age_s: U32, discharge: Flags) -> F32:
    """(n,) share of its steady power that a lamp has reached."""
    if not discharge.any():
        return np.ones(len(age_s), np.float32)
    reached = np.interp(age_s / 60.0, WARM_UP_MIN, WARM_UP_SHARE).astype(np.float32)
    return np.where(discharge, reached, np.float32(1))
