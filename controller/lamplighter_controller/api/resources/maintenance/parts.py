"""Parts and material: kinds, what is in store, what went where."""

from collections.abc import Mapping
from typing import Annotated

import msgspec
from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import Connection

from lamplighter_controller.api.guard import Commander, Reader
from lamplighter_controller.api.problems import refused
from lamplighter_controller.api.resources.gateways import ReasonIn
from lamplighter_controller.api.resources.maintenance.answering import Key, met
from lamplighter_controller.api.resources.maintenance.shown import FittedOut, fitted_shown
from lamplighter_controller.api.services import Provided
from lamplighter_controller.maintenance.parts import records
from lamplighter_controller.maintenance.parts.part import Move, Part, PartKind

router = APIRouter(tags=["maintenance"])

Identity = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,63}$")]


class PartBody(BaseModel):
    """One kind of part; cable counts in metres."""

    model_config = ConfigDict(extra="forbid")

    id: Identity = Field(examples=["led-150"])
    kind: PartKind
    name: str = Field(default="", max_length=120)
    unit: str = Field(default="piece", max_length=16)
    model: Identity | None = Field(default=None, description="The luminaire model it is, of lamps")
    warranty_days: int = Field(default=0, ge=0, le=20_000)
    least: float = Field(default=0.0, ge=0, le=1e9, description="Below it there is too little in store")


class PartKept(ReasonIn):
    """A part to be kept."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"reason": "new part", "part": {"id": "led-150", "kind": "lamp"}}]},
    )

    part: PartBody


class BatchOut(BaseModel):
    """What is in store of one batch."""

    batch: str
    quantity: float


class StockOut(PartBody):
    """A part with what is in store."""

    in_store: float
    low: bool
    batches: list[BatchOut]


class Stock(BaseModel):
    """By id."""

    items: list[StockOut]


class MoveIn(ReasonIn):
    """Something came in (above 0), or left for good (below 0)."""

    part: Identity = Field(examples=["led-150"])
    quantity: float = Field(ge=-1e6, le=1e6, examples=[20])
    batch: str = Field(default="", max_length=120, examples=["2026-04"])


class MoveOut(BaseModel):
    """One move."""

    part: str
    quantity: float
    batch: str
    order: str
    at_ms: int
    who: str
    reason: str


class Moves(BaseModel):
    """The newest first."""

    items: list[MoveOut]


class History(BaseModel):
    """The newest first."""

    items: list[FittedOut]


@router.get("/parts", summary="What is in store")
async def stock(services: Provided, _: Reader) -> Stock:
    """Every kind of part, with its batches."""

    def look(connection: Connection) -> Stock:
        found = records.stock(connection)
        return Stock(items=[_stock(part, found) for part in records.parts(connection).values()])

    return await services.ledger.read(look)


@router.put("/parts", name="put-part", summary="Add or replace a kind of part")
async def put_part(services: Provided, caller: Commander, wanted: PartKept) -> PartBody:
    """What is in store stays."""
    try:
        part = msgspec.convert(wanted.part.model_dump(mode="json"), Part)
    except msgspec.ValidationError as error:
        raise refused("body.part", "well-formed", str(error)) from error
    await services.maintenance.parts.put(part, caller.who, wanted.reason)
    return wanted.part


@router.get("/parts/moves", name="part-moves", summary="What came and went")
async def moves(
    services: Provided,
    _: Reader,
    part: Annotated[str | None, Query(max_length=64)] = None,
    limit: Annotated[int, Query(ge=1, le=1_000)] = 100,
) -> Moves:
    """The newest first."""
    found = await services.ledger.read(lambda connection: records.moves(connection, part, limit))
    return Moves(items=[MoveOut.model_validate(msgspec.structs.asdict(one)) for one in found])


@router.post("/parts/moves", name="move-part", status_code=201, summary="Put into the store, or take out of it")
async def move(services: Provided, caller: Commander, wanted: MoveIn, key: Key = None) -> MoveOut:
    """There is never less than nothing of a batch."""
    if not wanted.quantity:
        raise refused("body.quantity", "not-zero", "quantity is 0: nothing would move")
    now_ms = services.clock.civil_ms()
    told = Move(wanted.part, wanted.quantity, wanted.batch, "", now_ms, caller.who, wanted.reason)
    moved = met(await services.maintenance.parts.move(told, key), "part", wanted.part)
    return MoveOut.model_validate(msgspec.structs.asdict(moved))


@router.get("/parts/history", name="asset-history", summary="What was put in where")
async def history(
    services: Provided,
    _: Reader,
    element: Annotated[str | None, Query(max_length=300)] = None,
    pole: Annotated[str | None, Query(max_length=120)] = None,
    batch: Annotated[str | None, Query(max_length=120)] = None,
) -> History:
    """Of an element, of a pole whatever its controllers were called, or of a batch."""
    found = await services.ledger.read(
        lambda connection: records.history(connection, element=element, pole=pole, batch=batch)
    )
    return History(items=[fitted_shown(one) for one in found])


def _stock(part: Part, found: Mapping[tuple[str, str], float]) -> StockOut:
    batches = [BatchOut(batch=batch, quantity=quantity) for (name, batch), quantity in found.items() if name == part.id]
    in_store = round(sum(one.quantity for one in batches), 6)
    values = msgspec.to_builtins(part) | {"in_store": in_store, "low": in_store < part.least, "batches": batches}
    return StockOut.model_validate(values)
