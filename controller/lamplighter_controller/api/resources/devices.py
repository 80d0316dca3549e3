"""What there is, and what is known of each one now."""

from typing import Annotated

from fastapi import APIRouter, Path, Request
from pydantic import BaseModel, Field

from lamplighter_contract.ids import ID_PATTERN
from lamplighter_contract.quality import Quality
from lamplighter_contract.quantities import Kind
from lamplighter_contract.wire.documents import DeviceEntry
from lamplighter_controller.api import overrides
from lamplighter_controller.api.condition import WORDS, row_of
from lamplighter_controller.api.guard import Reader
from lamplighter_controller.api.hub import Hub
from lamplighter_controller.api.paging import Page, Paging
from lamplighter_controller.api.problems import not_found
from lamplighter_controller.api.selecting import WhereQuery, matching
from lamplighter_controller.api.services import Provided, Services
from lamplighter_controller.api.sight import sight_of
from lamplighter_controller.security.callers import Caller
from lamplighter_controller.twin.columns import DeviceState

router = APIRouter(prefix="/devices", tags=["devices"])

DeviceId = Annotated[str, Path(pattern=f"^{ID_PATTERN.pattern}$", examples=["lamp-01-017"])]


class Device(BaseModel):
    """A device as its gateway describes it, and its condition now."""

    id: str = Field(examples=["lamp-01-017"])
    kind: Kind
    gateway: str | None = Field(examples=["gw-1"])
    profile: str = Field(examples=["lamp-single"])
    address: str = Field(description="In the wire's own terms", examples=["cab-01/17"])
    capabilities: list[str]
    name: dict[str, str] = Field(description="By language")
    latitude: float | None
    longitude: float | None
    state: str = Field(description="unknown, off, on or fault; unknown is never off", examples=["on"])


class Override(BaseModel):
    """A manual level in force; `until` in civil epoch ms."""

    level_percent: float
    until: int
    request: str
    by: str


class Latest(Device):
    """Everything known of a device; a quantity that is not known is left out."""

    time_ms: int = Field(description="Civil epoch ms of the newest reading, 0 = never read")
    age_s: float | None = Field(description="Real seconds since it arrived, null = not since the controller started")
    quality: list[str] = Field(
        description="What to hold against the newest reading; empty = good", examples=[["stale"]]
    )
    values: dict[str, float] = Field(examples=[{"level_percent": 60, "power_w": 88.4}])
    override: Override | None


@router.get("", summary="Devices, filtered and paged")
async def devices(
    request: Request, services: Provided, caller: Reader, paging: Paging, where: WhereQuery
) -> Page[Device]:
    """Ordered by kind, then id."""
    hub: Hub = request.app.state.hub
    found = matching(services, hub, where, sight_of(services, caller))
    items = [
        _device(services, entry, word)
        for device, word in paging.of(found)
        if (entry := services.twin.entry(device)) is not None
    ]
    return Page(items=items, total=len(found), offset=paging.offset, limit=paging.limit)


@router.get("/{device}", summary="One device")
async def device(request: Request, services: Provided, caller: Reader, device: DeviceId) -> Device:
    """What its gateway says it is."""
    entry = seen_entry(services, caller, device)
    return _device(services, entry, _condition(request, services, entry))


@router.get("/{device}/latest", summary="Everything known of a device now")
async def latest(request: Request, services: Provided, caller: Reader, device: DeviceId) -> Latest:
    """Newest values with their age and quality, and the manual level in force."""
    entry = seen_entry(services, caller, device)
    state = services.twin.state(device)
    assert state is not None
    described = _device(services, entry, _condition(request, services, entry))
    return Latest(
        **described.model_dump(),
        time_ms=state.time_ms,
        age_s=None if state.received_s is None else round(services.clock.monotonic_s() - state.received_s, 1),
        quality=[str(bit.name).lower() for bit in Quality(state.quality)],
        values=state.values,
        override=await _override(services, state),
    )


def seen_entry(services: Services, caller: Caller, device: str) -> DeviceEntry:
    """The device's entry.

    Raises:
        Problem: no gateway serves it, or the caller may not see it.
    """
    entry = entry_of(services, device)
    if not sight_of(services, caller).sees(entry.kind, device):
        raise not_found("device", device)
    return entry


def entry_of(services: Services, device: str) -> DeviceEntry:
    """The device's entry.

    Raises:
        Problem: no gateway serves it.
    """
    entry = services.twin.entry(device)
    if entry is None:
        raise not_found("device", device)
    return entry


async def _override(services: Services, state: DeviceState) -> Override | None:
    found = await overrides.strongest(services, state.device)
    if found is None:
        return None
    record, request = found
    return Override(level_percent=record.level_percent, until=record.until_ms, request=request.id, by=request.who)


def _condition(request: Request, services: Services, entry: DeviceEntry) -> str:
    hub: Hub = request.app.state.hub
    gateway = services.twin.gateway_of(entry.device) or ""
    (row,) = services.twin.rows(gateway, entry.kind, [entry.device])
    found = hub.conditions(row_of(services.twin.snapshot(entry.kind), int(row)))
    return WORDS[int(found[0])]


def _device(services: Services, entry: DeviceEntry, state: str) -> Device:
    return Device(
        id=entry.device,
        kind=entry.kind,
        gateway=services.twin.gateway_of(entry.device),
        profile=entry.profile,
        address=entry.address,
        capabilities=list(entry.capabilities),
        name=entry.name,
        latitude=entry.latitude,
        longitude=entry.longitude,
        state=state,
    )
