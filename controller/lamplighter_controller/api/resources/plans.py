"""Plans: drafted from the library, validated, approved where they take light away, published, taken back."""

from collections.abc import Sequence
from dataclasses import asdict
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, ConfigDict, Field

from lamplighter_contract.ids import ID_PATTERN
from lamplighter_contract.light.plans.problems import Severity
from lamplighter_controller.api.guard import Lighter, Reader
from lamplighter_controller.api.problems import Fault, Problem, not_found, several
from lamplighter_controller.api.resources.gateways import GatewayId, ReasonIn
from lamplighter_controller.api.services import Provided, Services
from lamplighter_controller.lighting import gate, records
from lamplighter_controller.lighting.desk import NotTaken, Who
from lamplighter_controller.lighting.gate import PlanState
from lamplighter_controller.lighting.inventory import Structure
from lamplighter_controller.lighting.records import StoredPlan, Version

router = APIRouter(prefix="/plans", tags=["plans"])

PlanNumber = Annotated[int, Path(ge=1, lt=2**53)]
Gateway = Annotated[str, Field(pattern=f"^{ID_PATTERN.pattern}$", examples=["gw-1"])]


class PublishIn(BaseModel):
    """Where a plan goes; to a few gateways first if so wanted."""

    model_config = ConfigDict(extra="forbid")

    reason: str = Field(min_length=1, max_length=500, examples=["winter hours"])
    gateways: list[Gateway] | None = Field(
        default=None, min_length=1, max_length=2_000, description="None: every gateway that serves lamps"
    )


class Found(BaseModel):
    """One thing wrong with a plan."""

    severity: Severity
    where: str = Field(examples=["program saving-winter, step 1 (22:30)"])
    what: str
    day: str | None = Field(description="The night it shows in first")
    nights: int


class PlanOut(BaseModel):
    """A plan and where it stands."""

    number: int
    state: PlanState
    author: str
    reason: str
    created_ms: int = Field(description="Real epoch ms")
    approvals: list[str]
    problems: list[Found]
    programs: list[str]
    calendars: list[str]
    assignments: list[str]


class Plans(BaseModel):
    """The newest first."""

    items: list[PlanOut]
    next_before: int | None = Field(description="Ask with before=… for older ones")


class Diff(BaseModel):
    """Tonight under a plan against tonight as it is; power and energy of lamps whose model is known."""

    lamps: int
    changed: int
    dark: int = Field(description="Lamps that go off, or under their road's floor, at a time they are above it now")
    adjacent: int = Field(description="The most of them next to each other along a road or a feeder")
    dark_roads: list[str] = Field(description="Those that go dark as a whole")
    structures: dict[str, Structure] = Field(description="Which of them are tunnels, junctions or bridges")
    light_before_h: float = Field(description="Hours of full light, all lamps together")
    light_after_h: float
    energy_before_kwh: float
    energy_after_kwh: float
    peak_before_kw: float
    peak_after_kw: float
    without_model: int
    needs_approval: list[str] = Field(description="Why a second person has to approve; empty = nobody has to")


class Running(BaseModel):
    """Which plan one gateway was given, and which it runs by its own word."""

    gateway: str
    plan: int
    version: int
    published_ms: int = Field(description="Real epoch ms")
    published_by: str
    told_version: int = Field(description="Of its last birth; 0 = none")
    running: bool


class RunningList(BaseModel):
    """By gateway."""

    items: list[Running]


class Given(BaseModel):
    """The new version of each gateway."""

    versions: dict[str, int]


