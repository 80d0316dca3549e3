"""The audit trail."""

from typing import Annotated, Any, Final

from fastapi import APIRouter, Query
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, Field

from lamplighter_controller.api.guard import Admin
from lamplighter_controller.api.services import Provided
from lamplighter_controller.security import audit
from lamplighter_controller.security import trail as trail_of

MEDIA_TYPE: Final = "application/x-ndjson"

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
    tampered = await trail_of.verify(services.ledger)
    if tampered is None:
        return Verdict(whole=True, number=None, detail="")
    return Verdict(whole=False, number=tampered.number, detail=tampered.what)


@router.get(
    "/export",
    summary="The whole trail, with its end signed",
    response_class=StreamingResponse,
    responses={200: {"content": {MEDIA_TYPE: {"example": '{"type":"lamplighter-audit","v":1}\\n'}}}},
)
async def export(services: Provided, _: Admin) -> StreamingResponse:
    """One JSON value a line; `lamplighter audit verify FILE` checks it without a server."""
    lines = trail_of.exported(services.ledger, services.controller, services.keys, services.clock.wall_ms())
    return StreamingResponse(lines, media_type=MEDIA_TYPE)


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
