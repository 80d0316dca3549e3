"""Enrolment: which gateways the centre listens to and commands."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, select

from lamplighter_contract.errors import Reason, Refusal
from lamplighter_contract.ids import is_id
from lamplighter_controller.security import audit
from lamplighter_controller.security.store import gateway as table


@dataclass(frozen=True, slots=True)
class Enrolled:
    """A gateway's enrolment; `generation` rises each time another box takes over the identity."""

    gateway: str
    generation: int
    enrolled_ms: int
    enrolled_by: str
    revoked_ms: int | None


def enrol(connection: Connection, gateway: str, *, who: str, reason: str, time_ms: int) -> Enrolled | Refusal:
    """Accept a gateway for the first time, or again after it was revoked."""
    if not is_id(gateway):
        return Refusal(Reason.MALFORMED, f"gateway is {gateway[:64]!r}, expected lower-case letters, digits, hyphens")
    known = find(connection, gateway)
    if known and known.revoked_ms is None:
        return Refusal(
            Reason.REPLAYED, f"{gateway} is enrolled already; `gateway replace` puts another box in its place"
        )
    enrolled = Enrolled(gateway, known.generation + 1 if known else 1, time_ms, who, None)
    _put(connection, enrolled, known)
    _record(connection, "gateway.enrol", enrolled, who, reason, time_ms)
    return enrolled


def replace(connection: Connection, gateway: str, *, who: str, reason: str, time_ms: int) -> Enrolled | Refusal:
    """Hand a gateway's identity to another box: the credentials of the old one are to be revoked with it."""
    known = find(connection, gateway)
    if known is None:
        return Refusal(Reason.UNKNOWN_GATEWAY, f"{gateway[:64]} was never enrolled, so there is nothing to replace")
    enrolled = Enrolled(gateway, known.generation + 1, time_ms, who, None)
    _put(connection, enrolled, known)
    _record(connection, "gateway.replace", enrolled, who, reason, time_ms)
    return enrolled


def revoke(connection: Connection, gateway: str, *, who: str, reason: str, time_ms: int) -> Enrolled | Refusal:
    """Listen to a gateway no more; its history stays."""
    known = find(connection, gateway)
    if known is None or known.revoked_ms is not None:
        return Refusal(Reason.UNKNOWN_GATEWAY, f"{gateway[:64]} is not enrolled")
    revoked = Enrolled(gateway, known.generation, known.enrolled_ms, known.enrolled_by, time_ms)
    _put(connection, revoked, known)
    _record(connection, "gateway.revoke", revoked, who, reason, time_ms)
    return revoked


def find(connection: Connection, gateway: str) -> Enrolled | None:
    """One gateway's enrolment, revoked or not."""
    row = connection.execute(select(table).where(table.c.gateway == gateway)).first()
    return _enrolled(row) if row else None


def every(connection: Connection) -> list[Enrolled]:
    """All gateways ever enrolled, by id."""
    return [_enrolled(row) for row in connection.execute(select(table).order_by(table.c.gateway))]


def accepted(connection: Connection) -> frozenset[str]:
    """The gateways enrolled now."""
    return frozenset(connection.scalars(select(table.c.gateway).where(table.c.revoked_ms.is_(None))))


def generations(connection: Connection) -> dict[str, int]:
    """How often each gateway enrolled now was put into its place, by another box or anew."""
    rows = connection.execute(select(table.c.gateway, table.c.generation).where(table.c.revoked_ms.is_(None)))
    return {row.gateway: row.generation for row in rows}


def _put(connection: Connection, enrolled: Enrolled, known: Enrolled | None) -> None:
    values = {
        "generation": enrolled.generation,
        "enrolled_ms": enrolled.enrolled_ms,
        "enrolled_by": enrolled.enrolled_by,
        "revoked_ms": enrolled.revoked_ms,
    }
    if known is None:
        connection.execute(table.insert().values(gateway=enrolled.gateway, **values))
    else:
        connection.execute(table.update().where(table.c.gateway == enrolled.gateway).values(**values))


def _enrolled(row: Row[Any]) -> Enrolled:
    return Enrolled(row.gateway, row.generation, row.enrolled_ms, row.enrolled_by, row.revoked_ms)


def _record(connection: Connection, action: str, enrolled: Enrolled, who: str, reason: str, time_ms: int) -> None:
    audit.record(
        connection,
        who=who,
        action=action,
        subject=f"gateway:{enrolled.gateway}",
        reason=reason,
        result="done",
        detail={"generation": enrolled.generation},
        time_ms=time_ms,
    )
