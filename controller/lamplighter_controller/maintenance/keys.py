"""Each action once, however often a phone repeats it: the caller's key, kept with what came of it."""

import hashlib
from collections.abc import Mapping
from typing import Any, Final

import msgspec
from sqlalchemy import Connection, delete, select

from lamplighter_controller.ledger.tables import storable
from lamplighter_controller.maintenance.refused import Refused
from lamplighter_controller.maintenance.store import key_table

KEPT_MS: Final = 90 * 24 * 3_600_000
MOST_KEY: Final = 128


def content_of(what: str, content: Mapping[str, Any]) -> str:
    """What two requests under one key must have in common."""
    return hashlib.sha256(msgspec.json.encode((what, dict(content)), order="deterministic")).hexdigest()


def answered(connection: Connection, who: str, key: str | None, content: str) -> str | Refused | None:
    """What came of the same request before; None when there was none, or it carries no key."""
    if key is None:
        return None
    table = key_table
    here = (table.c.who == storable(who)) & (table.c.key == storable(key))
    row = connection.execute(select(table.c.content, table.c.answer).where(here)).first()
    if row is None:
        return None
    if row.content != content:
        detail = "this key was used for another request"
        return Refused("header.Idempotency-Key", "another-request", detail, conflict=True)
    return str(row.answer)


def remember(connection: Connection, who: str, key: str | None, content: str, answer: str, wall_ms: int) -> None:
    """Keep what came of a request, in the transaction of what it changed."""
    if key is not None:
        values = {"who": storable(who), "key": storable(key), "content": content, "answer": answer, "wall_ms": wall_ms}
        connection.execute(key_table.insert().values(**values))


def forget(connection: Connection, wall_ms: int) -> int:
    """Drop keys that no phone will use again; how many."""
    return connection.execute(delete(key_table).where(key_table.c.wall_ms < wall_ms - KEPT_MS)).rowcount
