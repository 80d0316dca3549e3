"""The audit trail."""

from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from lamplighter_controller.api.guard import Admin
from lamplighter_controller.api.services import Provided
from lamplighter_controller.security import audit

router = APIRouter(prefix="/audit", tags=["audit"])


class Entry(BaseModel):
    """One thing that was done."""

    number: int
    time_ms: int = Field(description="Real epoch ms")
    who: str = Field(examples=["token:demo"])
    action: str = Field(examples=["gateway.enrol"])
    subject: str = Field(examples=["gateway:gw-1"])
    reason: str
    result: str
    detail: dict[str, Any]


class Trail(BaseModel):
    """The newest first."""

    items: list[Entry]
    next_before: int | None = Field(description="Ask with before=… for older ones")


class Verdict(BaseModel):
    """Whether the trail is whole."""

    whole: bool
    number: int | None = Field(description="The first row that does not fit")
    detail: str


@router.get("", summary="Who did what, why, with which result")
async def trail(
    services: Provided,
    _: Admin,
    subject: Annotated[str | None, Query(max_length=200, examples=["device:lamp-01-017"])] = None,
    before: Annotated[int | None, Query(ge=0, lt=2**53)] = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
) -> Trail:
    """Of one subject, or all."""
    found = await services.ledger.read(lambda ledger: audit.newest(ledger, subject=subject, before=before, limit=limit))
    items = [_shown(recorded) for recorded in found]
    return Trail(items=items, next_before=items[-1].number if len(items) == limit else None)


@router.post("/verify", summary="Check that nothing was changed, removed or put in")
async def verify(services: Provided, _: Admin) -> Verdict:
    """Follows the hashes from the first row to the last."""
    tampered = await services.ledger.read(audit.verify)
    if tampered is None:
        return Verdict(whole=True, number=None, detail="")
    return Verdict(whole=False, number=tampered.number, detail=tampered.what)


def _shown(recorded: audit.Recorded) -> Entry:
    entry = recorded.entry
    return Entry(
        number=recorded.number,
        time_ms=entry.time_ms,
        who=entry.who,
        action=entry.action,
        subject=entry.subject,
        reason=entry.reason,
        result=entry.result,
        detail=dict(entry.detail),
    )
