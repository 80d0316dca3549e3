"""One lamp: its night ahead with every change, and why it has the level it has."""

from datetime import date
from http import HTTPStatus
from typing import Annotated, Any, Final

import msgspec
from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from lamplighter_contract.level import Level, Winner
from lamplighter_contract.level import level as level_without_plan
from lamplighter_contract.light.level import level
from lamplighter_contract.light.plans.plan import Plan
from lamplighter_contract.light.plans.problems import Problem as PlanProblem
from lamplighter_contract.light.preview import Change as Changed
from lamplighter_contract.light.preview import preview
from lamplighter_contract.light.view import View
from lamplighter_contract.quantities import Kind
from lamplighter_controller.api import overrides
from lamplighter_controller.api.guard import Reader
from lamplighter_controller.api.problems import Problem, not_found, refused
from lamplighter_controller.api.resources.devices import DeviceId, entry_of
from lamplighter_controller.api.services import Provided, Services
from lamplighter_controller.lighting.supply import open_circuit

YEARS: Final = range(2020, 2100)

router = APIRouter(prefix="/lamps", tags=["lamps"])

Draft = Annotated[int | None, Query(ge=1, lt=2**53, description="A plan to look at instead of the one in force")]


class LevelOut(BaseModel):
    """A level and why; null = it follows its own schedule, no plan was given."""

    level_percent: float | None
    why: dict[str, Any] = Field(
        description="Winner, what it beat, until when (civil ms), and what the plan has for the night",
        examples=[{"winner": "program", "program": "saving-winter", "source": "step 1"}],
    )


class Change(LevelOut):
    """From an instant on."""

    start_ms: int = Field(description="Civil epoch ms")


class Tonight(BaseModel):
    """A night from noon to noon, as far as it is known now."""

    lamp: str
    day: date = Field(description="The date of the noon it begins at")
    plan_version: int | None
    changes: list[Change]


class WhyOut(LevelOut):
    """The level now by the gateway's own function, beside what the gateway says."""

    lamp: str
    time_ms: int = Field(description="Civil epoch ms")
    plan_version: int | None = Field(description="The one given last; null = none")
    told_version: int = Field(description="The one its gateway runs by its own word; 0 = none")
    reported_desired_percent: float | None
    reported_by: Winner | None = Field(description="Who decides, by the gateway's own word; null = it has not said")
    reported_level_percent: float | None
    agrees: bool | None = Field(description="Whether the gateway wants the same; null = it has not said")
    open_circuit: str | None = Field(
        description="Its contactor where that is open by plan: it is off, without power, and its silence is no news"
    )


@router.get("/{device}/tonight", summary="A lamp's night with every change and why")
async def tonight(
    services: Provided, _: Reader, device: DeviceId, day: date | None = None, plan: Draft = None
) -> Tonight:
    """By the plan in force, or by any other; a manual level in force is part of it."""
    gateway = _gateway(services, device)
    found = await plan_of(services, gateway, plan)
    night = night_of(services, day)
    if found is None:
        detail = f"{gateway} was never given a plan; its lamps follow their own schedules."
        raise Problem(HTTPStatus.CONFLICT, "no-plan", detail)
    manual, _requests = await overrides.in_force(services, device)
    changes = preview(View(found), device, night, await services.signals.current(), manual)
    return Tonight(
        lamp=device,
        day=night,
        plan_version=found.version or None,
        changes=[change_out(change) for change in changes],
    )


@router.get("/{device}/why", summary="Why a lamp has its level")
async def why(services: Provided, _: Reader, device: DeviceId) -> WhyOut:
    """Decided here as the gateway decides it, and compared with what the gateway reports."""
    gateway = _gateway(services, device)
    found, now_ms = await services.plans.in_force(gateway), services.clock.civil_ms()
    manual, _requests = await overrides.in_force(services, device)
    circuit = None
    if found is None:
        decided = level_without_plan(manual, device, now_ms)
    else:
        view, signals = View(found), await services.signals.current()
        decided = level(view, device, now_ms, signals, manual)
        circuit = open_circuit(view, device, now_ms, signals, await overrides.by_device(services))
    state = services.twin.state(device)
    values = state.values if state else {}
    reported = values.get("desired_percent")
    return WhyOut(
        lamp=device,
        time_ms=now_ms,
        plan_version=found.version if found else None,
        told_version=services.plans.told(gateway),
        reported_desired_percent=reported,
        reported_by=_winner(values.get("desired_by")),
        reported_level_percent=values.get("level_percent"),
        agrees=_agrees(decided, reported),
        open_circuit=circuit,
        **_shown(decided),
    )


def night_of(services: Services, day: date | None) -> date:
    """The night that is asked for, else tonight."""
    night = day or services.plans.tonight
    if night.year not in YEARS:
        raise refused("query.day", "range", f"Expected a day from {YEARS.start} to {YEARS.stop - 1}.")
    return night


def _gateway(services: Services, device: str) -> str:
    entry = entry_of(services, device)
    gateway = services.twin.gateway_of(device)
    if entry.kind is not Kind.LAMP or gateway is None:
        raise not_found("lamp", device)
    return gateway


async def plan_of(services: Services, gateway: str, number: int | None) -> Plan | None:
    """The plan in force at a gateway, or what a plan of that number would be there."""
    if number is None:
        return await services.plans.in_force(gateway)
    stored = await services.plans.plan(number)
    if stored is None:
        raise not_found("plan", str(number))
    found = await services.plans.would_be(stored, gateway)
    if isinstance(found, PlanProblem):
        raise Problem(HTTPStatus.CONFLICT, "plan", str(found))
    return found


def _winner(stored: float | None) -> Winner | None:
    """The word that is stored by its place."""
    return None if stored is None else tuple(Winner)[int(stored)]


def _agrees(decided: Level, reported: float | None) -> bool | None:
    """A percent apart is the same: levels are whole numbers on many wires."""
    if reported is None or decided.level_percent is None:
        return None
    return abs(decided.level_percent - reported) <= 1


def change_out(change: Changed) -> Change:
    """A change of a preview as it is answered."""
    return Change(start_ms=change.start_ms, **_shown(change.level))


def _shown(decided: Level) -> dict[str, Any]:
    return {"level_percent": decided.level_percent, "why": msgspec.to_builtins(decided.why)}
