"""The lit rate of a night: three figures for each group, the lamps behind them, and what proves it."""

from collections.abc import Mapping
from datetime import date
from enum import StrEnum
from http import HTTPStatus
from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Path, Query, Response
from pydantic import BaseModel, ConfigDict, Field

from lamplighter_contract.ids import ID_PATTERN
from lamplighter_contract.light.plans.programs import RoadClass
from lamplighter_contract.wire.limits import EARLIEST_TIME_MS, LATEST_TIME_MS
from lamplighter_controller.api.guard import Commander, Reader
from lamplighter_controller.api.paging import Page, Paging
from lamplighter_controller.api.problems import Fault, Problem, not_found, several
from lamplighter_controller.api.resources.gateways import ReasonIn
from lamplighter_controller.api.services import Provided, Services
from lamplighter_controller.api.tables import CSV, csv_of
from lamplighter_controller.lighting.desk import NotTaken, Who
from lamplighter_controller.lighting.proof.light.evidence import Sighting
from lamplighter_controller.lighting.proof.light.listing import LampNight
from lamplighter_controller.lighting.proof.light.tally import By, Proof, Tally, Verdict, road_rule
from lamplighter_controller.lighting.proof.store import Night

router = APIRouter(prefix="/rates", tags=["proof"])

MINUTE_MS: Final = 60_000
MOST_LISTED: Final = 200_000  # of one CSV file
YEARS: Final = range(2020, 2100)
PATROL_EXAMPLE: Final[dict[str, Any]] = {
    "reason": "patrol of the old town",
    "sightings": [{"lamp": "lamp-01-017", "time_ms": 1_763_650_000_000, "lit": False}],
}

Form = Annotated[Literal["json", "csv"], Query(description="csv: as a file, without pages")]
Day = Annotated[date, Path(description="The date of the noon it begins at", examples=["2026-11-19"])]
Name = Annotated[str, Query(max_length=64)]


class State(StrEnum):
    """Which lamps of the list."""

    DARK = "dark"
    UNKNOWN = "unknown"


class Coverage(BaseModel):
    """Shares of the required lamp-time by what proves it, whether lit or dark; together 100."""

    own_power_percent: float = Field(description="The lamp's own power", examples=[97.1])
    patrol_percent: float = Field(description="A person saw it", examples=[0.3])
    cabinet_meter_percent: float = Field(description="Bounded by the meter of its supply point", examples=[1.9])
    none_percent: float = Field(description="Nothing: this is the unknown time", examples=[0.7])


class Rule(BaseModel):
    """The road by the rule of Changsha: from 200 lamps on 97 %, below that at most 2, 3 or 4 dark lamps."""

    limit: float = Field(description="Least percent, or most dark lamps", examples=[3])
    in_percent: bool
    verdict: Verdict = Field(description="unprovable: what is unknown decides it")


class Rate(BaseModel):
    """One group; times are minutes of all its lamps together, lit + dark + unknown = required."""

    key: str = Field(description="Id of the road or district, the class; empty: not known", examples=["main"])
    name: str = Field(examples=["云杉路"])
    lamps: int
    required_min: float = Field(description="Scheduled on by plan")
    lit_min: float
    dark_min: float
    unknown_min: float
    reported_percent: float | None = Field(description="Lit of what is proven; null: nothing is", examples=[99.2])
    worst_percent: float | None = Field(description="Unknown taken for dark; null: no light was due", examples=[98.5])
    best_percent: float | None = Field(description="Unknown taken for lit", examples=[99.3])
    dark_lamps: int = Field(description="Proven dark for 30 minutes or more", examples=[14])
    unknown_lamps: int = Field(description="Others, unknown for 30 minutes or more", examples=[9])
    proof: Coverage | None
    rule: Rule | None = Field(description="Of roads only")


class NightOut(BaseModel):
    """A night from noon to noon, and how far it was worked out."""

    night: date = Field(description="The date of the noon it begins at")
    start_ms: int = Field(description="Civil epoch ms")
    end_ms: int
    through_ms: int = Field(description="Readings were looked at up to here; civil epoch ms")
    over: bool = Field(description="All of the night was looked at")
    due: bool = Field(description="More has come in since; it will be worked out again")
    passes: int
    computed_ms: int = Field(description="Real epoch ms")


