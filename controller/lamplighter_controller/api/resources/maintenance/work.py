"""What a crew does on site: lock, sign, photograph, put parts in, restore."""

from http import HTTPStatus
from typing import Annotated, Any, Final

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from lamplighter_controller.api.guard import Commander, Reader
from lamplighter_controller.api.problems import Problem, not_found
from lamplighter_controller.api.resources.gateways import ReasonIn
from lamplighter_controller.api.resources.maintenance.answering import Key, OrderId, mark, met
from lamplighter_controller.api.resources.maintenance.orders import Civil, OrderElementIn, full
from lamplighter_controller.api.resources.maintenance.shown import (
    FittedOut,
    LockOut,
    OrderDetail,
    PhotoOut,
    fitted_shown,
    lock_shown,
    photo_shown,
)
from lamplighter_controller.api.services import Provided
from lamplighter_controller.diagnosis.findings import Element
from lamplighter_controller.fleet.evidence.shelf import Damaged, ShelfFull
from lamplighter_controller.maintenance.orders.attaching import Upload
from lamplighter_controller.maintenance.orders.safety import SafetyStep, Signature
from lamplighter_controller.maintenance.parts.desk import Replacement

router = APIRouter(prefix="/orders/{order}", tags=["maintenance"])

IMAGES: Final = ("image/jpeg", "image/png", "image/webp")
_PHOTO: Final[dict[str, Any]] = {"requestBody": {"required": True, "content": {name: {} for name in IMAGES}}}
_FILE: Final[dict[int | str, dict[str, Any]]] = {
    200: {"content": {name: {} for name in IMAGES}, "description": "The photo"}
}
Short = Annotated[str, Field(max_length=120)]


class LockIn(ReasonIn):
    """Until when the crew means to be done; the lock itself has no end but the one on site."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"reason": "joint box", "until_ms": 1763650000000}]}
    )

    until_ms: int = Field(gt=0, lt=2**53, description="Civil epoch ms, within 24 h")


class RestoreIn(BaseModel):
    """What the person on site confirms, such as: insulation measured, nobody at it."""

    model_config = ConfigDict(extra="forbid")

    confirmation: str = Field(min_length=1, max_length=200, examples=["insulation measured, nobody at it"])


class SafetyIn(BaseModel):
    """Steps that were taken, and who signs for them."""

    model_config = ConfigDict(extra="forbid")

    steps: list[SafetyStep] = Field(min_length=1, max_length=20, examples=[["isolated", "tested"]])
    name: str = Field(min_length=1, max_length=120, description="Who signs", examples=["李工"])
    at_ms: Civil | None = None


class PartIn(ReasonIn):
    """What was put in; it leaves the store."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [{"reason": "dead", "part": "led-150", "element": {"kind": "lamp", "id": "lamp-01-017"}}]
        },
    )

    element: OrderElementIn
    part: str = Field(min_length=1, max_length=64, examples=["led-150"])
    quantity: float = Field(default=1.0, gt=0, le=1e6)
    batch: Short = ""
    serial: Short = ""
    new_device: Annotated[str, Field(pattern=r"^([a-z0-9][a-z0-9-]{0,63})?$")] = Field(
        default="", description="The new controller, where it was exchanged"
    )


@router.post("/lock", name="lock", status_code=202, summary="Lock what is worked on")
async def lock(
    services: Provided, caller: Commander, order: OrderId, wanted: LockIn, response: Response, key: Key = None
) -> LockOut:
    """Covers its circuits and the gateway's own loop. Held only once `confirmed`; ended only by `restore`."""
    locked = met(
        await services.maintenance.locks.lock(order, wanted.until_ms, caller.who, wanted.reason, key), "order", order
    )
    mark(response, repeated=locked.repeated)
    return lock_shown(locked.lock, services.clock.civil_ms())


@router.post("/restore", name="restore", status_code=202, summary="Close what was isolated, and end the lock")
async def restore(
    services: Provided, caller: Commander, order: OrderId, told: RestoreIn, response: Response, key: Key = None
) -> LockOut:
    """By the person on site. Until the gateway has confirmed it, everything holds."""
    locked = met(await services.maintenance.locks.release(order, told.confirmation, caller.who, key), "order", order)
    mark(response, repeated=locked.repeated)
    return lock_shown(locked.lock, services.clock.civil_ms())


@router.post("/safety", name="sign-safety", status_code=201, summary="Sign safety steps")
async def sign(
    services: Provided, caller: Commander, order: OrderId, told: SafetyIn, response: Response, key: Key = None
) -> OrderDetail:
    """All five are needed before work on a leak is called done, each time somebody has arrived."""
    at_ms = services.maintenance.orders.at(told.at_ms)
    signature = Signature(tuple(told.steps), told.name, caller.who, at_ms)
    is_new = met(await services.maintenance.attachments.sign(order, signature, key), "order", order)
    mark(response, repeated=not is_new)
    return await full(services, order)


@router.post("/photos", name="add-photo", status_code=201, summary="Add a photo", openapi_extra=_PHOTO)
async def add_photo(
    request: Request,
    services: Provided,
    caller: Commander,
    order: OrderId,
    taken_ms: Annotated[int, Query(ge=0, lt=2**53, description="Civil epoch ms; 0: not known")] = 0,
    latitude: Annotated[float | None, Query(ge=-90, le=90)] = None,
    longitude: Annotated[float | None, Query(ge=-180, le=180)] = None,
    note: Annotated[str, Query(max_length=500)] = "",
    key: Key = None,
) -> PhotoOut:
    """JPEG, PNG or WebP of at most 16 MiB, known by its own bytes. The same photo twice is one."""
    upload = Upload(await request.body(), taken_ms, latitude, longitude, note)
    try:
        photo = await services.maintenance.attachments.attach(order, upload, caller.who, key)
    except ShelfFull as error:
        raise Problem(HTTPStatus.INSUFFICIENT_STORAGE, "full", str(error)) from error
    return photo_shown(met(photo, "order", order))


@router.get("/photos/{sha256}", name="photo", summary="A photo", response_class=Response, responses=_FILE)
async def photo(
    services: Provided,
    _: Reader,
    order: OrderId,
    sha256: Annotated[str, Path(pattern=r"^[0-9a-f]{64}$", examples=["0" * 64])],
) -> Response:
    """Byte by byte as it came."""
    try:
        found = await services.maintenance.attachments.content(order, sha256)
    except Damaged as error:
        raise Problem(HTTPStatus.CONFLICT, "damaged", str(error)) from error
    if found is None:
        raise not_found("photo", sha256)
    media_type, content = found
    return Response(content, media_type=media_type)


@router.post("/parts", name="fit-part", status_code=201, summary="Put a part in")
async def fit(services: Provided, caller: Commander, order: OrderId, told: PartIn, key: Key = None) -> FittedOut:
    """It leaves the store and stands in the history of its element and pole.

    A lamp, driver or controller is learned anew; a lamp's hours and constant light begin anew; a new controller and a
    new model go into the inventory.
    """
    replacement = Replacement(
        Element(told.element.kind, told.element.id), told.part, told.quantity, told.batch, told.serial, told.new_device
    )
    fitted = await services.maintenance.parts.fit(order, replacement, caller.who, told.reason, key)
    return fitted_shown(met(fitted, "order", order))
