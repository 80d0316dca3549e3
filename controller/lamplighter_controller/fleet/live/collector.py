"""Readings of trackers as they are stored, made into reports that can be judged."""

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np

from lamplighter_contract.quality import Quality
from lamplighter_contract.quantities import QUANTITIES, Kind
from lamplighter_controller.fleet.judging.fixes import COVERS, LIFTS, LOADS, UNKNOWN, Codes, Fixes, Floats
from lamplighter_controller.series.gather import select
from lamplighter_controller.series.port import Readings

NOBODY: Final = -1
JUDGED: Final = (
    "latitude",
    "longitude",
    "speed_kmh",
    "odometer_km",
    "fix",
    "ignition",
    "lift",
    "cover",
    "load",
    "power_cut",
    "antenna_fault",
    "received",
)
_WORDS: Final[Mapping[str, Mapping[str, int]]] = {"lift": LIFTS, "cover": COVERS, "load": LOADS}
_CODES: Final = {
    name: np.array([words[word] for word in QUANTITIES[Kind.TRUCK][name].choices], np.int8)
    for name, words in _WORDS.items()
}


def parted(readings: Readings, *, live: bool) -> tuple[Readings | None, Readings | None]:
    """Those of now, and those that missed their moment: by the lane they came in, and by the quality of each."""
    late = (readings.quality & Quality.STALE) != 0 if live else np.ones(len(readings.device), np.bool_)
    now = select(readings, ~late) if not late.all() else None
    return now, select(readings, late) if late.any() else None


def fixes_of(batches: Sequence[Readings], row_of: Mapping[str, int]) -> Fixes:
    """Reports of the trucks that have a row; those of strangers are left out."""
    devices = [device for batch in batches for device in batch.device]
    rows = np.fromiter((row_of.get(device, NOBODY) for device in devices), np.intp, len(devices))
    columns = {name: _joined(batches, name) for name in JUDGED}
    blind = columns["fix"] == 0
    times = [batch.time_ms for batch in batches]
    time_ms = np.concatenate(times) if times else np.zeros(0, np.int64)
    told = np.isfinite(columns["received"])
    return Fixes(
        rows,
        time_ms,
        np.where(told, np.nan_to_num(columns["received"]), time_ms).astype(np.int64),
        np.where(blind, np.nan, columns["latitude"]),
        np.where(blind, np.nan, columns["longitude"]),
        columns["speed_kmh"],
        columns["odometer_km"],
        _flag(columns["ignition"]),
        *(_word(columns[name], name) for name in _WORDS),
        *(_flag(columns[name]) for name in ("power_cut", "antenna_fault")),
    ).at(rows != NOBODY)


def _joined(batches: Sequence[Readings], name: str) -> Floats:
    if not batches:
        return np.zeros(0)
    return np.concatenate([batch.values.get(name, np.full(len(batch.device), np.nan)) for batch in batches])


def _flag(column: Floats) -> Codes:
    return np.where(np.isfinite(column), np.nan_to_num(column), UNKNOWN).astype(np.int8)


def _word(column: Floats, name: str) -> Codes:
    codes = _CODES[name]
    known = np.isfinite(column) & (column >= 0) & (column < len(codes))
    found = np.full(len(column), UNKNOWN, np.int8)
    found[known] = codes[column[known].astype(np.intp)]
    return found
