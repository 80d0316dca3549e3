"""Files bound to violations in the ledger, with the row of the audit trail that says so."""

from typing import Final

from sqlalchemy import Connection

from lamplighter_contract.errors import Reason, Refusal
from lamplighter_controller.fleet.evidence import records
from lamplighter_controller.fleet.evidence.records import Part
from lamplighter_controller.fleet.violations import records as violations
from lamplighter_controller.security import audit

MOST_PARTS: Final = 100


def exists(connection: Connection, violation: str) -> bool:
    """True when there is such a violation."""
    return violations.find(connection, violation) is not None


def bind(connection: Connection, part: Part) -> Part | Refusal:
    """Add a file; the same one again is the one that is there."""
    parts = records.parts_of(connection, part.violation)
    before = next((one for one in parts if one.sha256 == part.sha256), None)
    if before is not None:
        return before
    if len(parts) >= MOST_PARTS:
        return Refusal(Reason.OUT_OF_BOUNDS, f"a violation has at most {MOST_PARTS} files")
    records.add_part(connection, part)
    detail = {"sha256": part.sha256, "name": part.name, "bytes": part.bytes, "source": part.source}
    record(connection, "violation.evidence", part.violation, part.added_by, part.note, part.added_ms, detail)
    return part


def record(
    connection: Connection,
    action: str,
    violation: str,
    who: str,
    reason: str,
    time_ms: int,
    detail: dict[str, object] | None = None,
) -> None:
    """Note in the audit trail what was done with a violation."""
    audit.record(
        connection,
        who=who,
        action=action,
        subject=f"violation:{violation}",
        reason=reason,
        result="done",
        time_ms=time_ms,
        detail=detail,
    )
