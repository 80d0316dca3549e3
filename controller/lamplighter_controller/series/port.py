"""What the controller asks of a time-series store, whichever it is."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from lamplighter_contract.quantities import Kind
from lamplighter_controller.errors import ControllerError

Floats = NDArray[np.float64]
Times = NDArray[np.int64]


class SeriesUnavailable(ControllerError):
    """The store did not take or give data; the same call may go through later."""


@dataclass(frozen=True, slots=True)
class Rejection:
    """One row that can never be stored, and why, in words for a person."""

    kind: Kind
    device: str
    time_ms: int
    detail: str


class SeriesRejected(ControllerError):
    """The store will never take `rows`; every other row of the call is stored."""

    def __init__(self, rows: Sequence[Rejection]) -> None:
        self.rows = tuple(rows)
        first = self.rows[0]
        more = f" and {len(self.rows) - 1} more" if len(self.rows) > 1 else ""
        super().__init__(f"{first.kind} {first.device} at {first.time_ms}: {first.detail}{more}")


class Aggregate(StrEnum):
    """How the samples of a window become one value."""

    MEAN = "mean"
    MINIMUM = "min"
    MAXIMUM = "max"
    LAST = "last"
    COUNT = "count"


@dataclass(frozen=True, slots=True)
class Readings:
    """Readings of one kind as columns, all of length n.

    Args:
        kind: what they are about.
        device: (n,) ids.
        time_ms: (n,) civil epoch ms UTC of the measurement.
        values: quantity name -> (n,) float64; NaN = not read. Flags are 0 and 1, choices the index of their word.
        quality: (n,) uint8 of `Quality` bits.
    """

    kind: Kind
    device: Sequence[str]
    time_ms: Times
    values: Mapping[str, Floats]
    quality: NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Windows:
    """One aggregated value per device and window, ordered by device, then time; `start_ms` (n,), `value` (n,)."""

    device: Sequence[str]
    start_ms: Times
    value: Floats


class Series(Protocol):
    """A store keyed by (kind, device, time): a repeat merges, later non-null wins."""

    async def write(self, batches: Sequence[Readings]) -> None:
        """Store durably; on return every row is committed.

        Raises:
            SeriesUnavailable: nothing is known to be stored; write again.
            SeriesRejected: the rows it names can never be stored; all others are.
        """

    async def range(
        self, kind: Kind, devices: Sequence[str], quantities: Sequence[str], start_ms: int, end_ms: int, limit: int
    ) -> Readings:
        """Raw readings with start_ms <= time < end_ms, ordered by device, then time; at most `limit` rows."""

    async def windows(
        self,
        kind: Kind,
        devices: Sequence[str],
        quantity: str,
        start_ms: int,
        end_ms: int,
        window_ms: int,
        aggregate: Aggregate,
    ) -> Windows:
        """Aggregates per window aligned to epoch; reads the downsampled series where raw readings have been retired."""

    async def last(self, kind: Kind, since_ms: int) -> Readings:
        """One row per device measured at or after `since_ms`: per quantity the newest value that was read."""

    async def maintain(self, now_ms: int) -> None:
        """Downsample what is complete to 15 min and 1 day, and retire what is older than its retention; idempotent."""

    async def close(self) -> None:
        """Give the store back; nothing acknowledged is lost by it."""
