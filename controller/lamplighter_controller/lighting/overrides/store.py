"""Overrides as they were asked for."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

import msgspec
from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Connection,
    Float,
    Row,
    String,
    Table,
    Text,
    UniqueConstraint,
    desc,
    select,
    update,
)

from lamplighter_controller.ledger.tables import metadata, storable
from lamplighter_controller.lighting.overrides.target import Target

NAME: Final = String(64)
IDS_AT_ONCE: Final = 500


class AskState(StrEnum):
    """Where an override stands that was asked for; what becomes of it once it is given, its command tells.

    One that was ended before its time is listed in no plan any more: whoever missed the command is told by the plan.
    """

    PENDING = "pending"
    GIVEN = "given"
    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class Ask:
    """An override as it was asked for; `until_ms` civil, other times real. `grave`: why it needs a second person."""

    id: str
    who: str
    level_percent: float
    until_ms: int
    reason: str
    target: Target
    lamps: tuple[str, ...]
    created_ms: int
    expires_ms: int
    emergency: bool = False
    key: str | None = None
    content: str = ""
    grave: tuple[str, ...] = ()
    approvals: tuple[str, ...] = ()
    state: AskState = AskState.PENDING
    request: str | None = None


override_table: Final = Table(
    "lighting_override",
    metadata,
    Column("id", NAME, primary_key=True),
    Column("key", Text),
    *(
        Column(name, Text, nullable=False)
        for name in ("who", "content", "reason", "target", "lamps", "grave", "approvals")
    ),
    Column("level_percent", Float, nullable=False),
    Column("emergency", Boolean, nullable=False),
    Column("state", NAME, nullable=False),
    Column("request", NAME, index=True),
    Column("until_ms", BigInteger, nullable=False),
    Column("created_ms", BigInteger, nullable=False),
    Column("expires_ms", BigInteger, nullable=False),
    UniqueConstraint("who", "key"),
)


def add(connection: Connection, ask: Ask) -> None:
    """Store what was asked for."""
    connection.execute(override_table.insert().values(_values(ask)))


def save(connection: Connection, ask: Ask) -> None:
    """Store where it stands now."""
    values = {"state": ask.state, "request": ask.request, "approvals": _json(ask.approvals)}
    connection.execute(update(override_table).where(override_table.c.id == ask.id).values(values))


def find(connection: Connection, name: str) -> Ask | None:
    """One of them, by its own id or that of the request it became."""
    table = override_table
    row = connection.execute(select(table).where((table.c.id == name) | (table.c.request == name))).first()
    return _ask(row) if row else None


def by_key(connection: Connection, who: str, key: str) -> Ask | None:
    """What somebody asked for under a key."""
    table = override_table
    row = connection.execute(select(table).where(table.c.who == who, table.c.key == key)).first()
    return _ask(row) if row else None


def newest(connection: Connection, before: str | None, limit: int) -> list[Ask]:
    """The newest first, older than one of them when given."""
    query = select(override_table).order_by(desc(override_table.c.id)).limit(limit)
    if before is not None:
        query = query.where(override_table.c.id < before)
    return [_ask(row) for row in connection.execute(query)]


def pending(connection: Connection) -> list[Ask]:
    """Those that wait for a second person."""
    table = override_table
    rows = connection.execute(select(table).where(table.c.state == AskState.PENDING).order_by(table.c.id))
    return [_ask(row) for row in rows]


def ended(connection: Connection, wall_ms: int) -> frozenset[str]:
    """Requests of overrides that were ended before their time, asked for since a real time."""
    table = override_table
    query = select(table.c.request).where(table.c.state == AskState.ENDED, table.c.created_ms > wall_ms)
    return frozenset(name for name in connection.scalars(query) if name is not None)


def of_requests(connection: Connection, requests: Iterable[str]) -> dict[str, Ask]:
    """Those that became these requests, by request."""
    table, names = override_table, list(requests)
    found: dict[str, Ask] = {}
    for start in range(0, len(names), IDS_AT_ONCE):
        some = names[start : start + IDS_AT_ONCE]
        rows = connection.execute(select(table).where(table.c.request.in_(some)))
        found.update((row.request, _ask(row)) for row in rows)
    return found


def _values(ask: Ask) -> dict[str, Any]:
    return {
        "id": ask.id,
        "key": ask.key,
        "who": storable(ask.who),
        "content": ask.content,
        "reason": storable(ask.reason),
        "target": _json(ask.target),
        "lamps": _json(ask.lamps),
        "grave": _json(ask.grave),
        "approvals": _json(ask.approvals),
        "level_percent": ask.level_percent,
        "emergency": ask.emergency,
        "state": ask.state,
        "request": ask.request,
        "until_ms": ask.until_ms,
        "created_ms": ask.created_ms,
        "expires_ms": ask.expires_ms,
    }


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()


def _ask(row: Row[Any]) -> Ask:
    names = tuple[str, ...]
    return Ask(
        row.id,
        row.who,
        row.level_percent,
        row.until_ms,
        row.reason,
        msgspec.json.decode(row.target, type=Target),
        msgspec.json.decode(row.lamps, type=names),
        row.created_ms,
        row.expires_ms,
        row.emergency,
        row.key,
        row.content,
        msgspec.json.decode(row.grave, type=names),
        msgspec.json.decode(row.approvals, type=names),
        AskState(row.state),
        row.request,
    )
