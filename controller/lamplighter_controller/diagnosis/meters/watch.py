"""Cabinet meters against what their lamps should draw: gain and own need learned, what stays away gathered."""

from dataclasses import dataclass, fields
from typing import Final

import numpy as np

from lamplighter_controller.diagnosis.arrays import F32, I64, Arrays, Flags
from lamplighter_controller.diagnosis.lamps.sequences.limits import STEP_REFERENCE, limit_for
from lamplighter_controller.diagnosis.meters.blocks import BlockGatherer, Blocks
from lamplighter_controller.diagnosis.meters.profile import Profiles
from lamplighter_controller.diagnosis.samples import Columns, Times
from lamplighter_controller.diagnosis.suspicions import MeterSuspicions

PHASES: Final = ("a", "b", "c")
BANDS: Final = 3
FALSE_PER_100_CABINET_DAYS: Final = 0.05
BLOCKS_A_DAY: Final = 96.0
HEAVY_TAILS: Final = 1.6
LIMIT: Final = HEAVY_TAILS * limit_for(BLOCKS_A_DAY * 100 / FALSE_PER_100_CABINET_DAYS * 8, STEP_REFERENCE)
LEAST_SHARE: Final = 0.006
LEAST_W: Final = 8.0
MOST_Z: Final = 8.0
RATE: Final = 0.02
LEARN_Z: Final = 3.5
CERTAIN: Final = 8
LEAST_CAPACITY_W: Final = 50.0
LIT_SHARE: Final = 0.04
"""Of what all lamps draw at full level; drivers at rest need less."""
MOVED_SHARE: Final = 0.05
SETTLED_MS: Final = 2_400_000
"""Blocks that begin sooner after the lamps changed together are no measurement of anything."""


@dataclass(slots=True)
class MeterColumns:
    """(cabinets, 4) of phases a, b, c and all together, `gain` and `count` (cabinets, 4, 3) by share of full load.

    Args:
        gain: metered over told by the lamps.
        told_w: what lamps were said to draw last; `moved_ms`: when many of them changed.
        standby_w: what is drawn beside the lamps, as seen while they are off.
        variance: relative, of a block while lit.
        low, high: CUSUM in sigma; `since_ms`: when it left 0, `missing_w`: sum of what stayed away since, each block
            weighed by how far it is off; `run`: sum of the weights.
        power_w, expected_w, sigma_w: of the last complete block.
    """

    gain: F32
    count: F32
    standby_w: F32
    standby_count: F32
    variance: F32
    low: F32
    high: F32
    missing_w: F32
    run: F32
    told_w: F32
    since_ms: I64
    moved_ms: I64
    power_w: F32
    expected_w: F32
    sigma_w: F32
    blocks: I64


