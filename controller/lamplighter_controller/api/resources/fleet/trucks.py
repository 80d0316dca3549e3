"""Trucks: where they are, what they did, the whole fleet played again; a word to a driver."""

from base64 import b32encode
from http import HTTPStatus
from typing import Annotated, Final

import numpy as np
from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, ConfigDict, Field

from lamplighter_contract.commands.command import Operation
from lamplighter_contract.errors import Refusal
from lamplighter_contract.quantities import QUANTITIES, Form, Kind
from lamplighter_controller.api.guard import Admin, Commander, Reader
from lamplighter_controller.api.problems import Problem, not_found, refused
from lamplighter_controller.api.resources.commands import Reason500
from lamplighter_controller.api.resources.history import Time
from lamplighter_controller.api.services import Provided, Services
from lamplighter_controller.api.sight import trucks_of
from lamplighter_controller.commands.model import CommandRequest
from lamplighter_controller.fleet.figures import tracks
from lamplighter_controller.fleet.judging.trips import TripState
from lamplighter_controller.fleet.limits.desk import NotNow
from lamplighter_controller.fleet.limits.limit import LimitState
from lamplighter_controller.fleet.live.city import Row
from lamplighter_controller.fleet.trips import records as trip_records
from lamplighter_controller.fleet.trips.follow import Trip
from lamplighter_controller.security.callers import Caller
from lamplighter_controller.security.rights import EVERYTHING, Scope

router = APIRouter(prefix="/fleet", tags=["fleet"])

HOUR_MS: Final = 3_600_000
LONGEST_TRACK_MS: Final = 7 * 24 * HOUR_MS
LONGEST_REPLAY_MS: Final = 24 * HOUR_MS
MOST_FRAMES: Final = 200_000
MOST_TRIPS: Final = 5_000

TruckId = Annotated[str, Path(min_length=1, max_length=64, examples=["truck-017"])]
Value = float | bool | str | None


class TruckNow(BaseModel):
    """One truck as it told last; what its last report does not say is left out."""

    truck: str
    device: str
    plate: str
    company: str
    view_only: bool
    trip: str = Field(description="What it is doing", examples=["loaded_run"])
    age_s: float | None = Field(description="Real seconds since its last report; null = none since the start")
    values: dict[str, Value]
    limits: dict[str, LimitState] = Field(description="Limits that are not over, by what they limit")
    violations: list[str] = Field(description="What it does wrong now")


class Fleet(BaseModel):
    """All trucks."""

    time_ms: int = Field(description="Civil now")
    items: list[TruckNow]


class Track(BaseModel):
    """Columns of equal length, ordered by time; null = not told then. Choices are the index of their word."""

    truck: str
    time_ms: list[int]
    values: dict[str, list[float | None]]
    truncated: bool


class Replay(BaseModel):
    """Positions in order of time; `truck` is the index into `trucks`."""

    trucks: list[str]
    truck: list[int]
    time_ms: list[int]
    latitude: list[float | None]
    longitude: list[float | None]
    speed_kmh: list[float | None]
    truncated: bool


class TripOut(BaseModel):
    """One load; civil times."""

    truck: str
    loaded_ms: int
    site: str | None
    left_ms: int | None
    unloaded_ms: int | None
    ground: str | None


class SpeakIn(BaseModel):
    """Words to a driver."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"text": "请关闭密闭盖", "reason": "cover open"}]}
    )

    text: str = Field(min_length=1, max_length=200)
    reason: Reason500


class WhyIn(BaseModel):
    """Why it is done; it stands in the audit trail."""

    model_config = ConfigDict(extra="forbid")

    reason: Reason500


class KeyOut(BaseModel):
    """The secret of a terminal's one-time codes, shown this once."""

    secret: str = Field(description="Base32, as terminals and authenticators take it")
    digits: int = 6


class CodeOut(BaseModel):
    """A one-time code (HOTP, RFC 4226)."""

    code: str = Field(examples=["287082"])
    counter: int


class Asked(BaseModel):
    """The request it became; see /commands."""

    request: str


@router.get("/positions", name="positions", summary="All trucks as they are now")
async def positions(
    services: Provided, caller: Reader, company: Annotated[str | None, Query(max_length=64)] = None
) -> Fleet:
    """Of one company, or all."""
    rows = [row for row in _in_scope(services, caller) if company in (None, row.company)]
    return Fleet(time_ms=services.clock.civil_ms(), items=[_now(services, row) for row in rows])


@router.get("/trucks/{truck}/now", name="truck-now", summary="One truck as it is now")
async def now(services: Provided, caller: Reader, truck: TruckId) -> TruckNow:
    """Where it is, what it does, what limits it."""
    return _now(services, _row(services, truck, caller.scope))


@router.get("/trucks/{truck}/track", name="truck-track", summary="Where a truck was")
async def track(
    services: Provided, caller: Reader, truck: TruckId, start: Time | None = None, end: Time | None = None
) -> Track:
    """The last hour unless a time is given."""
    row = _row(services, truck, caller.scope)
    end_ms = services.clock.civil_ms() + 1 if end is None else end
    start_ms = end_ms - HOUR_MS if start is None else start
    _span(start_ms, end_ms, LONGEST_TRACK_MS)
    found = await tracks.track(services.series, row.device, start_ms, end_ms)
    values = {name: _cells(column) for name, column in found.values.items()}
    return Track(
        truck=row.truck,
        time_ms=found.time_ms.tolist(),
        values=values,
        truncated=len(found.time_ms) >= tracks.MOST_POINTS,
    )