class Rates(NightOut):
    """The figures of a night."""

    by: By
    items: list[Rate]


class Nights(BaseModel):
    """The newest first."""

    items: list[NightOut]
    next_before: date | None = Field(description="Ask with before=… for older ones")


class ListedLamp(BaseModel):
    """A lamp that was not proven lit all the time it was due."""

    lamp: str = Field(description="Luminaire of the inventory, or the device where there is none", examples=["l-0007"])
    device: str | None
    road: str
    road_class: str
    district: str
    cabinet: str
    proof: Proof = Field(description="What most of its time is proven by")
    since_ms: int | None = Field(description="Its last dark stretch began, else its last unknown one; civil epoch ms")
    required_min: float
    lit_min: float
    dark_min: float
    unknown_min: float


class SightingIn(BaseModel):
    """A lamp somebody saw."""

    model_config = ConfigDict(extra="forbid")

    lamp: str = Field(pattern=f"^{ID_PATTERN.pattern}$", examples=["l-0007"])
    time_ms: int = Field(ge=EARLIEST_TIME_MS, lt=LATEST_TIME_MS, description="Civil epoch ms")
    lit: bool


class PatrolIn(BaseModel):
    """What a patrol saw."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [PATROL_EXAMPLE]})

    reason: str = Field(min_length=1, max_length=500, examples=["patrol of the old town"])
    sightings: list[SightingIn] = Field(min_length=1, max_length=5_000)


class PatrolOut(BaseModel):
    """What was taken."""

    taken: int


@router.get("", summary="Lit rate of a night", responses={200: {"content": {CSV: {}}}}, response_model=Rates)
async def rates(
    services: Provided, _: Reader, night: date | None = None, by: By = By.CITY, form: Form = "json"
) -> Rates | Response:
    """Three figures for each group, without a night of the last one that is over; tonight as far as it has come."""
    day = _known(night) if night else services.proof.last_over
    found = await _night(services, day)
    tallies, names = await services.proof.tallies(day, by), await services.proof.names(by)
    items = [_rate(one, names, by) for one in tallies]
    if form == "csv":
        return csv_of([_flat(item) for item in items], f"lit-rate-{day}-by-{by}")
    return Rates(**_shown(found), by=by, items=items)


@router.get("/nights", summary="Nights that were worked out")
async def nights(
    services: Provided, _: Reader, before: date | None = None, limit: Annotated[int, Query(ge=1, le=400)] = 31
) -> Nights:
    """The newest first."""
    found = await services.proof.nights(limit, before)
    items = [NightOut(**_shown(one)) for one in found]
    return Nights(items=items, next_before=found[-1].day if len(found) == limit else None)


@router.get(
    "/{night}/list",
    summary="The lamps behind the figures",
    responses={200: {"content": {CSV: {}}}},
    response_model=Page[ListedLamp],
)
async def listed(
    services: Provided,
    _: Reader,
    night: Day,
    paging: Paging,
    state: State | None = None,
    road: Name | None = None,
    road_class: RoadClass | None = None,
    district: Name | None = None,
    cabinet: Name | None = None,
    form: Form = "json",
) -> Page[ListedLamp] | Response:
    """Those with most lost time first. Lamps that are not in it were proven lit all the time they were due."""
    await _night(services, _known(night))
    given = {"road": road, "road_class": road_class, "district": district, "cabinet": cabinet}
    where = {name: str(value) for name, value in given.items() if value is not None}
    longest = None if state is None else f"{state}_ms"
    if form == "csv":
        all_of_them, _total = await services.proof.lamps(night, where, longest, 0, MOST_LISTED)
        return csv_of([_lamp(one).model_dump(mode="json") for one in all_of_them], f"lamps-not-lit-{night}")
    found, total = await services.proof.lamps(night, where, longest, paging.offset, paging.limit)
    return Page(items=[_lamp(one) for one in found], total=total, offset=paging.offset, limit=paging.limit)


@router.post("/{night}/work-out", summary="Work a night out again")
async def work_out(services: Provided, caller: Commander, night: Day, why: ReasonIn) -> NightOut:
    """From all readings that are stored by now; the same readings give the same figures."""
    try:
        return NightOut(**_shown(await services.proof.again(_known(night), Who(caller.who, why.reason))))
    except NotTaken as refusal:
        raise Problem(HTTPStatus.CONFLICT, "not-taken", str(refusal), field="path.night") from refusal


@router.post("/patrols", summary="Say what a patrol saw")
async def patrols(services: Provided, caller: Commander, seen: PatrolIn) -> PatrolOut:
    """It counts for half an hour from each sighting, until the lamp says something newer itself."""
    sightings = [Sighting(one.lamp, one.time_ms, one.lit) for one in seen.sightings]
    unknown = await services.proof.saw(sightings, Who(caller.who, seen.reason))
    if unknown:
        faults = [
            Fault(field=f"body.sightings.{number}.lamp", rule="unknown", detail=f"There is no lamp {name}")
            for number, name in unknown
        ]
        detail = f"{len(faults)} of the lamps are not known; nothing was taken."
        raise several(HTTPStatus.UNPROCESSABLE_ENTITY, "validation", detail, faults[:1_000])
    return PatrolOut(taken=len(sightings))


async def _night(services: Services, day: date) -> Night:
    found = await services.proof.night(day)
    if found is None:
        raise not_found("night", day.isoformat())
    return found


def _known(night: date) -> date:
    if night.year not in YEARS:
        raise not_found("night", night.isoformat())
    return night


def _shown(night: Night) -> dict[str, Any]:
    return {
        "night": night.day,
        "start_ms": night.start_ms,
        "end_ms": night.end_ms,
        "through_ms": night.through_ms,
        "over": night.over,
        "due": night.due,
        "passes": night.passes,
        "computed_ms": night.computed_ms,
    }


def _rate(one: Tally, names: Mapping[str, str], by: By) -> Rate:
    rule = road_rule(one) if by is By.ROAD and one.key else None
    return Rate(
        key=one.key,
        name=names.get(one.key, ""),
        lamps=one.lamps,
        required_min=_minutes(one.required_ms),
        lit_min=_minutes(one.lit_ms),
        dark_min=_minutes(one.dark_ms),
        unknown_min=_minutes(one.unknown_ms),
        reported_percent=_percent(one.reported_percent),
        worst_percent=_percent(one.worst_percent),
        best_percent=_percent(one.best_percent),
        dark_lamps=one.dark_lamps,
        unknown_lamps=one.unknown_lamps,
        proof=_coverage(one),
        rule=Rule(limit=rule.limit, in_percent=rule.in_percent, verdict=rule.verdict) if rule else None,
    )


def _coverage(one: Tally) -> Coverage | None:
    own, patrol, meter, none = (_percent(one.covered_percent(proof)) for proof in Proof)
    if own is None or patrol is None or meter is None or none is None:
        return None
    return Coverage(own_power_percent=own, patrol_percent=patrol, cabinet_meter_percent=meter, none_percent=none)


def _flat(rate: Rate) -> dict[str, Any]:
    """One line of a CSV file."""
    values = rate.model_dump(mode="json")
    proof, rule = values.pop("proof") or {}, values.pop("rule") or {}
    shares = {name: proof.get(name) for name in Coverage.model_fields}
    return values | shares | {f"rule_{name}": rule.get(name) for name in Rule.model_fields}


def _lamp(one: LampNight) -> ListedLamp:
    return ListedLamp(
        lamp=one.lamp,
        device=one.device,
        road=one.road,
        road_class=one.road_class,
        district=one.district,
        cabinet=one.cabinet,
        proof=one.proof,
        since_ms=one.since_ms,
        required_min=_minutes(one.required_ms),
        lit_min=_minutes(one.lit_ms),
        dark_min=_minutes(one.dark_ms),
        unknown_min=_minutes(one.unknown_ms),
    )


def _minutes(time_ms: float) -> float:
    return round(time_ms / MINUTE_MS, 2)


def _percent(value: float | None) -> float | None:
    return None if value is None else round(value, 3)
