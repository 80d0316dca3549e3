"""Summaries and retirement: what is due is a table, so that every step can be repeated and none is forgotten.

A summary is replaced only by one of at least as many readings: what arrives after the readings of its window have been
retired fills windows that have no summary and never spoils one.
"""

# ruff: noqa: S608 - statements are put together from enumerations, checked quantity names and numbers only

from collections.abc import Callable, Sequence
from typing import Final

from lamplighter_contract.quantities import Kind
from lamplighter_controller.series.duck.session import Session
from lamplighter_controller.series.duck.tables import STEP_TABLES, quoted
from lamplighter_controller.series.port import Aggregate
from lamplighter_controller.series.rollup import DAY_MS, QUARTER_HOUR_MS, Horizons, settled_ms, summary

# Small steps: writes wait for the one under way, and its groups (device x window x 5 per quantity) are held in memory.
QUARTER_HOURS_AT_ONCE: Final = 4
DAYS_AT_ONCE: Final = 1


def collect(kind: Kind, now_ms: int, session: Session) -> None:
    """Make the quarter hours due that have settled since the last time."""
    until_ms = settled_ms(now_ms)
    since_ms = session.catalogue.rolled_ms[kind]
    if until_ms <= since_ms:
        return
    with session.transaction():
        session.connection.execute(
            f"INSERT INTO due SELECT DISTINCT '{kind}', {QUARTER_HOUR_MS}, time_ms - time_ms % {QUARTER_HOUR_MS} "
            f"FROM {kind} WHERE time_ms >= {since_ms} AND time_ms < {until_ms}"
        )
        session.connection.execute(f"UPDATE progress SET rolled_ms = {until_ms} WHERE kind = '{kind}'")
    session.catalogue.rolled_ms[kind] = until_ms


def roll_quarter_hours(kind: Kind, session: Session) -> list[int]:
    """Summarise some of the due quarter hours from readings, make their days due; which these were."""
    starts = _due(kind, QUARTER_HOUR_MS, QUARTER_HOURS_AT_ONCE, session)
    if not starts:
        return []
    source = (
        f"SELECT code, time_ms - time_ms % {QUARTER_HOUR_MS} AS start_ms, count(*) AS readings"
        f"{_each(kind, _of_readings, session)} FROM {kind} WHERE {_within('time_ms', QUARTER_HOUR_MS, starts)} "
        "GROUP BY ALL"
    )
    days = sorted({start_ms - start_ms % DAY_MS for start_ms in starts})
    with session.transaction():
        _replace(kind, QUARTER_HOUR_MS, starts, source, session)
        for day_ms in days:
            session.connection.execute("INSERT INTO due VALUES (?, ?, ?)", [kind.value, DAY_MS, day_ms])
    return starts


def roll_days(kind: Kind, session: Session) -> list[int]:
    """Summarise some of the due days that are over from their quarter hours; which these were."""
    over_ms = session.catalogue.rolled_ms[kind] - DAY_MS
    starts = [start_ms for start_ms in _due(kind, DAY_MS, DAYS_AT_ONCE, session) if start_ms <= over_ms]
    if not starts:
        return []
    source = (
        f"SELECT code, start_ms - start_ms % {DAY_MS} AS start_ms, sum(readings)::BIGINT AS readings"
        f"{_each(kind, _of_quarter_hours, session)} FROM {kind}_{STEP_TABLES[QUARTER_HOUR_MS]} "
        f"WHERE {_within('start_ms', DAY_MS, starts)} GROUP BY ALL"
    )
    with session.transaction():
        _replace(kind, DAY_MS, starts, source, session)
    return starts


