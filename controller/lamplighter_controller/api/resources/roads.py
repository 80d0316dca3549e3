"""One road: the night ahead of its lamps, those with the same night together."""

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Final

from fastapi import APIRouter, Path
from pydantic import BaseModel, Field

from lamplighter_contract.level import Override
from lamplighter_contract.light.preview import Change as Changed
from lamplighter_contract.light.preview import preview
from lamplighter_contract.light.signals import Signals
from lamplighter_contract.light.view import View
from lamplighter_controller.api import overrides
from lamplighter_controller.api.guard import Reader
from lamplighter_controller.api.problems import not_found
from lamplighter_controller.api.resources.lamps import Change, Draft, change_out, night_of, plan_of
from lamplighter_controller.api.services import Provided
from lamplighter_controller.lighting import store

MINUTE_MS: Final = 60_000

router = APIRouter(prefix="/roads", tags=["lamps"])

RoadId = Annotated[str, Path(min_length=1, max_length=64, examples=["spruce-road"])]


class Alike(BaseModel):
    """Lamps that do the same at the same times, to the minute; the times are those of the first of them."""

    lamps: list[str]
    changes: list[Change]


class RoadTonight(BaseModel):
    """A night from noon to noon, as far as it is known now."""

    road: str
    name: str
    road_class: str
    day: date = Field(description="The date of the noon it begins at")
    lamps: int = Field(description="Luminaires of the road that have a controller")
    nights: list[Alike] = Field(description="Those of most lamps first")
    without_plan: list[str] = Field(description="Their gateway was never given a plan, or none serves them")


@dataclass(frozen=True, slots=True)
class _Night:
    views: Mapping[str, View]
    manual: Mapping[str, tuple[Override, ...]]
    signals: Signals
    day: date


@router.get("/{road}/tonight", name="road-tonight", summary="A road's night with every change and why")
async def tonight(
    services: Provided, _: Reader, road: RoadId, day: date | None = None, plan: Draft = None
) -> RoadTonight:
    """By the plans in force, or by any other; manual levels and signals in force are part of it."""
    found = await services.ledger.read(lambda ledger: store.road_with_lamps(ledger, road))
    if found is None:
        raise not_found("road", road)
    stands, luminaires = found
    lamps = {str(one.device): services.twin.gateway_of(str(one.device)) for one in luminaires}
    views = {
        gateway: View(made)
        for gateway in sorted(filter(None, set(lamps.values())))
        if (made := await plan_of(services, gateway, plan)) is not None
    }
    planned = [(lamp, gateway) for lamp, gateway in lamps.items() if gateway in views]
    night = _Night(
        views, await overrides.by_device(services), await services.signals.current(), night_of(services, day)
    )
    return RoadTonight(
        road=stands.id,
        name=stands.name,
        road_class=stands.road_class,
        day=night.day,
        lamps=len(lamps),
        nights=await asyncio.to_thread(_together, night, planned),
        without_plan=[lamp for lamp, gateway in lamps.items() if gateway not in views],
    )


def _together(night: _Night, planned: Iterable[tuple[str, str | None]]) -> list[Alike]:
    alike: defaultdict[object, list[str]] = defaultdict(list)
    first: dict[object, tuple[Changed, ...]] = {}
    for lamp, gateway in planned:
        view = night.views[gateway or ""]
        changes = preview(view, lamp, night.day, night.signals, night.manual.get(lamp, ()))
        key = tuple(map(_to_the_minute, changes))
        first.setdefault(key, changes)
        alike[key].append(lamp)
    most_first: Sequence[object] = sorted(alike, key=lambda key: (-len(alike[key]), alike[key]))
    return [Alike(lamps=alike[key], changes=[change_out(one) for one in first[key]]) for key in most_first]


def _to_the_minute(change: Changed) -> object:
    """Dusk is seconds apart along a road that two gateways light, and no two lamps differ by that."""
    why = change.level.why
    return round(change.start_ms / MINUTE_MS), change.level.level_percent, why.winner, why.source
