"""Burning hours and switch counts of lamps, and where each comes from."""

from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query, Response
from pydantic import BaseModel, Field

from lamplighter_contract.quantities import Kind
from lamplighter_controller.api.guard import Commander, Reader
from lamplighter_controller.api.paging import Page, Paging
from lamplighter_controller.api.problems import not_found
from lamplighter_controller.api.resources.gateways import ReasonIn
from lamplighter_controller.api.services import Provided
from lamplighter_controller.api.tables import CSV, csv_of
from lamplighter_controller.events import ElementReplaced
from lamplighter_controller.lighting.desk import Who
from lamplighter_controller.lighting.proof.burning import Burning, Source

router = APIRouter(prefix="/burning-hours", tags=["proof"])

MOST_LISTED = 200_000


class BurningOut(BaseModel):
    """One lamp since its element was new, or since it is known here."""

    lamp: str = Field(description="Luminaire of the inventory, or the device where there is none", examples=["l-0007"])
    device: str | None
    burning_h: float = Field(examples=[12843.5])
    starts: int = Field(description="Times it was switched on", examples=[1170])
    source: Source = Field(description="The lamp's own counters, or summed up from readings of its power")
    since_ms: int = Field(description="What is counted begins here; civil epoch ms")
    as_of_ms: int = Field(description="The newest reading that is counted; civil epoch ms")


@router.get("", summary="Burning hours", responses={200: {"content": {CSV: {}}}}, response_model=Page[BurningOut])
async def hours(
    services: Provided,
    _: Reader,
    paging: Paging,
    lamp: Annotated[str | None, Query(max_length=64, description="One lamp, by luminaire or device")] = None,
    form: Annotated[Literal["json", "csv"], Query(description="csv: as a file, without pages")] = "json",
) -> Page[BurningOut] | Response:
    """By lamp; brought up to date with each night."""
    if form == "csv":
        everyone, _total = await services.proof.hours(lamp, 0, MOST_LISTED)
        return csv_of([_shown(one).model_dump(mode="json") for one in everyone], "burning-hours")
    found, total = await services.proof.hours(lamp, paging.offset, paging.limit)
    return Page(items=[_shown(one) for one in found], total=total, offset=paging.offset, limit=paging.limit)


@router.post("/{lamp}/replaced", summary="Say that a lamp's element was replaced")
async def replaced(
    services: Provided,
    caller: Commander,
    lamp: Annotated[str, Path(max_length=64, examples=["l-0007"], description="Luminaire or device")],
    why: ReasonIn,
) -> BurningOut:
    """Its hours and starts count anew from now on, its own counters may go on as they are; diagnosis learns it anew."""
    found = await services.proof.element_replaced(lamp, Who(caller.who, why.reason))
    if found is None:
        raise not_found("lamp", lamp)
    if found.device is not None:
        services.events.publish(ElementReplaced(((Kind.LAMP.value, found.device),), found.since_ms))
    return _shown(found)


def _shown(one: Burning) -> BurningOut:
    return BurningOut(
        lamp=one.lamp,
        device=one.device,
        burning_h=round(one.shown_h, 2),
        starts=round(one.shown_starts),
        source=one.source,
        since_ms=one.since_ms,
        as_of_ms=one.as_of_ms,
    )