@router.get("", summary="Plans")
async def plans(
    services: Provided,
    _: Reader,
    before: Annotated[int | None, Query(ge=0, lt=2**53)] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> Plans:
    """Drafts and what was published."""
    found = await services.ledger.read(lambda ledger: records.plans(ledger, before, limit))
    items = [_shown(plan) for plan in found]
    return Plans(items=items, next_before=items[-1].number if len(items) == limit else None)


@router.post("", status_code=201, summary="Draft a plan from the library")
async def draft(services: Provided, caller: Lighter, why: ReasonIn) -> PlanOut:
    """It keeps a copy: later changes of the library do not touch it."""
    return _shown(await services.plans.draft(Who(caller.who, why.reason)))


@router.get("/versions", summary="Which gateway runs which plan")
async def versions(services: Provided, _: Reader) -> RunningList:
    """What each was given last, beside what its last birth names."""
    found = await services.ledger.read(records.in_force)
    return RunningList(items=[_running(services, one) for one in found])


@router.get("/versions/{gateway}", summary="The plans a gateway was given")
async def history(
    services: Provided, _: Reader, gateway: GatewayId, limit: Annotated[int, Query(ge=1, le=200)] = 50
) -> RunningList:
    """The newest first."""
    found = await services.ledger.read(lambda ledger: records.history(ledger, gateway, limit))
    return RunningList(items=[_running(services, one) for one in found])


@router.post("/back", summary="One step back")
async def back(services: Provided, caller: Lighter, why: ReasonIn) -> Given:
    """Every gateway gets the plan it had before the one it has now, at once and without another check of the gate."""
    try:
        return Given(versions=await services.plans.back(Who(caller.who, why.reason)))
    except NotTaken as refusal:
        raise _conflict(refusal.reasons) from refusal


@router.get("/{number}", summary="One plan")
async def one(services: Provided, _: Reader, number: PlanNumber) -> PlanOut:
    """With everything that its last check has found."""
    return _shown(await _plan(services, number))


@router.get("/{number}/diff", summary="What a plan changes tonight")
async def diff(services: Provided, _: Reader, number: PlanNumber) -> Diff:
    """Against what is in force at each gateway."""
    effect = await services.plans.effect(await _plan(services, number))
    return Diff(**asdict(effect), needs_approval=list(gate.grave(effect)))


@router.post("/{number}/validate", summary="Check a plan")
async def validate(services: Provided, caller: Lighter, number: PlanNumber, why: ReasonIn) -> PlanOut:
    """For every gateway, over a year of nights. Without an error it is validated; warnings want a look."""
    try:
        return _shown(await services.plans.validate(await _plan(services, number), Who(caller.who, why.reason)))
    except NotTaken as refusal:
        raise _conflict(refusal.reasons) from refusal


@router.post("/{number}/approve", summary="Approve a plan as a second person")
async def approve(services: Provided, caller: Lighter, number: PlanNumber, why: ReasonIn) -> PlanOut:
    """Needed when a road goes dark, more than 50 lamps in a row do, or the night's energy falls by more than 5 %."""
    try:
        return _shown(await services.plans.approve(await _plan(services, number), Who(caller.who, why.reason)))
    except NotTaken as refusal:
        raise _conflict(refusal.reasons) from refusal


@router.post("/{number}/publish", summary="Publish a plan")
async def publish(services: Provided, caller: Lighter, number: PlanNumber, wanted: PublishIn) -> Given:
    """Stored first, then sent; follow it at /plans/versions. Publish to a few gateways first, then again to all."""
    plan = await _plan(services, number)
    try:
        given = await services.plans.publish(plan, Who(caller.who, wanted.reason), wanted.gateways)
    except NotTaken as refusal:
        raise _conflict(refusal.reasons) from refusal
    return Given(versions=given)


async def _plan(services: Services, number: int) -> StoredPlan:
    found = await services.plans.plan(number)
    if found is None:
        raise not_found("plan", str(number))
    return found


def _conflict(reasons: Sequence[str]) -> Problem:
    faults = [Fault(field="path.number", rule="not-taken", detail=reason) for reason in reasons]
    return several(HTTPStatus.CONFLICT, "not-taken", "; ".join(reasons[:3]), faults)


def _running(services: Services, one: Version) -> Running:
    told = services.plans.told(one.gateway)
    return Running(
        gateway=one.gateway,
        plan=one.plan,
        version=one.version,
        published_ms=one.published_ms,
        published_by=one.published_by,
        told_version=told,
        running=told == one.version,
    )


def _shown(plan: StoredPlan) -> PlanOut:
    library = plan.library
    return PlanOut(
        number=plan.number,
        state=plan.state,
        author=plan.author,
        reason=plan.reason,
        created_ms=plan.created_ms,
        approvals=list(plan.approvals),
        problems=[
            Found(
                severity=one.severity,
                where=one.where,
                what=one.what,
                day=one.day.isoformat() if one.day else None,
                nights=one.nights,
            )
            for one in plan.problems
        ],
        programs=[one.id for one in library.programs],
        calendars=[one.id for one in library.calendars],
        assignments=[one.id for one in library.assignments],
    )
