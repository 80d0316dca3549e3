"""Who was told of which order, by which way, and what has not arrived."""

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from lamplighter_controller.api.guard import Reader
from lamplighter_controller.api.services import Provided

router = APIRouter(tags=["maintenance"])


class NoticeOut(BaseModel):
    """One notice through one channel; times real epoch ms."""

    id: str
    channel: str
    event: str = Field(description="opened, untaken, returned")
    order: str
    level: int = Field(description="Escalation: 0 when the order began")
    text: dict[str, str]
    due_ms: int
    sent_ms: int | None
    tries: int
    error: str | None
    given_up: bool


class Notices(BaseModel):
    """The newest first."""

    items: list[NoticeOut]


@router.get("/notices", summary="Notices")
async def notices(
    services: Provided,
    _: Reader,
    order: Annotated[str | None, Query(max_length=64)] = None,
    limit: Annotated[int, Query(ge=1, le=1_000)] = 100,
) -> Notices:
    """What was told, and what is still on its way."""
    found = await services.maintenance.notices.some(order, limit)
    return Notices(
        items=[
            NoticeOut(
                id=one.notice.id,
                channel=one.channel,
                event=one.notice.event,
                order=one.notice.order,
                level=one.notice.level,
                text={"zh": one.notice.zh, "en": one.notice.en},
                due_ms=one.due_ms,
                sent_ms=one.sent_ms or None,
                tries=one.tries,
                error=one.error or None,
                given_up=one.is_given_up,
            )
            for one in found
        ]
    )
