"""API tokens: named, with rights, shown once and stored as a hash only."""

import base64
import hashlib
import hmac
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import Connection, Row, select, update

from lamplighter_contract.errors import Reason, Refusal
from lamplighter_contract.ids import is_id
from lamplighter_controller.security import audit
from lamplighter_controller.security.store import api_token

Random = Callable[[int], bytes]  # os.urandom or a test's
SECRET_BYTES: Final = 32
LONGEST: Final = 200


class Right(StrEnum):
    """What a token allows; `lighting` is for plans, shows and levels by hand, and `command` holds it."""

    READ = "read"
    LIGHTING = "lighting"
    COMMAND = "command"
    ADMIN = "admin"


@dataclass(frozen=True, slots=True)
class Token:
    """A token as it may be shown: never its secret."""

    id: str
    name: str
    rights: frozenset[Right]
    created_ms: int
    created_by: str
    revoked_ms: int | None

    def allows(self, right: Right) -> bool:
        """True for the rights it was given, and those they hold."""
        return right in self.rights or (right is Right.LIGHTING and Right.COMMAND in self.rights)

    @property
    def who(self) -> str:
        """How its bearer stands in the audit trail."""
        return f"token:{self.name}"


def create(
    connection: Connection, name: str, rights: Iterable[Right], *, who: str, reason: str, time_ms: int, random: Random
) -> str | Refusal:
    """A new token's text, the only time it is ever seen."""
    if not is_id(name):
        return Refusal(Reason.MALFORMED, f"name is {name[:64]!r}, expected lower-case letters, digits and hyphens")
    if connection.execute(select(api_token.c.id).where(api_token.c.name == name)).first():
        return Refusal(Reason.REPLAYED, f"a token named {name!r} exists already, revoked or not; choose another name")
    identity, secret = random(8).hex(), base64.urlsafe_b64encode(random(SECRET_BYTES)).decode().rstrip("=")
    words = " ".join(sorted(set(rights)))
    connection.execute(
        api_token.insert().values(
            id=identity, name=name, secret_sha256=_hash(secret), rights=words, created_ms=time_ms, created_by=who
        )
    )
    _record(connection, "token.create", name, who=who, reason=reason, time_ms=time_ms, rights=words)
    return f"{identity}.{secret}"


def revoke(connection: Connection, name: str, *, who: str, reason: str, time_ms: int) -> bool:
    """End a token at once; False when there is none of that name in force."""
    ended = connection.execute(
        update(api_token).where(api_token.c.name == name, api_token.c.revoked_ms.is_(None)).values(revoked_ms=time_ms)
    )
    if ended.rowcount:
        _record(connection, "token.revoke", name, who=who, reason=reason, time_ms=time_ms)
    return bool(ended.rowcount)


def check(connection: Connection, presented: str) -> Token | None:
    """The token in force that `presented` is; the secret is compared in constant time."""
    identity, _, secret = presented[:LONGEST].partition(".")
    if not is_id(identity):
        return None
    row = connection.execute(select(api_token).where(api_token.c.id == identity)).first()
    stored = row.secret_sha256 if row else _hash("")
    same = hmac.compare_digest(stored, _hash(secret))
    return _token(row) if row and same and row.revoked_ms is None else None


def in_force(connection: Connection, identity: str) -> Token | None:
    """The token with that id, None when there is none or it was revoked."""
    wanted = select(api_token).where(api_token.c.id == identity, api_token.c.revoked_ms.is_(None))
    row = connection.execute(wanted).first()
    return _token(row) if row else None


def every(connection: Connection) -> list[Token]:
    """All tokens ever made, oldest first."""
    return [_token(row) for row in connection.execute(select(api_token).order_by(api_token.c.created_ms))]


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def _token(row: Row[Any]) -> Token:
    rights = frozenset(Right(word) for word in row.rights.split())
    return Token(row.id, row.name, rights, row.created_ms, row.created_by, row.revoked_ms)


def _record(
    connection: Connection, action: str, name: str, *, who: str, reason: str, time_ms: int, **detail: str
) -> None:
    audit.record(
        connection,
        who=who,
        action=action,
        subject=f"token:{name}",
        reason=reason,
        result="done",
        detail=detail,
        time_ms=time_ms,
    )
