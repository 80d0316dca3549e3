"""What figures are worked out from, as the ledger has it."""

from datetime import date

from sqlalchemy import Connection, func, select

from lamplighter_controller.lighting.proof.light.tally import By as LitBy
from lamplighter_controller.lighting.proof.store import tally_table
from lamplighter_controller.maintenance.figures.columns import TIMES, WORDS, By, Orders, from_rows
from lamplighter_controller.maintenance.figures.definitions import RECURS_MS
from lamplighter_controller.maintenance.figures.figuring import Figure, lit_figure
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


def lit_rates(connection: Connection, by: By, first: date, last: date) -> list[Figure]:
    """The lit rate of every month that has nights from `first` to `last`, by the city or by road."""
    if by not in LIT_BY:
        return []
    table = tally_table.c
    month = func.substr(table.night, 1, 7)
    sums = [func.sum(table[name]) for name in ("lit_ms", "dark_ms", "own_ms", "patrol_ms", "meter_ms", "unknown_ms")]
    query = (
        select(month, table.key, *sums)
        .where(table.grouped == LIT_BY[by].value, table.night >= first.isoformat(), table.night <= last.isoformat())
        .group_by(month, table.key)
        .order_by(month, table.key)
    )
    found = []
    for name, key, lit_ms, dark_ms, own_ms, patrol_ms, meter_ms, unknown_ms in connection.execute(query):
        coverage = {"own-power": own_ms, "patrol": patrol_ms, "cabinet-meter": meter_ms, "none": unknown_ms}
        found.append(lit_figure(by.value, "" if by is By.ALL else key, name, lit_ms, dark_ms, coverage))
    return found
