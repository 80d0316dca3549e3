import asyncio
import json
from pathlib import Path

import pytest

from lamplighter_contract.clock import ManualClock
from lamplighter_firmware_sim.endpoints import endpoints_in
from lamplighter_firmware_sim.errors import SimError, UnknownTargetError
from lamplighter_firmware_sim.physics.memory import MEMORY_NAME
from lamplighter_firmware_sim.scenario import Scenario
from lamplighter_firmware_sim.serve import running_city
from tests.firmware_sim.conftest import SMALL, scenario_of


async def test_one_gateway_part_is_served_alone(night: ManualClock, tmp_path: Path) -> None:
    two = scenario_of(SMALL.replace("gateways: 1", "gateways: 2"))
    async with running_city(two, tmp_path, clock=night, gateway="gw-2") as city:
        assert set(city.endpoints.ports) == {"cab-04", "cab-06"}
        assert set(city.endpoints.devices) == {"cab-05"}


async def test_an_unknown_gateway_is_refused(small: Scenario, night: ManualClock, tmp_path: Path) -> None:
    with pytest.raises(UnknownTargetError, match="expected one of gw-1"):
        async with running_city(small, tmp_path, clock=night, gateway="gw-7"):
            pass


async def test_a_failure_in_the_block_is_the_failure_that_is_seen(
    small: Scenario, night: ManualClock, tmp_path: Path
) -> None:
    with pytest.raises(ZeroDivisionError):
        async with running_city(small, tmp_path, clock=night):
            raise ZeroDivisionError


async def test_levels_are_remembered_from_one_run_to_the_next(
    small: Scenario, night: ManualClock, tmp_path: Path
) -> None:
    async with running_city(small, tmp_path, clock=night, remembering=True) as city:
        city.simulation.write_level(0, 45)
    assert (tmp_path / MEMORY_NAME).exists()
    async with running_city(small, tmp_path, clock=night, remembering=True) as city:
        assert city.lamp("lamp-01-001").written_percent == 45


async def test_a_static_city_takes_scheduled_faults_and_writes(night: ManualClock, tmp_path: Path) -> None:
    faults = "physics: static\nfaults: [{kind: breaker_trip, target: circuit-01-a, after_s: 5}]\n"
    async with running_city(scenario_of(SMALL + faults), tmp_path, clock=night) as city:
        assert city.simulation.plant.circuits.current_a[0] > 0
        night.advance(6)
        async with asyncio.timeout(3):
            while city.simulation.plant.circuits.current_a[0] > 0:
                await asyncio.sleep(0.02)
        dimmed = next(lamp.id for lamp in city.simulation.city.lamps if lamp.circuit == 1)
        index = city.simulation.city.places[dimmed][1]
        full_w = city.lamp(dimmed).power_w
        city.simulation.write_level(index, 40)
        async with asyncio.timeout(3):
            while city.lamp(dimmed).power_w > 0.7 * full_w:
                await asyncio.sleep(0.02)


async def test_a_stop_ends_the_wait(small: Scenario, night: ManualClock, tmp_path: Path) -> None:
    stop = asyncio.Event()
    async with running_city(small, tmp_path, clock=night) as city, asyncio.timeout(3):
        waiting = asyncio.create_task(city.until(stop))
        await asyncio.sleep(0)
        assert not waiting.done()
        stop.set()
        await waiting


async def test_what_a_killed_predecessor_published_is_gone(small: Scenario, night: ManualClock, tmp_path: Path) -> None:
    (tmp_path / "endpoints.json").write_text("{}", "utf-8")
    async with running_city(small, tmp_path, clock=night, control=True):
        assert not (tmp_path / "endpoints.json").exists()


async def test_endpoints_are_read_back(small: Scenario, night: ManualClock, tmp_path: Path) -> None:
    async with running_city(small, tmp_path, clock=night) as city:
        path = tmp_path / "endpoints.json"
        path.write_text(json.dumps(city.endpoints.document()), "utf-8")
        assert endpoints_in(path) == city.endpoints


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"host": "h", "tcp": 1, "rtu": {}, "field": null}'])
def test_a_wrong_endpoints_file_is_told_so(tmp_path: Path, text: str) -> None:
    path = tmp_path / "endpoints.json"
    path.write_text(text, "utf-8")
    with pytest.raises(SimError, match=r"endpoints\.json of a running simulator"):
        endpoints_in(path)
