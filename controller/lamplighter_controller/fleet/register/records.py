"""Queries of the register: what stands now, every version it ever had, what a new thing may refer to."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeVar

import msgspec
from sqlalchemy import Connection, func, select, update

from lamplighter_controller.fleet.register.things import ONCE, SHELVES, Known, Thing
from lamplighter_controller.fleet.store import past_table, register_table
from lamplighter_controller.ledger.tables import storable

T = TypeVar("T", bound=msgspec.Struct)
AT_ONCE: Final = 500


@dataclass(frozen=True, slots=True)
class Kept:
    """A thing with its version, and who changed it when (real epoch ms)."""

    thing: Any
    version: int
    changed_ms: int
    changed_by: str


def put(
    connection: Connection, shelf: str, things: Iterable[msgspec.Struct], *, who: str, time_ms: int
) -> tuple[int, int]:
    """Add or replace things, each rising by one version; how many were added and how many replaced."""
    versions = {row.id: row.version for row in connection.execute(_named(shelf))}
    rows = [
        {
            "shelf": shelf,
            "id": (name := str(getattr(thing, "id"))),  # noqa: B009 - every thing has one, Struct does not say so
            "version": versions.get(name, 0) + 1,
            "body": storable(msgspec.json.encode(thing, order="deterministic").decode()),
            "changed_ms": time_ms,
            "changed_by": storable(who),
        }
        for thing in things
    ]
    fresh = [row for row in rows if row["id"] not in versions]
    for start in range(0, len(fresh), AT_ONCE):
        connection.execute(register_table.insert(), fresh[start : start + AT_ONCE])
    for row in rows:
        if row["id"] in versions:
            here = (register_table.c.shelf == shelf) & (register_table.c.id == row["id"])
            connection.execute(update(register_table).where(here).values(**row))
    for start in range(0, len(rows), AT_ONCE):
        connection.execute(past_table.insert(), rows[start : start + AT_ONCE])
    return len(fresh), len(rows) - len(fresh)


def find(connection: Connection, shelf: str, name: str, kind: type[T]) -> T | None:
    """One thing as it stands now."""
    table = register_table
    body = connection.scalar(select(table.c.body).where((table.c.shelf == shelf) & (table.c.id == name)))
    return None if body is None else msgspec.json.decode(body, type=kind)


def kept(connection: Connection, shelf: str, name: str, kind: type[Any], version: int | None = None) -> Kept | None:
    """One thing with its version: the one asked for, or as it stands now."""
    table = register_table if version is None else past_table
    where = (table.c.shelf == shelf) & (table.c.id == name)
    row = connection.execute(
        select(table).where(where if version is None else where & (table.c.version == version))
    ).first()
    if row is None:
        return None
    return Kept(msgspec.json.decode(row.body, type=kind), row.version, row.changed_ms, row.changed_by)


def every(connection: Connection, shelf: str, kind: type[T]) -> dict[str, T]:
    """All things of a shelf by id."""
    query = select(register_table.c.id, register_table.c.body).where(register_table.c.shelf == shelf)
    decode = msgspec.json.Decoder(kind).decode
    return {row.id: decode(row.body) for row in connection.execute(query.order_by(register_table.c.id))}


def versions(connection: Connection, shelf: str) -> dict[str, int]:
    """The version each thing of a shelf has now."""
    return {row.id: row.version for row in connection.execute(_named(shelf))}


def some(connection: Connection, shelf: str, kind: type[Any], offset: int, limit: int) -> tuple[Sequence[Kept], int]:
    """A page of a shelf by id, and how many there are."""
    table = register_table
    query = select(table).where(table.c.shelf == shelf).order_by(table.c.id).offset(offset).limit(limit)
    total = connection.scalar(select(func.count()).select_from(table).where(table.c.shelf == shelf)) or 0
    decode = msgspec.json.Decoder(kind).decode
    found = [Kept(decode(row.body), row.version, row.changed_ms, row.changed_by) for row in connection.execute(query)]
    return found, total


def known_to(connection: Connection, kind: type[Thing]) -> Known:
    """What a thing of that kind may refer to, and what it may not hold because another does."""
    rows = connection.execute(select(register_table.c.shelf, register_table.c.id)).all()
    ids = {shelf: frozenset(row.id for row in rows if row.shelf == shelf) for shelf in SHELVES}
    holders: dict[tuple[str, str], str] = {}
    if kind in ONCE:
        shelf = next(name for name, its in SHELVES.items() if its is kind)
        for thing in every(connection, shelf, kind).values():
            for name in ONCE[kind]:
                value = getattr(thing, name)
                if value:
                    holders[name, value] = thing.id
    return Known(ids, holders)


def _named(shelf: str) -> Any:
    return select(register_table.c.id, register_table.c.version).where(register_table.c.shelf == shelf)
