"""The energy of a night, supply point by supply point: metered, by plan, and by the baseline."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from lamplighter_contract.light.city.switch_times import switch_times
from lamplighter_contract.light.sky.nights import Night
from lamplighter_controller.lighting.proof.light.curves import Curves
from lamplighter_controller.lighting.proof.light.evidence import DARK, Rows
from lamplighter_controller.lighting.proof.light.fleet import Fleet
from lamplighter_controller.lighting.proof.light.litrate import Judged, Stretches
from lamplighter_controller.lighting.proof.light.rates import Metered
from lamplighter_controller.lighting.proof.power.energy import Baseline, CabinetNight
from lamplighter_controller.lighting.proof.power.metering import Flow, by_band, gap_ms, undated, within
from lamplighter_controller.lighting.proof.power.tariff import Tariff, pieces
from lamplighter_controller.series.port import Floats

HOUR_MS: Final = 3_600_000
W_MS_IN_KWH: Final = 3.6e9


@dataclass(frozen=True, slots=True)
class Supplied:
    """A supply point: its account and tariff, and what its meter has counted (None: it has told nothing)."""

    account: str = ""
    tariff: str = ""
    flow: Flow | None = None


@dataclass(frozen=True, slots=True)
class LampEnergy:
    """Columns of length n, kWh; 0 where a lamp's model is not known."""

    base: Floats
    full: Floats
    hours: Floats
    planned: Floats
    dark: Floats
    known: Floats


def lamp_energy(
    fleet: Fleet, during: Night, baseline: Baseline, judged: Judged, dark_kwh: Floats, proven: Metered
) -> LampEnergy:
    """What each lamp draws by the baseline, at full power, by plan; `dark_kwh`: what it did not by its own word."""
    start_ms, end_ms = during.start_ms, during.end_ms
    full_w = fleet.full_w()
    known = ~np.isnan(full_w)
    full_kw = np.where(known, full_w, 0.0) / 1000
    former_w = [baseline.former_w.get(one.model.id, np.nan) if one.model else np.nan for one in fleet.lamps]
    base_kw = np.where(known & ~np.isnan(former_w), np.array(former_w) / 1000, full_kw)
    base_h = _dark_hours(fleet, during, baseline)
    required = Curves.of(fleet.required(), start_ms, end_ms)
    draw = Curves.of(fleet.drawn_w(), start_ms, end_ms)
    on_h = required.totals(len(fleet.profiles))[fleet.profile] / HOUR_MS if fleet.profiles else base_h
    planned = np.zeros(len(fleet.lamps))
    if fleet.draws:
        planned[known] = draw.totals(len(fleet.draws))[fleet.draw[known]] / W_MS_IN_KWH
    by_meter = np.divide(proven.dark_ms, judged.required_ms, out=np.zeros_like(planned), where=judged.required_ms > 0)
    dark = dark_kwh + by_meter * planned
    return LampEnergy(base_kw * base_h, full_kw * base_h, full_kw * on_h, planned, dark, known.astype(np.float64))


def dark_kwh(draw_of: Rows, draw: Curves, stretches: Stretches) -> Floats:
    """What lamps did not draw while they were proven dark; `draw_of`: (n,) the curve each draws by plan, -1 unknown."""
    those = (stretches.state == DARK) & (draw_of[stretches.row] >= 0)
    row = stretches.row[those]
    energy = draw.between(draw_of[row], stretches.start_ms[those], stretches.end_ms[those]) / W_MS_IN_KWH
    return np.bincount(row, weights=energy, minlength=len(draw_of)).astype(np.float64)


