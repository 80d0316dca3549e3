"""The controller itself: health, clock, city, and what is done to it as a whole."""

import asyncio
from http import HTTPStatus
from typing import Final

from fastapi import APIRouter
from pydantic import BaseModel, Field

from lamplighter_contract.quantities import Kind
from lamplighter_controller.api.guard import Admin, Anyone, Reader
from lamplighter_controller.api.problems import Problem
from lamplighter_controller.api.resources.gateways import ReasonIn
from lamplighter_controller.api.services import Provided, Services
from lamplighter_controller.errors import ControllerError
from lamplighter_controller.intake import letters, outage, readings, records
from lamplighter_controller.intake.gateways import Unheard
from lamplighter_controller.intake.presence import Status
from lamplighter_controller.ledger.errors import LedgerUnavailable
from lamplighter_controller.security import tokens

router = APIRouter(tags=["system"])

BACKUP_TIMEOUT_S: Final = 600.0
TROUBLES: Final = (outage.ALARM, readings.ALARM, records.ALARM)


class Detail(BaseModel):
    """How the controller fares."""

    devices: dict[Kind, int]
    gateways_enrolled: int
    gateways_online: int
    alarms: int
    troubles: list[str] = Field(description="Alarms that make it `degraded`", examples=[["broker-gone"]])
    dead_letters: int
    held: bool = Field(description="Restored from a backup: no plans and commands until released")


class HealthOut(BaseModel):
    """Details are for callers who may read."""

    status: str = Field(
        description="`ok`; `degraded`: the broker is out of reach or a store takes nothing; `ledger unavailable`",
        examples=["ok"],
    )
    detail: Detail | None = None


class ClockOut(BaseModel):
    """Two kinds of time."""

    civil_ms: int = Field(description="Dates readings, plans and `until`")
    wall_ms: int = Field(description="Real time: issue and expiry of commands")
    rate: float = Field(description="Civil seconds in a real one; 1 in every city", examples=[60.0])
    zone: str = Field(examples=["Asia/Shanghai"])


class CityOut(BaseModel):
    """The city as it is shown."""

    name: dict[str, str] = Field(description="By language", examples=[{"zh": "示例城", "en": "Sample city"}])
    zone: str
    rate: float


class ReleaseIn(ReasonIn):
    """Why the hold is ended."""

    anyway: bool = Field(default=False, description="Also when enrolled gateways were not heard since the start")


class Done(BaseModel):
    """What came of it."""

    result: str


@router.get("/health", summary="Is the controller well?")
async def health(services: Provided, caller: Anyone) -> HealthOut:
    """Answers everyone with a word, callers who may read with figures."""
    try:
        await services.ledger.read(lambda ledger: tokens.in_force(ledger, "", 0))
    except LedgerUnavailable:
        return HealthOut(status="ledger unavailable")
    may_read = caller is not None and caller.at("GET /alarms") is not None
    status = "degraded" if _troubles(services) else "ok"
    return HealthOut(status=status, detail=await _detail(services) if may_read else None)


@router.get("/clock", summary="Civil and real time")
async def clock(services: Provided, _: Reader) -> ClockOut:
    """Civil time may run faster in a demo."""
    return ClockOut(
        civil_ms=services.clock.civil_ms(),
        wall_ms=services.clock.wall_ms(),
        rate=services.city.rate,
        zone=services.city.zone,
    )


@router.get("/city", summary="Name and time zone of the city")
async def city(services: Provided, _: Reader) -> CityOut:
    """As the console shows it."""
    return CityOut(name=dict(services.city.name), zone=services.city.zone, rate=services.city.rate)


@router.post("/controller/release", summary="End the hold of a restored controller")
async def release(services: Provided, caller: Admin, wanted: ReleaseIn) -> Done:
    """Plans and commands go out again, once every enrolled gateway was heard; `anyway` does not wait for that."""
    released = await services.actions.release(who=caller.who, reason=wanted.reason, anyway=wanted.anyway)
    if isinstance(released, Unheard):
        raise Problem(HTTPStatus.CONFLICT, "unheard", f"{released}.", field="body.anyway")
    if not released:
        raise Problem(HTTPStatus.CONFLICT, "not-held", "The controller is not held.")
    return Done(result="released")


@router.post("/controller/backup", summary="Write a backup")
async def backup(services: Provided, caller: Admin) -> Done:
    """Answers when it is complete."""
    try:
        async with asyncio.timeout(BACKUP_TIMEOUT_S):
            return Done(result=await services.actions.backup(who=caller.who))
    except (ControllerError, TimeoutError) as error:
        raise Problem(HTTPStatus.SERVICE_UNAVAILABLE, "backup-failed", str(error) or "It took too long.") from error


async def _detail(services: Services) -> Detail:
    gateways = services.gateways
    return Detail(
        devices={kind: sum(entry.kind is kind for entry in services.twin.entries()) for kind in Kind},
        gateways_enrolled=len(gateways.enrolled),
        gateways_online=sum(gateways.status(name) is Status.ONLINE for name in gateways.enrolled),
        alarms=len(services.alarms.active()),
        troubles=_troubles(services),
        dead_letters=(await services.ledger.read(letters.tally)).letters,
        held=services.actions.held(),
    )


def _troubles(services: Services) -> list[str]:
    return [key for key in TROUBLES if services.alarms.is_raised(key)]
