"""Levels by hand for lamps, groups, roads, districts or an area drawn on a map; always with an end."""

from collections import Counter
from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import Annotated, Final, Literal

from fastapi import APIRouter, Path, Query, Response
from pydantic import BaseModel, ConfigDict, Field, model_validator

from lamplighter_contract.commands.command import FULL_PERCENT
from lamplighter_contract.commands.states import CommandState
from lamplighter_contract.wire.limits import EARLIEST_TIME_MS, LATEST_TIME_MS, MAX_OVERRIDE_MS
from lamplighter_controller.api.guard import Lighter, Reader
from lamplighter_controller.api.problems import Fault, Problem, not_found, several
from lamplighter_controller.api.resources.commands import Key, Reason500
from lamplighter_controller.api.resources.gateways import ReasonIn
from lamplighter_controller.api.services import Provided, Services
from lamplighter_controller.commands.model import Submitted
from lamplighter_controller.lighting.overrides import store
from lamplighter_controller.lighting.overrides.desk import NotNow, Unusable
from lamplighter_controller.lighting.overrides.in_force import InForce
from lamplighter_controller.lighting.overrides.store import Ask, AskState
from lamplighter_controller.lighting.overrides.target import Target
from lamplighter_controller.lighting.overrides.wish import Wish

router = APIRouter(prefix="/overrides", tags=["overrides"])

LONGEST_S: Final = MAX_OVERRIDE_MS // 1000
MOST_NAMES: Final = 50_000
LAMPS_SHOWN: Final = 5_000

OverrideId = Annotated[str, Path(min_length=1, max_length=64, examples=["01980000-0000-7000-8000-000000000000"])]
Names = Annotated[list[Annotated[str, Field(min_length=1, max_length=64)]], Field(max_length=MOST_NAMES)]
Corner = Annotated[tuple[float, float], Field(description="Longitude, latitude in WGS-84")]
Ring = Annotated[list[Corner], Field(max_length=2_000)]


class Area(BaseModel):
    """A GeoJSON polygon (RFC 7946): WGS-84, longitude first, each ring closed; rings after the first are holes."""

    model_config = ConfigDict(extra="forbid")

    type: Literal["Polygon"]
    coordinates: list[Ring] = Field(max_length=64)


