"""Queries of notices on their way."""

import msgspec
from sqlalchemy import Connection, delete, desc, select

from lamplighter_controller.ledger.tables import storable
from lamplighter_controller.maintenance.notices.notice import MOST_TRIES, Letter
from lamplighter_controller.maintenance.notices.store import letter_table


def known(connection: Connection, notices: list[str]) -> set[tuple[str, str]]:
    """(channel, notice) of those that were put on their way before."""
    table = letter_table
    query = select(table.c.channel, table.c.notice).where(table.c.notice.in_(notices))
    return {(row.channel, row.notice) for row in connection.execute(query)}


def put(connection: Connection, letter: Letter) -> None:
    """A new one, or one that was tried."""
    table = letter_table
    connection.execute(delete(table).where(table.c.channel == letter.channel, table.c.notice == letter.notice.id))
    names = {"channel": letter.channel, "notice": letter.notice.id, "order": letter.notice.order}
    times = {"due_ms": letter.due_ms, "tries": letter.tries, "sent_ms": letter.sent_ms}
    body = storable(msgspec.json.encode(letter).decode())
    connection.execute(table.insert().values(**names, **times, body=body))


def due(connection: Connection, wall_ms: int, limit: int) -> list[Letter]:
    """What is to be sent now, the longest due first."""
    table = letter_table
    query = (
        select(table.c.body)
        .where(table.c.sent_ms == 0, table.c.due_ms <= wall_ms, table.c.tries < MOST_TRIES)
        .order_by(table.c.due_ms)
        .limit(limit)
    )
    return [msgspec.json.decode(row.body, type=Letter) for row in connection.execute(query)]


def some(connection: Connection, order: str | None, limit: int) -> list[Letter]:
    """The newest first, of one order or all."""
    table = letter_table
    query = select(table.c.body).order_by(desc(table.c.due_ms)).limit(limit)
    if order is not None:
        query = query.where(table.c.order == order)
    return [msgspec.json.decode(row.body, type=Letter) for row in connection.execute(query)]
