"""Crews, and the trips that orders on one road are merged into."""

from typing import Annotated

import msgspec
from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, ConfigDict, Field

from lamplighter_controller.api.guard import Commander, Reader
from lamplighter_controller.api.problems import refused
from lamplighter_controller.api.resources.gateways import ReasonIn
from lamplighter_controller.api.resources.maintenance.answering import Key, mark, met
from lamplighter_controller.api.resources.maintenance.orders import Civil
from lamplighter_controller.api.resources.maintenance.shown import OrderOut, shown
from lamplighter_controller.api.services import Provided
from lamplighter_controller.maintenance.orders import records
from lamplighter_controller.maintenance.orders.crews import Crew
from lamplighter_controller.maintenance.orders.trips import Trip

router = APIRouter(tags=["maintenance"])

Identity = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,63}$")]


class CrewBody(BaseModel):
    """Who works together, where and when. Without districts and roads: everywhere."""

    model_config = ConfigDict(extra="forbid")

    id: Identity = Field(examples=["east-1"])
    name: str = Field(default="", max_length=120, examples=["东区一班"])
    company: Identity | None = None
    districts: list[Identity] = Field(default=[], max_length=500)
    roads: list[Identity] = Field(default=[], max_length=500)
    from_h: float = Field(default=0.0, ge=0, le=24, description="Local hour at which the shift begins")
    until_h: float = Field(default=24.0, ge=0, le=24, description="Before `from_h`: the next morning")
    weekdays: list[Annotated[int, Field(ge=1, le=7)]] = Field(default=[], max_length=7, description="1 Monday")
    members: list[Annotated[str, Field(max_length=120)]] = Field(
        default=[], max_length=200, description="Such as token:li; nobody: everybody with the right"
    )


class CrewIn(ReasonIn):
    """A crew to be kept."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"reason": "new crew", "crew": {"id": "east-1"}}]}
    )

    crew: CrewBody


class Crews(BaseModel):
    """By id."""

    items: list[CrewBody]


class ProposalOut(BaseModel):
    """Orders of one road that could be one trip; the most urgent first."""

    road: str
    orders: list[str]
    priority: int
    due_ms: int | None


class Proposals(BaseModel):
    """The most urgent first."""

    items: list[ProposalOut]


class TripIn(ReasonIn):
    """Who drives where with what, and which part of the road is closed meanwhile."""

    road: str = Field(min_length=1, max_length=64, examples=["road-01"])
    crew: Identity = Field(examples=["east-1"])
    orders: list[str] = Field(min_length=1, max_length=50, examples=[["WO-000007", "WO-000008"]])
    bucket_truck: str = Field(default="", max_length=64, examples=["鲁A10017"])
    closure: str = Field(default="", max_length=500, examples=["one lane towards the east"])
    closure_from_ms: Civil | None = None
    closure_until_ms: Civil | None = None


class TripOut(BaseModel):
    """A trip."""

    id: str
    road: str
    crew: str
    bucket_truck: str
    closure: str
    closure_from_ms: int | None
    closure_until_ms: int | None
    created_ms: int
    created_by: str


class TripWithOrders(TripOut):
    """A trip with its orders."""

    orders: list[OrderOut]


class Trips(BaseModel):
    """The newest first."""

    items: list[TripOut]


@router.get("/crews", summary="Crews")
async def crews(services: Provided, _: Reader) -> Crews:
    """All of them."""
    found = await services.ledger.read(records.crews)
    return Crews(items=[CrewBody.model_validate(msgspec.to_builtins(one)) for one in found])


@router.put("/crews", name="put-crew", summary="Add or replace a crew")
async def put_crew(services: Provided, caller: Commander, wanted: CrewIn) -> CrewBody:
    """New orders of its area and shift go to it."""
    try:
        crew = msgspec.convert(wanted.crew.model_dump(), Crew)
    except msgspec.ValidationError as error:
        raise refused("body.crew", "well-formed", str(error)) from error
    await services.maintenance.orders.put_crew(crew, caller.who, wanted.reason)
    return wanted.crew


@router.get("/trips/proposals", name="trip-proposals", summary="Orders that could be one trip")
async def proposals(services: Provided, _: Reader) -> Proposals:
    """Roads with several orders that nobody has left for."""
    found = await services.maintenance.orders.proposals()
    return Proposals(
        items=[
            ProposalOut(road=one.road, orders=list(one.orders), priority=one.priority, due_ms=one.due_ms or None)
            for one in found
        ]
    )


@router.get("/trips", summary="Trips")
async def trips(services: Provided, _: Reader, limit: Annotated[int, Query(ge=1, le=1_000)] = 100) -> Trips:
    """The newest first."""
    found = await services.ledger.read(lambda connection: records.trips(connection, limit))
    return Trips(items=[_trip(one) for one in found])


@router.post("/trips", name="make-trip", status_code=201, summary="Merge orders on one road into a trip")
async def go(
    services: Provided, caller: Commander, wanted: TripIn, response: Response, key: Key = None
) -> TripWithOrders:
    """All its orders go to the crew."""
    trip = Trip(
        services.maintenance.new_id(),
        wanted.road,
        wanted.crew,
        wanted.bucket_truck,
        wanted.closure,
        wanted.closure_from_ms or 0,
        wanted.closure_until_ms or 0,
        services.clock.civil_ms(),
        caller.who,
    )
    gone = met(await services.maintenance.orders.go(trip, wanted.orders, wanted.reason, key), "trip", trip.id)
    mark(response, repeated=gone.repeated)
    now_ms = services.clock.civil_ms()
    values = _trip(gone.trip).model_dump()
    return TripWithOrders(**values, orders=[shown(one, now_ms) for one in gone.orders])


def _trip(trip: Trip) -> TripOut:
    values = msgspec.structs.asdict(trip)
    ends = {name: values[name] or None for name in ("closure_from_ms", "closure_until_ms")}
    return TripOut.model_validate(values | ends)
