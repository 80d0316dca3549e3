"""Inspection: plans, rounds with their route and list, what was found."""

from typing import Annotated

import msgspec
from fastapi import APIRouter, Path, Query, Response
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import Connection

from lamplighter_controller.api.guard import Commander, Reader
from lamplighter_controller.api.paging import Page, Paging
from lamplighter_controller.api.problems import not_found, refused
from lamplighter_controller.api.resources.gateways import ReasonIn
from lamplighter_controller.api.resources.maintenance.answering import Key, mark, met, problem_of
from lamplighter_controller.api.resources.maintenance.orders import Civil
from lamplighter_controller.api.services import Provided, Services
from lamplighter_controller.diagnosis.findings import ElementKind
from lamplighter_controller.maintenance.patrols import records
from lamplighter_controller.maintenance.patrols.patrol import Check, Kind, Plan, Result, Round, left

router = APIRouter(prefix="/patrols", tags=["maintenance"])

RoundId = Annotated[str, Path(min_length=1, max_length=64, examples=["01980000-0000-7000-8000-000000000000"])]
Identity = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,63}$")]


class PlanBody(BaseModel):
    """Which roads and cabinets are looked at how often, by whom."""

    model_config = ConfigDict(extra="forbid")

    id: Identity = Field(examples=["east-monthly"])
    kind: Kind = Field(description="equipment: cabinets and poles; night: a sample of lamps, lit or dark")
    name: str = Field(default="", max_length=120)
    crew: str = Field(default="", max_length=64)
    roads: list[Identity] = Field(default=[], max_length=500)
    cabinets: list[Identity] = Field(default=[], max_length=500)
    every_days: float = Field(default=30.0, gt=0, le=3_660)
    sample: int = Field(default=20, ge=1, le=500, description="Lamps of each road that a night patrol sees")
    from_ms: Civil | None = Field(default=None, description="When the first round is due; null: now")


class PlanIn(ReasonIn):
    """A plan to be kept."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [{"reason": "new plan", "plan": {"id": "east-monthly", "kind": "night", "roads": ["road-01"]}}]
        },
    )

    plan: PlanBody


class Plans(BaseModel):
    """By id."""

    items: list[PlanBody]


class RoundOut(BaseModel):
    """One walk of a plan; times civil epoch ms."""

    id: str
    plan: str
    kind: Kind
    crew: str
    due_ms: int
    done_ms: int | None
    done_by: str | None
    overdue: bool
    targets: int


class TargetOut(BaseModel):
    """One thing to be looked at, in the order of the route."""

    element_kind: ElementKind
    element: str
    checks: list[Check]
    road: str
    latitude: float | None
    longitude: float | None


class ResultOut(BaseModel):
    """What was found."""

    element_kind: ElementKind
    element: str
    check: Check
    passed: bool
    value: float | None
    note: str
    at_ms: int
    who: str


class RoundDetail(RoundOut):
    """A round with its route, what is left of it and what was found."""

    route: list[TargetOut]
    left: list[TargetOut]
    results: list[ResultOut]


class ResultIn(BaseModel):
    """One check that was made."""

    model_config = ConfigDict(extra="forbid")

    element_kind: ElementKind = Field(examples=["cabinet"])
    element: str = Field(min_length=1, max_length=300, examples=["cab-01"])
    check: Check = Field(examples=["leakage"])
    passed: bool
    value: float | None = Field(default=None, ge=0, le=1e6, description="leakage in mA, grounding in ohm")
    note: str = Field(default="", max_length=500)
    at_ms: Civil | None = None


class ResultsIn(BaseModel):
    """What somebody found."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {"results": [{"element_kind": "cabinet", "element": "cab-01", "check": "door", "passed": True}]}
            ]
        },
    )

    results: list[ResultIn] = Field(min_length=1, max_length=1_000)


class Followed(BaseModel):
    """The round, and the orders that came of what failed."""

    round: RoundOut
    orders: list[str]


@router.get("/plans", name="patrol-plans", summary="Patrol plans")
async def plans(services: Provided, _: Reader) -> Plans:
    """All of them."""
    found = await services.ledger.read(records.plans)
    return Plans(items=[PlanBody.model_validate(msgspec.to_builtins(one)) for one in found])


