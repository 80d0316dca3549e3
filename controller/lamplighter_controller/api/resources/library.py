"""What plans are made of, the signals their rules listen to, and scenes. A change here moves no lamp by itself."""

from http import HTTPStatus
from itertools import islice
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Body, Path
from pydantic import BaseModel, Field
from sqlalchemy import Connection

from lamplighter_controller.api.guard import Lighter, Reader
from lamplighter_controller.api.problems import Fault, not_found, refused, several
from lamplighter_controller.api.resources.gateways import ReasonIn
from lamplighter_controller.api.resources.library_examples import body, named
from lamplighter_controller.api.services import Provided, Services
from lamplighter_controller.lighting import records
from lamplighter_controller.lighting.library import PRESETS, SHELVES, Item, items, kind_of
from lamplighter_controller.lighting.mistakes import MOST, mistakes
from lamplighter_controller.lighting.records import Shelved
from lamplighter_controller.security import audit

router = APIRouter(tags=["library"])


class ItemOut(BaseModel):
    """One item; `body` in the words of the contract's plan."""

    id: str
    version: int = Field(description="Rises with each change")
    changed_ms: int = Field(description="Real epoch ms")
    changed_by: str
    body: dict[str, Any]


class Shelf(BaseModel):
    """All items of one kind, by id."""

    items: list[ItemOut]


class ItemIn(BaseModel):
    """An item and why it is changed."""

    reason: str = Field(min_length=1, max_length=500, examples=["school hours in the east"])
    body: dict[str, Any] = Field(
        description="In the words of the contract's plan, without its id",
        examples=[{"calendar": "seasons", "city": True}],
    )


class Loaded(BaseModel):
    """What was put into the library."""

    programs: list[str]
    calendars: list[str]
    assignments: list[str]


def _mount(shelf: str) -> None:
    ItemId = Annotated[str, Path(min_length=1, max_length=64, examples=[named(shelf)])]  # noqa: N806 - a type
    example = {"reason": "winter hours", "body": body(shelf)}
    Wanted = Annotated[ItemIn, Body(openapi_examples={shelf: {"value": example}})]  # noqa: N806 - a type

    async def listed(services: Provided, _: Reader) -> Shelf:
        """As they stand in the library; a plan keeps its own copy."""
        found = await services.ledger.read(lambda ledger: records.shelved(ledger, shelf))
        return Shelf(items=[_shown(one) for one in found])

    async def one(services: Provided, _: Reader, item: ItemId) -> ItemOut:
        """As it stands in the library."""
        found = await services.ledger.read(lambda ledger: records.shelved(ledger, shelf))
        shown = next((_shown(known) for known in found if known.item.id == item), None)
        if shown is None:
            raise not_found(shelf[:-1], item)
        return shown

    async def put(services: Provided, caller: Lighter, item: ItemId, wanted: Wanted) -> ItemOut:
        """Adds or replaces it."""
        read = _read(shelf, item, wanted.body)
        await _put(services, shelf, [read], caller.who, wanted.reason)
        return await one(services, caller, item)

    async def remove(services: Provided, caller: Lighter, item: ItemId, why: ReasonIn) -> None:
        """Plans that were made before keep their copy."""

        def work(connection: Connection) -> bool:
            found = records.remove_item(connection, shelf, item)
            if found:
                _audit(connection, services, f"{shelf}.remove", f"{shelf}:{item}", caller.who, why.reason)
            return found

        if not await services.ledger.write(work):
            raise not_found(shelf[:-1], item)

    router.add_api_route(f"/{shelf}", listed, name=f"{shelf}-list", summary=f"All {shelf}")
    router.add_api_route(f"/{shelf}/{{item}}", one, name=f"{shelf}-one", summary=f"One of the {shelf}")
    router.add_api_route(
        f"/{shelf}/{{item}}", put, methods=["PUT"], name=f"{shelf}-put", summary=f"Change one of the {shelf}"
    )
    router.add_api_route(
        f"/{shelf}/{{item}}",
        remove,
        methods=["DELETE"],
        status_code=204,
        name=f"{shelf}-remove",
        summary=f"Remove one of the {shelf}",
    )


for _shelf in SHELVES:
    _mount(_shelf)


@router.post("/presets", summary="Load the presets into the library")
async def presets(services: Provided, caller: Lighter, why: ReasonIn) -> Loaded:
    """After the published practice of Jinan: programs, calendars, and the whole city lit by its seasons."""
    found: dict[str, list[Item]] = {shelf: [] for shelf in Loaded.model_fields}
    for shelf, item in items(PRESETS):
        found[shelf].append(item)

    def work(connection: Connection) -> None:
        for shelf, some in found.items():
            records.put_items(connection, shelf, some, who=caller.who, time_ms=services.clock.wall_ms())
        _audit(connection, services, "library.presets", "library", caller.who, why.reason)

    await services.ledger.write(work)
    return Loaded(**{shelf: [item.id for item in some] for shelf, some in found.items()})


async def _put(services: Services, shelf: str, some: list[Item], who: str, reason: str) -> None:
    def work(connection: Connection) -> None:
        records.put_items(connection, shelf, some, who=who, time_ms=services.clock.wall_ms())
        for item in some:
            _audit(connection, services, f"{shelf}.put", f"{shelf}:{item.id}", who, reason)

    await services.ledger.write(work)


def _read(shelf: str, item: str, body: dict[str, Any]) -> Item:
    if body.get("id", item) != item:
        raise refused("body.body.id", "id", f"It is {str(body['id'])[:64]!r} and the address says {item!r}.")
    named = {**body, "id": item}
    wrong = list(islice(mistakes(named, kind_of(shelf), "body.body"), MOST))
    if wrong:
        faults = [Fault(field=one.where, rule="validation", detail=one.what) for one in wrong]
        detail = "; ".join(f"{one.where}: {one.what}" for one in wrong[:3])
        raise several(HTTPStatus.UNPROCESSABLE_ENTITY, "validation", detail, faults)
    found: Item = msgspec.convert(named, kind_of(shelf))
    return found


def _shown(found: Shelved) -> ItemOut:
    return ItemOut(
        id=found.item.id,
        version=found.version,
        changed_ms=found.changed_ms,
        changed_by=found.changed_by,
        body=msgspec.to_builtins(found.item),
    )


def _audit(connection: Connection, services: Services, action: str, subject: str, who: str, reason: str) -> None:
    audit.record(
        connection,
        who=who,
        action=action,
        subject=subject,
        reason=reason,
        result="done",
        time_ms=services.clock.wall_ms(),
    )