def cabinet_nights(
    fleet: Fleet, during: Night, lamps: LampEnergy, supplied: Mapping[str, Supplied], tariffs: Sequence[Tariff]
) -> list[CabinetNight]:
    """Lamps summed up by supply point beside its meter; a meter without lamps stands there, too."""
    names = sorted({*supplied, *(lamp.cabinet for lamp in fleet.lamps)})
    index = {name: number for number, name in enumerate(names)}
    group = np.array([index[lamp.cabinet] for lamp in fleet.lamps], np.int64)
    count = len(names)
    sums = {name: np.bincount(group, weights=getattr(lamps, name), minlength=count) for name in LampEnergy.__slots__}
    fed = np.bincount(group, minlength=count)
    lit = _lit_hours(fleet, group, during, count)
    found = []
    for number, name in enumerate(names):
        supply = supplied.get(name, Supplied())
        metered, gap, standby = _read(supply.flow, during, lit[number])
        bands = pieces(tariffs, supply.tariff, during.start_ms, during.end_ms, during.place.zone)
        found.append(
            CabinetNight(
                cabinet=name,
                account=supply.account,
                tariff=supply.tariff,
                lamps=int(fed[number]),
                without_model=int(fed[number] - sums["known"][number]),
                metered=metered,
                gap_ms=gap,
                bands=() if supply.flow is None or metered is None else by_band(supply.flow, bands),
                base=float(sums["base"][number]),
                full=float(sums["full"][number]),
                hours=float(sums["hours"][number]),
                planned=float(sums["planned"][number]),
                dark=float(sums["dark"][number]),
                standby=standby,
                undated=0.0 if supply.flow is None else undated(supply.flow, during.start_ms, during.end_ms),
            )
        )
    return found


def _read(supply: Flow | None, during: Night, lit: tuple[int, int] | None) -> tuple[float | None, int, float]:
    """Metered, gap, and metered while all lamps are to be off; without lamps there is no such time."""
    whole = during.end_ms - during.start_ms
    if supply is None:
        return None, whole, 0.0
    gap = gap_ms(supply, during.start_ms, during.end_ms)
    if gap >= whole:
        return None, whole, 0.0
    metered = within(supply, during.start_ms, during.end_ms)
    if lit is None:
        return metered, gap, 0.0
    return metered, gap, within(supply, during.start_ms, lit[0]) + within(supply, lit[1], during.end_ms)


def _lit_hours(fleet: Fleet, group: Rows, during: Night, count: int) -> list[tuple[int, int] | None]:
    """For each supply point: its first lamp on, its last one off; None without lamps."""
    first = np.full(count, during.end_ms, np.int64)
    last = np.full(count, during.start_ms, np.int64)
    on = [next((time_ms for time_ms, level in steps if level > 0), during.end_ms) for steps in fleet.profiles]
    off = [_off_ms(steps, during) for steps in fleet.profiles]
    if len(group):
        np.minimum.at(first, group, np.array(on, np.int64)[fleet.profile])
        np.maximum.at(last, group, np.array(off, np.int64)[fleet.profile])
    fed = np.bincount(group, minlength=count)
    return [
        (begin, max(begin, end)) if lamps else None
        for begin, end, lamps in zip(first.tolist(), last.tolist(), fed.tolist(), strict=True)
    ]


def _off_ms(steps: Sequence[tuple[int, float]], during: Night) -> int:
    """When a profile goes off for the last time."""
    ends = [*(time_ms for time_ms, _ in steps[1:]), during.end_ms]
    lit = [end for (_, level), end in zip(steps, ends, strict=True) if level > 0]
    return lit[-1] if lit else during.start_ms


def _dark_hours(fleet: Fleet, during: Night, baseline: Baseline) -> Floats:
    """(n,) hours of the baseline where each lamp stands; lamps of unknown place stand where the night is seen."""
    here = (during.place.latitude, during.place.longitude)
    places = np.array([lamp.place or here for lamp in fleet.lamps], np.float64).reshape(-1, 2)
    middle_ms = np.array([(during.start_ms + during.end_ms) / 2])
    half_s = (during.end_ms - during.start_ms) / 2000
    times = switch_times(places[:, 0], places[:, 1], middle_ms, baseline.dusk_deg, baseline.dawn_deg)
    dusk_s = np.clip(times.dusk_s[:, 0].astype(np.float64), -half_s, half_s)
    dawn_s = np.clip(times.dawn_s[:, 0].astype(np.float64), -half_s, half_s)
    return np.nan_to_num(np.maximum(dawn_s - dusk_s, 0.0), nan=0.0) / 3600
