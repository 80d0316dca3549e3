"""What a model of luminaire draws: power over level, power factor over level, and how it follows the voltage.

Curves begin with the data sheet's points, or with a straight line, and are corrected by what the model's lamps show at
each level; no lamp is judged at a level that nobody has shown yet.
"""

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np

from lamplighter_controller.diagnosis.arrays import F32, F64, I64, Arrays, Flags
from lamplighter_controller.diagnosis.models import LampModel

KNOTS: Final = 21
STEP_PERCENT: Final = 100 / (KNOTS - 1)
LEVELS: Final = 102
"""Whole percents 0 to 100, and one more so that a level between two of them can be read off."""

LEARNED_AFTER: Final = 3.0
MOST_AWAITED: Final = 30.0
"""Steady samples of every lamp of a model at a level, and the most that are waited for, until its point is believed."""
MOST_TEACHERS: Final = 4_000
FIRST_CLIP: Final = 0.5
CLIP: Final = 0.15
LEAST_RATE: Final = 0.002
MOST_VOTES: Final = 1e6
FORGET: Final = 0.999

_LED: Final = ((0.0, 0.05), (100.0, 1.0))
_DISCHARGE: Final = ((0.0, 0.2), (100.0, 1.0))
_DISCHARGE_EXPONENT: Final = 1.6  # magnetic ballast: 1.5 to 2
UNKNOWN_W: Final = 100.0
SLOPE_WEIGHT: Final = 0.5
"""Weight of the exponent assumed at first, as a sum of squared relative voltage deviations."""

LED_SETTLE_S: Final = 120
DISCHARGE_SETTLE_S: Final = 900


class ModelTables:
    """One row per model and a last one for lamps whose model nobody knows: index -1 finds it."""

    def __init__(self, names: Sequence[str], models: Mapping[str, LampModel], lamps: I64) -> None:
        """Begin with what the models' data sheets say; `lamps`: how many there are of each, and of unknown ones."""
        known = [models.get(name) for name in names] + [None]
        self.names = tuple(names)
        rated = [UNKNOWN_W if one is None else one.rated_w for one in known]
        discharge = [one is not None and one.discharge for one in known]
        self.rated_w: F32 = np.array(rated, np.float32)
        self.known = np.array([one is not None for one in known])
        self.discharge = np.array(discharge)
        self.settle_s = np.where(self.discharge, DISCHARGE_SETTLE_S, LED_SETTLE_S).astype(np.uint32)
        self.clo = {row: one.clo for row, one in enumerate(known) if one is not None and one.clo}
        self._awaited = np.minimum(LEARNED_AFTER * np.maximum(lamps, 1), MOST_AWAITED)[:, None]
        self._sheet = np.stack([_sheet(one) for one in known])
        self._exponent = np.where(self.discharge, _DISCHARGE_EXPONENT, 0.0)
        self.correction: F64 = np.ones((len(known), KNOTS))
        self.votes: F64 = np.zeros((len(known), KNOTS))
        self.factor: F64 = np.full((len(known), KNOTS), np.nan)
        self.slopes: F64 = np.zeros((len(known), 2))
        self.curve: F32 = np.empty(0, np.float32)
        self.exponent: F32 = np.empty(0, np.float32)
        self._refresh()

    def cell(self, model: I64, level_percent: F32) -> I64:
        """The point of the model's curve next to a level, counted through all curves."""
        return model * KNOTS + np.rint(level_percent * np.float32(1 / STEP_PERCENT)).astype(np.int64)

    def believed(self, cell: I64) -> Flags:
        """Whether enough was seen of a model at a level to judge by it."""
        return (self.votes >= self._awaited).ravel().take(cell)

    def share(self, model: I64, level_percent: F32) -> F32:
        """Power at a level over rated power."""
        whole = level_percent.astype(np.int32)
        at = model * LEVELS + whole
        below = self.curve.take(at)
        between = np.flatnonzero(level_percent != whole)
        if len(between):
            part = level_percent[between] - whole[between].astype(np.float32)
            below[between] += part * (self.curve.take(at[between] + 1) - below[between])
        return below

    def most_w(self, model: I64) -> F32:
        """Power at full level."""
        return (self.rated_w * self.curve[LEVELS - 2 :: LEVELS]).take(model)

    def level_of(self, model: int, share: float) -> float:
        """The level at which the model draws that share of its rated power, 100 for more than it ever draws."""
        curve = self.curve[(model % len(self.rated_w)) * LEVELS :][: LEVELS - 1]
        rising = np.maximum.accumulate(curve)
        return float(np.interp(share, rising, np.arange(LEVELS - 1)))

    def usual_factor(self, cell: I64) -> F32:
        """Power factor usual at a level, NaN where nobody has shown one."""
        return self.factor.astype(np.float32).ravel().take(cell)

    def learn(self, cell: I64, residual: F32, factor: F32) -> None:
        """Correct curves by the residuals of steady lamps; `cell` is model row times knots plus knot."""
        size = self.correction.size
        count = np.bincount(cell, minlength=size).reshape(self.correction.shape)
        new = (self.votes == 0) & (count > 0)
        self.correction = np.where(new, _nearest(self.correction, self.votes), self.correction)
        new_to = (self.votes < self._awaited) & (count > 0)
        clip = np.where(new_to, FIRST_CLIP, CLIP).ravel()[cell] if new_to.any() else CLIP
        mean = np.bincount(cell, np.clip(residual, -clip, clip), size).reshape(count.shape) / np.maximum(count, 1)
        share = np.where(self.votes + count > 0, count / np.maximum(self.votes + count, 1), 0.0)
        rate = np.where(count > 0, np.maximum(share, LEAST_RATE), 0.0)
        self.correction *= 1 + rate * mean
        self.votes = np.minimum(self.votes + count, MOST_VOTES)
        read = ~np.isnan(factor)
        if not read.all():
            cell, factor = cell[read], factor[read]
        seen = np.bincount(cell, minlength=size).reshape(count.shape)
        usual = np.bincount(cell, np.abs(factor), size).reshape(count.shape) / np.maximum(seen, 1)
        first = np.isnan(self.factor) & (seen > 0)
        self.factor = np.where(
            first, usual, np.where(seen > 0, self.factor + 0.02 * (usual - self.factor), self.factor)
        )
        self._refresh()

    def learn_exponent(self, model: I64, deviation: F32, residual: F32) -> None:
        """Regress residuals, the exponent in force included, on relative deviations from each lamp's usual voltage."""
        size = len(self.rated_w)
        row = model % size
        total = residual + self.exponent[row] * deviation
        self.slopes *= FORGET
        self.slopes[:, 0] += np.bincount(row, deviation * deviation, size)
        self.slopes[:, 1] += np.bincount(row, deviation * total, size)

    def export(self) -> Arrays:
        """What was learned, by name, with the names of the models."""
        return {
            "names": np.array([*self.names, ""]),
            "correction": self.correction,
            "votes": self.votes,
            "factor": self.factor,
            "slopes": self.slopes,
        }

    def take(self, arrays: Arrays) -> None:
        """Take up what was learned of models that are still there."""
        former = {str(name): row for row, name in enumerate(arrays["names"])}
        for row, name in enumerate((*self.names, "")):
            if name in former:
                for array in ("correction", "votes", "factor", "slopes"):
                    getattr(self, array)[row] = arrays[array][former[name]]
        self._refresh()

    def _refresh(self) -> None:
        corrected = _between(np.where(self.votes > 0, self.correction, _nearest(self.correction, self.votes)))
        self.curve = (self._sheet * corrected).astype(np.float32).ravel()
        weighed = self.slopes[:, 1] + SLOPE_WEIGHT * self._exponent
        self.exponent = np.clip(weighed / (self.slopes[:, 0] + SLOPE_WEIGHT), -0.5, 2.5).astype(np.float32)


