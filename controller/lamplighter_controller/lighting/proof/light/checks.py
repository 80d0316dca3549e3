"""Instants of a check: what lamps say of themselves then, beside what their supply point's meter says."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from lamplighter_controller.lighting.proof.light.bounds import Bound, Flags, Supply, bound
from lamplighter_controller.lighting.proof.light.curves import Curves
from lamplighter_controller.lighting.proof.light.evidence import PATROL, UNKNOWN, Evidence, Rows
from lamplighter_controller.lighting.proof.light.fleet import Fleet
from lamplighter_controller.series.port import Floats, Times

STEP_MS: Final = 15 * 60_000
SEEN: Final = 2  # known by a patrol: nobody knows what it draws


@dataclass(frozen=True, slots=True)
class Checked:
    """At k instants, (n, k): the state of each lamp (or SEEN), and the power of those that speak, 0 for all others."""

    state: NDArray[np.int8]
    power_w: NDArray[np.float32]


def instants(start_ms: int, until_ms: int) -> Times:
    """(k,) the middles of the quarter hours."""
    return np.arange(start_ms + STEP_MS // 2, until_ms, STEP_MS, dtype=np.int64)


def checked(evidence: Evidence, at_ms: Times, count: int) -> Checked:
    """What `count` lamps say at each instant."""
    state = np.full((count, len(at_ms)), UNKNOWN, np.int8)
    power_w = np.zeros((count, len(at_ms)), np.float32)
    if not len(evidence.row) or not len(at_ms):
        return Checked(state, power_w)
    origin = min(int(evidence.time_ms.min()), int(at_ms[0]))
    span = max(int(evidence.time_ms.max()), int(at_ms[-1])) - origin + 1
    keys = evidence.row * span + (evidence.time_ms - origin)
    wanted = (np.arange(count)[:, None] * span + (at_ms - origin)[None, :]).ravel()
    found = np.maximum(np.searchsorted(keys, wanted, side="right") - 1, 0)
    rows, times = np.repeat(np.arange(count), len(at_ms)), np.tile(at_ms, count)
    since_ms = evidence.time_ms[found]
    holds = (evidence.row[found] == rows) & (since_ms <= times) & (times < since_ms + evidence.hold_ms[found])
    said = np.where(holds, evidence.state[found], UNKNOWN)
    seen = holds & (evidence.kind[found] == PATROL)
    state[:] = np.where(seen, SEEN, said).reshape(state.shape)
    own = holds & ~seen & (said != UNKNOWN)
    power_w[:] = np.where(own, evidence.power_w[found], 0.0).reshape(power_w.shape)
    return Checked(state, power_w)


@dataclass(frozen=True, slots=True)
class Supplies:
    """(k,) by supply point its metered power, NaN where it says nothing; (k,) by circuit whether it is told open."""

    metered_w: Mapping[str, Floats]
    open_at: Mapping[str, Flags]


def bounds(
    fleet: Fleet, required: Curves, said: Checked, at_ms: Times, supplies: Supplies
) -> Iterator[tuple[Rows, Bound]]:
    """What meters prove of supply points with silent lamps."""
    full_w = fleet.full_w()
    least_w = _least_w(fleet)
    for name, rows in _by_cabinet(fleet).items():
        power_w = supplies.metered_w.get(name)
        if power_w is None:
            continue
        profile = np.repeat(fleet.profile[rows], len(at_ms))
        due = required.values_at(profile, np.tile(at_ms, len(rows))).reshape(len(rows), len(at_ms)) > 0
        state = said.state[rows]
        silent = due & (state == UNKNOWN)
        those = silent.any(axis=1)
        if not those.any() or np.isnan(full_w[rows][(state == UNKNOWN).any(axis=1)]).any():
            continue
        astray = (state == UNKNOWN) & ~due & ~_dead(fleet, rows, supplies.open_at, len(at_ms))
        stray = np.where(astray, np.nan_to_num(full_w[rows])[:, None], 0.0).sum(axis=0)
        supply = Supply(
            metered_w=np.where((state == SEEN).any(axis=0), np.nan, power_w),
            spoken_w=said.power_w[rows].sum(axis=0, dtype=np.float64),
            lamps=len(rows),
            silent=silent[those],
            least_w=least_w[fleet.draw[rows[those]]],
            most_w=full_w[rows[those]],
            stray_w=stray,
        )
        yield rows[those], bound(supply)


def _dead(fleet: Fleet, rows: Rows, open_at: Mapping[str, Flags], count: int) -> Flags:
    """(m, k) lamps behind an open contactor: they draw nothing, whatever else is known of them."""
    nothing = np.zeros(count, np.bool_)
    return np.array([open_at.get(fleet.lamps[row].circuit or "", nothing) for row in rows.tolist()])


def said_at(time_ms: Times, values: Floats, at_ms: Times, hold_ms: int) -> Floats:
    """(k,) what was said last at each instant, NaN when that is too long ago."""
    read = ~np.isnan(values)
    time_ms, values = time_ms[read], values[read]
    if not len(time_ms):
        return np.full(len(at_ms), np.nan)
    found = np.searchsorted(time_ms, at_ms, side="right") - 1
    said = time_ms[np.maximum(found, 0)]
    return np.where((found >= 0) & (at_ms - said < hold_ms), values[np.maximum(found, 0)], np.nan)


def _by_cabinet(fleet: Fleet) -> dict[str, Rows]:
    found: dict[str, list[int]] = {}
    for row, lamp in enumerate(fleet.lamps):
        if lamp.cabinet:
            found.setdefault(lamp.cabinet, []).append(row)
    return {name: np.array(rows, np.int64) for name, rows in found.items()}


def _least_w(fleet: Fleet) -> Floats:
    """For each of the fleet's draws the least it comes to while it is on."""
    least = [min((value for _, value in steps if value > 0), default=np.inf) for steps in fleet.drawn_w()]
    return np.array(least, np.float64)
