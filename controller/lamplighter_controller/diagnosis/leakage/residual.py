"""Residual current of all elements of one kind, each against its own dry baseline.

Each element has two baselines, energised and not: drivers leak through their filters as long as they have voltage. What
all elements of a kind gain together in rain is the weather; what one gains beyond that is its insulation. Where rain is
measured, nothing is learned while it is wet, and while it is dry one that gains more than the others is told sooner.
"""

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from lamplighter_controller.diagnosis.findings import Element, ElementKind, EvidenceLine, Finding
from lamplighter_controller.diagnosis.samples import Columns, Flags, Floats

State = dict[str, NDArray[Any]]

LEARN: Final = 0.02
ENOUGH: Final = 24  # dry readings in a state before it can be compared with
SIGMAS: Final = 8.0
WET_FACTOR: Final = 3.0  # times what the middle one of its kind gains in the same rain
DRY_FACTOR: Final = 1.0
WET_SHARE: Final = 0.5  # of an element's own baseline, where too few tell what the weather does
CLEAR_SHARE: Final = 0.4
CLEAR_MS: Final = 24 * 3_600_000  # dry again is not repaired: a whole day must pass below the limit
FEWEST_PEERS: Final = 5


class ResidualWatch:
    """All elements of one kind."""

    def __init__(self, kind: ElementKind, names: tuple[str, ...], people_ma: float, least_ma: float) -> None:
        self.kind, self.names = kind, names
        self.people_ma, self.least_ma = people_ma, least_ma
        n = len(names)
        self.mean, self.spread = np.zeros((2, n), np.float32), np.zeros((2, n), np.float32)
        self.count = np.zeros((2, n), np.int32)
        self.open = np.zeros(n, np.bool_)
        self.twice = np.zeros(n, np.bool_)  # over its own limit in the reading before
        self.since_ms, self.low_since_ms = np.zeros(n, np.int64), np.zeros(n, np.int64)
        self.excess_ma: Floats = np.full(n, np.nan)  # of the newest reading

    def look(self, columns: Columns, energised: Flags, *, wet: bool | None, now_ms: int) -> tuple[Flags, Flags]:
        """(raised, cleared) of this step; `wet` None = nobody knows."""
        value = np.asarray(columns.column("leakage_ma"), np.float64)
        told = columns.answered & ~np.isnan(value)
        rows, state = np.arange(len(self.names)), energised.astype(np.int64)
        mean, count = self.mean[state, rows], self.count[state, rows]
        known = told & (count >= ENOUGH)
        sigma = self._sigma(state, rows)
        self.excess_ma = np.where(known, value - mean, np.where(told, value, self.excess_ma))
        limit = np.maximum(SIGMAS * sigma, self.least_ma)
        weather = self._weather(known, mean, wet=wet)
        over = known & (self.excess_ma > limit + weather)
        alarm = told & ((value >= self.people_ma + weather) & (~known | over) | (over & self.twice))
        self.twice = np.where(told, over, self.twice)
        self.since_ms = np.where(
            told, np.where(over | alarm, np.where(self.since_ms > 0, self.since_ms, now_ms), 0), self.since_ms
        )
        raised = alarm & ~self.open
        self._learn(value, told & ~over & ~alarm & ~self.open, state, dry=not wet)
        cleared = self._cleared(told & ~over & (self.excess_ma < CLEAR_SHARE * limit), told, now_ms)
        self.open = (self.open | raised) & ~cleared
        return raised, cleared

    def _sigma(self, state: NDArray[np.int64], rows: NDArray[np.int64]) -> Floats:
        own = np.sqrt(self.spread[state, rows])
        found: Floats = np.maximum(np.maximum(own, 0.08 * self.mean[state, rows]), self.least_ma / 20)
        return found

    def _weather(self, known: Flags, mean: Floats, *, wet: bool | None) -> Floats | float:
        """What is allowed for rain: three times what the middle one gains, or where few tell a share of its baseline.

        While it is dry only dew and fog are common to all, and no element has a reason to gain more than the others.
        """
        peers = self.excess_ma[known & ~self.open]
        if len(peers) >= FEWEST_PEERS:
            return (DRY_FACTOR if wet is False else WET_FACTOR) * max(float(np.median(peers)), 0.0)
        return WET_SHARE * mean if wet else 0.0

    def _learn(self, value: Floats, which: Flags, state: NDArray[np.int64], *, dry: bool) -> None:
        rows = np.flatnonzero(which & (dry | (self.count[state, np.arange(len(which))] < ENOUGH)))
        at = (state[rows], rows)
        self.count[at] += 1
        rate = np.maximum(LEARN, 1 / self.count[at])
        off = value[rows] - self.mean[at]
        self.mean[at] += rate * off
        self.spread[at] += rate * ((1 - rate) * off**2 - self.spread[at])

    def _cleared(self, low: Flags, told: Flags, now_ms: int) -> Flags:
        since = np.where(low, np.where(self.low_since_ms > 0, self.low_since_ms, now_ms), 0)
        self.low_since_ms = np.where(told, since, self.low_since_ms)
        return self.open & (self.low_since_ms > 0) & (now_ms - self.low_since_ms >= CLEAR_MS)

    def finding(self, row: int, columns: Columns, *, energised: bool, rain_mm_h: float, is_open: bool) -> Finding:
        """What is said of one element."""
        state = int(energised)
        value, mean = float(columns.column("leakage_ma")[row]), float(self.mean[state, row])
        sigma = float(self._sigma(np.array([state]), np.array([row]))[0])
        known = int(self.count[state, row]) >= ENOUGH
        lines = [
            EvidenceLine("leakage", value, mean if known else float("nan"), sigma, int(self.count[state, row]), "mA"),
            EvidenceLine("energised", float(energised), float("nan"), float("nan"), 1, ""),
        ]
        if not np.isnan(rain_mm_h):
            lines.append(EvidenceLine("rain", rain_mm_h, 0.0, float("nan"), 1, "mm/h"))
        sure = 0.97 if value >= self.people_ma else 0.9
        element = Element(self.kind, self.names[row])
        since_ms = int(self.since_ms[row])
        return Finding(
            element, (("leak", sure), ("meter_bad", 1 - sure)), since_ms, since_ms, tuple(lines), open=is_open
        )

    def forget(self, name: str) -> None:
        """Somebody has closed what was told of it: what is still wrong is told anew. Its baseline stays."""
        rows = np.flatnonzero(np.array(self.names, np.str_) == name)
        self.open[rows] = self.twice[rows] = False
        self.since_ms[rows] = self.low_since_ms[rows] = 0

    def export(self) -> State:
        """By name of the element."""
        kept = {name: getattr(self, name) for name in KEPT}
        return {"name": np.array(self.names, np.str_), **kept}

    def restore(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Take it back, name by name."""
        row_of = {name: row for row, name in enumerate(state["name"].tolist())}
        pairs = [(row, row_of[name]) for row, name in enumerate(self.names) if name in row_of]
        mine, theirs = np.array(pairs, np.int64).reshape(-1, 2).T
        for name in KEPT:
            getattr(self, name)[..., mine] = state[name][..., theirs]


KEPT: Final = ("mean", "spread", "count", "open", "twice", "since_ms", "low_since_ms", "excess_ma")
