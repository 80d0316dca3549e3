"""Energy metered at supply points: the bill by account, and the saving against a stated baseline."""

from collections.abc import Mapping, Sequence
from datetime import date
from http import HTTPStatus
from typing import Annotated, Any, Final, Literal

import msgspec
from fastapi import APIRouter, Path, Query, Response
from pydantic import BaseModel, Field

from lamplighter_controller.api.guard import Admin, Reader
from lamplighter_controller.api.problems import Fault, not_found, refused, several
from lamplighter_controller.api.services import Provided
from lamplighter_controller.api.tables import CSV, csv_of
from lamplighter_controller.lighting.desk import Who
from lamplighter_controller.lighting.proof.power import tariff as tariffs
from lamplighter_controller.lighting.proof.power.energy import Baseline, Split, Sum, sums
from lamplighter_controller.lighting.proof.power.tariff import Charge, Tariff, Used, charge

router = APIRouter(prefix="/energy", tags=["proof"])

MINUTE_MS: Final = 60_000
MOST_NIGHTS: Final = 400

TariffId = Annotated[str, Path(min_length=1, max_length=64, examples=["street-lighting"])]


class SplitOut(BaseModel):
    """Where the saving comes from: led + hours + dimming + dark - standby - unexplained = saved; kWh."""

    baseline_kwh: float
    saved_kwh: float = Field(description="Baseline less metered")
    led_kwh: float = Field(description="Other luminaires than before")
    hours_kwh: float = Field(description="Fewer hours than the baseline's")
    dimming_kwh: float = Field(description="Levels below full, constant light output included")
    dark_kwh: float = Field(description="False saving: lamps that should have been lit and were proven dark")
    standby_kwh: float = Field(description="Metered while every lamp is to be off")
    unexplained_kwh: float = Field(description="Metered beyond what all of this comes to")
    claimed_kwh: float = Field(description="Saved less the false saving")
    claimed_percent: float | None = Field(description="Of the baseline", examples=[57.3])


class BandOut(BaseModel):
    """One line of the bill."""

    tariff: str
    band: str = Field(description="Empty: no tariff was in force", examples=["valley"])
    kwh: float
    price: float | None = Field(description="Per kWh; null: nobody has set one")
    cost: float | None
    currency: str = Field(examples=["CNY"])


class EnergyOut(BaseModel):
    """One account, supply point, or the city."""

    key: str = Field(description="Empty: supply points without an account", examples=["3701-000123"])
    cabinets: list[str] = Field(description="The supply points it is the sum of")
    metered_kwh: float
    bands: list[BandOut]
    cost: dict[str, float] = Field(description="By currency, of what has a price")
    unpriced_kwh: float
    undated_kwh: float = Field(description="Beside the metered: counted between readings more than a day apart")
    nights_unmetered: int = Field(description="Nights of supply points whose meter told nothing that can be dated")
    gap_min: float = Field(description="Time that no two readings of a meter enclose")
    lamps_without_model: int = Field(description="They are in the metered energy and in no part of the saving")
    saving: SplitOut | None = Field(description="Of what was metered; null: nothing was")


class BaselineOut(BaseModel):
    """What the saving is against."""

    name: str
    valid_from: str
    dusk_deg: float = Field(description="Elevation of the sun at which its hours begin")
    dawn_deg: float
    former_w: dict[str, float] = Field(description="Mains power of what was replaced, by luminaire model")
    source: str


class Energy(BaseModel):
    """Nights `from` to `to`, both included, each from noon to noon; the items sum up to the total."""

    first: date = Field(alias="from")
    last: date = Field(alias="to")
    by: Literal["account", "cabinet", "city"]
    nights: int = Field(description="Nights of these that were worked out")
    missing: list[date] = Field(description="Those that were not")
    baseline: BaselineOut
    total_kwh: float
    unallocated_kwh: float = Field(description="Of supply points without an account")
    undated_kwh: float = Field(description="Beside the total: counted, but nobody knows in which night")
    items: list[EnergyOut]


class TariffIn(BaseModel):
    """Prices and hours from a day on, and why."""

    reason: str = Field(min_length=1, max_length=500, examples=["prices of the new year"])
    body: dict[str, Any] = Field(
        description="valid_from, currency, prices by band, hours (band, begins, ends, months), source",
        examples=[
            {
                "valid_from": "2026-01-01",
                "currency": "CNY",
                "prices": {"day": 0.65, "valley": 0.33},
                "hours": [
                    {"band": "valley", "begins": "00:00", "ends": "07:00"},
                    {"band": "day", "begins": "07:00", "ends": "23:00"},
                    {"band": "valley", "begins": "23:00", "ends": "24:00"},
                ],
            }
        ],
    )


