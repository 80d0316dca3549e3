"""Lamps under suspicion: what is gathered of each from its first oddness until evidence clears it."""

from dataclasses import dataclass, fields
from typing import Final

import numpy as np

from lamplighter_controller.diagnosis.arrays import F32, U32, Arrays, Flags
from lamplighter_controller.diagnosis.lamps.sequences.triggers import Trigger
from lamplighter_controller.diagnosis.samples import Rows

SLOW: Final = 0.1
RECENT: Final = 0.34
"""Weight of a new reading in the means of what was seen lately."""


@dataclass(slots=True)
class Cases:
    """k lamps under suspicion, in order of `row`; times are epoch seconds.

    Args:
        bits: triggers seen so far; `opening`: those that raised it; `now`: those that stand now.
        onset, first: when it began, the first odd reading; `raised`: when it was enough.
        well: in blocks of 15 minutes, for how long the opposite was seen; a contrary reading makes it 0.
        tested: steady readings since, `residual`, `squares`: their sums.
        early, late: means of the first and of the latest residuals.
        sigma: of a healthy residual.
        dark, lit_up: readings dark or lit under a command to be lit.
        glow_w, glow_a: mean power and current while dark.
        power, power_squares: sums of power over that at full level, to tell a stuck level from a lost share.
        levels: lowest and highest level seen, to know whether that can be told.
        factor, usual_factor: latest power factors, its own and its model's; `factor_share`: mean of one over the other.
        hot_c, tilt_deg, voltage_v: latest.
        power_w, expected_w: latest.
        readings: all that counted for it.
        crept_h: for how long the test for drift had been rising when it was raised.
        contrary: time of the newest reading that spoke for it.
        said: `fault_bits` of the gear, whenever they were set.
        edges: goings-out and comings-on lately.
    """

    row: Rows
    bits: U32
    opening: U32
    now: U32
    onset: U32
    first: U32
    raised: U32
    well: F32
    tested: F32
    residual: F32
    squares: F32
    early: F32
    late: F32
    sigma: F32
    dark: F32
    lit_up: F32
    glow_w: F32
    glow_a: F32
    power: F32
    power_squares: F32
    lowest: F32
    highest: F32
    factor: F32
    usual_factor: F32
    factor_share: F32
    hot_c: F32
    tilt_deg: F32
    voltage_v: F32
    power_w: F32
    expected_w: F32
    readings: F32
    crept_h: F32
    contrary: U32
    said: U32
    edges: F32

    def __len__(self) -> int:
        """How many lamps are under suspicion."""
        return len(self.row)

    def only(self, keep: Flags) -> "Cases":
        """Some of them."""
        return Cases(*(getattr(self, field.name)[keep] for field in fields(self)))

    def with_rows(self, row: Rows, bits: U32, onset: U32, raised: U32, crept_h: F32) -> "Cases":
        """These and new ones, in order of row."""
        fresh = _opened(row, bits, onset, raised)
        fresh.crept_h[:] = crept_h
        joined = [np.concatenate([getattr(self, f.name), getattr(fresh, f.name)]) for f in fields(self)]
        order = np.argsort(joined[0], kind="stable")
        return Cases(*(column[order] for column in joined))

    def export(self) -> Arrays:
        """The arrays by name."""
        return {field.name: getattr(self, field.name) for field in fields(self)}


_NAN: Final = frozenset(
    {"early", "late", "sigma", "glow_w", "glow_a", "factor", "usual_factor", "factor_share", "hot_c", "tilt_deg"}
    | {"voltage_v", "power_w", "expected_w"}
)


def none() -> Cases:
    """No lamp is under suspicion."""
    nobody = np.empty(0, np.uint32)
    return _opened(np.empty(0, np.int64), nobody, nobody, nobody)


def restored(arrays: Arrays, row: Rows) -> Cases:
    """Exported cases with rows as they are now; those that have none (-1) are dropped."""
    columns = {name: array[row >= 0] for name, array in arrays.items()}
    columns["row"] = row[row >= 0]
    order = np.argsort(columns["row"], kind="stable")
    return Cases(**{name: array[order] for name, array in columns.items()})


def _opened(row: Rows, bits: U32, onset: U32, raised: U32) -> Cases:
    k = len(row)
    columns: Arrays = {
        field.name: np.full(k, np.nan if field.name in _NAN else 0, np.float32) for field in fields(Cases)
    }
    columns |= {"row": row, "bits": bits, "opening": bits, "now": bits, "onset": onset, "first": onset}
    columns |= {
        "raised": raised,
        "contrary": raised,
        "said": np.zeros(k, np.uint32),
        "lowest": np.full(k, 1000, np.float32),
    }
    return Cases(**columns)


@dataclass(frozen=True, slots=True)
class Latest:
    """One reading of each of k cases; NaN = not read or not applicable."""

    time_s: U32
    bits: U32
    fresh: Flags
    usable: Flags
    judged: Flags
    dark: Flags
    lit: Flags
    off: Flags
    residual: F32
    sigma: F32
    level_percent: F32
    power_w: F32
    expected_w: F32
    full_w: F32
    current_a: F32
    factor: F32
    usual_factor: F32
    voltage_v: F32
    temperature_c: F32
    tilt_deg: F32
    blocks: F32
    discharge: Flags
    fault_bits: U32
    edges: F32


