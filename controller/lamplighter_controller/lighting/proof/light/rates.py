"""A night of a city by groups: what each lamp's own word, patrols and meters prove, added up."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from lamplighter_controller.lighting.proof.light.bounds import Bound
from lamplighter_controller.lighting.proof.light.evidence import Rows
from lamplighter_controller.lighting.proof.light.litrate import Judged
from lamplighter_controller.lighting.proof.light.tally import By, Tally
from lamplighter_controller.series.port import Floats

LONG_MS: Final = 30 * 60_000


@dataclass(frozen=True, slots=True)
class Shared:
    """Lamp-time that the meter of a supply point proves of its silent lamps, nobody knows of which; `rows`: those."""

    rows: Rows
    lit_ms: float
    dark_ms: float


@dataclass(frozen=True, slots=True)
class Metered:
    """What meters prove: columns of length n for lamps that are known one by one, and the rest by supply point."""

    lit_ms: Floats
    dark_ms: Floats
    shared: tuple[Shared, ...] = ()


def nothing_metered(count: int) -> Metered:
    """No meter proves anything."""
    return Metered(np.zeros(count), np.zeros(count))


def metered(judged: Judged, bounds: Sequence[tuple[Rows, Bound]]) -> Metered:
    """Instants of a check turned into time: each stands for its share of the time the lamp was unknown."""
    found = nothing_metered(len(judged.unknown_ms))
    shared = []
    for rows, bound in bounds:
        unknown_ms = judged.unknown_ms[rows]
        each_ms = np.divide(unknown_ms, bound.silent, out=np.zeros(len(rows)), where=bound.silent > 0)
        found.lit_ms[rows] = each_ms * bound.all_lit
        found.dark_ms[rows] = each_ms * bound.all_dark
        silent = rows[bound.silent > 0]
        if bound.some_lit + bound.some_dark > 0 and len(silent):
            mean_ms = float(each_ms[bound.silent > 0].min())
            shared.append(Shared(silent, bound.some_lit * mean_ms, bound.some_dark * mean_ms))
    return Metered(found.lit_ms, found.dark_ms, tuple(shared))


def tallies(keys: Mapping[By, Sequence[str]], judged: Judged, proven: Metered) -> dict[By, list[Tally]]:
    """Figures of every group; `keys`: the group of each lamp by what they are grouped by."""
    return {by: list(_tallies(np.array(names, np.str_), judged, proven)) for by, names in keys.items()}


def _tallies(names: NDArray[np.str_], judged: Judged, proven: Metered) -> Iterator[Tally]:
    groups, group = np.unique(names, return_inverse=True)
    count = len(groups)
    shared_lit, shared_dark = np.zeros(count), np.zeros(count)
    for one in proven.shared:
        its = group[one.rows]
        if (its == its[0]).all():
            shared_lit[its[0]] += one.lit_ms
            shared_dark[its[0]] += one.dark_ms
    unknown_ms = np.maximum(judged.unknown_ms - proven.lit_ms - proven.dark_ms, 0.0)
    all_dark_ms = judged.dark_ms + proven.dark_ms
    long_ms = np.minimum(LONG_MS, judged.required_ms)
    dark = (all_dark_ms > 0) & (all_dark_ms >= long_ms)
    unknown = ~dark & (unknown_ms > 0) & (unknown_ms >= long_ms)
    one_by_one_ms = proven.lit_ms + proven.dark_ms

    def added(column: Floats | NDArray[np.bool_]) -> Floats:
        return np.bincount(group, weights=column, minlength=count).astype(np.float64)

    columns = zip(
        groups.tolist(),
        np.bincount(group, minlength=count).tolist(),
        added(judged.required_ms).tolist(),
        (added(judged.lit_ms + proven.lit_ms) + shared_lit).tolist(),
        (added(all_dark_ms) + shared_dark).tolist(),
        np.maximum(added(unknown_ms) - shared_lit - shared_dark, 0.0).tolist(),
        added(judged.lit_ms + judged.dark_ms - judged.patrol_ms).tolist(),
        added(judged.patrol_ms).tolist(),
        (added(one_by_one_ms) + shared_lit + shared_dark).tolist(),
        added(dark).astype(int).tolist(),
        added(unknown).astype(int).tolist(),
        strict=True,
    )
    return (Tally(*values) for values in columns)
