"""Electronic waybills: listed, declared by hand and by file, how many closed; cards in the readers of trucks."""

import asyncio
from typing import Annotated, Any, Final

from fastapi import APIRouter, Body, Path, Query, Request
from pydantic import BaseModel, Field

from lamplighter_controller.api.guard import Commander, Reader
from lamplighter_controller.api.importing import CSV, Report, answer, decoded
from lamplighter_controller.api.paging import Page, Paging
from lamplighter_controller.api.problems import not_found, refused
from lamplighter_controller.api.resources.fleet.trucks import TruckId
from lamplighter_controller.api.resources.history import Time
from lamplighter_controller.api.services import Provided, Services
from lamplighter_controller.fleet.register import importing
from lamplighter_controller.fleet.register import records as register
from lamplighter_controller.fleet.register.faults import Fault
from lamplighter_controller.fleet.register.importing import Imported
from lamplighter_controller.fleet.register.placing import Frame
from lamplighter_controller.fleet.register.things import DeclaredWaybill, Known
from lamplighter_controller.fleet.waybills import records
from lamplighter_controller.fleet.waybills.closure import By
from lamplighter_controller.fleet.waybills.records import Wanted
from lamplighter_controller.fleet.waybills.told import Card
from lamplighter_controller.fleet.waybills.waybill import Source, Waybill

router = APIRouter(prefix="/fleet", tags=["fleet"])

LONGEST_MS: Final = 366 * 24 * 3_600_000
MOST_CARDS: Final = 1_000
EXAMPLE: Final = {
    "id": "LD-2026-1120-0017",
    "truck": "truck-017",
    "site": "site-7",
    "ground": "ground-2",
    "loaded": "2026-11-20T09:30:00+08:00",
    "volume_m3": 10,
}
_BODY: Final[dict[str, Any]] = {"requestBody": {"required": True, "content": {CSV: {}}}}
Reason = Annotated[str, Query(min_length=1, max_length=500, examples=["waybills of the bureau's platform"])]
Name = Annotated[str | None, Query(max_length=64)]


class WaybillOut(BaseModel):
    """One load from site to ground; civil times."""

    id: str
    truck: str
    company: str
    driver: str | None
    driver_told: str = Field(description="The card in the truck's reader when it left, as it was read")
    permit: str | None
    site: str
    ground: str
    volume_m3: float | None
    loaded_ms: int
    loaded_latitude: float | None
    loaded_longitude: float | None
    unloaded_ms: int | None
    unloaded_latitude: float | None
    unloaded_longitude: float | None
    unloaded_at: str | None = Field(description="The place it was unloaded at")
    closed_by: str | None = Field(description="Null: it has not arrived where it was to go; rule:fleet: it was seen to")
    source: Source = Field(description="A load that left under a permit, a terminal, or people and files")
    number: str = Field(description="The paper's own number")
    content: str = Field(description="What the terminal told, as it told it")


class ClosureOut(BaseModel):
    """Waybills of one company, site, ground or truck."""

    name: str
    waybills: int
    closed: int
    closure_rate: float | None = Field(description="Closed of all", examples=[0.97])
    seen: int = Field(description="Closed by what the truck was seen to do, not by a paper alone")
    elsewhere: int = Field(description="Unloaded at another place than the ground")
    open: int = Field(description="Nobody knows of an unloading")


class CardOut(BaseModel):
    """What a truck's card reader told; civil time."""

    time_ms: int
    inserted: bool
    result: int | None = Field(description="0: the card could be read (JT/T 808, 0x0702)")
    name: str
    licence: str
    agency: str
    valid_until: str


@router.get("/waybills", name="waybills", summary="Electronic waybills, the newest first")
async def waybills(
    services: Provided,
    _: Reader,
    paging: Paging,
    start: Time,
    end: Time,
    truck: Name = None,
    company: Name = None,
    closed: Annotated[bool | None, Query(description="Only those that are, or are not")] = None,
) -> Page[WaybillOut]:
    """Those loaded in a time."""
    wanted = Wanted(start, end, truck, company, closed)
    found, total = await services.ledger.read(lambda ledger: records.some(ledger, wanted, paging.offset, paging.limit))
    return Page(items=[_out(one) for one in found], total=total, offset=paging.offset, limit=paging.limit)