def gather(cases: Cases, latest: Latest) -> None:
    """Add one reading to each case."""
    np.bitwise_or(cases.bits, latest.bits, out=cases.bits)
    np.bitwise_or(cases.said, latest.fault_bits, out=cases.said)
    cases.now[:] = latest.bits
    told = latest.judged & ~np.isnan(latest.residual)
    residual = np.where(told, latest.residual, 0)
    cases.tested += told
    cases.residual += residual
    cases.squares += residual * residual
    early = told & (cases.tested <= 3)
    cases.early[early] = (cases.residual / np.maximum(cases.tested, 1))[early]
    _recent(cases.late, latest.residual, told)
    np.copyto(cases.sigma, latest.sigma, where=told)
    share = np.where(told, latest.power_w / np.maximum(latest.full_w, np.float32(1)), 0)
    cases.power += share
    cases.power_squares += share * share
    np.copyto(cases.lowest, np.minimum(cases.lowest, latest.level_percent), where=told)
    np.copyto(cases.highest, np.maximum(cases.highest, latest.level_percent), where=told)
    cases.dark += latest.dark
    cases.lit_up += latest.judged & ~latest.dark
    again = latest.discharge & (cases.lit_up > 0) & ((cases.bits & np.uint32(Trigger.DARK)) != 0)
    np.bitwise_or(cases.bits, again * np.uint32(Trigger.CYCLING), out=cases.bits)
    _recent(cases.glow_w, latest.power_w, latest.dark)
    _recent(cases.glow_a, latest.current_a, latest.dark)
    shining = latest.judged & ~latest.dark
    _recent(cases.factor, np.abs(latest.factor), shining)
    np.copyto(cases.usual_factor, latest.usual_factor, where=shining & ~np.isnan(latest.usual_factor))
    _recent(cases.factor_share, np.abs(latest.factor) / latest.usual_factor, shining, SLOW)
    for column, value in (
        (cases.hot_c, latest.temperature_c),
        (cases.tilt_deg, latest.tilt_deg),
        (cases.voltage_v, latest.voltage_v),
        (cases.power_w, latest.power_w),
        (cases.expected_w, latest.expected_w),
        (cases.edges, latest.edges),
    ):
        np.copyto(column, value, where=latest.fresh & ~np.isnan(value))
    cases.readings += latest.fresh


def shown(cases: Cases, at: Rows, readings: F32, power_w: F32) -> None:
    """Cases that so many readings have opened together, dark or lit as their bits say."""
    dark = (cases.bits[at] & np.uint32(Trigger.DARK)) != 0
    cases.readings[at] += readings
    cases.dark[at] += np.where(dark, readings, 0)
    cases.glow_w[at] = np.where(dark, power_w, np.nan)
    cases.power_w[at] = power_w


def _recent(column: F32, value: F32, where: Flags, weight: float = RECENT) -> None:
    told = where & ~np.isnan(value)
    moved = np.where(np.isnan(column), value, column + np.float32(weight) * (value - column))
    np.copyto(column, moved, where=told)


WELL_BLOCKS: Final[tuple[tuple[Trigger, float], ...]] = (
    (Trigger.CYCLING, 80.0),
    (Trigger.DRIFT, 24.0),
    (Trigger.NOISE, 24.0),
    (Trigger.LOW | Trigger.HIGH | Trigger.STUCK, 12.0),
    (Trigger.FROZEN | Trigger.BAD | Trigger.UNREAD | Trigger.AHEAD, 8.0),
    (Trigger.OVER | Trigger.UNDER | Trigger.HOT | Trigger.REACTIVE | Trigger.TILTED, 8.0),
    (Trigger.DARK, 4.0),
    (Trigger.LIT, 2.0),
)
"""For how many blocks of 15 minutes the opposite is to be seen; the longest of a case's triggers counts."""

SHINING: Final = (
    Trigger.DARK | Trigger.LOW | Trigger.HIGH | Trigger.DRIFT | Trigger.STUCK | Trigger.REACTIVE | Trigger.CYCLING
) | Trigger.NOISE
"""What only a steadily lit lamp can refute."""


def clear(cases: Cases, latest: Latest) -> Flags:
    """Count what speaks for health; (k,) those that are well again."""
    shining = (cases.bits & np.uint32(SHINING)) != 0
    mean = np.abs(cases.residual) / np.maximum(cases.tested, 1)
    near = np.abs(latest.residual) < np.maximum(3.5 * latest.sigma, np.minimum(0.4 * mean, 0.05))
    healthy = latest.judged & ~latest.dark & near
    lit_only = ((cases.bits & np.uint32(Trigger.LIT)) != 0) & ~shining
    opposite = np.where(shining, healthy, np.where(lit_only, latest.off & ~latest.lit, latest.usable))
    momentary = np.uint32(~(Trigger.LOW | Trigger.HIGH | Trigger.DRIFT | Trigger.CYCLING | Trigger.NOISE) & 0x1FFFF)
    spoke = (latest.judged & ~healthy & shining) | latest.lit
    contrary = spoke | ((latest.bits & momentary) != 0)
    np.copyto(cases.contrary, latest.time_s, where=spoke & latest.fresh)
    cases.well[:] = np.where(contrary, 0, cases.well + latest.blocks * opposite)
    return cases.well >= _needed(cases.bits)


def _needed(bits: U32) -> F32:
    needed = np.zeros(len(bits), np.float32)
    for trigger, blocks in WELL_BLOCKS:
        needed = np.maximum(needed, np.where((bits & np.uint32(trigger)) != 0, np.float32(blocks), 0))
    return needed
