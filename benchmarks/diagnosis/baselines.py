"""What others do with the same data: fixed thresholds of two systems in use, and a rule for cabinets."""

from collections.abc import Iterator
from typing import Final

import numpy as np
from numpy.typing import NDArray

from benchmarks.diagnosis.course import Course
from benchmarks.diagnosis.episodes import Episode
from lamplighter_contract.quantities import Kind
from lamplighter_controller.diagnosis.replay.stream import Rows
from lamplighter_firmware_sim.campaign.luminaires import MODELS, data_sheet

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]
Index = NDArray[np.int64]

_DAY_MS: Final = 86_400_000
_NOON_MS: Final = 4 * 3_600_000  # local noon, before midnight UTC


def echelon(course: Course) -> list[Episode]:
    """Lumewave CPD 3000 guide: share of an interpolated five-point profile, fixed limits, latched until the day."""
    rows = course.stream.rows[Kind.LAMP]
    told, since_ms = course.told.lamps.at(rows.place, rows.time_ms)
    value = rows.values
    expected_w = _profile_w(course, rows, told.astype(np.float64))
    on = (told > 0) & (rows.time_ms - since_ms > 120_000)
    off = (told == 0) & (rows.time_ms - since_ms > 120_000)
    power_w, voltage_v = value["power_w"], value["voltage_v"]
    share = power_w / np.maximum(expected_w, 1)
    limits: dict[str, Mask] = {
        "lamp_dead": on & (share < 0.8),
        "led_partial": on & (share >= 0.8) & (share < 0.85),
        "dim_fail": on & (share > 1.15),
        "pf_cap": on & (value["power_factor"] < 0.65) & (share >= 0.8),
        "relay_stuck_on": off & (power_w > 6.0),
        "ov": voltage_v > 1.15 * 230,
        "uv": (voltage_v < 0.85 * 230) & (voltage_v > 0),
        "overtemp": value["temperature_c"] > 65,
    }
    return [one for name, broken in limits.items() for one in _latched(course, rows, broken, name)]


def _profile_w(course: Course, rows: Rows, level_percent: Floats) -> Floats:
    """The five-point profile of each lamp's booked model, measured for the rule where the books have none."""
    expected = np.zeros(len(rows))
    model = course.topology.lamp_model[rows.place]
    profile_of = {one.name: data_sheet(one) for one in MODELS}
    for number, name in enumerate(course.topology.models):
        own = model == number
        points = profile_of[name]
        expected[own] = np.interp(level_percent[own], [at for at, _ in points], [watts for _, watts in points])
    return expected


def city_platform(course: Course) -> list[Episode]:
    """A city's platform on narrow-band radio: P x dim < 0.8 x Pn x dim, whatever the level."""
    rows = course.stream.rows[Kind.LAMP]
    told, _ = course.told.lamps.at(rows.place, rows.time_ms)
    rated = np.array([course.models[name].rated_w for name in course.topology.models])
    nominal_w = rated[course.topology.lamp_model[rows.place]]
    value, dim = rows.values, told / 100
    limits: dict[str, Mask] = {
        "lamp_dead": (dim > 0) & (value["power_w"] * dim < 0.8 * nominal_w * dim),
        "ov": value["voltage_v"] > 265,
        "uv": (value["voltage_v"] < 180) & (value["voltage_v"] > 0),
    }
    return [one for name, broken in limits.items() for one in _latched(course, rows, broken, name)]


def cabinet_rule(course: Course) -> list[Episode]:
    """SLightliMon: the middle of past nights at the same time, scaled by voltage squared; 200 W and 2 % off."""
    rows = course.stream.rows[Kind.CABINET]
    found = []
    for cabinet in range(len(course.topology.cabinets)):
        own = np.flatnonzero(rows.place == cabinet)
        found += list(_cabinet(course, rows, own, cabinet))
    return found


def _cabinet(course: Course, rows: Rows, own: Index, cabinet: int) -> Iterator[Episode]:
    power = rows.values["power_w"][own].astype(np.float64)
    voltage = np.mean([rows.values[f"voltage_{phase}_v"][own] for phase in "abc"], axis=0)
    slot = (rows.time_ms[own] % _DAY_MS) // 900_000
    at = np.maximum(power * (230 / np.maximum(voltage, 1)) ** 2, 0)
    open_: Episode | None = None
    for place in range(len(own)):
        before = at[:place][slot[:place] == slot[place]]
        if len(before) < 2:
            continue
        usual = float(np.median(before)) * (voltage[place] / 230) ** 2
        off = power[place] - usual
        broken = abs(off) > 200 and abs(off) > 0.02 * usual
        time = int(rows.arrived_ms[own[place]])
        if broken and open_ is None:
            name = "energy_theft" if off > 0 else "feeder_trip"
            open_ = Episode("cabinet", course.topology.cabinets[cabinet], [(time, name, 1.0)])
            yield open_
        elif not broken and open_ is not None:
            open_.closed_ms, open_ = time, None


def _latched(course: Course, rows: Rows, broken: Mask, name: str) -> Iterator[Episode]:
    """One alarm per lamp and night, held until the next noon."""
    at = np.flatnonzero(broken)
    day = (rows.arrived_ms[at] - _NOON_MS) // _DAY_MS
    _, first = np.unique(rows.place[at] * 100_000 + day, return_index=True)
    for one in at[first].tolist():
        time = int(rows.arrived_ms[one])
        noon = ((time - _NOON_MS) // _DAY_MS + 1) * _DAY_MS + _NOON_MS
        yield Episode("lamp", course.topology.lamps[rows.place[one]], [(time, name, 1.0)], noon)
