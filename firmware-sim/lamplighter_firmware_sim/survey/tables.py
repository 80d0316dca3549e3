"""The simulated city as rows of an inventory, kind by kind, in the order in which they refer to one another."""

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta
from typing import Any, Final

import numpy as np

from lamplighter_contract.light.plans.programs import RoadClass
from lamplighter_firmware_sim.city.inventory import PHASES, Cabinet, City, Position
from lamplighter_firmware_sim.physics import lamps as physics
from lamplighter_firmware_sim.scenario.model import LampModel, Name, Technology

Row = Mapping[str, Any]

ALWAYS: Final = "always"
CURVE_AT: Final = (1.0, 10.0, 25.0, 50.0, 75.0, 100.0)
CLO_HOURS: Final = 50_000
FULL_PERCENT: Final = 100
FIRST_SERVICE: Final = date(2016, 1, 1)
SERVICE_DAYS: Final = 3_000
CABINETS_AN_ACCOUNT: Final = 2
TARIFF: Final = "street-lighting"
CITY_CODE: Final = "370100"  # GB/T 2260
CELLS_A_DEGREE: Final = 100
SHOWN_IN_GROUP: Final = 12
_ASIDE_DEG: Final = 0.000_02


def tables(city: City) -> Mapping[str, Sequence[Row]]:
    """Kind -> its rows; positions are WGS-84. Without `districts` in the scenario there are none."""
    return {
        "districts": [{"id": _slug(name), "name": name.zh} for name in city.scenario.districts],
        "roads": list(_roads(city)),
        "cabinets": [_cabinet(index, cabinet) for index, cabinet in enumerate(city.cabinets)],
        "circuits": list(_circuits(city)),
        "luminaire-models": [_model(model) for model in city.scenario.models],
        "luminaires": [*_luminaires(city), *_loop_luminaires(city)],
        "groups": list(_groups(city)),
    }


def _slug(name: Name) -> str:
    return re.sub(r"[^a-z0-9]+", "-", name.en.lower()).strip("-")


def _model_id(model: LampModel) -> str:
    return re.sub(r"[^a-z0-9]+", "-", model.name.lower()).strip("-")


