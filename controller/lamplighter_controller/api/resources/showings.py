"""Shows of light: rehearsed on paper, started at a time, stopped; lamps go back to plan by themselves at the end."""

from http import HTTPStatus
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, ConfigDict, Field

from lamplighter_contract.light.plans.problems import Problem as Found
from lamplighter_contract.light.plans.problems import Severity
from lamplighter_contract.wire.limits import EARLIEST_TIME_MS, LATEST_TIME_MS
from lamplighter_controller.api.guard import Lighter, Reader
from lamplighter_controller.api.problems import Fault, Problem, not_found, several
from lamplighter_controller.api.resources.commands import Reason500
from lamplighter_controller.api.resources.gateways import ReasonIn
from lamplighter_controller.api.services import Provided, Services
from lamplighter_controller.lighting.scenes import store
from lamplighter_controller.lighting.scenes.desk import LAMPS_SHOWN, NotApproved, Unplayable
from lamplighter_controller.lighting.scenes.scene import Scene
from lamplighter_controller.lighting.scenes.store import Showing

router = APIRouter(tags=["scenes"])

SceneId = Annotated[str, Path(min_length=1, max_length=64, examples=["new-year"])]
ShowingId = Annotated[str, Path(min_length=1, max_length=64, examples=["01980000-0000-7000-8000-000000000000"])]
Start = Annotated[
    int | None,
    Field(ge=EARLIEST_TIME_MS, lt=LATEST_TIME_MS, description="Civil epoch ms, up to a week ahead; without it now"),
]


class StartIn(BaseModel):
    """When a scene plays; its length is its own."""

    model_config = ConfigDict(extra="forbid")

    starts_ms: Start = None
    reason: Reason500


class RehearseIn(BaseModel):
    """When it would play, and whose nights are wanted."""

    model_config = ConfigDict(extra="forbid")

    starts_ms: Start = None
    lamps: list[Annotated[str, Field(min_length=1, max_length=64)]] = Field(default=[], max_length=LAMPS_SHOWN)


class ShowingOut(BaseModel):
    """A scene from a start to an end."""

    id: str
    scene: str
    starts_ms: int = Field(description="Civil epoch ms")
    ends_ms: int
    by: str
    reason: str
    stopped_ms: int | None
    playing: bool
    needs_approval: list[str] = Field(description="Why a second person has to approve it before it starts")
    approvals: list[str]
    waits: bool = Field(description="It does not play before a second person has approved it")


class Showings(BaseModel):
    """The newest first."""

    items: list[ShowingOut]


class CueOut(BaseModel):
    """One cue and how many lamps it reaches."""

    after_s: float
    at_ms: int = Field(description="Civil epoch ms")
    level_percent: float
    ramp_s: float
    lamps: int


class Wrong(BaseModel):
    """What keeps it from being played; an error does, a warning does not."""

    severity: Severity
    where: str
    what: str


class ChangeOut(BaseModel):
    """From an instant on this level, and why."""

    start_ms: int
    level_percent: float | None
    why: dict[str, Any]


class RehearsalOut(BaseModel):
    """The show on paper: nothing was stored, no lamp moves."""

    scene: str
    starts_ms: int
    ends_ms: int
    playable: bool
    problems: list[Wrong]
    gateways: list[str] = Field(description="Those that would be given it with their plan")
    cues: list[CueOut]
    needs_approval: list[str] = Field(description="Why a second person would have to approve it")
    nights: dict[str, list[ChangeOut]] = Field(description="The whole night of some lamps, by the gateway's own rules")


