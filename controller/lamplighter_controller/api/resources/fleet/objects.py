"""Construction sites and disposal grounds as they are now: open, who is there, what came and went, what sensors say."""

from datetime import datetime, time
from typing import Annotated
from zoneinfo import ZoneInfo

from fastapi import APIRouter
from pydantic import BaseModel, Field

from lamplighter_contract.quality import Quality
from lamplighter_controller.api.guard import Reader
from lamplighter_controller.api.problems import not_found
from lamplighter_controller.api.resources.fleet.register import ThingId
from lamplighter_controller.api.services import Provided, Services
from lamplighter_controller.fleet.register.things import ObjectKind, WatchedObject
from lamplighter_controller.fleet.waybills import records
from lamplighter_controller.fleet.waybills.closure import Handled

router = APIRouter(prefix="/fleet/objects", tags=["fleet"])


class Sensing(BaseModel):
    """What a sensor at an object told last."""

    age_s: float | None = Field(description="Real seconds since it arrived; null = not since the controller started")
    quality: list[str] = Field(description="What to hold against it; empty = good")
    values: Annotated[dict[str, float], Field(examples=[{"pm10_ug_m3": 88.0, "noise_db": 61.5}])]


class ObjectNow(BaseModel):
    """A site or a ground now; civil times, volumes as waybills have them."""

    id: str
    kind: ObjectKind
    name: str
    open: bool | None = Field(description="By its hours; null = it has none")
    gate: tuple[float, float] | None = Field(description="Latitude, longitude")
    trucks: list[str] = Field(description="Those within its place now")
    loads_today: int = Field(description="Of a site: loaded there; of a ground: unloaded there")
    volume_today_m3: float
    volume_m3: float = Field(description="Ever, as far as waybills are kept")
    intake_m3: float | None = Field(description="What it may take, or give, altogether")
    used: float | None = Field(description="Share of the intake")
    sensors: dict[str, Sensing | None] = Field(description="By device; null = no gateway serves it")


@router.get("/{thing}/now", name="object-now", summary="A site or a ground as it is now")
async def now(services: Provided, _: Reader, thing: ThingId) -> ObjectNow:
    """Open or not, trucks within, loads and volumes, and its dust, noise and other sensors."""
    fleet, clock = services.fleet, services.clock
    found = fleet.city.register.objects.get(thing)
    if found is None:
        raise not_found("object", thing)
    local = datetime.fromtimestamp(clock.civil_ms() / 1000, ZoneInfo(services.city.zone))
    midnight_ms = round(datetime.combine(local.date(), time(), local.tzinfo).timestamp() * 1000)
    handled = await services.ledger.read(
        lambda ledger: (records.handled(ledger, found, midnight_ms), records.handled(ledger, found, 0))
    )
    return _now(services, found, local, *handled)


def _now(services: Services, found: WatchedObject, local: datetime, today: Handled, ever: Handled) -> ObjectNow:
    gate = None
    if found.gate_latitude is not None and found.gate_longitude is not None:
        gate = found.gate_latitude, found.gate_longitude
    return ObjectNow(
        id=found.id,
        kind=found.kind,
        name=found.name,
        open=found.is_open(f"{local:%H:%M}"),
        gate=gate,
        trucks=services.fleet.trucks_in(found.place) if found.place else [],
        loads_today=today.loads,
        volume_today_m3=today.volume_m3,
        volume_m3=ever.volume_m3,
        intake_m3=found.intake_m3,
        used=round(ever.volume_m3 / found.intake_m3, 4) if found.intake_m3 else None,
        sensors={device: _sensing(services, device) for device in found.sensors},
    )


def _sensing(services: Services, device: str) -> Sensing | None:
    state = services.twin.state(device)
    if state is None:
        return None
    age_s = None if state.received_s is None else round(services.clock.monotonic_s() - state.received_s, 1)
    quality = [str(bit.name).lower() for bit in Quality(state.quality)]
    return Sensing(age_s=age_s, quality=quality, values=dict(state.values))
