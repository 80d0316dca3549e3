"""Limits of trucks: asked for, approved, followed, released; the switches of the fleet."""

from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, ConfigDict, Field

from lamplighter_controller.api.guard import Commander, Reader
from lamplighter_controller.api.paging import Page, Paging
from lamplighter_controller.api.problems import Fault, Problem, not_found, several
from lamplighter_controller.api.resources.commands import Key, Reason500
from lamplighter_controller.api.resources.gateways import ReasonIn
from lamplighter_controller.api.services import Provided
from lamplighter_controller.api.sight import company_of, trucks_of
from lamplighter_controller.fleet.engine import RED_ALERT
from lamplighter_controller.fleet.limits import records
from lamplighter_controller.fleet.limits.book import KILL
from lamplighter_controller.fleet.limits.desk import NotNow, Unusable
from lamplighter_controller.fleet.limits.limit import Ask, AskState, Limit, LimitState, What
from lamplighter_controller.fleet.limits.wish import MOST_TRUCKS, Wish

router = APIRouter(prefix="/fleet", tags=["fleet"])

LONGEST_S = 72 * 3600
LimitId = Annotated[str, Path(min_length=1, max_length=64, examples=["01980000-0000-7000-8000-000000000000"])]
TruckName = Annotated[str, Field(min_length=1, max_length=64, examples=["truck-017"])]


class LimitIn(BaseModel):
    """An upper bound for trucks, always with an end; the driver is told first, the interlock is asked first."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [{"trucks": ["truck-017"], "limit_kmh": 40, "for_s": 3600, "reason": "cover open, case 7"}]
        },
    )

    trucks: list[TruckName] = Field(min_length=1, max_length=MOST_TRUCKS)
    what: What = What.SPEED
    limit_kmh: float = Field(default=0, ge=0, le=120, description="Of a speed limit")
    for_s: float = Field(default=86_400, gt=0, le=LONGEST_S, description="The city's seconds until it ends")
    case_number: str = Field(default="", max_length=64)
    violation: str | None = Field(default=None, max_length=64, description="The evidence")
    reason: Reason500


class AskOut(BaseModel):
    """A limit as it was asked for; `until_ms` civil, other times real."""

    id: str
    state: AskState = Field(description="pending: waits for a second person")
    by: str
    trucks: list[str]
    what: What
    limit_kmh: float
    until_ms: int
    reason: str
    case_number: str
    violation: str | None
    policy: str | None
    needs_approval: list[str] = Field(description="Why a second person has to approve; empty = nobody had to")
    approvals: list[str]
    created_ms: int
    expires_ms: int = Field(description="Until which it waits for a second person")


class Shown(BaseModel):
    """What the truck tells now."""

    age_s: float | None = Field(description="Of its last report; null = none since the start")
    speed_kmh: float | None
    limited: bool | None = Field(description="By its own status")


class LimitOut(BaseModel):
    """One truck's limit; in effect, and over, only by the truck's own status."""

    id: str
    ask: str | None = Field(description="Null: not ours; it is shown and never fought")
    truck: str
    device: str
    what: What
    state: LimitState
    limit_kmh: float | None
    until_ms: int | None
    detail: str = Field(description="What holds it back, or what was last heard of it")
    warned_ms: int | None
    sent_ms: int | None
    effective_ms: int | None
    ended_ms: int | None
    request: str | None
    release_request: str | None
    now: Shown


class SwitchIn(BaseModel):
    """A switch of the fleet."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"thrown": True, "reason": "red alert for heavy air"}]}
    )

    thrown: bool
    reason: Reason500


class KillIn(SwitchIn):
    """The kill switch: nothing more is limited; with `release` every limit of ours is ended too."""

    release: bool = False


class SwitchOut(BaseModel):
    """A switch as it stands."""

    name: str
    thrown: bool
    by: str
    reason: str
    changed_ms: int = Field(description="Real epoch ms")
    released: int = Field(default=0, description="Limits that were ended with it")


@router.post("/limits", status_code=202, name="limit-ask", summary="Limit trucks for some time")
async def ask(services: Provided, caller: Commander, wanted: LimitIn, key: Key = None) -> AskOut:
    """Up to five trucks at once by one person; more wait for a second person."""
    wish = Wish(
        tuple(wanted.trucks),
        wanted.what,
        wanted.reason,
        wanted.for_s,
        wanted.limit_kmh,
        wanted.case_number,
        wanted.violation,
        key=key,
    )
    try:
        return _ask(await services.fleet.limits.ask(wish, caller.who))
    except Unusable as error:
        faults = [Fault(field=f"body.{one.where}", rule="limit", detail=one.what) for one in error.wrong]
        # A wish that is right in itself, for trucks that are not there or not able, meets the fleet's state, no rule.
        named = all(one.where.startswith("trucks.") for one in error.wrong)
        status = HTTPStatus.CONFLICT if named else HTTPStatus.UNPROCESSABLE_ENTITY
        raise several(status, "limit", str(error), faults) from error
    except NotNow as error:
        raise Problem(HTTPStatus.CONFLICT, "not-now", str(error)) from error


