"""What stands in the streets: lists, import with a dry run, export; the same for every kind of thing."""

import asyncio
from http import HTTPStatus
from typing import Annotated, Any, Final

import msgspec
from fastapi import APIRouter, Query, Request, Response
from sqlalchemy import Connection

from lamplighter_contract.geo.box import Box
from lamplighter_controller.api.guard import Admin, Reader
from lamplighter_controller.api.importing import BODY, CSV, GEOJSON, Format, Report, System, answer, decoded
from lamplighter_controller.api.paging import Page, Paging
from lamplighter_controller.api.problems import Problem
from lamplighter_controller.api.services import Provided, Services
from lamplighter_controller.events import InventoryChanged
from lamplighter_controller.lighting import exporting, importing, store
from lamplighter_controller.lighting.faults import Fault
from lamplighter_controller.lighting.importing import ANYWHERE, Imported, Known
from lamplighter_controller.lighting.inventory import KINDS, PLACED, Cabinet, Luminaire, Thing
from lamplighter_controller.lighting.placing import Frame, frame_of
from lamplighter_controller.lighting.rows import as_row
from lamplighter_controller.security import audit

router = APIRouter(tags=["inventory"])

WRITE_S: Final = 60.0  # a whole city's luminaires on a busy machine


def _mount(name: str, kind: type[Thing]) -> None:
    async def listed(services: Provided, _: Reader, paging: Paging) -> Page[dict[str, Any]]:
        """Ordered by id."""
        found, total = await services.ledger.read(lambda ledger: store.some(ledger, kind, paging.offset, paging.limit))
        items = [msgspec.to_builtins(thing) for thing in found]
        return Page(items=items, total=total, offset=paging.offset, limit=paging.limit)

    async def taken(
        request: Request,
        services: Provided,
        caller: Admin,
        reason: Annotated[str, Query(min_length=1, max_length=500)],
        form: Format = "csv",
        crs: System = None,
        dry_run: bool = True,
    ) -> Report:
        """Adds, and replaces by id; whole or not at all. A dry run lists every mistake and changes nothing."""
        frame = _frame(form, name, crs, services.city.box)
        if isinstance(frame, Fault):
            return answer(0, [frame], dry_run=dry_run)
        known = await services.ledger.read(lambda ledger: store.known_to(ledger, kind))
        found = await asyncio.to_thread(_read, await request.body(), form, kind, known, frame)
        if dry_run or found.faults:
            return answer(len(found.things), found.faults, dry_run=dry_run)
        return await _take(services, found, name, caller.who, reason)

    async def given(services: Provided, _: Reader, form: Format = "csv") -> Response:
        """As the import takes it; positions are WGS-84."""
        things = await services.ledger.read(lambda ledger: store.every(ledger, kind))
        if form == "csv":
            return Response(await asyncio.to_thread(exporting.to_csv, things, kind), media_type=CSV)
        _needs_position(name)
        placed = [thing for thing in things if isinstance(thing, Luminaire | Cabinet)]
        return Response(await asyncio.to_thread(exporting.to_geojson, placed), media_type=GEOJSON)

    word = name.replace("-", " ")
    router.add_api_route(f"/{name}", listed, name=f"{name}-list", summary=f"All {word}")
    router.add_api_route(
        f"/{name}/import",
        taken,
        methods=["POST"],
        name=f"{name}-import",
        summary=f"Import {word}, or try to",
        openapi_extra=BODY,
    )
    router.add_api_route(f"/{name}/export", given, name=f"{name}-export", summary=f"Export {word}")


for _name, _kind in KINDS.items():
    _mount(_name, _kind)


def _frame(form: str, name: str, crs: str | None, box: Box | None) -> Frame | Fault:
    """How the positions of a file are meant, or why that cannot be known."""
    if form == "geojson":
        _needs_position(name)
    return frame_of(crs, box) if name in PLACED else ANYWHERE


def _needs_position(name: str) -> None:
    if name not in PLACED:
        detail = f"{name} have no positions, so there is no GeoJSON of them; use CSV."
        raise Problem(HTTPStatus.UNPROCESSABLE_ENTITY, "no-positions", detail, field="query.form")


def _read(body: bytes, form: str, kind: type[Thing], known: Known, frame: Frame) -> Imported:
    if form == "geojson":
        return importing.from_geojson(body, kind, known, frame)
    return decoded(
        body,
        lambda text: importing.from_csv(text, kind, known, frame),
        lambda line, byte: Imported((), (Fault(line, "", byte, "UTF-8"),)),
    )


async def _take(services: Services, found: Imported, name: str, who: str, reason: str) -> Report:
    rows = await asyncio.to_thread(lambda: [as_row(thing) for thing in found.things])

    def work(connection: Connection) -> tuple[int, int]:
        added, replaced = store.put_rows(connection, KINDS[name], rows)
        audit.record(
            connection,
            who=who,
            action="inventory.import",
            subject=f"inventory:{name}",
            reason=reason,
            result="done",
            detail={"added": added, "replaced": replaced},
            time_ms=services.clock.wall_ms(),
        )
        return added, replaced

    added, replaced = await services.ledger.write(work, WRITE_S)
    services.events.publish(InventoryChanged(name))
    return Report(dry_run=False, rows=len(found.things), added=added, replaced=replaced, mistakes=[])
