"""Incidents of the street: what is broken, how sure, what to do, and who has it in hand."""

from http import HTTPStatus
from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, Field

from lamplighter_contract.errors import Refusal
from lamplighter_controller.api.guard import Commander, Reader
from lamplighter_controller.api.incidents import IncidentDetail, IncidentOut, detailed, shown
from lamplighter_controller.api.paging import Page, Paging
from lamplighter_controller.api.problems import Problem, not_found
from lamplighter_controller.api.resources.gateways import ReasonIn
from lamplighter_controller.api.services import Provided, Services
from lamplighter_controller.diagnosis.desk import Who
from lamplighter_controller.diagnosis.explain import explain
from lamplighter_controller.diagnosis.incidents import handling
from lamplighter_controller.diagnosis.incidents.incident import Incident, State
from lamplighter_controller.diagnosis.store import Wanted

router = APIRouter(prefix="/incidents", tags=["incidents"])

IncidentId = Annotated[str, Path(min_length=1, max_length=64)]


class Explanation(BaseModel):
    """The reasoning as a person would tell it."""

    language: str
    lines: list[str]


class ShelveIn(ReasonIn):
    """Until when nobody wants to hear of it."""

    until_ms: int = Field(gt=0, lt=2**53, description="Civil epoch ms")


class WorkIn(ReasonIn):
    """Who has it."""

    order: str = Field(min_length=1, max_length=64, examples=["WO-0007"])


@router.get("", summary="Incidents")
async def incidents(
    services: Provided,
    _: Reader,
    paging: Paging,
    state: Annotated[list[State] | None, Query(description="Repeat for several; none: all that are not closed")] = None,
    fault: Annotated[str | None, Query(alias="class", max_length=64)] = None,
    element: Annotated[str | None, Query(max_length=300)] = None,
    cabinet: Annotated[str | None, Query(max_length=64, description="Whatever belongs to that supply point")] = None,
    severity: Annotated[int, Query(ge=1, le=5, description="At least that urgent")] = 1,
    withheld: Annotated[bool, Query(description="Those under a window or a work order, too")] = False,
    order: Annotated[Literal["raised", "severity"], Query()] = "raised",
) -> Page[IncidentOut]:
    """The newest first, or the most urgent first."""
    states = frozenset(state) if state else frozenset(State) - {State.CLOSED}
    wanted = Wanted(states, fault, element, cabinet, severity, withheld, order)
    found, total = await services.diagnosis.desk.find(wanted, paging.offset, paging.limit)
    now_ms = services.clock.civil_ms()
    items = [shown(incident, now_ms) for incident in found]
    return Page(items=items, total=total, offset=paging.offset, limit=paging.limit)


@router.get("/{incident}", summary="One incident")
async def one(services: Provided, _: Reader, incident: IncidentId) -> IncidentDetail:
    """With the elements folded under it."""
    return detailed(await _incident(services, incident), services.clock.civil_ms())


@router.get("/{incident}/explanation", summary="Why")
async def explanation(
    services: Provided, _: Reader, incident: IncidentId, language: Literal["zh", "en"] = "en"
) -> Explanation:
    """The reasoning in words, zh or en."""
    found = await _incident(services, incident)
    return Explanation(language=language, lines=list(explain(found, language, services.city.zone)))


@router.post("/{incident}/acknowledge", summary="Acknowledge")
async def acknowledge(services: Provided, caller: Commander, incident: IncidentId, why: ReasonIn) -> IncidentOut:
    """Somebody has seen it."""
    now_ms = services.clock.civil_ms()
    by = Who(caller.who, why.reason)
    return await _change(
        services, incident, lambda known: handling.acknowledge(known, by.who, now_ms), by, "acknowledged"
    )


@router.post("/{incident}/shelve", summary="Shelve")
async def shelve(services: Provided, caller: Commander, incident: IncidentId, wanted: ShelveIn) -> IncidentOut:
    """Nobody wants to hear of it until then. What endangers somebody cannot be shelved."""
    now_ms, by = services.clock.civil_ms(), Who(caller.who, wanted.reason)

    def step(known: Incident) -> Incident | Refusal:
        return handling.shelve(known, wanted.until_ms, wanted.reason, now_ms)

    return await _change(services, incident, step, by, "shelved")


@router.post("/{incident}/work", summary="Take in work")
async def work(services: Provided, caller: Commander, incident: IncidentId, wanted: WorkIn) -> IncidentOut:
    """A crew has it: nothing more is raised of the element until the incident is closed."""
    now_ms, by = services.clock.civil_ms(), Who(caller.who, wanted.reason)
    return await _change(
        services, incident, lambda known: handling.begin_work(known, wanted.order, now_ms), by, "in-work"
    )


@router.post("/{incident}/close", summary="Close")
async def close(services: Provided, caller: Commander, incident: IncidentId, why: ReasonIn) -> IncidentOut:
    """What is still wrong afterwards is raised anew."""
    now_ms, by = services.clock.civil_ms(), Who(caller.who, why.reason)
    return await _change(
        services, incident, lambda known: handling.close(known, by.who, by.reason, now_ms), by, "closed"
    )


@router.post("/{incident}/test", status_code=202, summary="Approve an active test")
async def test(services: Provided, caller: Commander, incident: IncidentId, why: ReasonIn) -> IncidentOut:
    """The lamp is taken through 100, 50 and 0 % and read back; the outcome goes into the evidence."""
    return _answer(services, incident, await services.diagnosis.tester.approve(incident, Who(caller.who, why.reason)))


@router.post("/{incident}/isolate", status_code=202, summary="Isolate the circuits of a leak")
async def isolate(services: Provided, caller: Commander, incident: IncidentId, why: ReasonIn) -> IncidentOut:
    """Asks the gateway to open them. They are closed again only by the person on site."""
    found = await _incident(services, incident)
    if await services.diagnosis.isolate(incident, Who(caller.who, why.reason)) is None:
        raise Problem(HTTPStatus.CONFLICT, "not-now", "No isolation is proposed for this incident.")
    return shown(services.diagnosis.desk.incident(incident) or found, services.clock.civil_ms())


async def _incident(services: Services, identity: str) -> Incident:
    found = await services.diagnosis.desk.one(identity)
    if found is None:
        raise not_found("incident", identity)
    return found


async def _change(services: Services, identity: str, step: handling.Step, by: Who, action: str) -> IncidentOut:
    return _answer(services, identity, await services.diagnosis.desk.change(identity, step, by, action))


def _answer(services: Services, identity: str, found: Incident | Refusal | None) -> IncidentOut:
    if found is None:
        raise not_found("incident", identity)
    if isinstance(found, Refusal):
        raise Problem(HTTPStatus.CONFLICT, "not-now", found.detail)
    return shown(found, services.clock.civil_ms())