@router.get("/replay", name="replay", summary="The whole fleet over a time")
async def replay(
    services: Provided,
    caller: Reader,
    start: Time,
    end: Time,
    step: Annotated[int, Query(ge=1, le=3600, description="Seconds; at most one position of a truck in each")] = 30,
    company: Annotated[str | None, Query(max_length=64)] = None,
) -> Replay:
    """At most a day at once."""
    _span(start, end, LONGEST_REPLAY_MS)
    rows = [row for row in _in_scope(services, caller) if row.device and company in (None, row.company)]
    found = await tracks.replay(services.series, [row.device for row in rows], (start, end), step * 1000, MOST_FRAMES)
    return Replay(
        trucks=[row.truck for row in rows],
        truck=found.truck.tolist(),
        time_ms=found.time_ms.tolist(),
        latitude=_cells(found.values["latitude"]),
        longitude=_cells(found.values["longitude"]),
        speed_kmh=_cells(found.values["speed_kmh"]),
        truncated=found.thinned,
    )


@router.get("/trips", name="trips", summary="Trips, the newest first")
async def trips(
    services: Provided,
    caller: Reader,
    start: Time,
    end: Time,
    truck: Annotated[str | None, Query(max_length=64)] = None,
) -> list[TripOut]:
    """Those that were loaded in a time."""
    trucks = trucks_of(services, caller)
    found = await services.ledger.read(lambda ledger: trip_records.trips(ledger, truck, start, end, MOST_TRIPS, trucks))
    return [TripOut(**{name: getattr(one, name) for name in Trip.__slots__}) for one in found]


@router.post("/trucks/{truck}/speak", status_code=202, name="truck-speak", summary="Say something to the driver")
async def speak(services: Provided, caller: Commander, truck: TruckId, wanted: SpeakIn) -> Asked:
    """Through the terminal's voice."""
    return await _ask(services, truck, Operation.TRUCK_SPEAK, {"text": wanted.text}, caller.who, wanted.reason)


@router.post("/trucks/{truck}/locate", status_code=202, name="truck-locate", summary="Ask a truck where it is")
async def locate(services: Provided, caller: Commander, truck: TruckId, wanted: WhyIn) -> Asked:
    """Now, not with its next report."""
    return await _ask(services, truck, Operation.TRUCK_LOCATE, {}, caller.who, wanted.reason)


@router.post("/trucks/{truck}/unlock-key", name="truck-unlock-key", summary="A new secret for one-time codes")
async def unlock_key(services: Provided, caller: Admin, truck: TruckId, wanted: WhyIn) -> KeyOut:
    """To be put into the terminal; codes of the former secret end."""
    row = _row(services, truck)
    secret = await services.fleet.limits.unlock_key(row.truck, caller.who, wanted.reason)
    return KeyOut(secret=b32encode(secret).decode())


@router.post("/trucks/{truck}/unlock-code", name="truck-unlock-code", summary="A code that unlocks the lift once")
async def unlock_code(services: Provided, caller: Commander, truck: TruckId, wanted: WhyIn) -> CodeOut:
    """For the supervisor beside the truck; who asked for it and why stands in the audit trail."""
    row = _row(services, truck)
    try:
        code, counter = await services.fleet.limits.unlock_code(row.truck, caller.who, wanted.reason)
    except NotNow as error:
        raise Problem(HTTPStatus.CONFLICT, "not-now", str(error)) from error
    return CodeOut(code=code, counter=counter)


async def _ask(
    services: Services, truck: str, operation: Operation, args: dict[str, str], who: str, reason: str
) -> Asked:
    row = _row(services, truck)
    if row.view_only:
        raise refused("path.truck", "view-only", "It is forwarded by another platform and can only be watched.")
    taken = await services.commands.submit(CommandRequest(operation, (row.device,), args, reason), who)
    if isinstance(taken, Refusal):
        raise Problem(HTTPStatus.UNPROCESSABLE_ENTITY, taken.reason, taken.detail, field="path.truck")
    return Asked(request=taken.request.id)


def _in_scope(services: Services, caller: Caller) -> list[Row]:
    return [row for row in services.fleet.city.rows if caller.scope.has_company(row.company)]


def _row(services: Services, name: str, scope: Scope = EVERYTHING) -> Row:
    row = services.fleet.city.find(name)
    if row is None or not scope.has_company(row.company):
        raise not_found("truck", name)
    return row


def _now(services: Services, row: Row) -> TruckNow:
    fleet = services.fleet
    sight = fleet.sight(row.device)
    truck = fleet.city.register.trucks.get(row.truck)
    return TruckNow(
        truck=row.truck,
        device=row.device,
        plate=truck.plate if truck else "",
        company=row.company,
        view_only=row.view_only,
        trip=TripState(fleet.trip_state(row.truck)).name.lower(),
        age_s=None if sight.seen_ms is None else round((services.clock.wall_ms() - sight.seen_ms) / 1000, 1),
        values={name: _word(name, value) for name, value in sight.values.items()},
        limits={one.what.value: one.state for one in fleet.keeper.book.of_truck(row.truck)},
        violations=[one.kind for one in fleet.violations.book.going_on(row.truck)],
    )


def _word(name: str, value: float) -> Value:
    quantity = QUANTITIES[Kind.TRUCK].get(name)
    if quantity is None or quantity.form is Form.NUMBER:
        return value
    return bool(value) if quantity.form is Form.FLAG else quantity.choices[int(value)]


def _span(start_ms: int, end_ms: int, longest_ms: int) -> None:
    if not 0 < end_ms - start_ms <= longest_ms:
        days = longest_ms / (24 * HOUR_MS)
        raise refused("query.end", "span", f"end must come after start, and at most {days:g} days after.")


def _cells(column: np.ndarray) -> list[float | None]:
    return [None if np.isnan(value) else value for value in column.tolist()]