@router.get("/limits", name="limits", summary="Limits, the newest first")
async def limits(
    services: Provided,
    caller: Reader,
    paging: Paging,
    truck: Annotated[str | None, Query(max_length=64)] = None,
    ask: Annotated[str | None, Query(max_length=64)] = None,
    in_force: Annotated[bool, Query(description="Those that are not over")] = False,
) -> Page[LimitOut]:
    """Ours and those of others."""
    trucks = trucks_of(services, caller)
    found, total = await services.ledger.read(
        lambda ledger: records.limits(
            ledger,
            truck=truck,
            ask=ask,
            is_open=in_force,
            offset=paging.offset,
            limit=paging.limit,
            trucks=trucks,
        )
    )
    items = [_limit(services, one) for one in found]
    return Page(items=items, total=total, offset=paging.offset, limit=paging.limit)


@router.get("/limits/{limit}", name="limit", summary="One truck's limit")
async def one(services: Provided, caller: Reader, limit: LimitId) -> LimitOut:
    """Where it stands, and what the truck tells."""
    found = await services.ledger.read(lambda ledger: records.find_limit(ledger, limit))
    if found is None or not caller.scope.has_company(company_of(services, found.truck)):
        raise not_found("limit", limit)
    return _limit(services, found)


@router.delete("/limits/{limit}", status_code=202, name="limit-release", summary="End one truck's limit")
async def release(services: Provided, caller: Commander, limit: LimitId, wanted: ReasonIn) -> LimitOut:
    """Always allowed; it is sent again and again until the truck shows it."""
    try:
        return _limit(services, await services.fleet.limits.release(limit, caller.who, wanted.reason))
    except NotNow as error:
        raise Problem(HTTPStatus.CONFLICT, "not-now", str(error)) from error


@router.get("/limit-asks", name="limit-asks", summary="What was asked for, the newest first")
async def asks(services: Provided, _: Reader, paging: Paging, state: AskState | None = None) -> Page[AskOut]:
    """Those that wait for a second person: `state=pending`."""
    found, total = await services.ledger.read(lambda ledger: records.asks(ledger, state, paging.offset, paging.limit))
    return Page(items=[_ask(one) for one in found], total=total, offset=paging.offset, limit=paging.limit)


@router.post("/limit-asks/{limit}/approve", name="limit-approve", summary="Approve a limit of many trucks")
async def approve(services: Provided, caller: Commander, limit: LimitId, wanted: ReasonIn) -> AskOut:
    """By another token than the one that asked."""
    try:
        return _ask(await services.fleet.limits.approve(limit, caller.who, wanted.reason))
    except NotNow as error:
        raise Problem(HTTPStatus.CONFLICT, "not-now", str(error)) from error


@router.post("/limit-asks/{limit}/withdraw", name="limit-withdraw", summary="Take back what waits for approval")
async def withdraw(services: Provided, caller: Commander, limit: LimitId, wanted: ReasonIn) -> AskOut:
    """By anybody who may command."""
    try:
        return _ask(await services.fleet.limits.withdraw(limit, caller.who, wanted.reason))
    except NotNow as error:
        raise Problem(HTTPStatus.CONFLICT, "not-now", str(error)) from error


@router.get("/switches", name="switches", summary="The fleet's switches that were ever thrown")
async def switches(services: Provided, _: Reader) -> list[SwitchOut]:
    """The kill switch of limits, the red alert, one for each policy."""
    return [_switch(one) for one in services.fleet.keeper.book.switches.values()]


@router.put("/kill-switch", name="kill-switch", summary="Stop all limiting, or allow it again")
async def kill(services: Provided, caller: Commander, wanted: KillIn) -> SwitchOut:
    """Limits in force go on to their end unless `release` is given; to release is always allowed."""
    desk = services.fleet.limits
    thrown = await desk.throw(KILL, caller.who, wanted.reason, thrown=wanted.thrown)
    released = await desk.release_all(caller.who, wanted.reason) if wanted.release and wanted.thrown else 0
    return _switch(thrown, released)


@router.put("/red-alert", name="red-alert", summary="Suspend all permits in one action, or let them hold again")
async def red_alert(services: Provided, caller: Commander, wanted: SwitchIn) -> SwitchOut:
    """While it lasts no permit holds."""
    thrown = await services.fleet.limits.throw(RED_ALERT, caller.who, wanted.reason, thrown=wanted.thrown)
    services.fleet.register_changed()
    return _switch(thrown)


def _ask(ask: Ask) -> AskOut:
    values: dict[str, Any] = {name: getattr(ask, name) for name in Ask.__slots__ if name in AskOut.model_fields}
    return AskOut(
        **{**values, "trucks": list(ask.trucks), "approvals": list(ask.approvals)},
        by=ask.who,
        limit_kmh=ask.target,
        needs_approval=list(ask.grave),
    )


def _limit(services: Provided, limit: Limit) -> LimitOut:
    values: dict[str, Any] = {name: getattr(limit, name) for name in Limit.__slots__ if name in LimitOut.model_fields}
    sight = services.fleet.sight(limit.device)
    age_s = None if sight.seen_ms is None else round((services.clock.wall_ms() - sight.seen_ms) / 1000, 1)
    now = Shown(age_s=age_s, speed_kmh=sight.values.get("speed_kmh"), limited=sight.shows(limit.what))
    return LimitOut(**values, limit_kmh=limit.target, now=now)


def _switch(one: records.Switch, released: int = 0) -> SwitchOut:
    return SwitchOut(
        name=one.name,
        thrown=one.thrown,
        by=one.who,
        reason=one.reason,
        changed_ms=one.changed_ms,
        released=released,
    )
