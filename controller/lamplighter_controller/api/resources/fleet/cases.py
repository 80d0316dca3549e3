"""The life of violations: reviewed, told, appealed, handed over, numbered, concluded; to and from the case system."""

import asyncio
from http import HTTPStatus
from typing import Annotated, Any, Final, Literal
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import BaseModel, Field
from sqlalchemy import Connection

from lamplighter_contract.errors import Refusal
from lamplighter_controller.api.guard import Commander, Reader
from lamplighter_controller.api.importing import CSV, Mistake, decoded, mistakes
from lamplighter_controller.api.problems import Problem, not_found
from lamplighter_controller.api.resources.gateways import ReasonIn
from lamplighter_controller.api.resources.history import Time
from lamplighter_controller.api.services import Provided, Services
from lamplighter_controller.api.tables import csv_of
from lamplighter_controller.fleet.cases import exchange, shares
from lamplighter_controller.fleet.cases.life import MOST_YUAN, Act, Outcome, Wish
from lamplighter_controller.fleet.evidence import records as evidence_records
from lamplighter_controller.fleet.register import records as register
from lamplighter_controller.fleet.register.faults import Fault
from lamplighter_controller.fleet.register.things import Company, Place, Truck
from lamplighter_controller.fleet.violations import records
from lamplighter_controller.fleet.violations.records import Wanted
from lamplighter_controller.fleet.violations.violation import State, Violation

router = APIRouter(tags=["fleet"])

ViolationId = Annotated[str, Path(min_length=1, max_length=64, examples=["01980000-0000-7000-8000-000000000000"])]
Text = Annotated[str, Field(min_length=1, max_length=500)]
MOST_EXPORTED: Final = 10_000
JSON: Final = "application/json"
_BODY: Final[dict[str, Any]] = {"requestBody": {"required": True, "content": {CSV: {}, JSON: {}}}}


class ReviewIn(ReasonIn):
    """What a person found."""

    valid: bool = Field(examples=[True])


class NotifyIn(ReasonIn):
    """Whom of the company was told, and how."""

    to: Text = Field(examples=["dispatcher of Spruce Haulage"])
    way: Text | None = Field(None, examples=["registered letter"])


class AppealIn(ReasonIn):
    """Who objects, and why; it is answered by a review (invalid) or by handing over."""

    by: Text = Field(examples=["Spruce Haulage"])
    text: Text = Field(examples=["the ground was open that night"])


class HandOverIn(ReasonIn):
    """To whom; `package` is the digest of the package that went along."""

    to: Text = Field(examples=["district bureau"])
    package: Text | None = None


class NumberIn(ReasonIn):
    """The number in the case system."""

    case_number: Text = Field(examples=["2026-0017"])
    reference: Text | None = None


class ConcludeIn(ReasonIn):
    """How the case ended."""

    outcome: Outcome = Field(examples=["penalty"])
    amount_yuan: float | None = Field(None, ge=0, le=MOST_YUAN, allow_inf_nan=False, examples=[2000])
    reference: Text | None = None


class CaseOut(BaseModel):
    """Where a violation stands now."""

    violation: str
    state: State
    repeated: bool = Field(description="The step had been taken just so before; nothing changed")


class ShareOut(BaseModel):
    """How often one version of one rule was wrong."""

    class_: str = Field(serialization_alias="class", examples=["dump_outside"])
    rules: int
    found: int
    reviewed: int
    valid: int
    invalid: int
    invalid_share: float | None = Field(description="Of those reviewed; null before any was", examples=[0.03])


class Statistics(BaseModel):
    """Rule by rule."""

    items: list[ShareOut]


class Brought(BaseModel):
    """What a file of the case system changed."""

    steps: int
    unchanged: int = Field(description="What had been told before")
    mistakes: list[Mistake] = Field(description="All of them; with one nothing is taken")


@router.post("/fleet/violations/{violation}/review", name="review-violation", summary="Review a violation")
async def review(services: Provided, caller: Commander, violation: ViolationId, wanted: ReviewIn) -> CaseOut:
    """Valid or invalid, with a reason; an appeal that is upheld makes it invalid."""
    act = Act.FIND_VALID if wanted.valid else Act.FIND_INVALID
    return await _take(services, violation, Wish(act, caller.who, wanted.reason))


@router.post("/fleet/violations/{violation}/notify", name="notify-company", summary="The company was told")
async def notify(services: Provided, caller: Commander, violation: ViolationId, wanted: NotifyIn) -> CaseOut:
    """Follows a review that found it valid."""
    return await _take(services, violation, _wish(Act.NOTIFY, caller.who, wanted))


@router.post("/fleet/violations/{violation}/appeal", name="appeal-violation", summary="The company objects")
async def appeal(services: Provided, caller: Commander, violation: ViolationId, wanted: AppealIn) -> CaseOut:
    """Follows the word to the company."""
    return await _take(services, violation, _wish(Act.APPEAL, caller.who, wanted))


