"""What is held of every lamp between two steps: some 130 bytes, whatever has been seen of it."""

from dataclasses import dataclass, fields
from typing import Any, Final

import numpy as np

from lamplighter_controller.diagnosis.arrays import F32, I64, U8, U32, Arrays

BANDS: Final = 3
"""Unit gain is kept apart for low, middle and high levels: a lamp's own curve differs from its model's."""


@dataclass(slots=True)
class LampColumns:
    """Row by row of the topology's lamps; times are civil epoch seconds, 0 = never.

    Args:
        gain: (n, 3) own power over the model's, by band of level; learned slowly, not while something is wrong.
        gain_count: (n, 3) steady samples behind it, up to 250.
        commissioned: (n, 3) the gain when it had first become certain, NaN before.
        swing, pull: sums over deviations from usual voltage, their squares and their products with residuals: how the
            lamp's own power follows the voltage beyond its model's.
        variance: of the residual of a steady sample.
        voltage_v: usual voltage, NaN = never read.
        low, high: CUSUM of steps; `slow`: CUSUM of drift; `low_since`, `high_since`, `slow_since`: when they left 0.
        desired_percent: the level in force at the last reading; `since`: when it began, or power came back.
        heard: time of the newest reading; `missed`: reports missed since.
        power_w, reported_v, current_a: the last reading's, for what never changes.
        held_w, held_percent: last steady power and the level it was read at, before the level now in force.
        energy_kwh, burning_h, starts: counters as last read.
        edges: decaying number of goings-out and comings-on that nobody commanded.
        noise: decaying mean of jumps between two steady samples, in sigma.
        lit_before: the lamp was seen lit (2), dark (1) or neither (0) under the level in force.
        odd_since: when the first of the counts below left 0.
        dark ... under: readings in a row that show it, up to 250.
        astray: for how many readings more the lamp counts as one that takes its commands at other times than told.
    """

    gain: F32
    gain_count: U8
    commissioned: F32
    swing: F32
    pull: F32
    variance: F32
    voltage_v: F32
    low: F32
    high: F32
    slow: F32
    low_since: U32
    high_since: U32
    slow_since: U32
    desired_percent: F32
    since: U32
    heard: U32
    missed: Any
    power_w: F32
    reported_v: F32
    current_a: F32
    held_w: F32
    held_percent: F32
    last_residual: F32
    starts: F32
    edges: F32
    noise: F32
    lit_before: U8
    odd_since: U32
    dark: U8
    lit: U8
    bad: U8
    frozen: U8
    unread: U8
    ahead: U8
    reactive: U8
    stuck: U8
    unheeded: U8
    hot: U8
    tilted: U8
    over: U8
    under: U8
    astray: U8

    def part(self, rows: slice) -> "LampColumns":
        """Views of some rows: what is written into them is written here."""
        return LampColumns(*(getattr(self, field.name)[rows] for field in fields(self)))

    def most_seen(self) -> U8:
        """(n,) steady readings at the levels it was seen most at."""
        return np.maximum(np.maximum(self.gain_count[:, 0], self.gain_count[:, 1]), self.gain_count[:, 2])

    def forget(self, rows: I64) -> None:
        """Make rows as if nothing had been seen of them, but for the level in force and when they were heard."""
        fresh = blank(1)
        for field in fields(self):
            if field.name not in _KEPT:
                getattr(self, field.name)[rows] = getattr(fresh, field.name)[0]

    def export(self) -> Arrays:
        """The arrays by name."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    def take(self, arrays: Arrays, source: I64) -> None:
        """Fill row i from `source[i]` of exported arrays, where that is not negative."""
        mine = np.flatnonzero(source >= 0)
        for field in fields(self):
            getattr(self, field.name)[mine] = arrays[field.name][source[mine]]


_KEPT: Final = frozenset({"desired_percent", "since", "heard", "missed"})
_NAN: Final = frozenset(
    {
        "commissioned",
        "voltage_v",
        "desired_percent",
        "power_w",
        "reported_v",
        "current_a",
        "held_w",
        "held_percent",
        "last_residual",
        "starts",
    }
)
_TIMES: Final = frozenset({"low_since", "high_since", "slow_since", "since", "heard", "odd_since"})
_FLOATS: Final = _NAN | {"gain", "swing", "pull", "variance", "low", "high", "slow", "edges", "noise"}
_BANDED: Final = frozenset({"gain", "gain_count", "commissioned"})
FIRST_VARIANCE: Final = 1e-4


def blank(rows: int) -> LampColumns:
    """Columns of lamps never heard."""
    return LampColumns(**{field.name: _empty(field.name, rows) for field in fields(LampColumns)})


def _empty(name: str, rows: int) -> Any:
    shape = (rows, BANDS) if name in _BANDED else (rows,)
    if name in _FLOATS:
        first = np.nan if name in _NAN else {"gain": 1.0, "variance": FIRST_VARIANCE}.get(name, 0.0)
        return np.full(shape, first, np.float32)
    kind = np.uint32 if name in _TIMES else np.uint16 if name == "missed" else np.uint8
    return np.zeros(shape, kind)
