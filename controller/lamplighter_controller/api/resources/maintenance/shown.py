"""An order as the API shows it: null where nothing is known or has happened yet."""

from collections.abc import Sequence
from typing import Any

import msgspec
from pydantic import BaseModel, Field

from lamplighter_controller.diagnosis.catalogue.faults import catalogue
from lamplighter_controller.diagnosis.findings import ElementKind
from lamplighter_controller.maintenance.orders.locks import Lock, LockState
from lamplighter_controller.maintenance.orders.opening import needs_safety
from lamplighter_controller.maintenance.orders.order import Order, ProofKind, Source, SourceKind, State, Step
from lamplighter_controller.maintenance.orders.photos import Photo
from lamplighter_controller.maintenance.orders.safety import SafetyStep, Signature, missing
from lamplighter_controller.maintenance.parts.part import Fitted

_OR_NONE = (
    "onset_ms",
    "detected_ms",
    "due_ms",
    "paused_since_ms",
    "accepted_ms",
    "departed_ms",
    "arrived_ms",
    "done_ms",
    "proved_ms",
    "closed_ms",
    "crew",
    "company",
    "trip",
    "road",
    "road_class",
    "district",
    "pole",
    "cabinet",
    "outcome",
    "duplicate_of",
    "done_by",
    "proof_text",
)


class OrderElement(BaseModel):
    """What it is about: a node of the supply tree."""

    kind: ElementKind
    id: str = Field(examples=["lamp-01-017"])


class OrderOut(BaseModel):
    """One work order. Times are civil epoch ms; null: not yet, or not known."""

    id: str = Field(examples=["WO-000007"])
    element: OrderElement
    class_id: str = Field(description="Class of fault", examples=["leak"])
    class_name: dict[str, str]
    title: str
    state: State
    severity: int
    priority: int = Field(description="Severity, raised where the road's class asks for it")
    created_ms: int
    changed_ms: int
    onset_ms: int | None
    detected_ms: int | None
    due_ms: int | None = Field(description="Moved on by every pause; null: no clock runs")
    paused_ms: int
    paused_since_ms: int | None = Field(description="The clock stands since then")
    overdue: bool
    timely: bool | None = Field(description="Done before it was due; null: not done yet, or no clock")
    accepted_ms: int | None
    departed_ms: int | None
    arrived_ms: int | None = Field(description="The first arrival")
    done_ms: int | None
    done_by: str | None
    proved_ms: int | None
    closed_ms: int | None
    outcome: str | None = Field(description="proved, not_ours, duplicate or cleared")
    duplicate_of: str | None
    returned: int = Field(description="How often the fault was still there")
    proof: ProofKind = Field(description="The kind of proof wanted, or given")
    proof_text: str | None = Field(description="The evidence for it, or against it")
    crew: str | None
    company: str | None
    trip: str | None
    road: str | None
    road_class: str | None
    district: str | None
    pole: str | None
    cabinet: str | None
    latitude: float | None
    longitude: float | None
    needs_safety: bool = Field(description="Safety steps are signed before it is called done")


class SourceOut(BaseModel):
    """What asked for the order."""

    kind: SourceKind
    ref: str
    time_ms: int


class StepOut(BaseModel):
    """One step; `at_ms` civil: when it was taken, `wall_ms` real: when we heard of it."""

    action: str
    before: str
    after: str
    at_ms: int
    wall_ms: int
    who: str
    reason: str
    detail: dict[str, Any]


class LockOut(BaseModel):
    """A lock; held only once the gateway has confirmed it."""

    id: str
    order: str
    devices: list[str]
    holder: str
    state: LockState
    confirmed: bool = Field(description="The gateway has confirmed that it holds")
    text: str
    asked_ms: int
    until_ms: int = Field(description="When the crew means to be done; it holds on all the same")
    overdue: bool
    confirmed_ms: int | None
    released_ms: int | None


