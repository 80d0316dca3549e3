"""The main job on real parts: a lamp is read over its wire, seen, commanded, and seen to obey."""

from collections.abc import Iterator
from typing import Any

import pytest

from lamplighter_contract.commands.states import CommandState
from lamplighter_firmware_sim.scenario.model import Wire
from tests.system.servers import Influxd, PostgreSql
from tests.system.world import World
from tests.system.world_api import eventually
from tests.system.world_checks import all_ended, nothing_lost, stored_in_influx

pytestmark = [pytest.mark.system, pytest.mark.timeout(180)]

TCP, RTU, MQTT = "lamp-01-", "lamp-02-", "lamp-03-"
CABINETS = ((Wire.MODBUS_TCP, 12), (Wire.MODBUS_RTU, 6), (Wire.MQTT, 6))
OBEYED_S = 20
DATABASE = "mainjob"


@pytest.fixture(scope="module", params=["duckdb-sqlite", "influxd-postgres"])
def world(request: pytest.FixtureRequest) -> Iterator[World]:
    """One gateway with lamps on all three wires. When all is done, nothing may be lost and every command be told of."""
    influxd: Influxd | None = None
    series = ledger = None
    if request.param == "influxd-postgres":
        influxd = request.getfixturevalue("influxd")
        postgres: PostgreSql = request.getfixturevalue("postgres")
        series = f"influx+v1://127.0.0.1:{influxd.port}/{DATABASE}"
        ledger = postgres.create_database().replace("+psycopg", "")
    with World(gateways=1, cabinets=CABINETS, series=series, ledger=ledger) as running:
        yield running
        all_ended(running.api, [found["request"] for found in running.api.requests()], OBEYED_S)
        running.stop_programs()
        audited = nothing_lost(running, stored_in_influx(influxd, DATABASE) if influxd else None)
        assert audited.acknowledged > 100


def _shows(world: World, percent: float, *devices: str) -> None:
    """The lamps really are at that level, and the controller says so."""
    for device in devices:
        assert world.city.lamp(device).level_percent == percent

    def seen() -> bool:
        rows = world.api.latest()
        return all(rows[device]["level_percent"] == percent for device in devices)

    eventually(seen, OBEYED_S, f"{percent} % is shown for {', '.join(devices)}")


def _verified(world: World, request: str) -> Any:
    done = world.api.ended(request, OBEYED_S)
    assert done["state"] == CommandState.VERIFIED, done
    return done


def test_what_is_shown_is_true(world: World) -> None:
    world.wait_for_news(within_s=OBEYED_S)
    rows = world.api.latest()
    assert {device[:8] for device in rows} == {"lamp-01-", "lamp-02-", "lamp-03-"}
    for device, row in rows.items():
        truth = world.city.lamp(device)
        assert row["level_percent"] == truth.level_percent, device
        assert row["power_w"] == pytest.approx(truth.power_w, rel=0.05), device
        assert row["voltage_v"] == pytest.approx(truth.voltage_v, abs=5), device
        assert row["energy_kwh"] == pytest.approx(truth.energy_kwh, abs=0.5), device
        assert row["time_ms"] == pytest.approx(world.api.civil_ms(), abs=30_000), device


def test_cabinets_and_circuits_are_shown(world: World) -> None:
    cabinets, circuits = world.api.latest("cabinet"), world.api.latest("circuit")
    assert len(cabinets) == 3
    assert len(circuits) == 9
    assert all(210 < row["voltage_a_v"] < 250 for row in cabinets.values())
    assert all(row["contactor_closed"] == 1 for row in circuits.values())


@pytest.mark.parametrize("device", [f"{TCP}001", f"{RTU}001", f"{MQTT}001"])
def test_one_lamp_obeys_on_every_wire(world: World, device: str) -> None:
    request = world.api.set_level(40, device)
    done = _verified(world, request)
    assert done["steps"][0]["state"] == CommandState.SENT
    _shows(world, 40, device)
    row = world.api.latest()[device]
    assert row["desired_percent"] == 40
    assert row["power_w"] < 0.6 * 150
    _verified(world, world.api.command("light.resume", device)["request"])
    _shows(world, 100, device)


def test_many_lamps_obey_at_once(world: World) -> None:
    devices = [f"{wire}00{number}" for wire in (TCP, RTU, MQTT) for number in (2, 3)]
    done = _verified(world, world.api.set_level(55, *devices))
    assert done["states"] == {CommandState.VERIFIED: len(devices)}
    _shows(world, 55, *devices)


@pytest.mark.parametrize("prefix", [TCP, RTU, MQTT])
def test_a_whole_cabinet_obeys(world: World, prefix: str) -> None:
    devices = [device for device in world.lamps if device.startswith(prefix)]
    until = world.api.civil_ms() + 600_000
    asked = world.api.command("light.set", where={"prefix": prefix}, args={"level_percent": 70, "until": until})
    assert asked["total"] == len(devices)
    _verified(world, asked["request"])
    _shows(world, 70, *devices)


@pytest.mark.parametrize("device", [f"{TCP}010", f"{RTU}005", f"{MQTT}005"])
def test_when_an_override_ends_the_lamp_is_back_on_its_own_schedule(world: World, device: str) -> None:
    _verified(world, world.api.command("light.resume", device)["request"])  # an older, longer override would go on
    _verified(world, world.api.set_level(25, device, for_s=4))
    eventually(lambda: world.city.lamp(device).written_percent is None, OBEYED_S, f"{device} is handed back")
    _shows(world, 100, device)


def test_what_was_read_is_in_the_history(world: World) -> None:
    device = f"{TCP}011"
    now = world.api.civil_ms()
    past = world.api.get(f"/devices/{device}/history", start=now - 600_000, end=now, quantities="power_w,voltage_v")
    assert len(past["time_ms"]) > 1
    assert past["time_ms"] == sorted(set(past["time_ms"]))
    assert all(100 < watts < 200 for watts in past["values"]["power_w"] if watts is not None)