def retire(kind: Kind, limits: Horizons, just_rolled: Sequence[int], session: Session) -> None:
    """Delete what is older than its retention, is summarised, and did not arrive late since the last time."""
    kept = [start_ms for start_ms in just_rolled if start_ms < limits.raw_ms]
    quarter_hours, days = (f"{kind}_{STEP_TABLES[step_ms]}" for step_ms in (QUARTER_HOUR_MS, DAY_MS))
    with session.transaction():
        session.connection.execute(
            f"DELETE FROM {kind} WHERE time_ms < {limits.raw_ms} "
            f"AND NOT ({_starts('time_ms', QUARTER_HOUR_MS, kept)}) AND {_not_due(kind, 'time_ms', QUARTER_HOUR_MS)}"
        )
        session.connection.execute(
            f"DELETE FROM {quarter_hours} WHERE start_ms < {limits.quarter_hour_ms} "
            f"AND {_not_due(kind, 'start_ms', DAY_MS)}"
        )
        session.connection.execute(f"DELETE FROM {days} WHERE start_ms < {limits.day_ms}")
        session.connection.execute(
            f"UPDATE progress SET raw_from_ms = greatest(raw_from_ms, {limits.raw_ms}), "
            f"quarter_hour_from_ms = greatest(quarter_hour_from_ms, {limits.quarter_hour_ms}) WHERE kind = '{kind}'"
        )


def _due(kind: Kind, step_ms: int, limit: int, session: Session) -> list[int]:
    wanted = "SELECT DISTINCT start_ms FROM due WHERE kind = ? AND step_ms = ? ORDER BY start_ms LIMIT ?"
    return session.numbers(wanted, kind.value, step_ms, limit)


def _replace(kind: Kind, step_ms: int, starts: Sequence[int], source: str, session: Session) -> None:
    table = f"{kind}_{STEP_TABLES[step_ms]}"
    among = f"{table}.start_ms BETWEEN {min(starts)} AND {max(starts)}"
    session.connection.execute(f"CREATE OR REPLACE TEMP TABLE fresh AS {source}")
    session.connection.execute(
        f"DELETE FROM {table} USING fresh WHERE {among} AND {table}.code = fresh.code "
        f"AND {table}.start_ms = fresh.start_ms AND fresh.readings >= {table}.readings"
    )
    session.connection.execute(
        f"INSERT INTO {table} BY NAME SELECT * FROM fresh "
        f"ANTI JOIN (SELECT code, start_ms FROM {table} WHERE {among}) AS kept USING (code, start_ms)"
    )
    session.connection.execute("DROP TABLE fresh")
    session.connection.execute(
        f"DELETE FROM due WHERE kind = '{kind}' AND step_ms = {step_ms} AND start_ms IN ({_numbers(starts)})"
    )


def _each(kind: Kind, columns: Callable[[str], str], session: Session) -> str:
    return "".join(columns(name) for name in session.catalogue.columns[kind])


def _of_readings(name: str) -> str:
    value = quoted(name)
    return _columns(
        name,
        mean=f"avg({value})",
        low=f"min({value})",
        high=f"max({value})",
        newest=f"arg_max({value}, time_ms)",
        count=f"count({value})",
    )


def _of_quarter_hours(name: str) -> str:
    mean, low, high, newest, count = (quoted(summary(name, statistic)) for statistic in Aggregate)
    return _columns(
        name,
        mean=f"sum({mean} * {count}) / sum({count}) FILTER ({count} > 0)",
        low=f"min({low})",
        high=f"max({high})",
        newest=f"arg_max({newest}, start_ms)",
        count=f"sum({count})",
    )


def _columns(name: str, *, mean: str, low: str, high: str, newest: str, count: str) -> str:
    terms = zip((mean, low, high, newest, count), Aggregate, strict=True)
    return "".join(f", {term} AS {quoted(summary(name, statistic))}" for term, statistic in terms)


def _within(column: str, step_ms: int, starts: Sequence[int]) -> str:
    bounds = f"{column} >= {min(starts)} AND {column} < {max(starts) + step_ms}"
    return f"{bounds} AND {_starts(column, step_ms, starts)}"


def _starts(column: str, step_ms: int, starts: Sequence[int]) -> str:
    return f"({column} - {column} % {step_ms}) IN ({_numbers(starts)})" if starts else "false"


def _not_due(kind: Kind, column: str, step_ms: int) -> str:
    due = f"SELECT start_ms FROM due WHERE kind = '{kind}' AND step_ms = {step_ms}"
    return f"({column} - {column} % {step_ms}) NOT IN ({due})"


def _numbers(values: Sequence[int]) -> str:
    return ", ".join(map(str, values))
