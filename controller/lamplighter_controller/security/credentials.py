"""What gateways log in with at the broker: a password of each generation, and codes good once that bring it.

The ledger holds the broker's line of a password and the hash of a code, never the password itself.
"""

import base64
import hashlib
import hmac
from collections.abc import Callable, Mapping
from typing import Any, Final

from sqlalchemy import Connection, and_, delete, select

from lamplighter_contract.errors import Reason, Refusal
from lamplighter_controller.security import audit, enrolment
from lamplighter_controller.security.mosquitto import SALT_BYTES, password_line
from lamplighter_controller.security.store import gateway as gateway_table
from lamplighter_controller.security.store import gateway_credential as table

PASSWORD_BYTES: Final = 20
CODE_BYTES: Final = 10
CODE_LIFE_MS: Final = 24 * 3_600_000
_NOBODYS: Final = "0" * 64

Random = Callable[[int], bytes]


def issue(
    connection: Connection, gateway: str, *, who: str, reason: str, time_ms: int, random: Random
) -> str | Refusal:
    """A new password for the box that is the gateway now, seen this one time; the one before ends."""
    enrolled = enrolment.find(connection, gateway)
    if enrolled is None or enrolled.revoked_ms is not None:
        return Refusal(Reason.UNKNOWN_GATEWAY, f"{gateway[:64]} is not enrolled")
    password = _text(random, PASSWORD_BYTES)
    _put(
        connection,
        gateway,
        generation=enrolled.generation,
        line=password_line(gateway, password, random(SALT_BYTES)),
        issued_ms=time_ms,
        code_sha256=None,
        code_expires_ms=None,
    )
    _record(connection, "gateway.credential", gateway, who, reason, time_ms)
    return password


def offer(
    connection: Connection, gateway: str, *, who: str, reason: str, time_ms: int, random: Random
) -> str | Refusal:
    """A code that brings a new password once, within a day; the password in force stays until then."""
    enrolled = enrolment.find(connection, gateway)
    if enrolled is None or enrolled.revoked_ms is not None:
        return Refusal(Reason.UNKNOWN_GATEWAY, f"{gateway[:64]} is not enrolled")
    code = _text(random, CODE_BYTES)
    _put(connection, gateway, code_sha256=_hash(gateway, code), code_expires_ms=time_ms + CODE_LIFE_MS)
    _record(connection, "gateway.code", gateway, who, reason, time_ms)
    return code


def claim(connection: Connection, gateway: str, code: str, *, time_ms: int, random: Random) -> str | None:
    """The new password for whoever has the code; None when there is no such code, or it is over or was used."""
    row = connection.execute(select(table).where(table.c.gateway == gateway)).first()
    kept = row.code_sha256 if row and row.code_sha256 and time_ms < row.code_expires_ms else None
    if not hmac.compare_digest(kept or _NOBODYS, _hash(gateway, code)) or kept is None:
        return None
    issued = issue(connection, gateway, who=f"gateway:{gateway}", reason="code", time_ms=time_ms, random=random)
    return None if isinstance(issued, Refusal) else issued


def lines(connection: Connection) -> Mapping[str, str]:
    """The broker's line of every gateway that is enrolled and is still the box its password was made for."""
    same = and_(
        gateway_table.c.gateway == table.c.gateway,
        gateway_table.c.generation == table.c.generation,
        gateway_table.c.revoked_ms.is_(None),
    )
    rows = connection.execute(
        select(table.c.gateway, table.c.line).join(gateway_table, same).where(table.c.line.is_not(None))
    )
    return {row.gateway: row.line for row in rows}


def known(connection: Connection) -> frozenset[str]:
    """Every gateway that was ever given a password or a code: the broker's users that are ours."""
    return frozenset(connection.scalars(select(table.c.gateway)))


def _put(connection: Connection, gateway: str, **values: Any) -> None:
    row = connection.execute(select(table).where(table.c.gateway == gateway)).first()
    before = row._asdict() if row else {"gateway": gateway, "generation": 0}
    connection.execute(delete(table).where(table.c.gateway == gateway))
    connection.execute(table.insert().values(**before | values))


def _text(random: Random, size: int) -> str:
    return base64.b32encode(random(size)).decode().rstrip("=").lower()


def _hash(gateway: str, code: str) -> str:
    return hashlib.sha256(f"{gateway}\0{code}".encode()).hexdigest()


def _record(connection: Connection, action: str, gateway: str, who: str, reason: str, time_ms: int) -> None:
    audit.record(
        connection,
        who=who,
        action=action,
        subject=f"gateway:{gateway}",
        reason=reason,
        result="done",
        time_ms=time_ms,
    )
