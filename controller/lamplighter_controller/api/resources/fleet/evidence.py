"""What proves a violation: files, packages, holds."""

from http import HTTPStatus
from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import BaseModel, Field
from sqlalchemy import Connection

from lamplighter_contract.errors import Refusal
from lamplighter_controller.api.guard import Commander, Reader
from lamplighter_controller.api.problems import Problem, not_found, refused
from lamplighter_controller.api.resources.fleet.cases import ViolationId
from lamplighter_controller.api.resources.fleet.violations import seen
from lamplighter_controller.api.resources.gateways import ReasonIn
from lamplighter_controller.api.services import Provided
from lamplighter_controller.fleet.evidence import records
from lamplighter_controller.fleet.evidence.photos import Photo
from lamplighter_controller.fleet.evidence.records import Hold, Package, Part
from lamplighter_controller.fleet.evidence.shelf import Damaged, ShelfFull

router = APIRouter(prefix="/fleet/violations/{violation}", tags=["fleet"])

ZIP: Final = "application/zip"
IMAGES: Final = ("image/jpeg", "image/png", "image/webp")
_PHOTO: Final[dict[str, Any]] = {"requestBody": {"required": True, "content": {name: {} for name in IMAGES}}}
_FILE: Final[dict[int | str, dict[str, Any]]] = {200: {"content": {ZIP: {}}, "description": "The package"}}


class PartOut(BaseModel):
    """A file that belongs to a violation."""

    sha256: str
    name: str
    media_type: str
    bytes: int
    source: str = Field(description="gateway, terminal, phone, drone, camera, scan or controller", examples=["phone"])
    taken_ms: int | None = Field(description="Civil epoch ms")
    added_ms: int
    added_by: str
    note: str


class MissingOut(BaseModel):
    """A part that a package should have and has not."""

    part: str = Field(examples=["calibration"])
    why: str


class PackageOut(BaseModel):
    """A package; its manifest's digest stands in that row of the audit trail."""

    number: int
    sha256: str
    bytes: int
    parts: int
    missing: list[MissingOut]
    manifest_sha256: str
    audit_number: int
    made_ms: int
    made_by: str


class HoldOut(BaseModel):
    """Nothing of the violation is deleted until the hold has ended."""

    placed_ms: int
    placed_by: str
    reason: str


class EvidenceOut(BaseModel):
    """Everything that proves a violation."""

    parts: list[PartOut]
    packages: list[PackageOut]
    hold: HoldOut | None


class CollectOut(BaseModel):
    """The request that asks the gateway; follow it under /commands."""

    request: str


class ReleasedOut(BaseModel):
    """Whether there was a hold."""

    released: bool


@router.get("/evidence", name="evidence", summary="What proves a violation")
async def evidence(services: Provided, caller: Reader, violation: ViolationId) -> EvidenceOut:
    """Files, packages, hold."""
    await seen(services, caller, violation)

    def look(ledger: Connection) -> tuple[list[Part], list[Package], Hold | None]:
        return (
            records.parts_of(ledger, violation),
            records.packages_of(ledger, violation),
            records.hold_of(ledger, violation),
        )

    parts, packages, hold = await services.ledger.read(look)
    return EvidenceOut(
        parts=[_part(one) for one in parts],
        packages=[_package(one) for one in packages],
        hold=_hold(hold) if hold else None,
    )


