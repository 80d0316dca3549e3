"""What figures of companies are made from."""

from sqlalchemy import Connection, or_, select

from lamplighter_controller.fleet.figures.companies import Figures, Over, figures
from lamplighter_controller.fleet.limits.limit import Limit, LimitState, What
from lamplighter_controller.fleet.register import records as register
from lamplighter_controller.fleet.register.things import Truck
from lamplighter_controller.fleet.store import limit_table
from lamplighter_controller.fleet.trips import records as trips
from lamplighter_controller.fleet.violations import records as violations
from lamplighter_controller.fleet.violations.records import Wanted
from lamplighter_controller.fleet.waybills import records as waybills

MOST = 1_000_000


def of_companies(connection: Connection, over: Over, first: str, last: str) -> list[Figures]:
    """Figures of every company; `first` and `last` are the local days that the time touches."""
    found, _ = violations.some(connection, Wanted(start_ms=over.start_ms, end_ms=over.end_ms), 0, MOST)
    return figures(
        register.every(connection, "trucks", Truck),
        trips.days(connection, first, last),
        [one for one in found if one.first_ms >= over.start_ms],
        _limits(connection, over),
        waybills.closure(connection, over.start_ms, over.end_ms),
        over,
    )


def _limits(connection: Connection, over: Over) -> list[Limit]:
    table = limit_table
    since_ms = over.start_ms - over.offset_ms
    where = table.c.effective_ms.is_not(None) & or_(table.c.ended_ms.is_(None), table.c.ended_ms >= since_ms)
    return [
        Limit(**{**row._asdict(), "what": What(row.what), "state": LimitState(row.state)})
        for row in connection.execute(select(table).where(where))
    ]
