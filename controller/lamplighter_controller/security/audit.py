"""The audit trail: who did what to what, why, and with which result.

Rows are only added, in the transaction of the change they tell of, and each carries the SHA-256 of the row before it
and of itself: whatever is edited, removed or put in between afterwards shows in `verify`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec
from sqlalchemy import Connection, Select, desc, select, update

from lamplighter_controller.ledger.tables import storable
from lamplighter_controller.security.chain import COLUMNS, Row, Tampered, Walk, row_sha256
from lamplighter_controller.security.store import audit, audit_head

READ_AT_ONCE: Final = 10_000
MOST_ROWS: Final = 2**53


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that was done; `time_ms` in real epoch ms."""

    who: str
    action: str
    subject: str
    reason: str
    result: str
    time_ms: int
    detail: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Recorded:
    """An entry as it stands in the trail."""

    number: int
    entry: Entry


@dataclass(frozen=True, slots=True)
class Head:
    """The end of the trail: the number and digest of its last row."""

    number: int
    row_sha256: str


def record(
    connection: Connection,
    *,
    who: str,
    action: str,
    subject: str,
    reason: str,
    result: str,
    time_ms: int,
    detail: Mapping[str, Any] | None = None,
) -> None:
    """Add one entry, in the transaction of the change itself."""
    record_all(connection, [Entry(who, action, subject, reason, result, time_ms, detail or {})])


def record_all(connection: Connection, entries: Sequence[Entry]) -> None:
    """Add entries in order; the head's row lock keeps writers of several processes in line."""
    if not entries:
        return
    head = connection.execute(select(audit_head).where(audit_head.c.id == 1).with_for_update()).one()
    rows: list[dict[str, Any]] = []
    previous = head.row_sha256
    for number, entry in enumerate(entries, start=head.number + 1):
        row = _row(number, entry, previous)
        previous = row["row_sha256"]
        rows.append(row)
    connection.execute(audit.insert(), rows)
    connection.execute(update(audit_head).values(number=rows[-1]["number"], row_sha256=previous))


def last_row(connection: Connection) -> dict[str, Any]:
    """The newest row as it was hashed, with its own digest, for whoever has to prove that it stands in the trail."""
    row = connection.execute(select(audit).order_by(desc(audit.c.number)).limit(1)).one()
    return {name: getattr(row, name) for name in COLUMNS}


def head(connection: Connection) -> Head:
    """Where the trail ends now."""
    row = connection.execute(select(audit_head).where(audit_head.c.id == 1)).one()
    return Head(row.number, row.row_sha256)


def rows_after(connection: Connection, number: int, until: int, most: int = READ_AT_ONCE) -> list[Row]:
    """The next rows as they were hashed, up to and with the one numbered `until`."""
    columns = [audit.c[name] for name in COLUMNS]
    query = select(*columns).where(audit.c.number > number, audit.c.number <= until)
    return [tuple(row) for row in connection.execute(query.order_by(audit.c.number).limit(most))]


def go_on(connection: Connection, walk: Walk, until: int) -> Tampered | None:
    """Walk over the next rows of the trail; the walk stays where it is when there are no more."""
    return walk.over(rows_after(connection, walk.number, until))


def verify(connection: Connection) -> Tampered | None:
    """None when the trail is whole from its first row to its last."""
    end, walk, reached = head(connection), Walk(), -1
    while reached < walk.number:
        reached = walk.number
        tampered = go_on(connection, walk, MOST_ROWS)
        if tampered is not None:
            return tampered
    return walk.at_end(end.number, end.row_sha256)


def newest(
    connection: Connection, *, subject: str | None = None, before: int | None = None, limit: int = 100
) -> list[Recorded]:
    """The newest entries first, of one subject or all, below a number when given."""
    query: Select[Any] = select(audit).order_by(desc(audit.c.number)).limit(limit)
    if subject is not None:
        query = query.where(audit.c.subject == subject)
    if before is not None:
        query = query.where(audit.c.number < before)
    return [_recorded(row) for row in connection.execute(query)]


def _row(number: int, entry: Entry, previous: str) -> dict[str, Any]:
    row: dict[str, Any] = {
        "number": number,
        "time_ms": entry.time_ms,
        "who": storable(entry.who),
        "action": entry.action,
        "subject": storable(entry.subject),
        "reason": storable(entry.reason),
        "result": storable(entry.result),
        "detail": msgspec.json.encode(entry.detail).decode(),
        "previous_sha256": previous,
    }
    return row | {"row_sha256": row_sha256(row)}


def _recorded(row: Any) -> Recorded:
    detail = msgspec.json.decode(row.detail)
    return Recorded(row.number, Entry(row.who, row.action, row.subject, row.reason, row.result, row.time_ms, detail))