@router.post("/scenes/{scene}/rehearse", summary="Rehearse a scene on paper")
async def rehearse(services: Provided, _: Reader, scene: SceneId, wanted: RehearseIn) -> RehearsalOut:
    """Every cue with its lamps, what a wire cannot carry, and the night of some lamps as they would have it."""
    its = await _scene(services, scene)
    made = await services.scenes.rehearse(its, wanted.starts_ms, wanted.lamps)
    return RehearsalOut(
        scene=scene,
        starts_ms=made.starts_ms,
        ends_ms=made.starts_ms + round(its.length_s * 1000),
        playable=all(one.severity is not Severity.ERROR for one in made.problems),
        problems=[_wrong(one) for one in made.problems],
        gateways=list(made.gateways),
        needs_approval=list(made.grave),
        cues=[
            CueOut(
                after_s=cue.after_s,
                at_ms=made.starts_ms + round(cue.after_s * 1000),
                level_percent=cue.level_percent,
                ramp_s=cue.ramp_s,
                lamps=lamps,
            )
            for cue, lamps in zip(its.cues, made.reached, strict=True)
        ],
        nights={
            lamp: [
                ChangeOut(
                    start_ms=change.start_ms,
                    level_percent=change.level.level_percent,
                    why=msgspec.to_builtins(change.level.why),
                )
                for change in changes
            ]
            for lamp, changes in made.nights.items()
        },
    )


@router.post("/scenes/{scene}/start", status_code=202, summary="Have a scene played")
async def start(services: Provided, caller: Lighter, scene: SceneId, wanted: StartIn) -> ShowingOut:
    """Its cues go to the gateways with their plans, ahead of the start; a wire that cannot carry it is named.

    One that makes more than 5 % of all lamps dark, with the levels by hand in force, waits for a second person.
    """
    try:
        showing = await services.scenes.start(
            await _scene(services, scene), wanted.starts_ms, caller.who, wanted.reason
        )
    except Unplayable as error:
        faults = [Fault(field="path.scene", rule="unplayable", detail=str(one)) for one in error.problems]
        raise several(HTTPStatus.CONFLICT, "unplayable", str(error)[:500], faults) from error
    return _shown(services, showing)


@router.get("/showings", summary="Scenes that play, are to play or have played")
async def showings(services: Provided, _: Reader, limit: Annotated[int, Query(ge=1, le=200)] = 50) -> Showings:
    """Each with its start and end."""
    found = await services.ledger.read(lambda ledger: store.newest(ledger, limit))
    return Showings(items=[_shown(services, one) for one in found])


@router.post("/showings/{showing}/approve", status_code=202, summary="Approve a show as a second person")
async def approve(services: Provided, caller: Lighter, showing: ShowingId, why: ReasonIn) -> ShowingOut:
    """By a token of another name than the one that asked; a show that was wanted at once begins now."""
    found = await services.ledger.read(lambda ledger: store.find(ledger, showing))
    if found is None:
        raise not_found("showing", showing)
    try:
        return _shown(services, await services.scenes.approve(found, caller.who, why.reason))
    except NotApproved as error:
        raise Problem(HTTPStatus.CONFLICT, "not-now", str(error)) from error


@router.post("/showings/{showing}/stop", status_code=202, summary="Stop a show")
async def stop(services: Provided, caller: Lighter, showing: ShowingId, why: ReasonIn) -> ShowingOut:
    """Its lamps go back to plan as soon as their gateways are told."""
    found = await services.ledger.read(lambda ledger: store.find(ledger, showing))
    if found is None:
        raise not_found("showing", showing)
    if not found.is_ahead(services.clock.civil_ms()):
        raise Problem(HTTPStatus.CONFLICT, "over", "It has ended already.")
    await services.scenes.stop(found, caller.who, why.reason)
    after = await services.ledger.read(lambda ledger: store.find(ledger, showing))
    assert after is not None
    return _shown(services, after)


async def _scene(services: Services, name: str) -> Scene:
    found = await services.scenes.scene(name)
    if found is None:
        raise not_found("scene", name)
    return found


def _wrong(one: Found) -> Wrong:
    return Wrong(severity=one.severity, where=one.where, what=one.what)


def _shown(services: Services, one: Showing) -> ShowingOut:
    now_ms = services.clock.civil_ms()
    return ShowingOut(
        id=one.id,
        scene=one.scene.id,
        starts_ms=one.starts_ms,
        ends_ms=one.ends_ms,
        by=one.who,
        reason=one.reason,
        stopped_ms=one.stopped_ms,
        playing=one.is_ahead(now_ms) and one.starts_ms <= now_ms and not one.waits,
        needs_approval=list(one.grave),
        approvals=list(one.approvals),
        waits=one.stopped_ms is None and one.waits and not one.is_late(now_ms, services.clock.wall_ms()),
    )
