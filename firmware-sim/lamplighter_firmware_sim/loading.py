"""Scenario file in, city out; targets of faults are checked against what stands in the city."""

from pathlib import Path

from lamplighter_firmware_sim.city import City, build_city
from lamplighter_firmware_sim.errors import Problem, UnknownTargetError
from lamplighter_firmware_sim.faults.targets import devices_meant, expected_targets, kind_named
from lamplighter_firmware_sim.scenario import Scenario, load_scenario


def load_city(path: Path) -> City | tuple[Problem, ...]:
    """The city of the scenario at `path`, or everything that is wrong with the file."""
    scenario = load_scenario(path)
    if not isinstance(scenario, Scenario):
        return scenario
    city = build_city(scenario)
    problems = tuple(_target_problems(city, str(path)))
    return problems or city


def _target_problems(city: City, file: str) -> list[Problem]:
    problems = []
    for index, fault in enumerate(city.scenario.faults):
        kind = kind_named(fault.kind)
        try:
            devices_meant(city, kind, fault.target)
        except UnknownTargetError:
            problems.append(Problem(file, f"faults[{index}].target", fault.target, expected_targets(kind)))
    return problems
