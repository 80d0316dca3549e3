"""Queries of parts, of what moved in and out of the store, and of what was put in where."""

from collections.abc import Mapping
from typing import Any, Final

import msgspec
from sqlalchemy import ColumnElement, Connection, and_, delete, desc, func, select, true, update

from lamplighter_controller.ledger.tables import storable
from lamplighter_controller.maintenance.parts.part import Fitted, Move, Part
from lamplighter_controller.maintenance.store import fitted_table, move_table, part_table

MOST: Final = 1_000


def put_part(connection: Connection, part: Part) -> None:
    """Add or replace a kind of part."""
    connection.execute(delete(part_table).where(part_table.c.id == part.id))
    connection.execute(part_table.insert().values(id=part.id, body=storable(msgspec.json.encode(part).decode())))


def parts(connection: Connection) -> dict[str, Part]:
    """All kinds of part, by id."""
    query = select(part_table.c.body).order_by(part_table.c.id)
    found = [msgspec.json.decode(row.body, type=Part) for row in connection.execute(query)]
    return {one.id: one for one in found}


def add_move(connection: Connection, move: Move) -> None:
    """Something came in or went out."""
    values = {name: _plain(value) for name, value in msgspec.structs.asdict(move).items()}
    connection.execute(move_table.insert().values(**values))


def stock(connection: Connection) -> Mapping[tuple[str, str], float]:
    """What is in store by part and batch, leaving out what is used up."""
    table = move_table
    total = func.sum(table.c.quantity)
    rows = connection.execute(select(table.c.part, table.c.batch, total).group_by(table.c.part, table.c.batch))
    return {(part, batch): round(quantity, 6) for part, batch, quantity in rows if abs(quantity) > 1e-9}


def moves(connection: Connection, part: str | None, limit: int) -> list[Move]:
    """The newest first."""
    table = move_table
    query = select(*(table.c[name] for name in Move.__struct_fields__)).order_by(desc(table.c.number)).limit(limit)
    if part is not None:
        query = query.where(table.c.part == part)
    return [Move(*row) for row in connection.execute(query)]


def add_fitted(connection: Connection, fitted: Fitted, told_ms: int) -> None:
    """A row of the history; `told_ms` 0: the other rooms are still to be told."""
    values = {name: _plain(value) for name, value in msgspec.structs.asdict(fitted).items()}
    connection.execute(fitted_table.insert().values(**values, told_ms=told_ms))


def untold(connection: Connection) -> list[tuple[int, Fitted]]:
    """What other rooms have not been told of, with its number."""
    table = fitted_table
    query = select(table.c.number, *_columns()).where(table.c.told_ms == 0).order_by(table.c.number)
    return [(row[0], Fitted(*row[1:])) for row in connection.execute(query)]


def told(connection: Connection, number: int, time_ms: int) -> None:
    """The other rooms know of it."""
    connection.execute(update(fitted_table).where(fitted_table.c.number == number).values(told_ms=time_ms))


def history(
    connection: Connection,
    *,
    element: str | None = None,
    pole: str | None = None,
    batch: str | None = None,
    order: str | None = None,
) -> list[Fitted]:
    """What was put in, the newest first."""
    table = fitted_table
    named = {"element": element, "pole": pole, "batch": batch, "order": order}
    here: list[ColumnElement[bool]] = [table.c[name] == value for name, value in named.items() if value is not None]
    query = select(*_columns()).where(and_(true(), *here)).order_by(desc(table.c.number)).limit(MOST)
    return [Fitted(*row) for row in connection.execute(query)]


def _columns() -> list[Any]:
    return [fitted_table.c[name] for name in Fitted.__struct_fields__]


def _plain(value: Any) -> Any:
    return storable(value) if isinstance(value, str) else value
