"""All devices of a kind at once, as columns."""

from collections.abc import Callable
from dataclasses import replace
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response
from pydantic import BaseModel, Field

from lamplighter_contract.quantities import Kind
from lamplighter_contract.wire.documents import DeviceEntry
from lamplighter_controller.api.condition import WORDS
from lamplighter_controller.api.guard import Reader
from lamplighter_controller.api.hub import Hub, encode
from lamplighter_controller.api.quantities import chosen
from lamplighter_controller.api.services import Provided, Services
from lamplighter_controller.api.sight import sight_of
from lamplighter_controller.security.callers import Caller
from lamplighter_controller.twin.kind import Snapshot

router = APIRouter(tags=["devices"])


class Columns(BaseModel):
    """One row per device, in an order that stays for as long as the controller runs."""

    kind: Kind
    version: int = Field(description="Frames of /live with a greater version come after this")
    time_now_ms: int = Field(description="Civil epoch ms")
    states: list[str] = Field(description="What the numbers in `state` mean; `gone`: served by no gateway any more")
    ids: list[str]
    gateway: list[str]
    names: list[dict[str, str]] = Field(description="Every name there is, by language; many devices share one")
    name: list[int] = Field(description="Which of `names` each device has")
    latitude: list[float | None]
    longitude: list[float | None]
    state: list[int]
    time_ms: list[int] = Field(description="Civil epoch ms of the newest reading, 0 = never read")
    quality: list[int] = Field(description="Bits; 0 is good")
    values: dict[str, list[float | None]] = Field(description="null = unknown")


@router.get("/latest", summary="All devices of a kind, as columns", responses={200: {"model": Columns}})
async def all_latest(
    request: Request,
    services: Provided,
    caller: Reader,
    kind: Annotated[Kind, Query(examples=["lamp"])],
    quantities: Annotated[str | None, Query(max_length=500, description="Names, by commas; all if absent")] = None,
) -> Response:
    """The state that /live changes from then on."""
    hub: Hub = request.app.state.hub
    columns = _seen(services, caller, services.twin.snapshot(kind))
    entries = [services.twin.entry(device) for device in columns.ids]
    names = chosen(kind, quantities) if quantities else list(columns.values)
    document = (
        _columns(columns, names)
        | _names(entries)
        | {
            "version": hub.version,
            "time_now_ms": services.clock.civil_ms(),
            "state": hub.conditions(columns),
            "latitude": _each(entries, lambda entry: entry.latitude),
            "longitude": _each(entries, lambda entry: entry.longitude),
        }
    )
    return Response(encode(document), media_type="application/json")


def _seen(services: Services, caller: Caller, columns: Snapshot) -> Snapshot:
    """The rows the caller may see."""
    rows = sight_of(services, caller).rows(columns)
    if rows is None:
        return columns
    return replace(
        columns,
        ids=[columns.ids[row] for row in rows],
        gateway=columns.gateway[rows],
        time_ms=columns.time_ms[rows],
        received_s=columns.received_s[rows],
        quality=columns.quality[rows],
        values={name: values[rows] for name, values in columns.values.items()},
    )


def _columns(columns: Snapshot, names: list[str]) -> dict[str, Any]:
    return {
        "kind": columns.kind,
        "states": WORDS,
        "ids": columns.ids,
        "gateway": [columns.gateways[index] if index >= 0 else "" for index in columns.gateway],
        "time_ms": columns.time_ms,
        "quality": columns.quality,
        "values": {name: columns.values[name] for name in names if name in columns.values},
    }


def _names(entries: list[DeviceEntry | None]) -> dict[str, Any]:
    """Each name once, for a street's lamps all have the street's."""
    places: dict[tuple[tuple[str, str], ...], int] = {}
    column = [places.setdefault(tuple(entry.name.items()) if entry else (), len(places)) for entry in entries]
    return {"names": [dict(name) for name in places], "name": column}


def _each(entries: list[DeviceEntry | None], value: Callable[[DeviceEntry], float | None]) -> list[float | None]:
    return [value(entry) if entry else None for entry in entries]
