"""Companies, drivers, trucks, places, objects, permits: lists, one with its versions, written by hand or by file."""

import asyncio
from typing import Annotated, Any, Final

import msgspec
from fastapi import APIRouter, Body, Path, Query, Request
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import Connection

from lamplighter_controller.api.guard import Admin, Commander, Reader
from lamplighter_controller.api.importing import BODY, Format, Report, System, answer, decoded
from lamplighter_controller.api.paging import Page, Paging
from lamplighter_controller.api.problems import not_found
from lamplighter_controller.api.resources.commands import Reason500
from lamplighter_controller.api.services import Provided, Services
from lamplighter_controller.fleet.register import importing, records
from lamplighter_controller.fleet.register.faults import Fault
from lamplighter_controller.fleet.register.importing import Imported
from lamplighter_controller.fleet.register.placing import Frame, frame_of
from lamplighter_controller.fleet.register.things import SHAPES, SHELVES, Known, Permit, Thing, WatchedObject
from lamplighter_controller.security import audit

router = APIRouter(prefix="/fleet", tags=["fleet"])

WRITE_S: Final = 60.0
PLACED: Final = frozenset(SHAPES) | {WatchedObject}
EXAMPLES: Final[dict[str, dict[str, Any]]] = {
    "companies": {"id": "red-haulage", "name": "红运渣土"},
    "drivers": {"id": "driver-17", "name": "李师傅", "company": "red-haulage"},
    "trucks": {"id": "truck-017", "plate": "鲁A10017", "company": "red-haulage", "device": "truck-017"},
    "places": {
        "id": "east-ground",
        "kind": "ground",
        "outline": '{"type":"Polygon","coordinates":[[[117.1,36.6],[117.2,36.6],[117.2,36.7],[117.1,36.6]]]}',
    },
    "objects": {"id": "site-7", "kind": "site", "name": "七号工地"},
    "permits": {
        "id": "permit-17",
        "truck": "truck-017",
        "site": "site-7",
        "ground": "ground-2",
        "issued": "2026-11-01",
        "expires": "2026-12-31",
    },
}
ThingId = Annotated[str, Path(min_length=1, max_length=64, examples=["truck-017"])]
Reason = Annotated[str, Query(min_length=1, max_length=500, examples=["new trucks of November"])]


class Kept(BaseModel):
    """A thing of the register with its version."""

    thing: dict[str, Any]
    version: int
    changed_ms: int = Field(description="Real epoch ms")
    changed_by: str


