"""What shows that a lamp was lit or dark: readings of its own power, and what people saw. Columns, one row each."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from lamplighter_contract.quality import Quality
from lamplighter_controller.series.port import Floats, Times

Rows = NDArray[np.int64]
States = NDArray[np.int8]

LIT: Final = 1
DARK: Final = 0
UNKNOWN: Final = -1

OWN: Final = 0
PATROL: Final = 1

DARK_BELOW_W: Final = 8.0  # what a driver without a light draws at most; controllers read back "dark" by it
DOUBTED: Final = np.uint8(Quality.STALE | Quality.OUT_OF_RANGE | Quality.FROZEN | Quality.CLOCK_UNTRUSTED)
PATROL_HOLD_MS: Final = 30 * 60_000


@dataclass(frozen=True, slots=True)
class Sighting:
    """A person saw a lamp, lit or dark."""

    lamp: str
    time_ms: int
    lit: bool


@dataclass(frozen=True, slots=True)
class Evidence:
    """Columns of length m, by lamp, then by time. What one says holds until the lamp's next one, at most `hold_ms`.

    Args:
        row: (m,) the lamp.
        time_ms: (m,) civil epoch ms.
        state: (m,) LIT, DARK, or UNKNOWN where the reading proves neither.
        kind: (m,) OWN or PATROL.
        power_w: (m,) NaN where nothing was read.
        hold_ms: (m,) longest time it says anything about.
    """

    row: Rows
    time_ms: Times
    state: States
    kind: States
    power_w: Floats
    hold_ms: Times


def from_power(
    row: Rows, time_ms: Times, power_w: Floats, quality: NDArray[np.uint8], dark_below_w: Floats, hold_ms: int
) -> Evidence:
    """Readings of lamps' own power; `dark_below_w` by lamp. A doubted reading, or one without power, proves nothing."""
    sure = ~np.isnan(power_w) & ((quality & DOUBTED) == 0)
    with np.errstate(invalid="ignore"):
        state = np.where(sure, power_w >= dark_below_w[row], UNKNOWN).astype(np.int8)
    kind = np.zeros(len(row), np.int8)
    return _in_order(Evidence(row, time_ms, state, kind, power_w, np.full(len(row), hold_ms, np.int64)))


def with_patrols(evidence: Evidence, sightings: Sequence[Sighting], rows: Mapping[str, int]) -> Evidence:
    """What people saw put in between; the newest word about a lamp counts, whoever has it."""
    seen = [(rows[one.lamp], one.time_ms, int(one.lit)) for one in sightings if one.lamp in rows]
    if not seen:
        return evidence
    row, time_ms, state = (np.array(column) for column in zip(*seen, strict=True))
    return _in_order(
        Evidence(
            np.concatenate([evidence.row, row.astype(np.int64)]),
            np.concatenate([evidence.time_ms, time_ms.astype(np.int64)]),
            np.concatenate([evidence.state, state.astype(np.int8)]),
            np.concatenate([evidence.kind, np.full(len(seen), PATROL, np.int8)]),
            np.concatenate([evidence.power_w, np.full(len(seen), np.nan)]),
            np.concatenate([evidence.hold_ms, np.full(len(seen), PATROL_HOLD_MS, np.int64)]),
        )
    )


def _in_order(found: Evidence) -> Evidence:
    if len(found.row) < 2:
        return found
    later = (found.row[1:] > found.row[:-1]) | (
        (found.row[1:] == found.row[:-1]) & (found.time_ms[1:] >= found.time_ms[:-1])
    )
    if later.all():
        return found
    order = np.lexsort((found.time_ms, found.row))
    return Evidence(*(getattr(found, name)[order] for name in Evidence.__slots__))
