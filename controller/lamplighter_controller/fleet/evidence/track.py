"""The slice of a track that belongs to a violation, as a file, and how good its fixes were. Pure."""

import csv
import io
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, Final

import numpy as np

from lamplighter_contract.quality import Quality
from lamplighter_contract.quantities import QUANTITIES, Form, Kind, Quantity
from lamplighter_controller.series.port import Readings

STATES: Final = ("lift", "cover", "load")
_TRUCK: Final = QUANTITIES[Kind.TRUCK]


def csv_of(readings: Readings) -> str:
    """Every report with everything that was read; an empty cell was not told. Times civil, UTC beside epoch ms."""
    names = [name for name in _TRUCK if name in readings.values]
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["time_ms", "time", *names, "quality"])
    for row, time_ms in enumerate(readings.time_ms.tolist()):
        told = [_cell(_TRUCK[name], float(readings.values[name][row])) for name in names]
        moment = datetime.fromtimestamp(time_ms / 1000, UTC).isoformat(timespec="milliseconds")
        writer.writerow([time_ms, moment, *told, int(readings.quality[row])])
    return out.getvalue()


def quality_of(readings: Readings) -> dict[str, Any]:
    """How far the fixes can be relied on: how many, how regular, how many satellites, how late they came."""
    time_ms = readings.time_ms
    gaps_s = np.diff(np.sort(time_ms)).astype(np.float64) / 1000
    delay_s = (_column(readings, "received") - time_ms) / 1000
    return {
        "reports": len(time_ms),
        "with_fix": int(np.nansum(_column(readings, "fix") == 1)),
        "with_position": int(np.isfinite(_column(readings, "latitude")).sum()),
        "satellites_min": _figure(np.min, _column(readings, "satellites")),
        "satellites_median": _figure(np.median, _column(readings, "satellites")),
        "interval_median_s": _figure(np.median, gaps_s),
        "gap_longest_s": _figure(np.max, gaps_s),
        "delay_median_s": _figure(np.median, delay_s),
        "delay_longest_s": _figure(np.max, delay_s),
        "marked": {
            str(bit.name).lower(): int((readings.quality & bit.value != 0).sum()) for bit in Quality if bit.value
        },
        "not_told": {name: int(np.isnan(_column(readings, name)).sum()) for name in STATES},
    }


def states_of(readings: Readings) -> list[dict[str, Any]]:
    """What lift, cover and load said, change by change."""
    changes: list[dict[str, Any]] = []
    for name in STATES:
        before = ""
        for time_ms, value in zip(readings.time_ms.tolist(), _column(readings, name).tolist(), strict=True):
            word = _cell(_TRUCK[name], value) or "not told"
            if word != before:
                changes.append({"time_ms": time_ms, "state": name, "value": word})
                before = str(word)
    return sorted(changes, key=lambda change: (change["time_ms"], change["state"]))


def points_of(readings: Readings) -> list[tuple[float, float]]:
    """Longitude and latitude of every fix, in order."""
    latitude, longitude = _column(readings, "latitude"), _column(readings, "longitude")
    there = np.isfinite(latitude) & np.isfinite(longitude)
    return list(zip(longitude[there].tolist(), latitude[there].tolist(), strict=True))


def from_csv(text: str) -> Readings:
    """A track as it was kept, as readings again."""
    rows = list(csv.DictReader(io.StringIO(text)))
    names = [name for name in (rows[0] if rows else {}) if name in _TRUCK]
    values = {name: np.array([_value(_TRUCK[name], row[name]) for row in rows], np.float64) for name in names}
    time_ms = np.array([int(row["time_ms"]) for row in rows], np.int64)
    return Readings(
        Kind.TRUCK, [""] * len(rows), time_ms, values, np.array([int(row["quality"]) for row in rows], np.uint8)
    )


def quantities() -> Iterator[str]:
    """Everything that is asked of the series."""
    return iter(_TRUCK)


def _column(readings: Readings, name: str) -> np.ndarray[Any, np.dtype[np.float64]]:
    return readings.values.get(name, np.full(len(readings.time_ms), np.nan))


def _figure(of: Any, values: np.ndarray[Any, np.dtype[np.float64]]) -> float | None:
    known = values[np.isfinite(values)]
    return round(float(of(known)), 3) if len(known) else None


def _cell(quantity: Quantity, value: float) -> str | float | int:
    if np.isnan(value):
        return ""
    match quantity.form:
        case Form.CHOICE:
            return quantity.choices[int(value)]
        case Form.FLAG:
            return "true" if value else "false"
        case _:
            return int(value) if value == int(value) else round(value, 7)


def _value(quantity: Quantity, cell: str) -> float:
    if cell == "":
        return float("nan")
    words: Mapping[str, float] = {"true": 1.0, "false": 0.0} | {
        word: float(index) for index, word in enumerate(quantity.choices)
    }
    return words[cell] if cell in words else float(cell)
