"""Alarms about the system itself."""

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from lamplighter_controller.api.guard import Reader
from lamplighter_controller.api.services import Provided
from lamplighter_controller.intake import store

router = APIRouter(prefix="/alarms", tags=["alarms"])


class Alarm(BaseModel):
    """One alarm; its key names it for good."""

    key: str = Field(examples=["gateway-offline:gw-1"])
    text: str
    time_ms: int = Field(description="Real epoch ms when it was raised")
    cleared_ms: int | None


class Alarms(BaseModel):
    """Those asked for."""

    items: list[Alarm]
    total: int


@router.get("", summary="Alarms")
async def alarms(
    services: Provided,
    _: Reader,
    past: Annotated[bool, Query(description="The newest, cleared or not, instead of the active ones")] = False,
    limit: Annotated[int, Query(ge=1, le=1_000)] = 200,
) -> Alarms:
    """Active alarms, oldest first."""
    if past:
        found = await services.ledger.read(lambda ledger: store.past_alarms(ledger, limit))
    else:
        found = services.alarms.active()
    items = [
        Alarm(key=alarm.key, text=alarm.text, time_ms=alarm.raised_ms, cleared_ms=alarm.cleared_ms)
        for alarm in found[:limit]
    ]
    return Alarms(items=items, total=len(found))
