"""Showings: when a scene plays, with the copy of it that plays."""

from dataclasses import dataclass
from typing import Any, Final

import msgspec
from sqlalchemy import BigInteger, Column, Connection, Row, String, Table, Text, desc, select, update

from lamplighter_controller.ledger.tables import metadata, storable
from lamplighter_controller.lighting.scenes.scene import Scene

NAME: Final = String(64)


@dataclass(frozen=True, slots=True)
class Showing:
    """A scene from a start to an end (civil epoch ms), who wanted it and why; `stopped_ms` when ended before."""

    id: str
    scene: Scene
    starts_ms: int
    ends_ms: int
    who: str
    reason: str
    created_ms: int
    stopped_ms: int | None = None

    def is_ahead(self, now_ms: int) -> bool:
        """True until its end, unless it was stopped."""
        return self.stopped_ms is None and now_ms < self.ends_ms


showing_table: Final = Table(
    "lighting_showing",
    metadata,
    Column("id", NAME, primary_key=True),
    Column("scene", NAME, nullable=False),
    *(Column(name, Text, nullable=False) for name in ("body", "who", "reason")),
    *(Column(name, BigInteger, nullable=False) for name in ("starts_ms", "ends_ms", "created_ms")),
    Column("stopped_ms", BigInteger),
)


def add(connection: Connection, showing: Showing) -> None:
    """Store a showing."""
    connection.execute(
        showing_table.insert().values(
            id=showing.id,
            scene=showing.scene.id,
            body=msgspec.json.encode(showing.scene).decode(),
            who=storable(showing.who),
            reason=storable(showing.reason),
            starts_ms=showing.starts_ms,
            ends_ms=showing.ends_ms,
            created_ms=showing.created_ms,
        )
    )


def stop(connection: Connection, name: str, now_ms: int) -> None:
    """End a showing now (civil)."""
    connection.execute(update(showing_table).where(showing_table.c.id == name).values(stopped_ms=now_ms))


def find(connection: Connection, name: str) -> Showing | None:
    """One showing."""
    row = connection.execute(select(showing_table).where(showing_table.c.id == name)).first()
    return _showing(row) if row else None


def newest(connection: Connection, limit: int) -> list[Showing]:
    """The newest first."""
    rows = connection.execute(select(showing_table).order_by(desc(showing_table.c.id)).limit(limit))
    return [_showing(row) for row in rows]


def ahead(connection: Connection, now_ms: int) -> list[Showing]:
    """Those that play or are to play."""
    table = showing_table
    query = select(table).where(table.c.stopped_ms.is_(None), table.c.ends_ms > now_ms).order_by(table.c.id)
    return [_showing(row) for row in connection.execute(query)]


def _showing(row: Row[Any]) -> Showing:
    scene = msgspec.json.decode(row.body, type=Scene)
    return Showing(row.id, scene, row.starts_ms, row.ends_ms, row.who, row.reason, row.created_ms, row.stopped_ms)