@router.put("/plans", name="put-patrol-plan", summary="Add or replace a patrol plan")
async def put_plan(services: Provided, caller: Commander, wanted: PlanIn) -> PlanBody:
    """Its first round is made when that is due within a day."""
    try:
        plan = msgspec.convert(wanted.plan.model_dump(mode="json", exclude_none=True), Plan)
    except msgspec.ValidationError as error:
        raise refused("body.plan", "well-formed", str(error)) from error
    refusal = await services.maintenance.patrols.put_plan(plan, caller.who, wanted.reason)
    if refusal is not None:
        raise problem_of(refusal)
    return wanted.plan


@router.get("", summary="Rounds")
async def rounds(
    services: Provided,
    _: Reader,
    paging: Paging,
    overdue: Annotated[bool, Query(description="Only those nobody has walked in time")] = False,
    done: Annotated[bool, Query(description="Those that are over, too")] = False,
) -> Page[RoundOut]:
    """The first due first; with those that are over, the newest first."""
    now_ms = services.clock.civil_ms()
    found, total = await services.ledger.read(
        lambda connection: records.rounds(
            connection,
            is_open=not done,
            overdue_at_ms=now_ms if overdue else None,
            offset=paging.offset,
            limit=paging.limit,
        )
    )
    items = [_round(one, now_ms) for one in found]
    return Page(items=items, total=total, offset=paging.offset, limit=paging.limit)


@router.get("/{round}", name="round", summary="One round")
async def one(services: Provided, _: Reader, round: RoundId) -> RoundDetail:  # noqa: A002 - the path's own word
    """Its route, what is left, what was found."""
    return await _detailed(services, round)


@router.post("/{round}/results", name="tell-results", summary="Tell what was found")
async def tell(
    services: Provided,
    caller: Commander,
    round: RoundId,  # noqa: A002 - the path's own word
    told: ResultsIn,
    response: Response,
    key: Key = None,
) -> Followed:
    """What failed becomes an incident, where diagnosis knows element and class, and an order."""
    desk = services.maintenance
    results = [
        Result(
            result.element_kind,
            result.element,
            result.check,
            result.passed,
            desk.orders.at(result.at_ms),
            caller.who,
            result.value,
            result.note,
        )
        for result in told.results
    ]
    walked = met(await desk.patrols.tell(round, results, caller.who, key), "round", round)
    mark(response, repeated=walked.repeated)
    return Followed(round=_round(walked.round, services.clock.civil_ms()), orders=list(walked.orders))


@router.post("/{round}/finish", name="finish-round", summary="The round was walked")
async def finish(
    services: Provided,
    caller: Commander,
    round: RoundId,  # noqa: A002 - the path's own word
    response: Response,
    key: Key = None,
) -> RoundDetail:
    """Every check of its list has to be made."""
    walked = met(await services.maintenance.patrols.finish(round, caller.who, key), "round", round)
    mark(response, repeated=walked.repeated)
    return await _detailed(services, round)


async def _detailed(services: Services, identity: str) -> RoundDetail:
    now_ms = services.clock.civil_ms()

    def look(connection: Connection) -> tuple[Round, list[Result]] | None:
        walk = records.find(connection, identity)
        return None if walk is None else (walk, records.results_of(connection, identity))

    found = await services.ledger.read(look)
    if found is None:
        raise not_found("round", identity)
    walk, results = found
    names = TargetOut.model_fields
    route = [{name: getattr(target, name) for name in names} for target in walk.targets]
    undone = [{name: getattr(target, name) for name in names} for target in left(walk, results)]
    shown = [msgspec.structs.asdict(one) for one in results]
    head = _round(walk, now_ms).model_dump()
    return RoundDetail.model_validate({**head, "route": route, "left": undone, "results": shown})


def _round(walk: Round, now_ms: int) -> RoundOut:
    return RoundOut(
        id=walk.id,
        plan=walk.plan,
        kind=walk.kind,
        crew=walk.crew,
        due_ms=walk.due_ms,
        done_ms=walk.done_ms or None,
        done_by=walk.done_by or None,
        overdue=walk.is_overdue(now_ms),
        targets=len(walk.targets),
    )
