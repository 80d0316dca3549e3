"""InfluxQL: statements from checked names and numbers, and answers as arrays.

Ids and quantities are checked before they come here; they are quoted nevertheless.
"""
# ruff: noqa: S608 - statements are put together from checked names and numbers, each quoted here

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import msgspec
import numpy as np

from lamplighter_contract.ids import is_id
from lamplighter_contract.quantities import Kind
from lamplighter_controller.series.port import Aggregate, Floats, SeriesUnavailable, Times
from lamplighter_controller.series.rollup import DAY_MS, QUARTER_HOUR_MS, summary

STEP_NAMES: Final = {QUARTER_HOUR_MS: "15m", DAY_MS: "1d"}
FUNCTIONS: Final = dict(zip(Aggregate, ("mean", "min", "max", "last", "count"), strict=True))


class _Series(msgspec.Struct):
    columns: list[str] = []
    tags: dict[str, str] = {}
    values: list[list[float | str | None]] = []


class _Result(msgspec.Struct):
    series: list[_Series] = []
    error: str = ""


class _Answer(msgspec.Struct):
    results: list[_Result] = []
    error: str = ""


class QueryFailed(SeriesUnavailable):
    """The server answered, but not with data."""


@dataclass(frozen=True, slots=True)
class Table:
    """One series of an answer: its tags and its rows."""

    tags: Mapping[str, str]
    columns: Sequence[str]
    rows: Sequence[Sequence[float | str | None]]

    @property
    def device(self) -> str:
        """The device this series is of."""
        return self.tags.get("device", "")

    def numbers(self) -> dict[str, Floats]:
        """The columns as numbers; NaN where there is none."""
        numeric = [[None if isinstance(value, str) else value for value in row] for row in self.rows]
        matrix = np.array(numeric, np.float64).reshape(len(self.rows), len(self.columns))
        return dict(zip(self.columns, matrix.T, strict=True))


def read_answer(body: bytes) -> list[Table]:
    """Tables of a `/query` answer.

    Raises:
        QueryFailed: the server says so, or this is no such answer.
    """
    try:
        answer = msgspec.json.decode(body, type=_Answer)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise QueryFailed(f"the answer cannot be read: {error}") from error
    for detail in (answer.error, *(result.error for result in answer.results)):
        if detail:
            raise QueryFailed(detail)
    series = (each for result in answer.results for each in result.series)
    return [Table(each.tags, each.columns, each.values) for each in series if each.columns and each.values]


def of_devices(tables: Iterable[Table]) -> list[Table]:
    """Without the series of other writers that have no device, or none we could have written."""
    return [table for table in tables if is_id(table.device)]


def name(identifier: str) -> str:
    """A measurement, field or tag name as InfluxQL writes it."""
    escaped = identifier.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def text(value: str) -> str:
    """A string as InfluxQL writes it."""
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def create_database(database: str) -> str:
    """Make a database; nothing happens where it exists."""
    return f"CREATE DATABASE {name(database)}"


def delete_before(measurement: str, until_ms: int) -> str:
    """Delete a measurement's points with time < until_ms."""
    return f"DELETE FROM {name(measurement)} WHERE time < {until_ms}ms"


def field_keys(measurement: str) -> str:
    """Names and types of a measurement's fields."""
    return f"SHOW FIELD KEYS FROM {name(measurement)}"


def readings(
    measurement: str, fields: Sequence[str], devices: Sequence[str], start_ms: int, end_ms: int, limit: int
) -> str:
    """Fields per device in time's order, at most `limit` rows of each device."""
    columns = ", ".join(map(name, fields))
    among = _among(devices)
    where = f"{_span(start_ms, end_ms)} AND {among}" if among else _span(start_ms, end_ms)
    rows = f" LIMIT {limit}" if limit else ""
    return f'SELECT {columns} FROM {name(measurement)} WHERE {where} GROUP BY "device"{rows}'


def newest(measurement: str, fields: Iterable[str], since_ms: int) -> str:
    """Per device the newest value of each field; the time is only that of a point where one field is asked."""
    columns = ", ".join(f"last({name(field)}) AS {name(field)}" for field in fields)
    return f'SELECT {columns} FROM {name(measurement)} WHERE time >= {since_ms}ms GROUP BY "device"'


def first_time(measurement: str) -> str:
    """The oldest point's time."""
    return f'SELECT first("quality") FROM {name(measurement)}'


def windows_with_data(measurement: str, start_ms: int, end_ms: int, window_ms: int) -> str:
    """Windows that hold at least one point."""
    span = _span(start_ms, end_ms)
    return f'SELECT count("quality") FROM {name(measurement)} WHERE {span} GROUP BY time({window_ms}ms) fill(none)'


def of_readings(
    kind: Kind,
    quantity: str,
    aggregates: Iterable[Aggregate],
    span_ms: tuple[int, int],
    window_ms: int,
    devices: Sequence[str],
) -> str:
    """Aggregates of a quantity per device and window, from readings; no devices named means all."""
    columns = ", ".join(f"{FUNCTIONS[each]}({name(quantity)}) AS {name(each)}" for each in aggregates)
    among = _among(devices)
    where = f"{_span(*span_ms)} AND {among}" if among else _span(*span_ms)
    return f"SELECT {columns} FROM {name(kind)} WHERE {where} {_by(window_ms)}"


def of_summaries(
    kind: Kind,
    step_ms: int,
    quantity: str,
    aggregates: Iterable[Aggregate],
    span_ms: tuple[int, int],
    window_ms: int,
    devices: Sequence[str],
) -> str:
    """The same from summaries."""
    columns = ", ".join(f"{SUMMARY_TERMS[each]} AS {name(each)}" for each in aggregates)
    mean, low, high, last, count = (name(summary(quantity, each)) for each in Aggregate)
    among = _among(devices)
    where = f"{_span(*span_ms)} AND {among}" if among else _span(*span_ms)
    source = (
        f"SELECT {mean} * {count} AS total, {low} AS low, {high} AS high, {last} AS newest, {count} AS number "
        f"FROM {name(summary_measurement(kind, step_ms))} WHERE {where}"
    )
    return f"SELECT {columns} FROM ({source}) WHERE {_span(*span_ms)} {_by(window_ms)}"


SUMMARY_TERMS: Final = {
    Aggregate.MEAN: "sum(total) / sum(number)",
    Aggregate.MINIMUM: "min(low)",
    Aggregate.MAXIMUM: "max(high)",
    Aggregate.LAST: "last(newest)",
    Aggregate.COUNT: "sum(number)",
}


def summary_measurement(kind: Kind, step_ms: int) -> str:
    """Where a kind's summaries of that step are kept."""
    return f"{kind}_{STEP_NAMES[step_ms]}"


def times(column: Floats) -> Times:
    """Milliseconds as they come in an answer."""
    return column.astype(np.int64)


def _by(window_ms: int) -> str:
    return f'GROUP BY time({window_ms}ms), "device" fill(none)'


def _span(start_ms: int, end_ms: int) -> str:
    return f"time >= {start_ms}ms AND time < {end_ms}ms"


def _among(devices: Sequence[str]) -> str:
    terms = " OR ".join(f'"device" = {text(device)}' for device in devices)
    return f"({terms})" if terms else ""
