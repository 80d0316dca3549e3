"""Limits of trucks in the ledger's file. Whoever calls holds the transaction."""

import json
import sqlite3
from collections.abc import Iterable
from typing import Final

from lamplighter_gateway.trucks.limits import Limit, LimitKey, What

_COLUMNS: Final = "device, what, target, until, expires, command, seq, released, sent, confirmed, closed"


def read_limits(db: sqlite3.Connection) -> dict[LimitKey, Limit]:
    """All that are not over."""
    found = [_limit(row) for row in db.execute(f"SELECT {_COLUMNS} FROM truck_limit")]  # noqa: S608 - columns of our own
    return {limit.key: limit for limit in found}


def write_limits(db: sqlite3.Connection, limits: Iterable[Limit]) -> None:
    """Keep these; each takes the place of the one before it, and what that one set stays in force until then."""
    db.executemany(
        f"INSERT INTO truck_limit ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"  # noqa: S608 - columns of our own
        " ON CONFLICT (device, what) DO UPDATE SET target = excluded.target, until = excluded.until,"
        " expires = excluded.expires, command = excluded.command, seq = excluded.seq, released = excluded.released,"
        " closed = excluded.closed",
        [_row(limit) for limit in limits],
    )


def release_limits(db: sqlite3.Connection, keys: Iterable[LimitKey]) -> None:
    """These are to be over now."""
    db.executemany("UPDATE truck_limit SET released = 1 WHERE device = ? AND what = ?", list(keys))


def note_limit(db: sqlite3.Connection, limit: Limit) -> None:
    """Keep what was sent and what is confirmed; a newer one in its place stays."""
    db.execute(
        "UPDATE truck_limit SET sent = ?, confirmed = ? WHERE device = ? AND what = ? AND command = ?",
        (*_bounds(limit), limit.device, limit.what, limit.command),
    )


def forget_limit(db: sqlite3.Connection, limit: Limit) -> None:
    """This one is over; a newer one in its place stays."""
    db.execute(
        "DELETE FROM truck_limit WHERE device = ? AND what = ? AND command = ?",
        (limit.device, limit.what, limit.command),
    )


def _row(limit: Limit) -> tuple[object, ...]:
    begin = (*map(str, limit.key), limit.target, limit.until, limit.expires, limit.command, limit.seq, limit.released)
    return *begin, *_bounds(limit), json.dumps(limit.closed)


def _bounds(limit: Limit) -> tuple[float | None, float | None]:
    return limit.sent, limit.confirmed


def _limit(row: tuple[str, str, float, int, int, str, int, int, float | None, float | None, str]) -> Limit:
    device, what, target, until, expires, command, seq, released, sent, confirmed, outlines = row
    closed = tuple(tuple((north, east) for north, east in one) for one in json.loads(outlines))
    return Limit(device, What(what), target, until, expires, command, seq, bool(released), sent, confirmed, closed)
