"""What figures are worked out from, as the ledger has it."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta

from sqlalchemy import Connection, func, select

from lamplighter_controller.lighting.proof.light.tally import By as LitBy
from lamplighter_controller.lighting.proof.store import tally_table
from lamplighter_controller.maintenance.figures.columns import TIMES, WORDS, By, Orders, from_rows
from lamplighter_controller.maintenance.figures.definitions import RECURS_MS
from lamplighter_controller.maintenance.figures.figuring import Figure, lit_figure
from lamplighter_controller.maintenance.figures.report import days_of
from lamplighter_controller.maintenance.store import order_table

LIT_BY = {By.ALL: LitBy.CITY, By.ROAD: LitBy.ROAD}


def orders(connection: Connection, start_ms: int, end_ms: int) -> Orders:
    """Orders of which anything happened in a time, and those before that a recurrence is counted from."""
    columns = order_table.c
    wanted = [columns[name] for name in (*TIMES, *WORDS)]
    query = (
        select(*wanted)
        .where(columns.created_ms < end_ms)
        .where((columns.changed_ms >= start_ms - RECURS_MS) | (columns.due_ms >= start_ms))
        .order_by(columns.number)
    )
    return from_rows(connection.execute(query).fetchall())


def lit_rates(connection: Connection, groupings: Sequence[By], first: date, last: date) -> list[Figure]:
    """The lit rate of every month that has nights from `first` to `last`, of the city and by road where asked for."""
    wanted = {LIT_BY[by].value: by for by in groupings if by in LIT_BY}
    found: list[Figure] = []
    begin = first
    while begin <= last:  # month by month: grouping a whole year at once takes half as long again
        end = min(days_of(f"{begin:%Y-%m}")[1], last)
        found += _month(connection, wanted, begin, end)
        begin = end + timedelta(days=1)
    return found


def _month(connection: Connection, wanted: Mapping[str, By], first: date, last: date) -> Iterator[Figure]:
    table = tally_table.c
    sums = [func.sum(table[name]) for name in ("lit_ms", "dark_ms", "own_ms", "patrol_ms", "meter_ms", "unknown_ms")]
    query = (
        select(table.grouped, table.key, *sums)
        .where(table.grouped.in_(list(wanted)), table.night >= first.isoformat(), table.night <= last.isoformat())
        .group_by(table.grouped, table.key)
    )
    for grouped, key, lit_ms, dark_ms, own_ms, patrol_ms, meter_ms, unknown_ms in connection.execute(query):
        by = wanted[grouped]
        coverage = {"own-power": own_ms, "patrol": patrol_ms, "cabinet-meter": meter_ms, "none": unknown_ms}
        yield lit_figure(by.value, "" if by is By.ALL else key, f"{first:%Y-%m}", lit_ms, dark_ms, coverage)