class PhotoOut(BaseModel):
    """A photo of an order."""

    sha256: str
    media_type: str
    bytes: int
    added_by: str
    added_ms: int = Field(description="Real epoch ms")
    taken_ms: int | None
    latitude: float | None
    longitude: float | None
    note: str


class SignatureOut(BaseModel):
    """Who signed which safety steps."""

    steps: list[SafetyStep]
    name: str
    who: str
    at_ms: int


class FittedOut(BaseModel):
    """A part that was put in; a row in the history of its element and pole."""

    element_kind: str
    element: str
    pole: str
    part: str
    at_ms: int
    who: str
    order: str
    batch: str
    serial: str
    model: str
    quantity: float
    old_device: str
    new_device: str
    warranty_until_ms: int | None


class OrderDetail(OrderOut):
    """One order with all that belongs to it."""

    sources: list[SourceOut]
    steps: list[StepOut]
    locks: list[LockOut]
    photos: list[PhotoOut]
    signatures: list[SignatureOut]
    unsigned: list[SafetyStep]
    parts: list[FittedOut]


def shown(order: Order, civil_ms: int) -> OrderOut:
    """One order of a list."""
    return OrderOut.model_validate(_fields(order, civil_ms))


def detailed(
    order: Order,
    civil_ms: int,
    *,
    sources: Sequence[Source],
    steps: Sequence[Step],
    locks: Sequence[Lock],
    photos: Sequence[Photo],
    signatures: Sequence[Signature],
    parts: Sequence[Fitted],
) -> OrderDetail:
    """One order with all that belongs to it."""
    arrived = [one.at_ms for one in steps if one.action == "arrive"]
    left = missing(signatures, arrived[-1] if arrived else 0) if needs_safety(order) else ()
    return OrderDetail.model_validate(
        {
            **_fields(order, civil_ms),
            "sources": [msgspec.structs.asdict(one) for one in sources],
            "steps": [msgspec.structs.asdict(one) for one in steps],
            "locks": [lock_shown(one, civil_ms).model_dump() for one in locks],
            "photos": [photo_shown(one).model_dump() for one in photos],
            "signatures": [msgspec.structs.asdict(one) for one in signatures],
            "unsigned": list(left),
            "parts": [fitted_shown(one).model_dump() for one in parts],
        }
    )


def lock_shown(lock: Lock, civil_ms: int) -> LockOut:
    """A lock."""
    values = {name: getattr(lock, name) for name in LockOut.model_fields if hasattr(lock, name)}
    return LockOut.model_validate(
        values
        | {
            "devices": list(lock.devices),
            "confirmed": lock.state is LockState.HELD,
            "overdue": lock.is_overdue(civil_ms),
            "confirmed_ms": lock.confirmed_ms or None,
            "released_ms": lock.released_ms or None,
        }
    )


def photo_shown(photo: Photo) -> PhotoOut:
    """A photo."""
    return PhotoOut.model_validate(msgspec.structs.asdict(photo) | {"taken_ms": photo.taken_ms or None})


def fitted_shown(fitted: Fitted) -> FittedOut:
    """A part that was put in."""
    values = msgspec.structs.asdict(fitted) | {"warranty_until_ms": fitted.warranty_until_ms or None}
    return FittedOut.model_validate(values)


def _fields(order: Order, civil_ms: int) -> dict[str, Any]:
    fault = catalogue().get(order.class_id)
    name = {"zh": fault.name.zh, "en": fault.name.en} if fault else {"zh": order.class_id, "en": order.class_id}
    values = msgspec.structs.asdict(order)
    return (
        values
        | {field: values[field] or None for field in _OR_NONE}
        | {
            "element": {"kind": order.element_kind, "id": order.element},
            "class_name": name,
            "overdue": order.is_overdue(civil_ms),
            "timely": order.is_timely,
            "needs_safety": needs_safety(order),
        }
    )
