"""What the audit trail is told of limits."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection

from lamplighter_controller.fleet.limits.limit import Ask, Limit
from lamplighter_controller.security import audit


def limit_moved(connection: Connection, limit: Limit, who: str, reason: str, wall_ms: int) -> None:
    """One truck's limit went on to another state."""
    audit.record(
        connection,
        who=who,
        action=f"limit.{limit.state}",
        subject=f"limit:{limit.id}",
        reason=reason or limit.detail,
        result=limit.state,
        detail={"truck": limit.truck, "what": limit.what, "target": limit.target, "until": limit.until_ms},
        time_ms=wall_ms,
    )


def ask_moved(connection: Connection, ask: Ask, who: str, action: str, reason: str, wall_ms: int) -> None:
    """Somebody asked, approved, withdrew; or it waited too long."""
    audit.record(
        connection,
        who=who,
        action=action,
        subject=f"limit-ask:{ask.id}",
        reason=reason,
        result=ask.state,
        detail={
            "trucks": list(ask.trucks),
            "what": ask.what,
            "target": ask.target,
            "until": ask.until_ms,
            "violation": ask.violation,
            "case_number": ask.case_number,
            "grave": list(ask.grave),
            "approvals": list(ask.approvals),
        },
        time_ms=wall_ms,
    )


def act(
    connection: Connection, action: str, subject: str, who: str, reason: str, wall_ms: int, detail: Mapping[str, Any]
) -> None:
    """Anything else that a person did to the fleet."""
    audit.record(
        connection,
        who=who,
        action=action,
        subject=subject,
        reason=reason,
        result="done",
        detail=detail,
        time_ms=wall_ms,
    )