class SuspendIn(BaseModel):
    """Whether a permit is suspended."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"suspended": True, "reason": "three dumps in a week"}]}
    )

    suspended: bool
    reason: Reason500


def _mount(name: str, kind: type[Thing]) -> None:
    async def listed(services: Provided, _: Reader, paging: Paging) -> Page[Kept]:
        """Ordered by id."""
        found, total = await services.ledger.read(
            lambda ledger: records.some(ledger, name, kind, paging.offset, paging.limit)
        )
        return Page(items=[kept(one) for one in found], total=total, offset=paging.offset, limit=paging.limit)

    async def one(
        services: Provided, _: Reader, thing: ThingId, version: Annotated[int | None, Query(ge=1)] = None
    ) -> Kept:
        """As it stands now, or as an earlier version had it."""
        found = await services.ledger.read(lambda ledger: records.kept(ledger, name, thing, kind, version))
        if found is None:
            raise not_found("thing", thing)
        return kept(found)

    async def taken(
        request: Request,
        services: Provided,
        caller: Admin,
        reason: Reason,
        form: Format = "csv",
        crs: System = None,
        dry_run: bool = True,
    ) -> Report:
        """Adds, and replaces by id; whole or not at all. A dry run lists every mistake and changes nothing."""
        frame = _frame(services, kind, crs)
        if isinstance(frame, Fault):
            return answer(0, [frame], dry_run=dry_run)
        known = await services.ledger.read(lambda ledger: records.known_to(ledger, kind))
        found = await asyncio.to_thread(_read, await request.body(), form, kind, known, frame)
        if dry_run or found.faults:
            return answer(len(found.things), found.faults, dry_run=dry_run)
        added, replaced = await take(services, name, found, caller.who, reason)
        return Report(dry_run=False, rows=len(found.things), added=added, replaced=replaced, mistakes=[])

    async def put(
        services: Provided,
        caller: Admin,
        reason: Reason,
        values: Annotated[dict[str, Any], Body(examples=[EXAMPLES[name]])],
        crs: System = None,
    ) -> Kept:
        """One by hand; it is added, or replaces the one of its id as a new version."""
        frame = _frame(services, kind, crs)
        known = await services.ledger.read(lambda ledger: records.known_to(ledger, kind))
        found = Imported((), (frame,)) if isinstance(frame, Fault) else importing.read_one(values, kind, known, frame)
        if found.faults:
            answer(0, found.faults, dry_run=False)
        await take(services, name, found, caller.who, reason)
        thing = found.things[0].id
        stands = await services.ledger.read(lambda ledger: records.kept(ledger, name, thing, kind))
        assert stands is not None
        return kept(stands)

    router.add_api_route(f"/{name}", listed, name=f"{name}-list", summary=f"All {name}")
    router.add_api_route(f"/{name}", put, methods=["PUT"], name=f"{name}-put", summary=f"Write one of the {name}")
    router.add_api_route(
        f"/{name}/import",
        taken,
        methods=["POST"],
        name=f"{name}-import",
        summary=f"Import {name}, or try to",
        openapi_extra=BODY,
    )
    router.add_api_route(f"/{name}/{{thing}}", one, name=f"{name}-one", summary=f"One of the {name}")


for _name, _kind in SHELVES.items():
    _mount(_name, _kind)


@router.post("/permits/{thing}/suspend", summary="Suspend a permit, or let it hold again")
async def suspend(services: Provided, caller: Commander, thing: ThingId, wanted: SuspendIn) -> Kept:
    """All of them at once: `PUT /fleet/red-alert`."""
    found = await services.ledger.read(lambda ledger: records.find(ledger, "permits", thing, Permit))
    if found is None:
        raise not_found("thing", thing)
    changed = msgspec.structs.replace(found, suspended=wanted.suspended)
    await take(services, "permits", Imported((changed,)), caller.who, wanted.reason)
    stands = await services.ledger.read(lambda ledger: records.kept(ledger, "permits", thing, Permit))
    assert stands is not None
    return kept(stands)


def _frame(services: Services, kind: type[Thing], crs: str | None) -> Frame | Fault:
    return frame_of(crs, services.city.box) if kind in PLACED and (kind in SHAPES or crs) else Frame()


def _read(body: bytes, form: str, kind: type[Thing], known: Known, frame: Frame) -> Imported:
    if form == "geojson":
        return importing.from_geojson(body, kind, known, frame)
    return decoded(
        body,
        lambda text: importing.from_csv(text, kind, known, frame),
        lambda line, byte: Imported((), (Fault(line, "", byte, "UTF-8"),)),
    )


async def take(services: Services, name: str, found: Imported, who: str, reason: str) -> tuple[int, int]:
    """Write things of a shelf and have the fleet judged by them; how many were added and how many replaced."""
    wall_ms = services.clock.wall_ms()

    def work(connection: Connection) -> tuple[int, int]:
        added, replaced = records.put(connection, name, found.things, who=who, time_ms=wall_ms)
        only = f":{found.things[0].id}" if len(found.things) == 1 else ""
        audit.record(
            connection,
            who=who,
            action="fleet.register",
            subject=f"fleet:{name}{only}",
            reason=reason,
            result="done",
            detail={"added": added, "replaced": replaced},
            time_ms=wall_ms,
        )
        return added, replaced

    counted = await services.ledger.write(work, WRITE_S)
    services.fleet.register_changed()
    return counted


def kept(one: records.Kept) -> Kept:
    """A thing with its version as it is told."""
    thing = msgspec.to_builtins(one.thing)
    return Kept(thing=thing, version=one.version, changed_ms=one.changed_ms, changed_by=one.changed_by)
