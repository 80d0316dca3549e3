"""Violations: which, where, how sure, with the evidence; their life so far."""

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, Field

from lamplighter_controller.api.guard import Reader
from lamplighter_controller.api.paging import Page, Paging
from lamplighter_controller.api.problems import not_found
from lamplighter_controller.api.resources.history import Time
from lamplighter_controller.api.services import Provided, Services
from lamplighter_controller.fleet.judging.violations import Class
from lamplighter_controller.fleet.violations import records
from lamplighter_controller.fleet.violations.records import Wanted
from lamplighter_controller.fleet.violations.violation import State, Violation
from lamplighter_controller.security.callers import Caller

router = APIRouter(prefix="/fleet/violations", tags=["fleet"])

ViolationId = Annotated[str, Path(min_length=1, max_length=64, examples=["01980000-0000-7000-8000-000000000000"])]
Name = Annotated[str | None, Query(max_length=64)]


class ViolationOut(BaseModel):
    """One episode of one truck; `first_ms` and `last_ms` civil, other times real."""

    id: str
    truck: str = Field(examples=["truck-017"])
    company: str
    class_: Class = Field(serialization_alias="class")
    score: float = Field(description="0 to 1: how sure the rules are", examples=[0.99])
    first_ms: int
    last_ms: int | None = Field(description="Null while it goes on")
    times: int = Field(description="Equal episodes soon after each other that are this one violation")
    place: str | None
    place_version: int | None
    permit: str | None
    permit_version: int | None
    latitude: float | None
    longitude: float | None
    evidence: dict[str, Any]
    rules: int = Field(description="Version of the rules it was judged by")
    late: bool = Field(description="Found by the second pass, over data that came late: nobody is limited for it")
    acted: bool = Field(description="A word to the driver, a limit or a person's step followed from it")
    state: State
    found_ms: int
    changed_ms: int


class StepOut(BaseModel):
    """One step of its life."""

    state: State
    time_ms: int
    who: str
    reason: str
    detail: dict[str, Any]


class ViolationFull(ViolationOut):
    """With its life."""

    steps: list[StepOut]


@router.get("", name="violations", summary="Violations, the newest first")
async def violations(
    services: Provided,
    caller: Reader,
    paging: Paging,
    truck: Name = None,
    company: Name = None,
    class_: Annotated[Class | None, Query(alias="class")] = None,
    state: State | None = None,
    start: Time | None = None,
    end: Time | None = None,
    going_on: bool = False,
) -> Page[ViolationOut]:
    """Those that overlap the time from `start` to `end`."""
    wanted = Wanted(
        truck, company, class_.value if class_ else None, state, start, end, going_on, caller.scope.companies
    )
    found, total = await services.ledger.read(lambda ledger: records.some(ledger, wanted, paging.offset, paging.limit))
    items = [ViolationOut(**_told(one)) for one in found]
    return Page(items=items, total=total, offset=paging.offset, limit=paging.limit)


@router.get("/{violation}", name="violation", summary="One violation and its life")
async def one(services: Provided, caller: Reader, violation: ViolationId) -> ViolationFull:
    """From the rule's word to its outcome."""
    found = await seen(services, caller, violation)
    steps = await services.ledger.read(lambda ledger: records.steps_of(ledger, violation))
    told = [
        StepOut(state=step.state, time_ms=step.time_ms, who=step.who, reason=step.reason, detail=dict(step.detail))
        for step in steps
    ]
    return ViolationFull(**_told(found), steps=told)


async def seen(services: Services, caller: Caller, violation: str) -> Violation:
    """A violation, if it is of a company the caller's right reaches; another's is answered as if there were none.

    Raises:
        Problem: there is none, or none the caller may see.
    """
    found = await services.ledger.read(lambda ledger: records.find(ledger, violation))
    if found is None or not caller.scope.has_company(found.company):
        raise not_found("violation", violation)
    return found


def _told(one: Violation) -> dict[str, Any]:
    values = {name: getattr(one, name) for name in Violation.__slots__ if name != "kind"}
    return values | {"class_": Class(one.kind), "evidence": dict(one.evidence)}
