"""API tokens: named, with rights, shown once and stored as a hash only."""

import base64
import hashlib
import hmac
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, Row, select, update

from lamplighter_contract.errors import Reason, Refusal
from lamplighter_contract.ids import is_id
from lamplighter_controller.security import audit
from lamplighter_controller.security.rights import EVERYTHING, Right, Scope
from lamplighter_controller.security.scopes import scope_from, scope_text
from lamplighter_controller.security.store import api_token

Random = Callable[[int], bytes]  # os.urandom or a test's
SECRET_BYTES: Final = 32
LONGEST: Final = 200


@dataclass(frozen=True, slots=True)
class Token:
    """A token as it may be shown: never its secret."""

    id: str
    name: str
    rights: frozenset[Right]
    created_ms: int
    created_by: str
    revoked_ms: int | None
    expires_ms: int | None = None
    scope: Scope = EVERYTHING

    @property
    def who(self) -> str:
        """How its bearer stands in the audit trail."""
        return f"token:{self.name}"


def create(
    connection: Connection,
    name: str,
    rights: Iterable[Right],
    *,
    who: str,
    reason: str,
    time_ms: int,
    random: Random,
    expires_ms: int | None = None,
    scope: Scope = EVERYTHING,
) -> str | Refusal:
    """A new token's text, the only time it is ever seen. `expires_ms`: real epoch ms; None = until it is revoked."""
    if not is_id(name):
        return Refusal(Reason.MALFORMED, f"name is {name[:64]!r}, expected lower-case letters, digits and hyphens")
    if connection.execute(select(api_token.c.id).where(api_token.c.name == name)).first():
        return Refusal(Reason.REPLAYED, f"a token named {name!r} exists already, revoked or not; choose another name")
    identity, secret = random(8).hex(), base64.urlsafe_b64encode(random(SECRET_BYTES)).decode().rstrip("=")
    words = " ".join(sorted(set(rights)))
    connection.execute(
        api_token.insert().values(
            id=identity,
            name=name,
            secret_sha256=_hash(secret),
            rights=words,
            created_ms=time_ms,
            created_by=who,
            expires_ms=expires_ms,
            scope=scope_text(scope),
        )
    )
    detail = {"rights": words, "expires_ms": expires_ms, "scope": scope_text(scope)}
    _record(connection, "token.create", name, who=who, reason=reason, time_ms=time_ms, detail=detail)
    return f"{identity}.{secret}"


def revoke(connection: Connection, name: str, *, who: str, reason: str, time_ms: int) -> bool:
    """End a token at once; False when there is none of that name in force."""
    ended = connection.execute(
        update(api_token).where(api_token.c.name == name, api_token.c.revoked_ms.is_(None)).values(revoked_ms=time_ms)
    )
    if ended.rowcount:
        _record(connection, "token.revoke", name, who=who, reason=reason, time_ms=time_ms, detail={})
    return bool(ended.rowcount)


def check(connection: Connection, presented: str, now_ms: int) -> Token | None:
    """The token in force at real `now_ms` that `presented` is; the secret is compared in constant time."""
    identity, _, secret = presented[:LONGEST].partition(".")
    if not is_id(identity):
        return None
    row = connection.execute(select(api_token).where(api_token.c.id == identity)).first()
    stored = row.secret_sha256 if row else _hash("")
    same = hmac.compare_digest(stored, _hash(secret))
    return _lasting(row, now_ms) if same else None


def in_force(connection: Connection, identity: str, now_ms: int) -> Token | None:
    """The token with that id, None when there is none, or it was revoked, or its time is over."""
    return _lasting(connection.execute(select(api_token).where(api_token.c.id == identity)).first(), now_ms)


def every(connection: Connection) -> list[Token]:
    """All tokens ever made, oldest first."""
    return [_token(row) for row in connection.execute(select(api_token).order_by(api_token.c.created_ms))]


def _lasting(row: Row[Any] | None, now_ms: int) -> Token | None:
    over = row is None or row.revoked_ms is not None or (row.expires_ms is not None and now_ms >= row.expires_ms)
    return None if row is None or over else _token(row)


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def _token(row: Row[Any]) -> Token:
    rights = frozenset(Right(word) for word in row.rights.split())
    scope = scope_from(row.scope)
    return Token(row.id, row.name, rights, row.created_ms, row.created_by, row.revoked_ms, row.expires_ms, scope)


def _record(
    connection: Connection,
    action: str,
    name: str,
    *,
    who: str,
    reason: str,
    time_ms: int,
    detail: Mapping[str, Any],
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
