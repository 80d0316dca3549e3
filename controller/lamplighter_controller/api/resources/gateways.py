"""Gateways: who is enrolled, who is there, and how each fares."""

from typing import Annotated, Any, Final

from fastapi import APIRouter, Path, Query, Response
from pydantic import BaseModel, ConfigDict, Field

from lamplighter_contract.errors import Reason, Refusal
from lamplighter_contract.ids import ID_PATTERN
from lamplighter_contract.wire.documents import as_json
from lamplighter_controller.api.guard import Admin, Commander, Reader
from lamplighter_controller.api.paging import Page, Paging
from lamplighter_controller.api.problems import not_found, refused
from lamplighter_controller.api.services import Provided, Services
from lamplighter_controller.intake import store
from lamplighter_controller.intake.presence import Status
from lamplighter_controller.security import enrolment
from lamplighter_controller.security.enrolment import Enrolled

router = APIRouter(prefix="/gateways", tags=["gateways"])

GZIP: Final = "application/gzip"
CommandId = Annotated[str, Path(pattern=f"^{ID_PATTERN.pattern}$", examples=["0199c0de-0000-7000-8000-000000000000"])]
GatewayId = Annotated[str, Path(pattern=f"^{ID_PATTERN.pattern}$", examples=["gw-1"])]


class ReasonIn(BaseModel):
    """Why it is done; it stands in the audit trail."""

    model_config = ConfigDict(extra="forbid")

    reason: str = Field(min_length=1, max_length=500, examples=["new cabinets in the east"])


class Gateway(BaseModel):
    """One gateway; what it said of itself is shown as it said it."""

    gateway: str = Field(examples=["gw-1"])
    enrolled: bool = Field(description="False: it speaks to us and nothing it says is taken")
    generation: int = Field(description="Rises each time another box takes over the identity; 0 = never enrolled")
    status: Status
    online: bool | None = Field(
        description="null = not known: not heard since the start, or the broker is out of reach"
    )
    doubled: bool = Field(description="Two boxes seem to use this id; it gets no commands")
    devices: int = Field(description="How many devices it serves")
    version: str
    heard_ms: int | None = Field(description="Real epoch ms of its last birth or health")
    state: dict[str, Any] | None = Field(description="Its last birth")
    health: dict[str, Any] | None = Field(description="Its last health: buses, spool, disk, clock")


class Happened(BaseModel):
    """One event; equal ones that came close together are told as one."""

    number: int
    time_ms: int = Field(description="Civil epoch ms")
    event: str = Field(examples=["command.refused.signature"])
    device: str | None
    detail: dict[str, Any]
    count: int = Field(description="How many equal events it stands for")
    first_ms: int | None = Field(description="Civil epoch ms of the first of them")


class Events(BaseModel):
    """The newest first."""

    items: list[Happened]
    next_before: int | None = Field(description="Ask with before=… for older ones")


@router.get("", summary="Gateways with presence and health")
async def gateways(services: Provided, _: Reader, paging: Paging) -> Page[Gateway]:
    """Those enrolled, then those that speak to us without being enrolled."""
    every = {
        enrolled.gateway: enrolled
        for enrolled in await services.ledger.read(enrolment.every)
        if enrolled.revoked_ms is None
    }
    names = [*sorted(every), *sorted(set(services.gateways.strangers) - set(every))]
    items = [_gateway(services, name, every.get(name)) for name in paging.of(names)]
    return Page(items=items, total=len(names), offset=paging.offset, limit=paging.limit)


@router.get("/{gateway}", summary="One gateway")
async def one(services: Provided, _: Reader, gateway: GatewayId) -> Gateway:
    """Presence, birth and health."""
    found = await services.ledger.read(lambda ledger: enrolment.find(ledger, gateway))
    if found is None and gateway not in services.gateways.strangers:
        raise not_found("gateway", gateway)
    return _gateway(services, gateway, found)


