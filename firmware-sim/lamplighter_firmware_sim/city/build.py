"""Scenario in, city out: the same scenario always gives the same city."""

from collections.abc import Iterator
from typing import Final

import numpy as np

from lamplighter_firmware_sim.city.inventory import CIRCUIT_OFFSETS, LOOP_OFFSETS, PHASES, Cabinet, Circuit, City, Lamp
from lamplighter_firmware_sim.city.roads import Stretch, position, stretches
from lamplighter_firmware_sim.scenario.model import CabinetGroup, LampModel, Name, Scenario

_LOOPS: Final = (("all-night", "全夜"), ("half-night", "半夜"))  # on phases A and B
_CABINET_UNIT: Final = 240
_CABINET_UNIT_OF_FULL_BUS: Final = 251  # beside 250 lamps; serial addresses end at 247, TCP's at 255


def build_city(scenario: Scenario) -> City:
    """Lay out roads, cabinets, circuits and lamps."""
    plan = list(_plan(scenario))
    longest_m = max(group.lamps for _, group in plan) / 2 * scenario.place.pole_m
    roads = stretches(scenario.place, scenario.roads, len(plan), max(longest_m, scenario.place.block_m))
    models = _models(scenario, sum(group.lamps for _, group in plan))
    cabinets = tuple(_cabinet(scenario, index, *row, roads[index]) for index, row in enumerate(plan))
    circuits = (
        *(_circuit(index, phase, cabinet) for index, cabinet in enumerate(cabinets) for phase in range(len(PHASES))),
        *(_loop(index, phase, cabinet) for index, cabinet in enumerate(cabinets) for phase in _loops(cabinet)),
    )
    lamps = tuple(
        _lamp(scenario, index, number, group.lamps, next(models), roads[index])
        for index, (_, group) in enumerate(plan)
        for number in range(group.lamps)
    )
    return City(scenario, cabinets, circuits, lamps)


def _plan(scenario: Scenario) -> Iterator[tuple[str, CabinetGroup]]:
    """Gateway and kind of every cabinet, in order."""
    for gateway in range(1, scenario.gateways + 1):
        for group in scenario.groups:
            for _ in range(group.cabinets):
                yield f"gw-{gateway}", group


def _models(scenario: Scenario, count: int) -> Iterator[LampModel]:
    """Models for `count` lamps, each road's mixed by the seed."""
    random = np.random.default_rng([scenario.seed, 1])
    shares = np.array([model.share for model in scenario.models])
    return iter([scenario.models[i] for i in random.choice(len(shares), count, p=shares / shares.sum())])


def _cabinet(scenario: Scenario, index: int, gateway: str, of: CabinetGroup, road: Stretch) -> Cabinet:
    middle_m = (of.lamps / 4) * scenario.place.pole_m
    return Cabinet(
        id=f"cab-{index + 1:02}",
        gateway=gateway,
        wire=of.wire,
        unit=_CABINET_UNIT if of.lamps < _CABINET_UNIT else _CABINET_UNIT_OF_FULL_BUS,
        position=position(scenario.place, road.point(middle_m, 14.0)),
        name=Name(f"{road.name.zh}配电箱", f"{road.name.en} supply point"),
        road=road.road,
        loop_lamps=of.loop_lamps,
    )


def _circuit(cabinet: int, phase: int, of: Cabinet) -> Circuit:
    letter = PHASES[phase]
    return Circuit(
        id=f"circuit-{cabinet + 1:02}-{letter}",
        cabinet=cabinet,
        phase=phase,
        name=Name(f"{of.name.zh}{letter.upper()}相回路", f"{of.name.en}, circuit {letter.upper()}"),
        offset=CIRCUIT_OFFSETS[phase],
    )


def _loops(cabinet: Cabinet) -> range:
    return range(len(_LOOPS) if cabinet.loop_lamps else 0)


def _loop(cabinet: int, phase: int, of: Cabinet) -> Circuit:
    loop, zh = _LOOPS[phase]
    return Circuit(
        id=f"circuit-{cabinet + 1:02}-{loop}",
        cabinet=cabinet,
        phase=phase,
        name=Name(f"{of.name.zh}{zh}回路", f"{of.name.en}, {loop} loop"),
        offset=LOOP_OFFSETS[phase],
        loop=loop,
        loop_lamps=of.loop_lamps,
    )


def _lamp(scenario: Scenario, cabinet: int, number: int, count: int, model: LampModel, road: Stretch) -> Lamp:
    beyond, branch = _from_middle(number, count)
    phase = beyond % len(PHASES)
    return Lamp(
        id=f"lamp-{cabinet + 1:02}-{number + 1:03}",
        cabinet=cabinet,
        circuit=cabinet * len(PHASES) + phase,
        branch=branch,
        order=beyond // len(PHASES),
        unit=number + 1,
        address=f"{cabinet + 1:02}-{number + 1:03}",
        model=model,
        position=position(scenario.place, road.pole(number, scenario.place.pole_m)),
        name=Name(f"{road.name.zh}{number + 1}号灯", f"{road.name.en} no. {number + 1}"),
    )


def _from_middle(number: int, count: int) -> tuple[int, int]:
    """How many lamps stand between this one and the cabinet in the middle, and on which of its two branches."""
    middle = count // 2
    return (middle - 1 - number, 0) if number < middle else (number - middle, 1)
