"""Queries of trips, and of the days on which trucks were heard."""

from collections.abc import Collection, Iterable, Sequence
from typing import Any

from sqlalchemy import Connection, desc, select, update

from lamplighter_controller.fleet.store import day_table, trip_table
from lamplighter_controller.fleet.trips.follow import Day, Trip


def put_trip(connection: Connection, trip: Trip) -> None:
    """Add or replace a trip."""
    here = (trip_table.c.truck == trip.truck) & (trip_table.c.loaded_ms == trip.loaded_ms)
    values = {name: getattr(trip, name) for name in Trip.__slots__}
    if not connection.execute(update(trip_table).where(here).values(**values)).rowcount:
        connection.execute(trip_table.insert().values(**values))


def open_trips(connection: Connection) -> list[Trip]:
    """The trip each truck is on, the latest where there are several."""
    table = trip_table
    rows = connection.execute(select(table).where(table.c.unloaded_ms.is_(None)).order_by(table.c.loaded_ms))
    return list({row.truck: Trip(**row._asdict()) for row in rows}.values())


def trips(
    connection: Connection,
    truck: str | None,
    start_ms: int,
    end_ms: int,
    limit: int,
    trucks: Collection[str] | None = None,
) -> list[Trip]:
    """Trips that were loaded in a time, the newest first; of some trucks only when these are given."""
    table = trip_table
    where = (table.c.loaded_ms >= start_ms) & (table.c.loaded_ms < end_ms)
    if truck is not None:
        where &= table.c.truck == truck
    if trucks is not None:
        where &= table.c.truck.in_(trucks)
    rows = connection.execute(select(table).where(where).order_by(desc(table.c.loaded_ms)).limit(limit))
    return [Trip(**row._asdict()) for row in rows]


def put_days(connection: Connection, days: Iterable[Day]) -> None:
    """Add what was heard since the last time."""
    table = day_table
    for one in days:
        here = (table.c.truck == one.truck) & (table.c.day == one.day)
        values: dict[str, Any] = {"last_ms": one.last_ms, "reports": table.c.reports + one.reports}
        if not connection.execute(update(table).where(here).values(**values)).rowcount:
            connection.execute(table.insert().values(**{name: getattr(one, name) for name in Day.__slots__}))


def days(connection: Connection, first: str, last: str) -> Sequence[Day]:
    """Days on which trucks were heard, both ends included."""
    rows = connection.execute(select(day_table).where((day_table.c.day >= first) & (day_table.c.day <= last)))
    return [Day(**row._asdict()) for row in rows]