@router.get("/{gateway}/events", summary="What happened at a gateway")
async def events(
    services: Provided,
    _: Reader,
    gateway: GatewayId,
    before: Annotated[int | None, Query(ge=0, lt=2**53)] = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
) -> Events:
    """Starts, refused commands, buses and devices that fell silent, overrides set on site."""
    found = await services.ledger.read(
        lambda ledger: store.newest_events(ledger, gateway=gateway, before=before, limit=limit)
    )
    items = [_happened(happened) for happened in found]
    return Events(items=items, next_before=items[-1].number if len(items) == limit else None)


@router.get(
    "/{gateway}/support/{command}",
    summary="The bundle that a command gateway.support brought",
    response_class=Response,
    responses={200: {"content": {GZIP: {"schema": {"type": "string", "format": "binary"}}}}},
)
async def support(services: Provided, _: Commander, gateway: GatewayId, command: CommandId) -> Response:
    """Logs, statistics of buses and spool, configuration without secrets; not there before its last piece is."""
    content = await services.support.find(gateway, command)
    if content is None:
        raise not_found("support bundle", command)
    headers = {"Content-Disposition": f'attachment; filename="{gateway}-support.tar.gz"'}
    return Response(content, media_type=GZIP, headers=headers)


@router.put("/{gateway}", summary="Enrol a gateway")
async def enrol(services: Provided, caller: Admin, gateway: GatewayId, why: ReasonIn) -> Gateway:
    """From now on it is listened to; one that is enrolled already stays as it is."""
    enrolled = await services.ledger.write(
        lambda ledger: enrolment.enrol(
            ledger, gateway, who=caller.who, reason=why.reason, time_ms=services.clock.wall_ms()
        )
    )
    if isinstance(enrolled, Refusal) and enrolled.reason is not Reason.REPLAYED:
        raise refused("path.gateway", enrolled.reason, enrolled.detail)
    await services.actions.enrolment_changed()
    return await one(services, caller, gateway)


@router.post("/{gateway}/replace", summary="Put another box in a gateway's place")
async def replace(services: Provided, caller: Admin, gateway: GatewayId, why: ReasonIn) -> Gateway:
    """Its generation rises; the old box's password at the broker is to be changed with it."""
    replaced = await services.ledger.write(
        lambda ledger: enrolment.replace(
            ledger, gateway, who=caller.who, reason=why.reason, time_ms=services.clock.wall_ms()
        )
    )
    if isinstance(replaced, Refusal):
        raise not_found("gateway", gateway)
    await services.actions.enrolment_changed()
    return await one(services, caller, gateway)


@router.delete("/{gateway}", summary="Listen to a gateway no more", status_code=204)
async def revoke(services: Provided, caller: Admin, gateway: GatewayId, why: ReasonIn) -> None:
    """Its history stays."""
    revoked = await services.ledger.write(
        lambda ledger: enrolment.revoke(
            ledger, gateway, who=caller.who, reason=why.reason, time_ms=services.clock.wall_ms()
        )
    )
    if isinstance(revoked, Refusal):
        raise not_found("gateway", gateway)
    await services.actions.enrolment_changed()


def _happened(happened: store.Happened) -> Happened:
    event = happened.event
    return Happened(
        number=happened.number,
        time_ms=event.time,
        event=event.event,
        device=event.device,
        detail=dict(event.detail),
        count=event.count,
        first_ms=event.first,
    )


def _gateway(services: Services, name: str, enrolled: Enrolled | None) -> Gateway:
    known = services.gateways
    report, status = known.report(name), known.status(name)
    return Gateway(
        gateway=name,
        enrolled=enrolled is not None and enrolled.revoked_ms is None,
        generation=enrolled.generation if enrolled else 0,
        status=status,
        online=None if status is Status.UNKNOWN else status is Status.ONLINE,
        doubled=known.doubled(name),
        devices=len(services.twin.served(name)),
        version=report.state.version if report.state else "",
        heard_ms=report.heard_ms or None,
        state=as_json(report.state) if report.state else None,
        health=as_json(report.health) if report.health else None,
    )