def teachers(model: I64) -> Flags:
    """(n,) lamps whose readings correct the curve of their model: all, or so many of them as tell it well enough."""
    teach = np.ones(len(model), np.bool_)
    for one, many in enumerate(np.bincount(model).tolist()):
        if many >= 2 * MOST_TEACHERS:
            rank = np.flatnonzero(model == one)
            teach[rank] = np.arange(many) % (many // MOST_TEACHERS) == 0
    return teach


class Lessons:
    """What the lamps of a step teach about their models, taken up when the step is over."""

    def __init__(self) -> None:
        self._cell: list[I64] = []
        self._residual: list[F32] = []
        self._factor: list[F32] = []

    def add(self, cell: I64, residual: F32, factor: F32) -> None:
        self._cell.append(cell)
        self._residual.append(residual)
        self._factor.append(factor)

    def teach(self, tables: ModelTables) -> None:
        if self._cell:
            tables.learn(np.concatenate(self._cell), np.concatenate(self._residual), np.concatenate(self._factor))


def _sheet(model: LampModel | None) -> F64:
    """Share of rated power at each whole percent, off drawing nothing."""
    if model is not None and model.curve:
        points = [(level, watts / model.rated_w) for level, watts in sorted(model.curve)]
        if points[0][0] > 0:
            points.insert(0, (0.0, points[0][1] * 0.3))
    else:
        points = list(_DISCHARGE if model is not None and model.discharge else _LED)
    levels, shares = zip(*points, strict=True)
    return np.maximum(np.interp(np.arange(LEVELS), levels, shares), 0.005)


def _nearest(correction: F64, votes: F64) -> F64:
    """Where nobody has shown a level, the correction of the levels on both sides of it."""
    filled = correction.copy()
    knots = np.arange(KNOTS)
    for row in np.flatnonzero(votes.any(axis=1)):
        shown = votes[row] > 0
        filled[row] = np.interp(knots, knots[shown], correction[row, shown])
    return filled


def _between(correction: F64) -> F64:
    at = np.minimum(np.arange(LEVELS) / STEP_PERCENT, KNOTS - 1)
    left = np.minimum(at.astype(np.int64), KNOTS - 2)
    part = at - left
    return correction[:, left] * (1 - part) + correction[:, left + 1] * part
