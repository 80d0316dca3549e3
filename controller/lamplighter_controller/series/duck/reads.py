"""Reading the embedded store, on the reader's connection."""

# ruff: noqa: S608 - statements are put together from enumerations, checked quantity names and numbers only

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from lamplighter_contract.quantities import Kind
from lamplighter_controller.series.duck.session import Session
from lamplighter_controller.series.duck.tables import INCOMING, STEP_TABLES, quoted
from lamplighter_controller.series.port import Aggregate, Floats, Readings, Windows
from lamplighter_controller.series.rollup import DAY_MS, QUARTER_HOUR_MS, summary

ASKED: Final = f"code IN (SELECT code FROM {INCOMING})"
ACROSS_SOURCES: Final = {
    Aggregate.MEAN: "sum(mean * count) / sum(count)",
    Aggregate.MINIMUM: "min(min)",
    Aggregate.MAXIMUM: "max(max)",
    Aggregate.LAST: "arg_max(last, time_ms)",
    Aggregate.COUNT: "sum(count)",
}


@dataclass(frozen=True, slots=True)
class RangeQuery:
    """What `Series.range` was asked."""

    kind: Kind
    devices: Sequence[str]
    quantities: Sequence[str]
    start_ms: int
    end_ms: int
    limit: int


@dataclass(frozen=True, slots=True)
class WindowsQuery:
    """What `Series.windows` was asked."""

    kind: Kind
    devices: Sequence[str]
    quantity: str
    start_ms: int
    end_ms: int
    window_ms: int
    aggregate: Aggregate


def read_range(query: RangeQuery, session: Session) -> Readings:
    """Raw readings, ordered by device, then time."""
    stored = [name for name in query.quantities if name in session.catalogue.columns.get(query.kind, ())]
    codes = _codes(query.devices, session)
    if query.kind not in session.catalogue.columns or not len(codes):
        return _readings(query.kind, query.quantities, None)
    answer = session.execute_with(
        {"code": codes},
        f"SELECT id, time_ms, quality{''.join(f', {quoted(name)}' for name in stored)} "
        f"FROM {query.kind} JOIN device USING (code) WHERE {ASKED} "
        f"AND time_ms >= {query.start_ms} AND time_ms < {query.end_ms} ORDER BY id, time_ms LIMIT {query.limit}",
    )
    return _readings(query.kind, query.quantities, answer)


def read_last(kind: Kind, since_ms: int, session: Session) -> Readings:
    """Per device the newest time, and per quantity the newest value that was read."""
    names = session.catalogue.columns.get(kind)
    if names is None:
        return _readings(kind, (), None)
    names = list(names)
    newest = "".join(f", arg_max({quoted(name)}, time_ms) AS {quoted(name)}" for name in names)
    answer = session.connection.execute(
        "SELECT * EXCLUDE (code) FROM ("
        f"SELECT code, arg_max(quality, time_ms) AS quality{newest}, max(time_ms) AS time_ms "
        f"FROM {kind} WHERE time_ms >= ? GROUP BY code) JOIN device USING (code) ORDER BY id",
        [since_ms],
    ).fetchnumpy()
    return _readings(kind, names, answer)


def read_windows(query: WindowsQuery, session: Session) -> Windows:
    """One aggregate per device and window, over readings and, before them, over summaries."""
    codes = _codes(query.devices, session)
    if query.quantity not in session.catalogue.columns.get(query.kind, ()) or not len(codes):
        return Windows((), np.empty(0, np.int64), np.empty(0))
    with session.transaction():
        answer = session.execute_with(
            {"code": codes},
            f"SELECT id, start_ms, value FROM (SELECT code, time_ms - time_ms % {query.window_ms} AS start_ms, "
            f"{ACROSS_SOURCES[query.aggregate]} AS value FROM ({_sources(query, session)}) GROUP BY ALL) "
            "JOIN device USING (code) ORDER BY id, start_ms",
        )
    return Windows(answer["id"].tolist(), answer["start_ms"], _floats(answer["value"]))


def _sources(query: WindowsQuery, session: Session) -> str:
    raw_from_ms, quarter_hour_from_ms = _kept_from(query.kind, session)
    value = quoted(query.quantity)
    as_is = f"{value} AS mean, {value} AS min, {value} AS max, {value} AS last, 1 AS count"
    statistics = ", ".join(f"{quoted(summary(query.quantity, each))} AS {each}" for each in Aggregate)
    counted = f"{quoted(summary(query.quantity, Aggregate.COUNT))} > 0"
    pieces = (
        (str(query.kind), "time_ms", as_is, f"{value} IS NOT NULL", raw_from_ms, None),
        (_table(query.kind, QUARTER_HOUR_MS), "start_ms", statistics, counted, quarter_hour_from_ms, raw_from_ms),
        (_table(query.kind, DAY_MS), "start_ms", statistics, counted, None, quarter_hour_from_ms),
    )
    return " UNION ALL ".join(
        f"SELECT code, {time} AS time_ms, {columns} FROM {table} WHERE {ASKED} AND {condition} "
        f"AND {time} >= {max(query.start_ms, since_ms or query.start_ms)} "
        f"AND {time} < {min(query.end_ms, query.end_ms if until_ms is None else until_ms)}"
        for table, time, columns, condition, since_ms, until_ms in pieces
    )


def _table(kind: Kind, step_ms: int) -> str:
    return f"{kind}_{STEP_TABLES[step_ms]}"


def _kept_from(kind: Kind, session: Session) -> tuple[int, int]:
    kept = "SELECT raw_from_ms, quarter_hour_from_ms FROM progress WHERE kind = ?"
    ((raw_from_ms, quarter_hour_from_ms),) = session.connection.execute(kept, [kind.value]).fetchall()
    return raw_from_ms, quarter_hour_from_ms


def _codes(devices: Sequence[str], session: Session) -> NDArray[np.int32]:
    codes = session.catalogue.codes
    return np.array([codes[device] for device in dict.fromkeys(devices) if device in codes], np.int32)


def _readings(kind: Kind, names: Sequence[str], answer: dict[str, Any] | None) -> Readings:
    if answer is None:
        empty = {name: np.empty(0) for name in names}
        return Readings(kind, (), np.empty(0, np.int64), empty, np.empty(0, np.uint8))
    rows = len(answer["id"])
    unread = np.full(rows, np.nan)
    return Readings(
        kind=kind,
        device=answer["id"].tolist(),
        time_ms=answer["time_ms"],
        values={name: _floats(answer[name]) if name in answer else unread for name in names},
        quality=np.asarray(answer["quality"], np.uint8),
    )


def _floats(column: Any) -> Floats:
    filled: Floats = np.ma.filled(column.astype(np.float64), np.nan)
    return filled
