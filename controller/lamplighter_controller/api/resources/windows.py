"""Maintenance windows, parts that were replaced, and the trip tests of leakage protectors."""

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Path
from pydantic import BaseModel, ConfigDict, Field

from lamplighter_controller.api.guard import Commander, Reader
from lamplighter_controller.api.problems import Problem, not_found
from lamplighter_controller.api.resources.gateways import ReasonIn
from lamplighter_controller.api.services import Provided
from lamplighter_controller.diagnosis.desk import Who
from lamplighter_controller.diagnosis.findings import Element, ElementKind
from lamplighter_controller.diagnosis.incidents.windows import Window
from lamplighter_controller.diagnosis.leakage.protectors import TripTest

router = APIRouter(tags=["incidents"])

LONGEST_MS = 14 * 24 * 3_600_000
Identity = Annotated[str, Path(min_length=1, max_length=64)]
Time = Annotated[int, Field(gt=0, lt=2**53, description="Civil epoch ms")]


class ElementIn(BaseModel):
    """A node of the supply tree; what hangs on it is covered too."""

    model_config = ConfigDict(extra="forbid")

    kind: ElementKind
    id: str = Field(min_length=1, max_length=300)


class WindowIn(ReasonIn):
    """Where somebody works, and until when."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"reason": "cable work", "elements": [{"kind": "cabinet", "id": "cab-01"}], "end_ms": 1}]
        }
    )

    elements: list[ElementIn] = Field(min_length=1, max_length=1_000)
    start_ms: Time | None = Field(default=None, description="None: now")
    end_ms: Time
    order: str = Field(default="", max_length=64, description="The work order it belongs to")


class ReplacedIn(ReasonIn):
    """Parts that were exchanged on site."""

    elements: list[ElementIn] = Field(
        min_length=1, max_length=1_000, examples=[[{"kind": "lamp", "id": "lamp-01-017"}]]
    )


class WindowOut(BaseModel):
    """A window in force or to come."""

    id: str
    elements: list[ElementIn]
    start_ms: int
    end_ms: int
    who: str
    reason: str
    order: str | None


class Windows(BaseModel):
    """By their end."""

    items: list[WindowOut]


class ProtectorOut(BaseModel):
    """A residual-current device; its last trip test, if it ever had one."""

    id: str
    cabinet: str
    circuit: str | None
    tested_ms: int | None
    tripped: bool | None


class Protectors(BaseModel):
    """By id."""

    items: list[ProtectorOut]


class TripTestIn(ReasonIn):
    """What came of pressing the button."""

    tripped: bool = Field(examples=[True])
    time_ms: Time | None = Field(default=None, description="None: now")


@router.get("/maintenance-windows", summary="Maintenance windows")
async def windows(services: Provided, _: Reader) -> Windows:
    """Those in force and to come."""
    now_ms = services.clock.civil_ms()
    return Windows(items=[_shown(one) for one in services.diagnosis.desk.windows if one.end_ms > now_ms])


@router.post("/maintenance-windows", status_code=201, summary="Open a maintenance window")
async def open_window(services: Provided, caller: Commander, wanted: WindowIn) -> WindowOut:
    """Nothing is raised of its elements and what hangs on them; what is still wrong afterwards is."""
    start_ms = wanted.start_ms or services.clock.civil_ms()
    if not 0 < wanted.end_ms - start_ms <= LONGEST_MS:
        detail = "A window ends after it begins, and lasts 14 days at most."
        raise Problem(HTTPStatus.UNPROCESSABLE_ENTITY, "out-of-bounds", detail, field="body.end_ms")
    elements = [Element(one.kind, one.id) for one in wanted.elements]
    by = Who(caller.who, wanted.reason)
    return _shown(await services.diagnosis.desk.open_window(elements, start_ms, wanted.end_ms, by, wanted.order))


@router.post("/maintenance-windows/{window}/end", summary="End a maintenance window")
async def end_window(services: Provided, caller: Commander, window: Identity, why: ReasonIn) -> WindowOut:
    """Now, before its time."""
    ended = await services.diagnosis.desk.end_window(window, Who(caller.who, why.reason))
    if ended is None:
        raise not_found("window", window)
    return _shown(ended)


@router.post("/elements/replaced", status_code=202, summary="Tell that parts were replaced")
async def replaced(services: Provided, caller: Commander, told: ReplacedIn) -> None:
    """What stood of them is over, and what was learned of them begins anew; nothing is raised for an hour."""
    elements = [Element(one.kind, one.id) for one in told.elements]
    unknown = await services.diagnosis.desk.part_replaced(elements, Who(caller.who, told.reason))
    if unknown:
        raise not_found(unknown[0].kind.value, unknown[0].id)


@router.get("/protectors", summary="Leakage protectors")
async def protectors(services: Provided, _: Reader) -> Protectors:
    """Each with its last trip test."""
    found = await services.diagnosis.desk.protectors()
    items = [
        ProtectorOut(
            id=one.place.id,
            cabinet=one.place.cabinet,
            circuit=one.place.circuit or None,
            tested_ms=one.test.time_ms if one.test else None,
            tripped=one.test.tripped if one.test else None,
        )
        for one in found
    ]
    return Protectors(items=items)


@router.post("/protectors/{protector}/tests", status_code=201, summary="Note a trip test")
async def trip_tested(services: Provided, caller: Commander, protector: Identity, told: TripTestIn) -> None:
    """A protector that did not trip is an incident until it does."""
    test = TripTest(told.time_ms or services.clock.civil_ms(), told.tripped)
    if not await services.diagnosis.desk.trip_tested(protector, test, Who(caller.who, told.reason)):
        raise not_found("protector", protector)


def _shown(window: Window) -> WindowOut:
    return WindowOut(
        id=window.id,
        elements=[ElementIn(kind=one.kind, id=one.id) for one in window.elements],
        start_ms=window.start_ms,
        end_ms=window.end_ms,
        who=window.who,
        reason=window.reason,
        order=window.order or None,
    )