class BaselineIn(BaseModel):
    """The baseline, and why."""

    reason: str = Field(min_length=1, max_length=500, examples=["agreed with the finance bureau"])
    body: dict[str, Any] = Field(
        description="name, valid_from, dusk_deg, dawn_deg, former_w, source",
        examples=[{"name": "HPS until 2019", "former_w": {"led-120": 275}, "source": "contract of 2019"}],
    )


class Tariffs(BaseModel):
    """Every version of every tariff."""

    items: list[dict[str, Any]]


@router.get("", summary="Energy, bill and saving", responses={200: {"content": {CSV: {}}}}, response_model=Energy)
async def energy(
    services: Provided,
    _: Reader,
    first: Annotated[date, Query(alias="from", description="First night", examples=["2026-11-01"])],
    last: Annotated[date, Query(alias="to", description="Last night, included", examples=["2026-11-30"])],
    by: Literal["account", "cabinet", "city"] = "account",
    form: Literal["json", "csv"] = "json",
) -> Energy | Response:
    """As the meters say it; what no account is known for stands under an empty key."""
    if not 0 <= (last - first).days < MOST_NIGHTS:
        raise refused(
            "query.to", "span", f"to must not be before from, and at most {MOST_NIGHTS} nights are summed up."
        )
    nights, missing, found = await services.proof.energy(first, last)
    prices, baseline = await services.proof.tariffs(), await services.proof.baseline(first)
    items = [_item(one, prices) for one in sums(found, by)]
    if form == "csv":
        return csv_of([_flat(item) for item in items], f"energy-{first}-{last}-by-{by}")
    return Energy(
        **{"from": first, "to": last},
        by=by,
        nights=nights,
        missing=missing,
        baseline=_baseline(baseline),
        total_kwh=_kwh(sum(one.metered or 0.0 for one in found)),
        unallocated_kwh=_kwh(sum(one.metered or 0.0 for one in found if not one.account)),
        undated_kwh=_kwh(sum(one.undated for one in found)),
        items=items,
    )


@router.get("/tariffs", summary="Tariffs")
async def list_tariffs(services: Provided, _: Reader) -> Tariffs:
    """Prices as data; supply points name their tariff by its id."""
    return Tariffs(items=[msgspec.to_builtins(one) for one in await services.proof.tariffs()])


@router.put("/tariffs/{tariff}", summary="Put a version of a tariff")
async def put_tariff(services: Provided, caller: Admin, tariff: TariffId, wanted: TariffIn) -> dict[str, Any]:
    """In place of one with the same first day. From that day on the last two weeks are worked out again."""
    made = _converted(wanted.body | {"id": tariff}, Tariff)
    wrong = tariffs.faults(made)
    if wrong:
        faults = [Fault(field="body.body", rule="tariff", detail=each) for each in wrong]
        raise several(HTTPStatus.UNPROCESSABLE_ENTITY, "tariff", "; ".join(wrong[:3]), faults)
    await services.proof.put_tariff(made, Who(caller.who, wanted.reason))
    answer: dict[str, Any] = msgspec.to_builtins(made)
    return answer


@router.delete("/tariffs/{tariff}", summary="Take a version of a tariff away", status_code=204)
async def remove_tariff(
    services: Provided,
    caller: Admin,
    tariff: TariffId,
    valid_from: Annotated[date, Query(examples=["2026-01-01"])],
    reason: Annotated[str, Query(min_length=1, max_length=500, examples=["never agreed"])],
) -> None:
    """What it priced has no price any more, unless an older version is there. Worked out again as when it is put."""
    if not await services.proof.remove_tariff(tariff, valid_from, Who(caller.who, reason)):
        raise not_found("tariff", tariff)


@router.get("/baseline", summary="What the saving is against")
async def baseline(services: Provided, _: Reader, night: date | None = None) -> BaselineOut:
    """The version in force on a night, else the newest."""
    return _baseline(await services.proof.baseline(night or services.proof.tonight))