def _district(city: City, road: int, roads: int) -> str | None:
    names = city.scenario.districts
    return _slug(names[road * len(names) // roads]) if names else None


def _roads(city: City) -> Iterator[Row]:
    roads = dict.fromkeys(cabinet.road for cabinet in city.cabinets)
    for number, road in enumerate(roads):
        district = _district(city, number, len(roads))
        yield {"id": _slug(road), "road_class": str(road.road_class), "name": road.zh, "district": district}


def _cabinet(index: int, cabinet: Cabinet) -> Row:
    return {
        "id": cabinet.id,
        "name": cabinet.name.zh,
        "account": f"{CITY_CODE}-{index // CABINETS_AN_ACCOUNT + 1:05}",
        "tariff": TARIFF,
        "component_code": _component("0102", index),
        **_placed(cabinet.position),
    }


def _circuits(city: City) -> Iterator[Row]:
    """Contactors that feed lamps with controllers stay closed, so that these can be spoken to by day."""
    for circuit in city.circuits:
        cabinet = city.cabinets[circuit.cabinet].id
        calendar = f"{circuit.loop}-loop" if circuit.loop else ALWAYS
        yield {"id": circuit.id, "cabinet": cabinet, "phase": PHASES[circuit.phase], "calendar": calendar}


def _model(model: LampModel) -> Row:
    led = model.technology is Technology.LED
    levels, volts, watts = np.array(CURVE_AT), np.full(len(CURVE_AT), physics.NOMINAL_V), np.array(model.rated_w)
    warm = np.full(len(CURVE_AT), physics.ARC_FULL_MIN)
    drawn = physics.led_power_w(watts, levels, volts) if led else physics.hps_power_w(watts, levels, volts, warm)
    curve = [f"{level:g}:{power:.1f}" for level, power in zip(levels, drawn, strict=True)]
    clo = [f"0:{model.begin_percent:g}", f"{CLO_HOURS}:100"] if model.begin_percent < FULL_PERCENT else []
    return {
        "id": _model_id(model),
        "rated_w": model.rated_w,
        "source": str(model.technology),
        "curve": curve,
        "clo": clo,
    }


def _luminaires(city: City) -> Iterator[Row]:
    for index, lamp in enumerate(city.lamps):
        cabinet = city.cabinets[lamp.cabinet]
        circuit = city.circuits[lamp.circuit]
        yield {
            "id": f"lum-{lamp.address}",
            **_placed(lamp.position),
            "device": lamp.id,
            "road": _slug(cabinet.road),
            "cabinet": cabinet.id,
            "circuit": circuit.id,
            "phase": PHASES[circuit.phase],
            "feeder": f"{PHASES[circuit.phase].upper()}{lamp.branch + 1}",
            "pole": f"{cabinet.id.removeprefix('cab-')}-{(lamp.unit + 1) // 2:03}",
            "pole_order": lamp.order,
            "model": _model_id(lamp.model),
            "component_code": _component("0103", index),
            "in_service": _in_service(city, lamp.cabinet),
        }


def _loop_luminaires(city: City) -> Iterator[Row]:
    """Lamps of loops stand behind the poles of the road, in a row from the supply point."""
    model = _model_id(city.scenario.models[0])
    loops = [circuit for circuit in city.circuits if circuit.loop]
    for number, (circuit, order) in enumerate((one, order) for one in loops for order in range(one.loop_lamps)):
        cabinet, phase = city.cabinets[circuit.cabinet], PHASES[circuit.phase]
        there, aside = cabinet.position, _ASIDE_DEG * (-1 if circuit.phase else 1)
        position = Position(round(there.latitude + (order + 1) * 2 * _ASIDE_DEG, 6), there.longitude + aside)
        name = f"{circuit.id.removeprefix('circuit-')}-{order + 1:03}"
        yield {
            "id": f"lum-{name}",
            **_placed(position),
            "road": _slug(cabinet.road),
            "cabinet": cabinet.id,
            "circuit": circuit.id,
            "phase": phase,
            "feeder": f"{phase.upper()}{len(PHASES)}",
            "pole": name,
            "pole_order": order,
            "model": model,
            "component_code": _component("0103", len(city.lamps) + number),
            "in_service": _in_service(city, circuit.cabinet),
        }


def _groups(city: City) -> Iterator[Row]:
    first = [f"lum-{lamp.address}" for lamp in city.lamps[:SHOWN_IN_GROUP]]
    yield {"id": "school-gate", "name": "校门口", "luminaires": first}
    yield {"id": "main-roads", "name": "主要道路", "road_classes": [str(RoadClass.EXPRESSWAY), str(RoadClass.MAIN)]}
    if city.scenario.districts:
        district = _slug(city.scenario.districts[0])
        yield {"id": "quiet-streets", "name": "支路街巷", "road_classes": ["branch", "alley"], "districts": [district]}


def _placed(position: Position) -> Row:
    cell = f"{CITY_CODE}{int(position.latitude * CELLS_A_DEGREE):04}{int(position.longitude * CELLS_A_DEGREE):05}"
    return {"latitude": position.latitude, "longitude": position.longitude, "grid_cell": cell}


def _component(subclass: str, number: int) -> str:
    """Sixteen digits: division, class and subclass, running number (the form of GB/T 30428)."""
    return f"{CITY_CODE}{subclass}{number + 1:06}"


def _in_service(city: City, cabinet: int) -> str:
    """Lamps of one supply point were put up on one day."""
    random = np.random.default_rng([city.scenario.seed, 2, cabinet])
    return (FIRST_SERVICE + timedelta(days=int(random.integers(SERVICE_DAYS)))).isoformat()
