"""Levels by hand for lamps, groups, roads, districts or an area drawn on a map; always with an end."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Path, Query, Response

from lamplighter_contract.commands.command import FULL_PERCENT
from lamplighter_contract.commands.states import CommandState
from lamplighter_controller.api.guard import Lighter, Reader
from lamplighter_controller.api.problems import Fault, Problem, not_found, several
from lamplighter_controller.api.resources.commands import Key
from lamplighter_controller.api.resources.gateways import ReasonIn
from lamplighter_controller.api.resources.override_bodies import (
    LAMPS_SHOWN,
    OverrideFull,
    OverrideIn,
    OverrideOut,
    Overrides,
    Past,
    ReadBack,
    Resumed,
)
from lamplighter_controller.api.services import Provided, Services
from lamplighter_controller.commands.model import Submitted
from lamplighter_controller.lighting.overrides import store
from lamplighter_controller.lighting.overrides.desk import NotNow, Unusable
from lamplighter_controller.lighting.overrides.in_force import InForce
from lamplighter_controller.lighting.overrides.store import Ask, AskState
from lamplighter_controller.lighting.overrides.target import Target
from lamplighter_controller.lighting.overrides.wish import Wish
from lamplighter_controller.security.callers import Caller

router = APIRouter(prefix="/overrides", tags=["overrides"])

OverrideId = Annotated[str, Path(min_length=1, max_length=64, examples=["01980000-0000-7000-8000-000000000000"])]


@router.post("", status_code=202, summary="Set a level by hand")
async def ask(
    response: Response, services: Provided, caller: Lighter, wanted: OverrideIn, key: Key = None
) -> OverrideFull:
    """Resolved to lamps when it is taken. Above 5 % of all lamps dark by hand it waits for a second person."""
    try:
        taken = await services.overrides.ask(_wish(services, wanted, key), caller.who, _within(services, caller))
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
    moved = [record.device for record in found.records] if found else list(ask.lamps if ask else ())
    if not all(map(_within(services, caller), moved)):
        detail = "It is for lamps outside the areas that were granted."
        raise Problem(HTTPStatus.FORBIDDEN, "outside", detail)
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


def _within(services: Services, caller: Caller) -> Callable[[str], bool]:
    """Which lamps the caller may move."""
    return lambda lamp: caller.scope.has_gateway(services.twin.gateway_of(lamp))


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