@router.post("/fleet/violations/{violation}/hand-over", name="hand-over-violation", summary="Hand a violation over")
async def hand_over(services: Provided, caller: Commander, violation: ViolationId, wanted: HandOverIn) -> CaseOut:
    """After the company was told, and after its appeal was looked at."""
    return await _take(services, violation, _wish(Act.HAND_OVER, caller.who, wanted))


@router.post("/fleet/violations/{violation}/number", name="number-violation", summary="It has a case number")
async def number(services: Provided, caller: Commander, violation: ViolationId, wanted: NumberIn) -> CaseOut:
    """Given by the case system."""
    return await _take(services, violation, _wish(Act.NUMBER, caller.who, wanted))


@router.post("/fleet/violations/{violation}/conclude", name="conclude-violation", summary="The case has ended")
async def conclude(services: Provided, caller: Commander, violation: ViolationId, wanted: ConcludeIn) -> CaseOut:
    """With its outcome."""
    return await _take(services, violation, _wish(Act.CONCLUDE, caller.who, wanted))


@router.get("/fleet/cases/statistics", name="shares-of-invalid", summary="How often each rule is wrong")
async def statistics(services: Provided, _: Reader, start: Time | None = None, end: Time | None = None) -> Statistics:
    """Share of candidates that people found invalid, by class and version of the rules."""
    found = await services.ledger.read(lambda ledger: shares.shares(ledger, start, end))
    items = [
        ShareOut(
            class_=one.kind,
            rules=one.rules,
            found=one.found,
            reviewed=one.reviewed,
            valid=one.valid,
            invalid=one.invalid,
            invalid_share=one.invalid_share,
        )
        for one in found
    ]
    return Statistics(items=items)


@router.get("/fleet/cases/export", name="export-cases", summary="Violations for the case system", response_model=None)
async def export(
    services: Provided,
    _: Reader,
    state: State = State.HANDED_OVER,
    form: Annotated[Literal["csv", "json"], Query()] = "json",
) -> Response | dict[str, list[dict[str, Any]]]:
    """Those in one state, with the digest of the newest package; asking changes nothing."""
    zone = ZoneInfo(services.city.zone)
    rows = await services.ledger.read(lambda ledger: _rows(ledger, state, zone))
    return csv_of(rows, "cases") if form == "csv" else {"items": rows}


@router.post(
    "/fleet/cases/import",
    name="import-cases",
    summary="Case numbers and outcomes of the case system",
    openapi_extra=_BODY,
)
async def bring(
    request: Request,
    services: Provided,
    caller: Commander,
    reason: Annotated[str, Query(min_length=1, max_length=500, examples=["cases of November"])],
    form: Annotated[Literal["csv", "json"], Query()] = "json",
) -> Brought:
    """Columns: violation, case_number, outcome, amount_yuan, reference. The same file again changes nothing."""
    read = await asyncio.to_thread(_read, await request.body(), form)
    if read.faults:
        return _brought(read.faults, 0, 0)
    done = await services.cases.bring(read.rows, caller.who, reason)
    return _brought(done.faults, done.steps, done.unchanged)


async def _take(services: Services, violation: str, wish: Wish) -> CaseOut:
    taken = await services.cases.take(violation, wish)
    if taken is None:
        raise not_found("violation", violation)
    if isinstance(taken, Refusal):
        raise Problem(HTTPStatus.CONFLICT, "not-now", taken.detail)
    return CaseOut(violation=violation, state=taken.violation.state, repeated=taken.repeated)


def _wish(act: Act, who: str, wanted: ReasonIn) -> Wish:
    detail = wanted.model_dump(mode="json", exclude_none=True, exclude={"reason"})
    return Wish(act, who, wanted.reason, detail)


def _rows(connection: Connection, state: State, zone: ZoneInfo) -> list[dict[str, Any]]:
    found, _ = records.some(connection, Wanted(state=state), 0, MOST_EXPORTED)
    packages = evidence_records.newest_packages(connection, [one.id for one in found])
    trucks, companies = (
        register.every(connection, "trucks", Truck),
        register.every(connection, "companies", Company),
    )
    rows = []
    for one in found:
        truck, company = trucks.get(one.truck), companies.get(one.company)
        names = {"plate": truck.plate if truck else "", "company_name": company.name if company else ""}
        names["legal_basis"] = _basis(connection, one)
        steps = records.steps_of(connection, one.id)
        rows.append(exchange.exported(one, steps, names, packages.get(one.id), zone))
    return rows


def _basis(connection: Connection, one: Violation) -> str:
    kept = register.kept(connection, "places", one.place, Place, one.place_version) if one.place else None
    return str(kept.thing.basis) if kept else ""


def _read(content: bytes, form: str) -> exchange.Read:
    if form == "json":
        return exchange.from_json(content)
    return decoded(
        content, exchange.from_csv, lambda line, byte: exchange.Read(faults=(Fault(line, "", byte, "UTF-8"),))
    )


def _brought(faults: tuple[Fault, ...], steps: int, unchanged: int) -> Brought:
    return Brought(steps=steps, unchanged=unchanged, mistakes=mistakes(faults))
