"""Work orders: what there is to do, who has it, and every step to its proof."""

from enum import StrEnum
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query, Response
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import Connection

from lamplighter_controller.api.guard import Commander, Reader
from lamplighter_controller.api.paging import Page, Paging
from lamplighter_controller.api.problems import not_found, refused
from lamplighter_controller.api.resources.maintenance.answering import Key, OrderId, mark, met
from lamplighter_controller.api.resources.maintenance.shown import OrderDetail, OrderOut, detailed, shown
from lamplighter_controller.api.services import Provided, Services
from lamplighter_controller.diagnosis.findings import Element, ElementKind
from lamplighter_controller.maintenance.orders import records
from lamplighter_controller.maintenance.orders.life import Action, Wish
from lamplighter_controller.maintenance.orders.opening import Wanted
from lamplighter_controller.maintenance.orders.order import OPEN, ProofKind, Source, SourceKind, State
from lamplighter_controller.maintenance.parts import records as part_records

router = APIRouter(prefix="/orders", tags=["maintenance"])

Civil = Annotated[int, Field(gt=0, lt=2**53, description="Civil epoch ms; null: now")]
Words = Annotated[str, Field(max_length=500)]


class Public(StrEnum):
    """Steps that people take."""

    ASSIGN = "assign"
    TAKE = "take"
    DEPART = "depart"
    ARRIVE = "arrive"
    FINISH = "finish"
    WAIT_PARTS = "wait-parts"
    WAIT_UTILITY = "wait-utility"
    WAIT_POLICE = "wait-police"
    RESUME = "resume"
    NOT_OURS = "not-ours"
    DUPLICATE = "duplicate"
    REOPEN = "reopen"
    CLOSE = "close"


class OrderElementIn(BaseModel):
    """A node of the supply tree."""

    model_config = ConfigDict(extra="forbid")

    kind: ElementKind = Field(examples=["lamp"])
    id: str = Field(min_length=1, max_length=300, examples=["lamp-01-017"])


class OrderIn(BaseModel):
    """What has to be seen to. With an incident, element and class are those of it."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "reason": "seen on patrol",
                    "element": {"kind": "lamp", "id": "lamp-01-017"},
                    "class_id": "lamp_dead",
                    "source": "person",
                }
            ]
        },
    )

    reason: str = Field(min_length=1, max_length=500, examples=["seen on patrol"])
    incident: str | None = Field(default=None, max_length=64, description="Id of an incident")
    element: OrderElementIn | None = None
    class_id: str = Field(default="", max_length=64, examples=["lamp_dead"])
    severity: int = Field(default=2, ge=1, le=5)
    title: str = Field(default="", max_length=200)
    source: Literal["violation", "inspection", "report", "person"] = "person"
    ref: str = Field(default="", max_length=120, description="Its id where it comes from")
    onset_ms: Civil | None = None


class StepIn(BaseModel):
    """What goes with a step; which of the fields, the step says: the rest is refused."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"crew": "east-1"}]})

    reason: Words = Field(default="", description="What the clock stands for; needed where it does")
    at_ms: Civil | None = Field(default=None, description="When it was done, told later by a phone; null: now")
    crew: str | None = Field(default=None, max_length=64, description="assign, take")
    latitude: float | None = Field(default=None, description="arrive; WGS-84")
    longitude: float | None = Field(default=None, description="arrive")
    accuracy_m: float | None = Field(default=None, description="arrive")
    done: str | None = Field(default=None, max_length=2_000, description="finish: what was done")
    whose: str | None = Field(default=None, max_length=200, description="not-ours")
    of: str | None = Field(default=None, max_length=64, description="duplicate: the other order")