@router.get("/waybills/closure", name="waybill-closure", summary="How many waybills closed")
async def closure(services: Provided, _: Reader, start: Time, end: Time, by: By = By.COMPANY) -> list[ClosureOut]:
    """Of those loaded in a time, by company, site, ground or truck."""
    if not 0 < end - start <= LONGEST_MS:
        raise refused("query.end", "span", "end must come after start, and at most a year after.")
    found = await services.ledger.read(lambda ledger: records.closure(ledger, start, end, by))
    return [
        ClosureOut(
            name=one.name,
            waybills=one.waybills,
            closed=one.closed,
            closure_rate=round(one.closed / one.waybills, 4) if one.waybills else None,
            seen=one.seen,
            elsewhere=one.elsewhere,
            open=one.open_,
        )
        for one in found
    ]


@router.put("/waybills", name="waybill-put", summary="Declare a waybill")
async def put(
    services: Provided,
    caller: Commander,
    reason: Reason,
    values: Annotated[dict[str, Any], Body(examples=[EXAMPLE])],
) -> WaybillOut:
    """One by hand; what the truck was seen to do with it stays."""
    found = importing.read_one(values, DeclaredWaybill, await _known(services), Frame())
    if found.faults:
        answer(0, found.faults, dry_run=False)
    await _take(services, found, caller.who, reason)
    return await one(services, caller, found.things[0].id)


@router.post("/waybills/import", name="waybill-import", summary="Import waybills, or try to", openapi_extra=_BODY)
async def taken(
    request: Request, services: Provided, caller: Commander, reason: Reason, dry_run: bool = True
) -> Report:
    """CSV: id, truck, site, ground, loaded, unloaded, number, permit, driver, volume_m3; taken whole or not at all."""
    known = await _known(services)
    found = await asyncio.to_thread(_read, await request.body(), known)
    if dry_run or found.faults:
        return answer(len(found.things), found.faults, dry_run=dry_run)
    added, replaced = await _take(services, found, caller.who, reason)
    return Report(dry_run=False, rows=len(found.things), added=added, replaced=replaced, mistakes=[])


@router.get("/waybills/{waybill}", name="waybill", summary="One waybill")
async def one(
    services: Provided,
    _: Reader,
    waybill: Annotated[str, Path(min_length=1, max_length=64, examples=["LD-2026-1120-0017"])],
) -> WaybillOut:
    """By its id."""
    found = await services.ledger.read(lambda ledger: records.find(ledger, waybill))
    if found is None:
        raise not_found("waybill", waybill)
    return _out(found)


@router.get("/trucks/{truck}/cards", name="driver-cards", summary="Cards in a truck's reader, the newest first")
async def cards(services: Provided, _: Reader, truck: TruckId, start: Time, end: Time) -> list[CardOut]:
    """Put in and drawn out in a time."""
    row = services.fleet.city.find(truck)
    if row is None:
        raise not_found("truck", truck)
    found = await services.ledger.read(lambda ledger: records.cards(ledger, row.truck, start, end, MOST_CARDS))
    return [CardOut(**{name: getattr(one, name) for name in Card.__slots__ if name != "truck"}) for one in found]


async def _known(services: Services) -> Known:
    return await services.ledger.read(lambda ledger: register.known_to(ledger, DeclaredWaybill))


async def _take(services: Services, found: Imported, who: str, reason: str) -> tuple[int, int]:
    papers = [thing for thing in found.things if isinstance(thing, DeclaredWaybill)]
    return await services.fleet.waybills.declare(papers, services.fleet.city, who, reason)


def _read(body: bytes, known: Known) -> Imported:
    return decoded(
        body,
        lambda text: importing.from_csv(text, DeclaredWaybill, known, Frame()),
        lambda line, byte: Imported((), (Fault(line, "", byte, "UTF-8"),)),
    )


def _out(one: Waybill) -> WaybillOut:
    return WaybillOut(**{name: getattr(one, name) for name in Waybill.__slots__})
