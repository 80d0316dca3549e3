"""Terminals that nobody has put on record, and how they become trucks."""

from http import HTTPStatus
from typing import Annotated, Final

from fastapi import APIRouter, Path
from pydantic import BaseModel, ConfigDict, Field

from lamplighter_controller.api.guard import Admin, Reader
from lamplighter_controller.api.importing import answer
from lamplighter_controller.api.problems import Problem, not_found
from lamplighter_controller.api.resources.commands import Reason500
from lamplighter_controller.api.resources.fleet.register import Kept, kept, take
from lamplighter_controller.api.services import Provided, Services
from lamplighter_controller.fleet.register import importing, records, strangers
from lamplighter_controller.fleet.register.placing import Frame
from lamplighter_controller.fleet.register.strangers import Standing, Stranger
from lamplighter_controller.fleet.register.things import Truck

router = APIRouter(prefix="/fleet/strangers", tags=["fleet"])

TRUCKS: Final = "trucks"
StrangerName = Annotated[str, Path(min_length=1, max_length=64, examples=["013900000042"])]


class StrangerOut(BaseModel):
    """One terminal."""

    name: str = Field(description="Its phone number, or what its gateway calls it", examples=["013900000042"])
    standing: Standing = Field(description="Refused by its gateway, or served and in no truck of the register")
    gateway: str
    last_ms: int | None = Field(description="Civil; when it was refused last")
    told: dict[str, str | float | int | bool | None] = Field(description="What it said of itself: plate, maker, model")


class AdoptIn(BaseModel):
    """The truck that it becomes."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {"id": "truck-125", "plate": "鲁A10125", "company": "red-haulage", "reason": "delivered on Monday"}
            ]
        },
    )

    id: str = Field(max_length=64)
    plate: str = Field(max_length=200)
    company: str = Field(max_length=64)
    profile: str = Field("jt808-std", max_length=64, description="How its gateway is to read it")
    capacity_m3: float | None = None
    driver: str | None = Field(None, max_length=64)
    reason: Reason500


class Adopted(BaseModel):
    """The truck, and what is left to do."""

    truck: Kept
    device_line: dict[str, str] | None = Field(
        description="For the devices of its gateway; null: the gateway serves it already"
    )


@router.get("", name="strangers", summary="Terminals that are in no truck of the register")
async def listed(services: Provided, _: Reader) -> list[StrangerOut]:
    """Those that gateways refused, and those that they serve."""
    return [
        StrangerOut(
            name=one.name,
            standing=one.standing,
            gateway=one.gateway,
            last_ms=one.last_ms,
            told=dict(one.told or {}),
        )
        for one in await _strangers(services)
    ]


@router.post("/{stranger}/adopt", name="adopt-stranger", status_code=201, summary="Make a terminal a truck")
async def adopt(services: Provided, caller: Admin, stranger: StrangerName, wanted: AdoptIn) -> Adopted:
    """The truck is put into the register; one that its gateway refused needs the line that is answered, too."""
    found = next((one for one in await _strangers(services) if one.name == stranger), None)
    if found is None:
        raise not_found("stranger", stranger)
    device = found.name if found.standing is Standing.SERVED else wanted.id
    values = wanted.model_dump(exclude={"reason"}, exclude_none=True) | {"device": device}
    known = await services.ledger.read(lambda ledger: records.known_to(ledger, Truck))
    if wanted.id in known.ids.get(TRUCKS, ()):
        raise Problem(HTTPStatus.CONFLICT, "exists", f"{wanted.id} is in the register already.", field="body.id")
    read = importing.read_one(values, Truck, known, Frame())
    if read.faults:
        answer(0, read.faults, dry_run=False)
    await take(services, TRUCKS, read, caller.who, wanted.reason)
    stands = await services.ledger.read(lambda ledger: records.kept(ledger, TRUCKS, wanted.id, Truck))
    assert stands is not None
    line = None if found.standing is Standing.SERVED else dict(strangers.device_line(found, device, wanted.profile))
    return Adopted(truck=kept(stands), device_line=line)


async def _strangers(services: Services) -> list[Stranger]:
    city = services.fleet.city
    served = [
        Stranger(row.truck, Standing.SERVED, services.twin.gateway_of(row.device) or "")
        for row in city.rows
        if not row.registered
    ]
    refused = await services.ledger.read(strangers.refused)
    return served + [one for one in refused if not _is_served(services, one)]


def _is_served(services: Services, stranger: Stranger) -> bool:
    """A gateway that was told of it since has a device at that address."""
    return any(
        entry.address.startswith(stranger.name) and services.twin.gateway_of(entry.device) == stranger.gateway
        for entry in services.twin.entries()
    )