class MeterWatch:
    """The witness of every cabinet."""

    def __init__(self, capacity_w: F32, period_s: float) -> None:
        """Begin with nothing known of any cabinet; `capacity_w` (cabinets, 4) of all lamps at full level."""
        cabinets = len(capacity_w)
        self._capacity_w = np.maximum(np.nan_to_num(capacity_w), LEAST_CAPACITY_W)
        self._gatherer = BlockGatherer(cabinets, period_s)
        self._profiles = Profiles(cabinets)
        shape = (cabinets, 4)
        zeros = {field.name: np.zeros(shape, np.float32) for field in fields(MeterColumns)}
        zeros |= {"gain": np.ones((*shape, BANDS), np.float32), "count": np.zeros((*shape, BANDS), np.float32)}
        zeros |= {name: np.full(shape, np.nan, np.float32) for name in ("power_w", "expected_w", "sigma_w", "told_w")}
        zeros["variance"] = np.full(shape, 4 * LEAST_SHARE**2, np.float32)
        whole = {name: np.zeros(shape, np.int64) for name in ("since_ms", "moved_ms")}
        whole |= {"blocks": np.zeros(shape, np.int32)}
        self.held = MeterColumns(**(zeros | whole))

    def step(self, cabinets: Columns, expected_w: F32) -> MeterSuspicions:
        """Take readings of meters; `expected_w` (cabinets, 4) of all lamps at their levels, NaN = cannot be told."""
        power_w = _by_phase(cabinets, "power_{}_w")
        whole = cabinets.column("power_w")
        power_w[:, 3] = np.where(np.isnan(whole), power_w[:, 3], whole)
        heard = cabinets.answered & ~np.isnan(power_w).all(axis=1)
        self._settle(heard, cabinets.time_ms, expected_w)
        for blocks in self._gatherer.take(heard, cabinets.time_ms, power_w, expected_w):
            self._judge(blocks)
        held = self.held
        return MeterSuspicions(
            held.power_w.copy(),
            held.expected_w.copy(),
            held.sigma_w.copy(),
            (held.missing_w / np.maximum(held.run, 1e-3)).astype(np.float32),
            held.low.copy(),
            held.high.copy(),
            held.low > LIMIT,
            held.high > LIMIT,
            np.where((held.low > LIMIT) | (held.high > LIMIT), held.since_ms, 0),
            held.blocks.copy(),
            _by_phase(cabinets, "voltage_{}_v", mean=True),
        )

    def _settle(self, heard: Flags, time_ms: Times, expected_w: F32) -> None:
        """Keep when the lamps last changed together: commands come late, and meters are not read when lamps are."""
        held = self.held
        change = np.abs(expected_w - held.told_w) > MOVED_SHARE * self._capacity_w
        moved = heard[:, None] & change
        held.moved_ms[moved] = np.broadcast_to(time_ms[:, None], moved.shape)[moved]
        np.copyto(held.told_w, expected_w, where=heard[:, None] & ~np.isnan(expected_w))

    def _judge(self, blocks: Blocks) -> None:
        rows, held = blocks.rows, self.held
        told = ~np.isnan(blocks.expected_w)
        drawn, drawn_sigma = self._by_lamps(blocks)
        usual, usual_sigma = self._profiles.expect(rows, blocks.start_ms)
        expected = np.where(told, drawn, usual)
        sigma = np.where(told, drawn_sigma, usual_sigma)
        away = expected - blocks.power_w
        z = away / sigma
        calm = blocks.steady & (blocks.start_ms[:, None] - held.moved_ms[rows] >= SETTLED_MS)
        judged = calm & np.isfinite(z)
        self._gather(rows, np.where(judged, np.clip(z, -MOST_Z, MOST_Z), 0), away, judged, blocks.start_ms)
        healthy = judged & (np.abs(z) < LEARN_Z) & (held.low[rows] < LIMIT / 2) & (held.high[rows] < LIMIT / 2)
        self._learn(blocks, healthy | (calm & self._new(blocks)), told, expected)
        self._profiles.learn(rows, blocks.start_ms, blocks.power_w, ~told & (healthy | np.isnan(z)))
        held.power_w[rows] = blocks.power_w
        held.expected_w[rows] = np.where(calm, expected, np.nan)
        held.sigma_w[rows] = sigma
        held.blocks[rows] += (~np.isnan(blocks.power_w)).astype(np.int32)

    def _band(self, blocks: Blocks) -> I64:
        share = np.nan_to_num(blocks.expected_w) / self._capacity_w[blocks.rows]
        return (share > 0.4).astype(np.int64) + (share > 0.75)

    def _lit(self, blocks: Blocks) -> Flags:
        return blocks.expected_w > LIT_SHARE * self._capacity_w[blocks.rows]

    def _by_lamps(self, blocks: Blocks) -> tuple[F32, F32]:
        rows, held = blocks.rows, self.held
        band = self._band(blocks)[..., None]
        gain = np.take_along_axis(held.gain[rows], band, -1)[..., 0]
        count = np.take_along_axis(held.count[rows], band, -1)[..., 0]
        lit = self._lit(blocks)
        expected = np.where(lit, gain, 1) * blocks.expected_w + held.standby_w[rows]
        doubt = np.where(lit, 0.05 / (1 + count * count / 4), 0)
        share = np.sqrt(np.maximum(held.variance[rows], LEAST_SHARE**2) + doubt**2)
        known = (count >= 1) | (~lit & (held.standby_count[rows] > 1))
        sigma = np.maximum(share * expected, LEAST_W)
        return np.where(known, expected, np.nan).astype(np.float32), sigma.astype(np.float32)

    def _new(self, blocks: Blocks) -> Flags:
        """(k, 4) nothing was learned yet at such a load."""
        rows, held = blocks.rows, self.held
        count = np.take_along_axis(held.count[rows], self._band(blocks)[..., None], -1)[..., 0]
        lit = self._lit(blocks)
        plausible = np.abs(blocks.power_w / np.maximum(blocks.expected_w, 1) - 1) < 0.5
        new = np.where(lit, (count < 1) & plausible, held.standby_count[rows] <= 1)
        return new & ~np.isnan(blocks.expected_w) & ~np.isnan(blocks.power_w)

    def _learn(self, blocks: Blocks, healthy: Flags, told: Flags, expected: F32) -> None:
        rows, held = blocks.rows, self.held
        band = self._band(blocks)
        lit = self._lit(blocks)
        at, phase = np.nonzero(healthy & told & lit)
        cabinet, its_band = rows[at], band[at, phase]
        power = blocks.power_w[at, phase]
        seen = (power - held.standby_w[cabinet, phase]) / blocks.expected_w[at, phase]
        count = held.count[cabinet, phase, its_band]
        rate = np.where(count < CERTAIN, 1 / (count + 1), RATE)
        gain = held.gain[cabinet, phase, its_band]
        held.gain[cabinet, phase, its_band] = gain + rate * (seen - gain)
        held.count[cabinet, phase, its_band] = np.minimum(count + 1, 1000)
        square = np.minimum((power / np.maximum(expected[at, phase], 1) - 1) ** 2, 1e-3)
        variance = held.variance[cabinet, phase]
        moved = np.where((count > 1) & np.isfinite(square), variance + 0.03 * (square - variance), variance)
        held.variance[cabinet, phase] = moved
        at, phase = np.nonzero(healthy & told & ~lit)
        cabinet = rows[at]
        standby, count = held.standby_w[cabinet, phase], held.standby_count[cabinet, phase]
        rate = np.where(count < CERTAIN, 1 / (count + 1), RATE)
        beside = blocks.power_w[at, phase] - blocks.expected_w[at, phase]
        held.standby_w[cabinet, phase] = standby + rate * (beside - standby)
        held.standby_count[cabinet, phase] = np.minimum(count + 1, 1000)

    def _gather(self, rows: I64, z: F32, away: F32, judged: Flags, start_ms: I64) -> None:
        held = self.held
        for name, sign in (("low", 1), ("high", -1)):
            total = getattr(held, name)
            add = np.where(judged, sign * z - STEP_REFERENCE, 0)
            before = total[rows]
            after = np.clip(before + add, 0, 8 * LIMIT)
            left = (before == 0) & (after > 0)
            held.since_ms[rows] = np.where(left, start_ms[:, None], held.since_ms[rows])
            held.missing_w[rows] = np.where(left, 0, held.missing_w[rows])
            held.run[rows] = np.where(left, 0, held.run[rows])
            total[rows] = after
        calm = (held.low[rows] == 0) & (held.high[rows] == 0)
        held.missing_w[rows] = np.where(calm, 0, held.missing_w[rows] + np.where(judged, away * np.abs(z), 0))
        held.run[rows] = np.where(calm, 0, held.run[rows] + np.abs(z))

    def export(self) -> Arrays:
        """Everything held of the cabinets, by name."""
        mine = {f"meter.{field.name}": getattr(self.held, field.name) for field in fields(MeterColumns)}
        mine |= {f"block.{name}": array for name, array in self._gatherer.export().items()}
        return mine | {f"profile.{name}": array for name, array in self._profiles.export().items()}

    def take(self, arrays: Arrays, source: I64) -> None:
        """Take row i of every array from `source[i]`, where that is not negative."""
        mine = np.flatnonzero(source >= 0)
        for field in fields(MeterColumns):
            getattr(self.held, field.name)[mine] = arrays[f"meter.{field.name}"][source[mine]]
        for prefix, part in (("block.", self._gatherer), ("profile.", self._profiles)):
            theirs = {name[len(prefix) :]: array for name, array in arrays.items() if name.startswith(prefix)}
            part.restore(theirs, source)


