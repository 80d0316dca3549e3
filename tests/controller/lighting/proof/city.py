"""A small city on paper: hours as numbers, lamps by index, evidence as tuples."""

from collections.abc import Iterable, Sequence

import numpy as np

from lamplighter_controller.lighting.proof.light.curves import Curves
from lamplighter_controller.lighting.proof.light.evidence import OWN, Evidence
from lamplighter_controller.lighting.proof.light.litrate import Judged

HOUR_MS = 3_600_000
NOON_MS = 1_763_611_200_000  # 2025-11-20 12:00 in Jinan
END_MS = NOON_MS + 24 * HOUR_MS
HOLD_MS = HOUR_MS // 2


def at(hour: float) -> int:
    """An hour after noon as epoch ms."""
    return NOON_MS + round(hour * HOUR_MS)


def required(*windows: Sequence[tuple[float, float]]) -> Curves:
    """A curve for each list of windows (hours after noon) in which lamps are scheduled on."""
    return Curves.of(
        [
            [(at(hour), value) for window in each for hour, value in zip(window, (1.0, 0.0), strict=True)]
            for each in windows
        ],
        NOON_MS,
        END_MS,
    )


def evidence(said: Iterable[tuple[int, float, int]], hold_ms: int = HOLD_MS, kind: int = OWN) -> Evidence:
    """(lamp, hour, state) in any order."""
    rows = sorted((row, at(hour), state) for row, hour, state in said)
    row, time_ms, state = (np.array([each[number] for each in rows], np.int64) for number in range(3))
    return Evidence(
        row,
        time_ms,
        state.astype(np.int8),
        np.full(len(rows), kind, np.int8),
        np.where(state == 1, 100.0, 0.0),
        np.full(len(rows), hold_ms, np.int64),
    )


def hours(judged: Judged, row: int = 0) -> tuple[float, float, float, float]:
    """Required, lit, dark, unknown of one lamp."""
    columns = (judged.required_ms, judged.lit_ms, judged.dark_ms, judged.unknown_ms)
    return tuple(round(float(column[row]) / HOUR_MS, 6) for column in columns)  # type: ignore[return-value]


def every(hour: float, until: float, row: int, state: int, step: float = 0.25) -> list[tuple[int, float, int]]:
    """The same said again and again."""
    return [(row, float(moment), state) for moment in np.arange(hour, until, step)]
