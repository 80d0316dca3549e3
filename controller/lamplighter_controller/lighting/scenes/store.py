"""Showings: when a scene plays, with the copy of it that plays."""

from dataclasses import dataclass, replace
from typing import Any, Final

import msgspec
from sqlalchemy import BigInteger, Boolean, Column, Connection, Row, String, Table, Text, desc, select, update

from lamplighter_controller.ledger.tables import metadata, storable
from lamplighter_controller.lighting.scenes.scene import Scene

NAME: Final = String(64)
WAITS_MS: Final = 15 * 60_000  # real


@dataclass(frozen=True, slots=True)
class Showing:
    """A scene from a start to an end (civil epoch ms), who wanted it and why; `stopped_ms` when ended before.

    `grave`: why it needs a second person, and `approvals` who that was. One that is to begin `at_once` begins when it
    is approved, within `WAITS_MS` of being asked for; any other waits until its start.
    """

    id: str
    scene: Scene
    starts_ms: int
    ends_ms: int
    who: str
    reason: str
    created_ms: int
    stopped_ms: int | None = None
    grave: tuple[str, ...] = ()
    approvals: tuple[str, ...] = ()
    at_once: bool = False

    @property
    def waits(self) -> bool:
        """True while a second person has yet to approve it."""
        return bool(self.grave) and not self.approvals

    def is_ahead(self, now_ms: int) -> bool:
        """True until its end, unless it was stopped."""
        return self.stopped_ms is None and now_ms < self.ends_ms

    def is_late(self, civil_ms: int, wall_ms: int) -> bool:
        """True when it waits and can no longer be approved."""
        over = wall_ms >= self.created_ms + WAITS_MS if self.at_once else civil_ms >= self.starts_ms
        return self.waits and over


showing_table: Final = Table(
    "lighting_showing",
    metadata,
    Column("id", NAME, primary_key=True),
    Column("scene", NAME, nullable=False),
    *(Column(name, Text, nullable=False) for name in ("body", "who", "reason")),
    *(Column(name, BigInteger, nullable=False) for name in ("starts_ms", "ends_ms", "created_ms")),
    Column("stopped_ms", BigInteger),
    *(Column(name, Text, nullable=False) for name in ("grave", "approvals")),
    Column("at_once", Boolean, nullable=False),
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
            grave=_json(showing.grave),
            approvals=_json(showing.approvals),
            at_once=showing.at_once,
        )
    )


def approve(connection: Connection, showing: Showing) -> None:
    """Keep who has approved a showing, and when it therefore plays."""
    values = {"approvals": _json(showing.approvals), "starts_ms": showing.starts_ms, "ends_ms": showing.ends_ms}
    connection.execute(update(showing_table).where(showing_table.c.id == showing.id).values(values))


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
    """Those that play or are to play; not those that wait for a second person."""
    table = showing_table
    query = select(table).where(table.c.stopped_ms.is_(None), table.c.ends_ms > now_ms).order_by(table.c.id)
    return [one for row in connection.execute(query) if not (one := _showing(row)).waits]


def between(connection: Connection, start_ms: int, end_ms: int) -> list[Showing]:
    """Those that played between two civil times, the first to start first; one that was stopped ends there."""
    table = showing_table
    query = select(table).where(table.c.starts_ms < end_ms, table.c.ends_ms > start_ms).order_by(table.c.starts_ms)
    found = [_showing(row) for row in connection.execute(query)]
    return [replace(one, ends_ms=min(one.ends_ms, one.stopped_ms or one.ends_ms)) for one in found if not one.waits]


def _json(names: tuple[str, ...]) -> str:
    return msgspec.json.encode([storable(name) for name in names]).decode()


def _showing(row: Row[Any]) -> Showing:
    names = tuple[str, ...]
    return Showing(
        row.id,
        msgspec.json.decode(row.body, type=Scene),
        row.starts_ms,
        row.ends_ms,
        row.who,
        row.reason,
        row.created_ms,
        row.stopped_ms,
        msgspec.json.decode(row.grave, type=names),
        msgspec.json.decode(row.approvals, type=names),
        row.at_once,
    )