def _by_phase(cabinets: Columns, name: str, mean: bool = False) -> F32:
    """(cabinets, 4): the three phases, and their sum (power) or mean (voltage)."""
    phases = np.stack([cabinets.column(name.format(phase)) for phase in PHASES], axis=1).astype(np.float32)
    read = ~np.isnan(phases)
    total = np.where(read, phases, 0).sum(axis=1)
    if mean:
        total /= np.maximum(read.sum(axis=1), 1)
    return np.column_stack([phases, np.where(read.any(axis=1), total, np.nan)]).astype(np.float32)


class PhaseSums:
    """Watts of lamps summed by cabinet and phase; which lamp counts where is worked out once."""

    def __init__(self, cabinet: I64, phase: I64, cabinets: int) -> None:
        """`phase` of each lamp is 0, 1 or 2; anything else counts for the whole cabinet only."""
        one = (phase >= 0) & (phase < len(PHASES)) & (cabinet >= 0)
        self._cabinets = cabinets
        self._cell = np.where(one, cabinet * 4 + phase, np.where(cabinet >= 0, cabinet * 4 + 3, cabinets * 4))
        lamps = self._sum(np.ones(len(cabinet)))
        self._empty, self._unplaced = lamps == 0, lamps[:, 3] > 0
        self._empty[:, 3] = lamps.sum(axis=1) == 0

    def __call__(self, power_w: F32) -> F32:
        """(cabinets, 4) of phases and of all; NaN where a lamp's share is not known, or where there is no lamp."""
        sums = self._sum(power_w)
        whole = sums.sum(axis=1)
        sums[self._unplaced, :3] = np.nan
        sums[:, 3] = whole
        return np.where(self._empty, np.nan, sums).astype(np.float32)

    def _sum(self, power_w: F32) -> F32:
        sums = np.bincount(self._cell, power_w, self._cabinets * 4 + 1)[:-1].astype(
            np.float64
        )  # of none: whole numbers
        return sums.reshape(self._cabinets, 4)
