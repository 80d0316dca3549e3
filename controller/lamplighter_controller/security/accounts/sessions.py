"""Sessions by reference: 256 random bits in a cookie, their hash in the ledger, ended there for good."""

import base64
import hashlib
from collections.abc import Callable
from typing import Final

from sqlalchemy import Connection, delete, select

from lamplighter_controller.ledger.tables import storable
from lamplighter_controller.security import tokens
from lamplighter_controller.security.accounts import records
from lamplighter_controller.security.callers import Caller, of_token
from lamplighter_controller.security.store import login_session as table

REFERENCE_BYTES: Final = 32
LIFE_S: Final = 12 * 3600
MOST_OF_ONE: Final = 50
_LONGEST: Final = 200

Random = Callable[[int], bytes]


def begin(connection: Connection, caller: Caller, address: str, now_ms: int, random: Random) -> str:
    """A new session of a token or an account; its text goes into the cookie. Old and too many ones end."""
    reference = base64.urlsafe_b64encode(random(REFERENCE_BYTES)).decode().rstrip("=")
    connection.execute(delete(table).where(table.c.expires_ms <= now_ms))
    _make_room(connection, caller)
    connection.execute(
        table.insert().values(
            reference_sha256=_hash(reference),
            account=caller.account,
            token=caller.token,
            created_ms=now_ms,
            expires_ms=now_ms + LIFE_S * 1000,
            address=storable(address),
        )
    )
    return reference


def caller_of(connection: Connection, reference: str, now_ms: int) -> Caller | None:
    """Who a session stands for, as the token or account is now; None when it is over or never was."""
    wanted = select(table).where(table.c.reference_sha256 == _hash(reference[:_LONGEST]), table.c.expires_ms > now_ms)
    row = connection.execute(wanted).first()
    if row is None:
        return None
    if row.account is not None:
        return records.caller(connection, row.account)
    token = tokens.in_force(connection, row.token, now_ms)
    return of_token(token) if token else None


def end(connection: Connection, reference: str) -> None:
    """This one is over."""
    connection.execute(delete(table).where(table.c.reference_sha256 == _hash(reference[:_LONGEST])))


def end_all(connection: Connection, account: str, but: str | None = None) -> None:
    """All of an account are over, but for the one whose text is given."""
    wanted = table.c.account == account
    if but is not None:
        wanted &= table.c.reference_sha256 != _hash(but[:_LONGEST])
    connection.execute(delete(table).where(wanted))


def _make_room(connection: Connection, caller: Caller) -> None:
    of_one = table.c.account == caller.account if caller.account else table.c.token == caller.token
    newest = select(table.c.reference_sha256).where(of_one).order_by(table.c.created_ms.desc())
    kept = list(connection.scalars(newest.limit(MOST_OF_ONE - 1)))
    connection.execute(delete(table).where(of_one, table.c.reference_sha256.not_in(kept)))


def _hash(reference: str) -> str:
    return hashlib.sha256(reference.encode()).hexdigest()