class ProofIn(BaseModel):
    """What a second person says of a repair, with a photo of it at hand."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"helped": True, "text": "lit again"}]})

    helped: bool
    text: str = Field(min_length=1, max_length=500, examples=["lit again, photo from the east"])
    at_ms: Civil | None = None


@router.get("", summary="Work orders")
async def orders(
    services: Provided,
    _: Reader,
    paging: Paging,
    state: Annotated[list[State] | None, Query(description="Repeat for several; none: all that are not over")] = None,
    crew: Annotated[str | None, Query(max_length=64)] = None,
    road: Annotated[str | None, Query(max_length=64)] = None,
    element: Annotated[str | None, Query(max_length=300)] = None,
    trip: Annotated[str | None, Query(max_length=64)] = None,
    incident: Annotated[str | None, Query(max_length=64)] = None,
    overdue: Annotated[bool, Query(description="Only those late, or done late")] = False,
    order: Annotated[Literal["newest", "due"], Query()] = "newest",
) -> Page[OrderOut]:
    """The newest first, or the first due first."""
    now_ms = services.clock.civil_ms()
    wanted = records.Wanted(
        states=frozenset(state) if state else OPEN | {State.PROVED},
        crew=crew,
        road=road,
        element=element,
        trip=trip,
        source=(SourceKind.INCIDENT, incident) if incident else None,
        overdue_at_ms=now_ms if overdue else None,
        by_due=order == "due",
    )
    found, total = await services.ledger.read(
        lambda connection: records.some(connection, wanted, paging.offset, paging.limit)
    )
    items = [shown(one, now_ms) for one in found]
    return Page(items=items, total=total, offset=paging.offset, limit=paging.limit)


@router.get("/{order}", name="order", summary="One work order")
async def one(services: Provided, _: Reader, order: OrderId) -> OrderDetail:
    """With its life, locks, photos, signatures and parts."""
    return await full(services, order)


@router.post("", name="open-order", status_code=201, summary="Open a work order")
async def open_order(
    services: Provided, caller: Commander, wanted: OrderIn, response: Response, key: Key = None
) -> OrderDetail:
    """Where one is open on the same element, that one gets another source and the more urgent due time."""
    now_ms = services.clock.civil_ms()
    asked, source = await _asked(services, wanted, now_ms)
    taken = met(
        await services.maintenance.orders.open(asked, source, caller.who, wanted.reason, key), "order", asked.element.id
    )
    mark(response, repeated=taken.repeated)
    return await full(services, taken.order.id)


@router.post("/{order}/steps/{action}", name="take-step", summary="Take a step")
async def step(
    services: Provided,
    caller: Commander,
    order: OrderId,
    action: Annotated[Public, Path(examples=["take"])],
    told: StepIn,
    response: Response,
    key: Key = None,
) -> OrderDetail:
    """A step that the order's state does not allow is refused, and so is a field that the step does not take."""
    values = told.model_dump(exclude={"reason", "at_ms"}, exclude_none=True)
    at_ms = services.maintenance.orders.at(told.at_ms)
    wish = Wish(Action(action.value), caller.who, at_ms, told.reason, values)
    taken = met(await services.maintenance.orders.act(order, wish, key), "order", order)
    mark(response, repeated=taken.repeated)
    return await full(services, order)


@router.post("/{order}/proof", name="prove-order", summary="A second person proves it, or sends it back")
async def prove(
    services: Provided, caller: Commander, order: OrderId, told: ProofIn, response: Response, key: Key = None
) -> OrderDetail:
    """Needs a photo, and another person than the one who did the work."""
    desk = services.maintenance
    at_ms = desk.orders.at(told.at_ms)
    if told.helped:
        given: dict[str, Any] = {"kind": ProofKind.PHOTO.value, "text": told.text}
        wish = Wish(Action.PROVE, caller.who, at_ms, told.text, given)
        taken = met(await desk.prover.by_person(order, wish, key), "order", order)
    else:
        wish = Wish(Action.SEND_BACK, caller.who, at_ms, told.text, {"text": told.text})
        taken = met(await desk.orders.act(order, wish, key), "order", order)
    mark(response, repeated=taken.repeated)
    return await full(services, order)


async def full(services: Services, identity: str) -> OrderDetail:
    """One order with all that belongs to it.

    Raises:
        Problem: there is none of that id.
    """
    now_ms = services.clock.civil_ms()

    def look(connection: Connection) -> OrderDetail | None:
        order = records.find(connection, identity)
        if order is None:
            return None
        return detailed(
            order,
            now_ms,
            sources=records.sources_of(connection, [identity])[identity],
            steps=records.steps_of(connection, identity),
            locks=records.locks_of(connection, identity),
            photos=records.photos_of(connection, identity),
            signatures=records.signatures_of(connection, identity),
            parts=part_records.history(connection, order=identity),
        )

    found = await services.ledger.read(look)
    if found is None:
        raise not_found("order", identity)
    return found


async def _asked(services: Services, wanted: OrderIn, now_ms: int) -> tuple[Wanted, Source]:
    if wanted.incident is not None:
        incident = await services.diagnosis.desk.one(wanted.incident)
        if incident is None:
            raise not_found("incident", wanted.incident)
        asked = Wanted(
            incident.element,
            incident.class_id,
            incident.severity,
            wanted.title,
            incident.first_observable_ms,
            incident.raised_ms,
        )
        return asked, Source(SourceKind.INCIDENT, incident.id, now_ms)
    if wanted.element is None or not wanted.class_id:
        missing = "element" if wanted.element is None else "class_id"
        raise refused(f"body.{missing}", "needed", f"without an incident, {missing} is needed")
    element = Element(wanted.element.kind, wanted.element.id)
    asked = Wanted(element, wanted.class_id, wanted.severity, wanted.title, wanted.onset_ms or 0, now_ms)
    return asked, Source(SourceKind(wanted.source), wanted.ref, now_ms)
