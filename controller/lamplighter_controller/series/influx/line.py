"""Columns to line protocol: one template for all rows, numbers written by msgspec, no object per point."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import chain

import msgspec
import numpy as np

from lamplighter_controller.series.port import Floats, Readings, Times

LINES_AT_ONCE = 5000
NULL = "null"


def encode(
    measurement: str, device: Sequence[str], time_ms: Times, always: tuple[str, Floats], others: Mapping[str, Floats]
) -> bytes:
    """One line per row, in milliseconds: fields that are NaN are left out, `always` has none.

    Names and ids come checked: nothing in them needs to be escaped.
    """
    columns = {name: column for name, column in others.items() if not np.isnan(column).all()}
    fields = "".join(f",{name}=%s" for name in columns)
    template = f"{measurement},device=%s {always[0]}=%s{fields} %s\n"
    tokens = [device, _tokens(always[1]), *(_tokens(column) for column in columns.values()), _tokens(time_ms)]
    text = template * len(device) % tuple(chain.from_iterable(zip(*tokens, strict=True)))
    for name, column in columns.items():
        if np.isnan(column).any():
            text = text.replace(f",{name}={NULL}", "")
    return text.encode("ascii")


def encode_readings(readings: Readings) -> Iterator[bytes]:
    """Readings as bodies of at most `LINES_AT_ONCE` lines."""
    for first in range(0, len(readings.device), LINES_AT_ONCE):
        rows = slice(first, first + LINES_AT_ONCE)
        yield encode(
            readings.kind,
            readings.device[rows],
            readings.time_ms[rows],
            ("quality", readings.quality[rows].astype(np.float64)),
            {name: column[rows] for name, column in readings.values.items()},
        )


def _tokens(column: Floats | Times) -> list[str]:
    return msgspec.json.encode(column.tolist()).decode("ascii")[1:-1].split(",")