@router.post("/photos", name="attach-photo", status_code=201, summary="Bind a photo by hand", openapi_extra=_PHOTO)
async def attach(
    request: Request,
    services: Provided,
    caller: Commander,
    violation: ViolationId,
    source: Annotated[Literal["phone", "drone", "camera", "scan"], Query(examples=["phone"])],
    taken: Annotated[int | None, Query(ge=0, lt=2**52, description="Civil epoch ms")] = None,
    note: Annotated[str, Query(max_length=500, examples=["from the east gate"])] = "",
) -> PartOut:
    """JPEG, PNG or WebP of at most 16 MiB, known by its own bytes. The same photo twice is one."""
    photo = Photo(await request.body(), source, taken, note)
    try:
        part = await services.evidence.attach(violation, photo, caller.who)
    except ShelfFull as error:
        raise Problem(HTTPStatus.INSUFFICIENT_STORAGE, "full", str(error)) from error
    if part is None:
        raise not_found("violation", violation)
    if isinstance(part, Refusal):
        raise refused("body", str(part.reason), part.detail)
    return _part(part)


@router.post("/evidence/collect", name="collect-evidence", status_code=202, summary="Ask the gateway for raw frames")
async def collect(services: Provided, caller: Commander, violation: ViolationId) -> CollectOut:
    """Raw frames and photos of its time and a quarter of an hour around it, as far as the gateway keeps them."""
    asked = await services.evidence.collect(violation, caller.who)
    if asked is None:
        raise not_found("violation", violation)
    if isinstance(asked, Refusal):
        raise Problem(HTTPStatus.CONFLICT, "not-now", asked.detail)
    return CollectOut(request=asked.request.id)


@router.post("/packages", name="make-package", status_code=201, summary="Make a package of evidence")
async def make(services: Provided, caller: Commander, violation: ViolationId, why: ReasonIn) -> PackageOut:
    """Everything that is known now, signed, anchored in the audit trail. What is missing is told with its reason."""
    try:
        package = await services.evidence.make(violation, caller.who, why.reason)
    except ShelfFull as error:
        raise Problem(HTTPStatus.INSUFFICIENT_STORAGE, "full", str(error)) from error
    except Damaged as error:
        raise Problem(HTTPStatus.CONFLICT, "damaged", str(error)) from error
    if package is None:
        raise not_found("violation", violation)
    return _package(package)


@router.get(
    "/packages/{number}",
    name="package",
    summary="A package as a ZIP file",
    response_class=Response,
    responses=_FILE,
)
async def package(
    services: Provided,
    caller: Reader,
    violation: ViolationId,
    number: Annotated[int, Path(ge=1, lt=2**31, examples=[1])],
) -> Response:
    """Byte by byte as it was made; `lamplighter violation verify` checks it without a server."""
    await seen(services, caller, violation)
    try:
        content = await services.evidence.open(violation, number)
    except Damaged as error:
        raise Problem(HTTPStatus.CONFLICT, "damaged", str(error)) from error
    if content is None:
        raise not_found("package", str(number))
    headers = {"Content-Disposition": 'attachment; filename="evidence.zip"'}
    return Response(content, media_type=ZIP, headers=headers)


@router.post("/hold", name="hold-evidence", summary="Hold everything beyond its retention")
async def hold(services: Provided, caller: Commander, violation: ViolationId, why: ReasonIn) -> HoldOut:
    """Until the hold is ended; a second one changes nothing."""
    placed = await services.evidence.hold(violation, caller.who, why.reason)
    if placed is None:
        raise not_found("violation", violation)
    return _hold(placed)


@router.delete("/hold", name="end-hold", summary="End a hold")
async def release(services: Provided, caller: Commander, violation: ViolationId, why: ReasonIn) -> ReleasedOut:
    """Retention goes on from there."""
    return ReleasedOut(released=await services.evidence.release(violation, caller.who, why.reason))


def _part(one: Part) -> PartOut:
    return PartOut(**{name: getattr(one, name) for name in PartOut.model_fields})


def _package(one: Package) -> PackageOut:
    values = {name: getattr(one, name) for name in PackageOut.model_fields if name != "missing"}
    return PackageOut(**values, missing=[MissingOut(part=its.part, why=its.why) for its in one.missing])


def _hold(one: Hold) -> HoldOut:
    return HoldOut(placed_ms=one.placed_ms, placed_by=one.placed_by, reason=one.reason)
