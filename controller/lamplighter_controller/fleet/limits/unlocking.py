"""One-time codes by which a terminal lets its lift be raised under a supervisor's eyes: HOTP (RFC 4226), six digits."""

import hashlib
import hmac
from typing import Final

from sqlalchemy import Connection, select, update

from lamplighter_controller.fleet.limits import trail
from lamplighter_controller.fleet.store import unlock_table

DIGITS: Final = 6
SECRET_BYTES: Final = 20  # as RFC 4226, section 4 recommends


def code_of(secret: bytes, counter: int) -> str:
    """The code of a counter; RFC 4226, section 5.3."""
    digest = hmac.new(secret, counter.to_bytes(8, "big"), hashlib.sha1).digest()
    at = digest[-1] & 0x0F
    number = int.from_bytes(digest[at : at + 4], "big") & 0x7FFF_FFFF
    return f"{number % 10**DIGITS:0{DIGITS}}"


def put_secret(connection: Connection, truck: str, secret: bytes, *, who: str, reason: str, wall_ms: int) -> None:
    """A new secret, to be put into the truck's terminal; codes of the former one end."""
    table = unlock_table
    values = {"secret": secret.hex(), "counter": 0, "changed_ms": wall_ms}
    if not connection.execute(update(table).where(table.c.truck == truck).values(**values)).rowcount:
        connection.execute(table.insert().values(truck=truck, **values))
    trail.act(connection, "unlock.key", f"truck:{truck}", who, reason, wall_ms, {})


def next_code(connection: Connection, truck: str, *, who: str, reason: str, wall_ms: int) -> tuple[str, int] | None:
    """The next code with its counter, None when the truck has no secret; no code is ever given twice."""
    table = unlock_table
    row = connection.execute(select(table).where(table.c.truck == truck).with_for_update()).first()
    if row is None:
        return None
    counter = int(row.counter)
    connection.execute(update(table).where(table.c.truck == truck).values(counter=counter + 1, changed_ms=wall_ms))
    trail.act(connection, "unlock.code", f"truck:{truck}", who, reason, wall_ms, {"counter": counter})
    return code_of(bytes.fromhex(row.secret), counter), counter
