"""Energy of a night from the register of a meter: resets, rollovers and gaps taken for what they are."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from lamplighter_controller.lighting.proof.power.tariff import Piece, Used
from lamplighter_controller.series.port import Floats, Times

LONGEST_GAP_MS: Final = 24 * 3_600_000  # energy between readings further apart cannot be dated to a night
ROLLOVERS_KWH: Final = (9_999.99, 99_999.99, 999_999.99, 9_999_999.99, 42_949_672.95)
NEAR_ROLLOVER: Final = 0.01  # how near its end, as a share of it, a register has to be to have rolled over


@dataclass(frozen=True, slots=True)
class Flow:
    """Energy between readings that follow each other, (m,) each, in order of time and without overlap.

    `late`: (ms, kWh) of readings more than a day after the ones before them: counted, but nobody knows when.
    """

    start_ms: Times
    end_ms: Times
    kwh: Floats
    late: tuple[tuple[int, float], ...] = ()


def flow(time_ms: Times, register_kwh: Floats) -> Flow:
    """What a register has counted from reading to reading.

    One that falls from near a known end has rolled over; any other fall is a reset, or another meter: then what it
    shows was counted since. Readings further apart than a day leave a gap, and what they count is late.
    """
    read = ~np.isnan(register_kwh)
    time_ms, register_kwh = time_ms[read], register_kwh[read]
    if len(time_ms) < 2:
        return Flow(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0))
    before, now = register_kwh[:-1], register_kwh[1:]
    kwh = np.where(now >= before, now - before, now)
    for number in np.flatnonzero(now < before).tolist():
        kwh[number] = _after_fall(float(before[number]), float(now[number]))
    apart_ms = time_ms[1:] - time_ms[:-1]
    near, far = (apart_ms <= LONGEST_GAP_MS) & (apart_ms > 0), apart_ms > LONGEST_GAP_MS
    late = tuple(zip(time_ms[1:][far].tolist(), kwh[far].tolist(), strict=True))
    return Flow(time_ms[:-1][near], time_ms[1:][near], kwh[near], late)


def within(found: Flow, start_ms: int, end_ms: int) -> float:
    """Energy of a stretch of time; between readings it flows evenly."""
    return float((found.kwh * _share(found, start_ms, end_ms)).sum())


def undated(found: Flow, start_ms: int, end_ms: int) -> float:
    """Energy that was told within a stretch of time, counted since a reading more than a day before."""
    return sum(kwh for time_ms, kwh in found.late if start_ms <= time_ms < end_ms)


def gap_ms(found: Flow, start_ms: int, end_ms: int) -> int:
    """Time of a stretch that no two readings enclose."""
    return end_ms - start_ms - int(_overlap(found, start_ms, end_ms).sum())


def by_band(found: Flow, pieces: Sequence[Piece]) -> tuple[Used, ...]:
    """Energy by local day and band."""
    used: dict[tuple[str, str], float] = {}
    for piece in pieces:
        key = (piece.day, piece.band)
        used[key] = used.get(key, 0.0) + within(found, piece.start_ms, piece.end_ms)
    return tuple(Used(day, band, kwh) for (day, band), kwh in used.items())


def _after_fall(before: float, now: float) -> float:
    for end in ROLLOVERS_KWH:
        if end * (1 - NEAR_ROLLOVER) <= before <= end and now <= end * NEAR_ROLLOVER:
            return end - before + now
    return now


def _overlap(found: Flow, start_ms: int, end_ms: int) -> NDArray[np.int64]:
    overlap: NDArray[np.int64] = np.maximum(np.minimum(found.end_ms, end_ms) - np.maximum(found.start_ms, start_ms), 0)
    return overlap


def _share(found: Flow, start_ms: int, end_ms: int) -> Floats:
    share: Floats = _overlap(found, start_ms, end_ms) / (found.end_ms - found.start_ms)
    return share
