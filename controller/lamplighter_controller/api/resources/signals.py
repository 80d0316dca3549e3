"""Inputs for adaptive rules from sensors, counters and the weather, and what gateways are told of them."""

from collections.abc import Iterable
from http import HTTPStatus
from typing import Annotated, Final, Literal

from fastapi import APIRouter, Path
from pydantic import BaseModel, ConfigDict, Field

from lamplighter_contract.light.signals import Signal
from lamplighter_contract.wire.limits import EARLIEST_TIME_MS, LATEST_TIME_MS
from lamplighter_controller.api.guard import Lighter, Reader
from lamplighter_controller.api.problems import Fault, not_found, several
from lamplighter_controller.api.services import Provided, Services
from lamplighter_controller.lighting.adaptive.rules import Count, Lux, Source, Weather
from lamplighter_controller.lighting.adaptive.station import FUTURE_MS, Standing
from lamplighter_controller.security import audit

router = APIRouter(tags=["signals"])

SignalId = Annotated[str, Path(min_length=1, max_length=64, examples=["lux"])]
MOST_LUX: Final = 200_000
MOST_VEHICLES: Final = 100_000
LONGEST_FLAG_S: Final = 12 * 3600
OF: Final[dict[type[Source], Literal["lux", "traffic", "fog"]]] = {Lux: "lux", Count: "traffic", Weather: "fog"}


class Input(BaseModel):
    """One value: lux of a sensor, vehicles of a counter since its last report, or 1 and 0 for fog and none."""

    model_config = ConfigDict(extra="forbid")

    sensor: str | None = Field(default=None, max_length=64, description="As the signal names it; not for fog")
    value: float = Field(ge=0, le=MOST_LUX, allow_inf_nan=False)
    time_ms: int | None = Field(
        default=None, ge=EARLIEST_TIME_MS, lt=LATEST_TIME_MS, description="Civil epoch ms; without it now"
    )
    for_s: float | None = Field(
        default=None, ge=60, le=LONGEST_FLAG_S, description="How long fog counts; without it as the signal says"
    )


class InputsIn(BaseModel):
    """Values of one signal; one that is wrong has all of them refused."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [{"inputs": [{"sensor": "lux-east", "value": 31.5}, {"sensor": "lux-west", "value": 28}]}]
        },
    )

    inputs: list[Input] = Field(min_length=1, max_length=1_000)


class SignalOut(BaseModel):
    """A signal as it stands."""

    id: str
    of: Literal["lux", "traffic", "fog"]
    value: float | str | None = Field(description="Null: nothing can be told")
    until_ms: int | None = Field(description="Civil epoch ms at which rules stop listening to it")
    silent: str = Field(description="Why nothing can be told")
    broken: dict[str, str] = Field(description="Sensor -> what is wrong with it")
    told_value: float | str | None = Field(description="What gateways were told last and still use")
    told_until_ms: int | None


class SignalsOut(BaseModel):
    """Every signal of the library, by id."""

    items: list[SignalOut]


@router.get("/signal-values", summary="What signals say now")
async def values(services: Provided, _: Reader) -> SignalsOut:
    """With the sensors that are broken, and what gateways were told."""
    told = await services.signals.current()
    found = await services.signals.standings()
    return SignalsOut(items=[_shown(one, told.get(one.source.id)) for one in found])


@router.post("/signals/{signal}/inputs", status_code=202, summary="Say what was measured, counted or seen")
async def inputs(services: Provided, caller: Lighter, signal: SignalId, said: InputsIn) -> SignalOut:
    """Gateways are told at once when it makes a difference. What is said ends by itself."""
    source = next((one for one in await services.signals.sources() if one.id == signal), None)
    if source is None:
        raise not_found("signal", signal)
    now_ms = services.clock.civil_ms()
    faults = [
        Fault(field=f"body.inputs.{number}.{field}", rule="unusable", detail=what)
        for number, one in enumerate(said.inputs)
        for field, what in _wrong(source, one, now_ms)
    ]
    if faults:
        detail = "; ".join(f"{fault.field}: {fault.detail}" for fault in faults[:3])
        raise several(HTTPStatus.UNPROCESSABLE_ENTITY, "unusable", detail, faults)
    for one in said.inputs:
        _take(services, source, one, now_ms)
    if isinstance(source, Weather):
        await _audit(services, caller.who, source, said.inputs[-1])
    services.signals.wake()
    found = next(one for one in await services.signals.standings() if one.source.id == signal)
    return _shown(found, (await services.signals.current()).get(signal))


def _wrong(source: Source, one: Input, now_ms: int) -> Iterable[tuple[str, str]]:
    if isinstance(source, Weather):
        if one.sensor is not None:
            yield "sensor", "fog has no sensors"
        if one.value not in {0, 1}:
            yield "value", f"{one.value:g}, expected 1 for fog, 0 for none"
        return
    sensors = source.sensors if isinstance(source, Lux) else source.counters
    if one.sensor not in sensors:
        yield "sensor", f"{one.sensor!r}, expected one of {', '.join(sensors)}"
    if one.for_s is not None:
        yield "for_s", "is for fog only"
    if one.time_ms is not None and one.time_ms > now_ms + FUTURE_MS:
        yield "time_ms", f"{one.time_ms} is to come: it is {now_ms} now"
    if isinstance(source, Count) and (one.value != int(one.value) or one.value > MOST_VEHICLES):
        yield "value", f"{one.value:g}, expected a whole number of vehicles up to {MOST_VEHICLES}"


def _take(services: Services, source: Source, one: Input, now_ms: int) -> None:
    station, time_ms = services.signals.station, now_ms if one.time_ms is None else one.time_ms
    if isinstance(source, Lux):
        station.measured(source, one.sensor or "", one.value, time_ms)
    elif isinstance(source, Count):
        station.passed_by(source, int(one.value), time_ms)
    else:
        until_ms = now_ms + round((source.valid_s if one.for_s is None else one.for_s) * 1000)
        station.flagged(source, one.value, until_ms)


async def _audit(services: Services, who: str, source: Weather, last: Input) -> None:
    await services.ledger.write(
        lambda connection: audit.record(
            connection,
            who=who,
            action="signal.flag",
            subject=f"signal:{source.id}",
            reason="weather",
            result="fog" if last.value else "no fog",
            detail={"for_s": last.for_s or source.valid_s},
            time_ms=services.clock.wall_ms(),
        )
    )


def _shown(one: Standing, told: Signal | None) -> SignalOut:
    return SignalOut(
        id=one.source.id,
        of=OF[type(one.source)],
        value=one.signal.value if one.signal else None,
        until_ms=one.signal.until if one.signal else None,
        silent=one.silent,
        broken=dict(one.broken),
        told_value=told.value if told else None,
        told_until_ms=told.until if told else None,
    )
