"""Policies: written as data, tried over the past, switched on by a second person."""

from http import HTTPStatus
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Body, Path, Query
from pydantic import BaseModel, Field

from lamplighter_controller.api.guard import Admin, Commander, Reader
from lamplighter_controller.api.problems import Fault, Problem, not_found, several
from lamplighter_controller.api.resources.gateways import ReasonIn
from lamplighter_controller.api.services import Provided, Services
from lamplighter_controller.fleet.limits.desk import NotNow
from lamplighter_controller.fleet.policies.keeper import switch_of
from lamplighter_controller.fleet.policies.policy import Policy, read
from lamplighter_controller.fleet.policies.records import Tried

router = APIRouter(prefix="/fleet/policies", tags=["fleet"])

EXAMPLE = {
    "id": "cover-open",
    "classes": ["cover_open"],
    "text": "请关闭密闭盖",
    "least_score": 0.8,
    "patience_s": 30,
    "limit_kmh": 30,
    "for_s": 3600,
    "release": "episode_over",
}
PolicyId = Annotated[str, Path(min_length=1, max_length=64, examples=["cover-open"])]


class TrialOut(BaseModel):
    """What a version of a policy would have done; `start_ms` and `end_ms` civil."""

    version: int
    start_ms: int
    end_ms: int
    trucks: int = Field(description="Trucks it would have limited", examples=[3])
    times: int = Field(description="How often", examples=[11])
    warnings: int
    limits: list[tuple[str, int]] = Field(description="Truck and civil epoch ms, in order; the first 1,000")


class PolicyOut(BaseModel):
    """A policy, whether it acts, and what it would have done."""

    policy: dict[str, Any]
    version: int
    on: bool
    trial: TrialOut | None


@router.get("", name="policies", summary="All policies")
async def policies(services: Provided, _: Reader) -> list[PolicyOut]:
    """With the trial of each one's version."""
    return [await _policy(services, name) for name in sorted(services.fleet.policies.keeper.policies)]


@router.put("", name="policy-put", summary="Write a policy; that switches it off")
async def put(
    services: Provided,
    caller: Admin,
    reason: Annotated[str, Query(min_length=1, max_length=500, examples=["decree 12"])],
    values: Annotated[dict[str, Any], Body(examples=[EXAMPLE])],
) -> PolicyOut:
    """Violation, word to the driver, limit, release."""
    policy = read(values)
    if not isinstance(policy, Policy):
        faults = [Fault(field=f"body.{one.where}", rule="policy", detail=one.what) for one in policy]
        raise several(HTTPStatus.UNPROCESSABLE_ENTITY, "policy", f"{len(faults)} mistakes.", faults)
    await services.fleet.policies.put(policy, caller.who, reason)
    return await _policy(services, policy.id)


@router.post("/{policy}/trial", name="policy-trial", summary="What it would have done in the last days")
async def trial(
    services: Provided, _: Commander, policy: PolicyId, days: Annotated[int, Query(ge=1, le=92)] = 7
) -> TrialOut:
    """Over the violations on record."""
    try:
        return _trial(await services.fleet.policies.try_out(policy, days))
    except NotNow as error:
        raise not_found("policy", policy) from error


@router.post("/{policy}/on", name="policy-on", summary="Let it act")
async def switch_on(services: Provided, caller: Commander, policy: PolicyId, wanted: ReasonIn) -> PolicyOut:
    """Only a version that was tried, and by another person than the one who wrote it."""
    try:
        await services.fleet.policies.switch_on(policy, caller.who, wanted.reason)
    except NotNow as error:
        raise Problem(HTTPStatus.CONFLICT, "not-now", str(error)) from error
    return await _policy(services, policy)


@router.post("/{policy}/off", name="policy-off", summary="Let it act no more")
async def switch_off(services: Provided, caller: Commander, policy: PolicyId, wanted: ReasonIn) -> PolicyOut:
    """Limits in force go on to their end."""
    try:
        await services.fleet.policies.switch_off(policy, caller.who, wanted.reason)
    except NotNow as error:
        raise Problem(HTTPStatus.CONFLICT, "not-now", str(error)) from error
    return await _policy(services, policy)


async def _policy(services: Services, name: str) -> PolicyOut:
    desk = services.fleet.policies
    tried = await desk.trial(name)
    return PolicyOut(
        policy=msgspec.to_builtins(desk.keeper.policies[name]),
        version=desk.keeper.versions[name],
        on=services.fleet.keeper.book.thrown(switch_of(name)),
        trial=_trial(tried) if tried else None,
    )


def _trial(tried: Tried) -> TrialOut:
    return TrialOut(
        version=tried.policy_version,
        start_ms=tried.start_ms,
        end_ms=tried.end_ms,
        trucks=tried.trial.trucks,
        times=tried.trial.times,
        warnings=tried.trial.warnings,
        limits=list(tried.trial.limits[:1_000]),
    )