class OverrideIn(BaseModel):
    """A level for everyone who is named in any way, until its end; an emergency is full light and wins over all."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {"lamps": ["lamp-01-017"], "level_percent": 60, "for_s": 3600, "reason": "WO-0007 test"},
                {
                    "area": {
                        "type": "Polygon",
                        "coordinates": [[[117.0, 36.6], [117.2, 36.6], [117.2, 36.7], [117.0, 36.7], [117.0, 36.6]]],
                    },
                    "emergency": True,
                    "for_s": 7200,
                    "reason": "accident, police ask for light",
                },
            ]
        },
    )

    lamps: Names = []
    groups: Names = Field(default=[], description="Of the inventory, static or by rule")
    roads: Names = []
    districts: Names = []
    area: Area | None = None
    level_percent: float | None = Field(default=None, ge=0, le=100, description="Not needed in an emergency")
    until: int | None = Field(
        default=None,
        ge=EARLIEST_TIME_MS,
        lt=LATEST_TIME_MS,
        description="Civil epoch ms, at most 12 h from now; without it and `for_s` 2 h from now",
    )
    for_s: float | None = Field(default=None, ge=1, le=LONGEST_S, description="Civil seconds from now, for `until`")
    emergency: bool = Field(default=False, description="Full light above every other wish; needs an end, one person")
    reason: Reason500

    @model_validator(mode="after")
    def _one_meaning(self) -> "OverrideIn":
        if self.until is not None and self.for_s is not None:
            raise ValueError("give until or for_s, not both")
        if self.level_percent is None and not self.emergency:
            raise ValueError("level_percent is needed unless it is an emergency")
        if not (self.lamps or self.groups or self.roads or self.districts or self.area):
            raise ValueError("name somebody: lamps, groups, roads, districts or an area")
        return self


class OverrideOut(BaseModel):
    """A level by hand: who, what, whom, until when, and where it stands."""

    id: str
    state: AskState = Field(description="pending: waits for a second person; given: it is a command")
    in_force: bool = Field(description="Gateways have taken it, or may have, and it has not ended")
    level_percent: float
    emergency: bool
    until_ms: int = Field(description="Civil epoch ms")
    by: str
    reason: str
    needs_approval: list[str] = Field(description="Why a second person has to approve; empty = nobody had to")
    approvals: list[str]
    created_ms: int = Field(description="Real epoch ms")
    expires_ms: int | None = Field(description="Real epoch ms until which it waits; null = it does not")
    lamps: int = Field(description="How many it was for when it was taken")
    lamps_in_force: int
    request: str | None = Field(description="The request it became; see /commands")


class ReadBack(BaseModel):
    """One lamp of an override, by what was read back from it."""

    lamp: str
    gateway: str
    state: CommandState
    verified: bool
    reason: str


class OverrideFull(OverrideOut):
    """With its lamps, those that were not verified first."""

    states: dict[CommandState, int]
    verified: int
    not_verified: int
    read_back: list[ReadBack] = Field(description=f"The first {LAMPS_SHOWN}")


class Overrides(BaseModel):
    """Those that wait for a second person, then those in force, the newest first."""

    items: list[OverrideOut]


class Past(BaseModel):
    """All that was ever asked for, the newest first."""

    items: list[OverrideOut]
    next_before: str | None = Field(description="Ask with before=… for older ones")


class Resumed(BaseModel):
    """What became of it."""

    id: str
    state: AskState
    request: str | None = Field(description="The command that takes lamps back to plan; null = no lamp moves")


@router.post("", status_code=202, summary="Set a level by hand")
async def ask(
    response: Response, services: Provided, caller: Lighter, wanted: OverrideIn, key: Key = None
) -> OverrideFull:
    """Resolved to lamps when it is taken. Above 5 % of all lamps dark by hand it waits for a second person."""
    try:
        taken = await services.overrides.ask(_wish(services, wanted, key), caller.who)
    except Unusable as error:
        faults = [Fault(field=f"body.{one.field}", rule="unusable", detail=one.what) for one in error.wrong]
        raise several(HTTPStatus.UNPROCESSABLE_ENTITY, "unusable", str(error)[:500], faults) from error
    except NotNow as error:
        raise _conflict(error) from error
    response.headers["Location"] = f"/api/v1/overrides/{taken.id}"
    return await _full(services, taken, None)


@router.get("", summary="Levels by hand in force")
async def in_force(services: Provided, _: Reader) -> Overrides:
    """Whoever set them and however, with those that wait for a second person."""
    waiting = await services.ledger.read(store.pending)
    found = await services.overrides.in_force()
    shown = [_shown(ask, None) for ask in reversed(waiting) if ask.expires_ms > services.clock.wall_ms()]
    return Overrides(items=[*shown, *(_shown(one.ask, one) for one in found)])


@router.get("/past", summary="Everything that was asked for")
async def past(
    services: Provided,
    _: Reader,
    before: Annotated[str | None, Query(max_length=64, description="An override; older ones are returned")] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> Past:
    """Given, expired, withdrawn, waiting."""
    asks = await services.ledger.read(lambda ledger: store.newest(ledger, before, limit))
    by_name = {one.name: one for one in await services.overrides.in_force()}
    items = [_shown(ask, by_name.get(ask.id)) for ask in asks]
    return Past(items=items, next_before=items[-1].id if len(items) == limit else None)


@router.get("/{override}", summary="One level by hand and what was read back")
async def one(services: Provided, _: Reader, override: OverrideId) -> OverrideFull:
    """Lamp by lamp, those that were not verified first."""
    found, ask = await _found(services, override), await services.overrides.find(override)
    if found is None and ask is None:
        raise not_found("override", override)
    return await _full(services, ask, found)


@router.post("/{override}/approve", status_code=202, summary="Approve as a second person")
async def approve(services: Provided, caller: Lighter, override: OverrideId, why: ReasonIn) -> OverrideFull:
    """By a token of another name than the one that asked; it goes out at once."""
    if await services.overrides.find(override) is None:
        raise not_found("override", override)
    try:
        given = await services.overrides.approve(override, caller.who, why.reason)
    except NotNow as error:
        raise _conflict(error) from error
    return await _full(services, given, None)


@router.delete("/{override}", status_code=202, summary="End a level by hand")
async def resume(services: Provided, caller: Lighter, override: OverrideId, why: ReasonIn) -> Resumed:
    """Its lamps go back to plan; under a newer level or an emergency it ends unseen. One that waits is withdrawn."""
    ask, found = await services.overrides.find(override), await _found(services, override)
    try:
        if found is not None:
            request = await services.overrides.resume(found, caller.who, why.reason)
            return Resumed(id=found.name, state=AskState.ENDED, request=request)
        if ask is None:
            raise not_found("override", override)
        withdrawn = await services.overrides.withdraw(override, caller.who, why.reason)
    except NotNow as error:
        raise _conflict(error) from error
    return Resumed(id=withdrawn.id, state=withdrawn.state, request=None)


def _wish(services: Services, wanted: OverrideIn, key: str | None) -> Wish:
    until_ms = wanted.until
    if wanted.for_s is not None:
        until_ms = services.clock.civil_ms() + round(wanted.for_s * 1000)
    return Wish(
        Target(
            tuple(wanted.lamps),
            tuple(wanted.groups),
            tuple(wanted.roads),
            tuple(wanted.districts),
            tuple(map(tuple, wanted.area.coordinates)) if wanted.area else (),
        ),
        wanted.reason,
        FULL_PERCENT if wanted.level_percent is None else wanted.level_percent,
        until_ms,
        wanted.emergency,
        key,
    )


async def _found(services: Services, name: str) -> InForce | None:
    found = await services.overrides.in_force()
    return next((one for one in found if name in {one.name, one.request.id}), None)


def _conflict(error: NotNow) -> Problem:
    return Problem(HTTPStatus.CONFLICT, "not-now", str(error))


def _shown(ask: Ask | None, found: InForce | None) -> OverrideOut:
    waits = ask is not None and ask.state is AskState.PENDING
    lamps = {record.device for record in found.records} if found else set()
    if ask is None:
        assert found is not None
        return _commanded(found, len(lamps))
    return OverrideOut(
        id=ask.id,
        state=ask.state,
        in_force=found is not None,
        level_percent=ask.level_percent,
        emergency=ask.emergency,
        until_ms=ask.until_ms,
        by=ask.who,
        reason=ask.reason,
        needs_approval=list(ask.grave),
        approvals=list(ask.approvals),
        created_ms=ask.created_ms,
        expires_ms=ask.expires_ms if waits else None,
        lamps=len(ask.lamps),
        lamps_in_force=len(lamps),
        request=ask.request,
    )


def _commanded(found: InForce, lamps: int) -> OverrideOut:
    """A level that was set by a command and not as an override."""
    request = found.request
    return OverrideOut(
        id=request.id,
        state=AskState.GIVEN,
        in_force=True,
        level_percent=request.args["level_percent"],
        emergency=bool(request.args.get("emergency")),
        until_ms=request.args["until"],
        by=request.who,
        reason=request.reason,
        needs_approval=[],
        approvals=list(request.approvals),
        created_ms=request.issued_ms,
        expires_ms=None,
        lamps=lamps,
        lamps_in_force=lamps,
        request=request.id,
    )


async def _full(services: Services, ask: Ask | None, found: InForce | None) -> OverrideFull:
    request = ask.request if ask else found.request.id if found else None
    taken = await services.commands.request(request) if request else None
    parts = sorted(_parts(taken), key=lambda part: part.verified)
    states: Mapping[CommandState, int] = Counter(part.state for part in parts)
    verified = sum(part.verified for part in parts)
    return OverrideFull(
        **_shown(ask, found).model_dump(),
        states=dict(states),
        verified=verified,
        not_verified=len(parts) - verified,
        read_back=parts[:LAMPS_SHOWN],
    )


def _parts(taken: Submitted | None) -> Iterable[ReadBack]:
    for order in taken.orders if taken else ():
        for part in order.parts.values():
            verified = part.state is CommandState.VERIFIED
            yield ReadBack(
                lamp=part.device, gateway=order.gateway, state=part.state, verified=verified, reason=part.reason
            )
