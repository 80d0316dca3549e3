"""What arrived and could not be placed, with the reason; to be tried again once the cause is mended."""

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field

from lamplighter_contract.errors import Reason
from lamplighter_controller.api.guard import Admin, Reader
from lamplighter_controller.api.services import Provided
from lamplighter_controller.intake import letters
from lamplighter_controller.intake.letters import Kept
from lamplighter_controller.security import audit

router = APIRouter(prefix="/dead-letters", tags=["dead letters"])

BODY_SHOWN = 2_000


class DeadLetter(BaseModel):
    """One part of a frame that was not stored."""

    id: int
    gateway: str
    reason: Reason
    detail: str
    time_ms: int = Field(description="Real epoch ms when it arrived")
    bytes: int
    body: str = Field(description=f"How it begins, at most {BODY_SHOWN} characters")


class DeadLetters(BaseModel):
    """The newest first."""

    items: list[DeadLetter]
    total: int
    bytes: int
    dropped: int = Field(description="Letters that had to go for newer ones")
    next_before: int | None = Field(description="Ask with before=… for older ones")


class ReplayIn(BaseModel):
    """Which letters to try again."""

    model_config = ConfigDict(extra="forbid")

    ids: list[int] = Field(min_length=1, max_length=1_000, examples=[[1]])
    reason: str = Field(min_length=1, max_length=500, examples=["the profile was mended"])


class Outcome(BaseModel):
    """What became of one letter."""

    id: int
    stored: bool
    detail: str


class Outcomes(BaseModel):
    """What became of each."""

    items: list[Outcome]


@router.get("", summary="Data that was refused, with the reason")
async def dead_letters(
    services: Provided,
    _: Reader,
    gateway: Annotated[str | None, Query(max_length=64)] = None,
    before: Annotated[int | None, Query(ge=0, lt=2**53)] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> DeadLetters:
    """The list is bounded; the oldest go first."""
    kept = await services.ledger.read(
        lambda ledger: letters.newest(ledger, gateway=gateway, before=before, limit=limit)
    )
    tally = await services.ledger.read(letters.tally)
    return DeadLetters(
        items=[_shown(letter) for letter in kept],
        total=tally.letters,
        bytes=tally.bytes,
        dropped=tally.dropped,
        next_before=kept[-1].id if len(kept) == limit else None,
    )


@router.post("/replay", summary="Try dead letters again")
async def replay(services: Provided, caller: Admin, wanted: ReplayIn) -> Outcomes:
    """Through the same checks as new frames; what passes is stored and leaves the list."""
    found = await services.letters.replay(wanted.ids)
    stored = sum(outcome.stored for outcome in found)
    await services.ledger.write(
        lambda ledger: audit.record(
            ledger,
            who=caller.who,
            action="dead-letters.replay",
            subject="dead-letters",
            reason=wanted.reason,
            result=f"{stored} of {len(found)} stored",
            detail={"ids": wanted.ids},
            time_ms=services.clock.wall_ms(),
        )
    )
    return Outcomes(items=[Outcome(id=item.id, stored=item.stored, detail=item.detail) for item in found])


def _shown(kept: Kept) -> DeadLetter:
    letter = kept.letter
    return DeadLetter(
        id=kept.id,
        gateway=letter.gateway,
        reason=letter.reason,
        detail=letter.detail,
        time_ms=letter.received_ms,
        bytes=len(letter.body),
        body=letter.body[:BODY_SHOWN].decode(errors="replace"),
    )
