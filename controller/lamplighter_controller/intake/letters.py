"""Dead letters: what could not be placed, kept durably with its reason until a person looks or space runs out."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, Row, delete, desc, func, select

from lamplighter_contract.errors import Reason
from lamplighter_controller.intake.placing import Letter
from lamplighter_controller.intake.store import count_up, counted, dead_letter, insert
from lamplighter_controller.ledger.tables import storable

MAX_LETTERS: Final = 10_000
MAX_BYTES: Final = 64 * 1_048_576
DROPPED: Final = "dead-letters-dropped"


@dataclass(frozen=True, slots=True)
class Kept:
    """A letter on the list."""

    id: int
    letter: Letter


@dataclass(frozen=True, slots=True)
class Tally:
    """How full the list is, and how many letters had to go for others."""

    letters: int
    bytes: int
    dropped: int


def keep(
    connection: Connection, letters: Sequence[Letter], *, most: int = MAX_LETTERS, most_bytes: int = MAX_BYTES
) -> int:
    """Put letters on the list, those that are there already but once; the oldest go when it is full.

    Returns how many went.
    """
    for letter in letters:
        connection.execute(insert(connection, dead_letter).values(_row(letter)).on_conflict_do_nothing())
    gone = _too_many(connection, most, most_bytes)
    if gone:
        connection.execute(delete(dead_letter).where(dead_letter.c.id <= gone[-1]))
        count_up(connection, DROPPED, len(gone))
    return len(gone)


def tally(connection: Connection) -> Tally:
    """How full the list is."""
    letters, size = connection.execute(
        select(func.count(), func.coalesce(func.sum(dead_letter.c.bytes), 0)).select_from(dead_letter)
    ).one()
    return Tally(letters, int(size), counted(connection, DROPPED))


def newest(
    connection: Connection, *, gateway: str | None = None, before: int | None = None, limit: int = 100
) -> list[Kept]:
    """The newest letters first, of one gateway or all, below an id when given."""
    query = select(dead_letter).order_by(desc(dead_letter.c.id)).limit(limit)
    if gateway is not None:
        query = query.where(dead_letter.c.gateway == gateway)
    if before is not None:
        query = query.where(dead_letter.c.id < before)
    return [_kept(row) for row in connection.execute(query)]


def by_id(connection: Connection, ids: Sequence[int]) -> list[Kept]:
    """The letters of these ids that are still there."""
    return [_kept(row) for row in connection.execute(select(dead_letter).where(dead_letter.c.id.in_(list(ids))))]


def remove(connection: Connection, ids: Sequence[int]) -> None:
    """Take letters off the list: what they held is stored, or a person has dismissed them."""
    connection.execute(delete(dead_letter).where(dead_letter.c.id.in_(list(ids))))


def _row(letter: Letter) -> dict[str, object]:
    content = b"\0".join((letter.gateway.encode(), letter.reason.encode(), letter.body))
    return {
        "digest": hashlib.sha256(content).hexdigest(),
        "gateway": letter.gateway,
        "reason": letter.reason,
        "detail": storable(letter.detail),
        "bytes": len(letter.body),
        "body": letter.body,
        "received_ms": letter.received_ms,
    }


def _kept(row: Row[Any]) -> Kept:
    letter = Letter(row.gateway, Reason(row.reason), row.detail, row.body, row.received_ms)
    return Kept(row.id, letter)


def _too_many(connection: Connection, most: int, most_bytes: int) -> list[int]:
    """Ids of the oldest letters that have to go."""
    now = tally(connection)
    letters, size = now.letters, now.bytes
    gone: list[int] = []
    if letters <= most and size <= most_bytes:
        return gone
    for row in connection.execute(select(dead_letter.c.id, dead_letter.c.bytes).order_by(dead_letter.c.id)):
        if letters <= most and size <= most_bytes:
            break
        gone.append(row.id)
        letters, size = letters - 1, size - row.bytes
    return gone