@router.put("/baseline", summary="State a baseline")
async def put_baseline(services: Provided, caller: Admin, wanted: BaselineIn) -> BaselineOut:
    """From its first day on the last two weeks are worked out again; older nights keep the baseline they had."""
    made = _converted(wanted.body, Baseline)
    try:
        date.fromisoformat(made.valid_from)
    except ValueError as error:
        raise refused("body.body.valid_from", "day", f"{made.valid_from} is no day.") from error
    await services.proof.put_baseline(made, Who(caller.who, wanted.reason))
    return _baseline(made)


def _converted(body: Mapping[str, Any], kind: type[Any]) -> Any:
    strange = sorted(body.keys() - set(kind.__struct_fields__))
    if strange:
        there = ", ".join(kind.__struct_fields__)
        faults = [Fault(field=f"body.body.{name[:64]}", rule="unknown", detail=f"one of {there}") for name in strange]
        raise several(HTTPStatus.UNPROCESSABLE_ENTITY, "validation", f"no key {strange[0][:64]!r}", faults)
    try:
        return msgspec.convert(body, kind)
    except msgspec.ValidationError as error:
        raise refused("body.body", "validation", str(error)) from error


def _item(one: Sum, prices: Sequence[Tariff]) -> EnergyOut:
    lines = _lines(one, prices)
    cost: dict[str, float] = {}
    for line in lines:
        if line.cost is not None:
            cost[line.currency] = cost.get(line.currency, 0.0) + line.cost
    found = one.split()
    return EnergyOut(
        key=one.key,
        cabinets=sorted(one.cabinets),
        metered_kwh=_kwh(one.metered),
        bands=[_band(line) for line in lines],
        cost={currency: round(value, 2) for currency, value in cost.items()},
        unpriced_kwh=_kwh(sum(line.kwh for line in lines if line.price is None)),
        undated_kwh=_kwh(one.undated),
        nights_unmetered=one.unmetered,
        gap_min=round(one.gap_ms / MINUTE_MS, 1),
        lamps_without_model=one.without_model,
        saving=_split(found) if found else None,
    )


def _lines(one: Sum, prices: Sequence[Tariff]) -> list[Charge]:
    """Lines of the bill; a price that changed within the time asked for makes lines of its own."""
    found: dict[tuple[str, str, float | None, str], float] = {}
    for (name, day, band), kwh in one.charged.items():
        line = charge(prices, name, Used(day, band, kwh))
        key = (line.tariff, line.band, line.price, line.currency)
        found[key] = found.get(key, 0.0) + line.kwh
    ordered = sorted(found.items(), key=lambda pair: pair[0][:2])
    return [Charge(name, band, kwh, price, currency) for (name, band, price, currency), kwh in ordered]


def _band(line: Charge) -> BandOut:
    return BandOut(
        tariff=line.tariff,
        band=line.band,
        kwh=_kwh(line.kwh),
        price=line.price,
        cost=None if line.cost is None else round(line.cost, 2),
        currency=line.currency,
    )


def _split(found: Split) -> SplitOut:
    return SplitOut(
        baseline_kwh=_kwh(found.base),
        saved_kwh=_kwh(found.saved),
        led_kwh=_kwh(found.led),
        hours_kwh=_kwh(found.hours),
        dimming_kwh=_kwh(found.dimming),
        dark_kwh=_kwh(found.dark),
        standby_kwh=_kwh(found.standby),
        unexplained_kwh=_kwh(found.unexplained),
        claimed_kwh=_kwh(found.claimed),
        claimed_percent=None if found.claimed_percent is None else round(found.claimed_percent, 2),
    )


def _flat(item: EnergyOut) -> dict[str, Any]:
    """One line of a CSV file."""
    saving = item.saving.model_dump() if item.saving else {}
    return {
        "key": item.key,
        "cabinets": len(item.cabinets),
        "metered_kwh": item.metered_kwh,
        "cost": " ".join(f"{value} {currency}" for currency, value in item.cost.items()),
        "unpriced_kwh": item.unpriced_kwh,
        "undated_kwh": item.undated_kwh,
        "nights_unmetered": item.nights_unmetered,
        "gap_min": item.gap_min,
    } | {name: saving.get(name) for name in SplitOut.model_fields}


def _baseline(one: Baseline) -> BaselineOut:
    return BaselineOut(
        name=one.name,
        valid_from=one.valid_from,
        dusk_deg=one.dusk_deg,
        dawn_deg=one.dawn_deg,
        former_w=one.former_w,
        source=one.source,
    )


def _kwh(value: float) -> float:
    return round(value, 3)
