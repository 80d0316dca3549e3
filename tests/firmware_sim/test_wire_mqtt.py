import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiomqtt
import msgspec
import pytest
import yaml

from lamplighter_contract.clock import ManualClock
from lamplighter_firmware_sim.scenario import Scenario
from lamplighter_firmware_sim.serve import RunningCity, running_city
from tests.firmware_sim.conftest import CONFIG
from tests.system.servers import Mosquitto

pytestmark = pytest.mark.system


@pytest.fixture
async def city(small: Scenario, night: ManualClock, tmp_path: Path, mosquitto: Mosquitto) -> AsyncIterator[RunningCity]:
    async with running_city(small, tmp_path, clock=night, field_broker=(mosquitto.host, mosquitto.port)) as running:
        assert running.field_lamps is not None
        async with asyncio.timeout(5):
            await running.field_lamps.connected.wait()
        yield running


class Gateway:
    """The gateway's side of the field broker."""

    def __init__(self, client: aiomqtt.Client) -> None:
        self.client = client

    async def state(self, address: str, timeout_s: float = 5.0, **wanted: object) -> dict[str, Any]:
        """The next state of a lamp that has the wanted fields."""
        async with asyncio.timeout(timeout_s):
            async for message in self.client.messages:
                if message.topic.value == f"lamps/{address}/state":
                    state: dict[str, Any] = msgspec.json.decode(bytes(message.payload))
                    if all(state[name] == value for name, value in wanted.items()):
                        return state
        raise AssertionError("unreachable")


@pytest.fixture
async def gateway(city: RunningCity, mosquitto: Mosquitto) -> AsyncIterator[Gateway]:
    async with aiomqtt.Client(mosquitto.host, mosquitto.port, identifier="test-gateway") as client:
        await client.subscribe("lamps/+/state", 1)
        yield Gateway(client)


async def test_every_lamp_tells_its_state_within_a_heartbeat(
    city: RunningCity, gateway: Gateway, night: ManualClock
) -> None:
    night.advance(60)
    for number in range(1, 13):
        assert (await gateway.state(f"03-{number:03}"))["dim"] == 100


async def test_a_state_has_every_field_that_the_profile_reads(
    city: RunningCity, gateway: Gateway, night: ManualClock
) -> None:
    profile = yaml.safe_load((CONFIG / "profiles" / "lamp-mqtt.yaml").read_text("utf-8"))["mqtt"]
    await gateway.client.publish("lamps/03-007/get", b"")
    state = await gateway.state("03-007")
    assert {row["field"] for row in profile["read"]} | {profile["time_field"]} == set(state)
    assert state["ts"] == night.civil_ms()
    truth = city.lamp("lamp-03-007")
    assert state["p"] == pytest.approx(truth.power_w, rel=0.02)
    assert state["e"] * 0.001 == pytest.approx(truth.energy_kwh, abs=0.01)


async def test_a_written_level_is_told_at_once_and_power_follows(city: RunningCity, gateway: Gateway) -> None:
    await gateway.client.publish("lamps/03-002/set", b'{"dim": 40}', qos=1)
    rated_w = city.simulation.city.lamps[city.simulation.city.places["lamp-03-002"][1]].model.rated_w
    state = await gateway.state("03-002", dim=40)
    while state["p"] > 0.6 * rated_w:
        state = await gateway.state("03-002")
    assert city.lamp("lamp-03-002").written_percent == 40
    await gateway.client.publish("lamps/03-002/set", b'{"auto": true}', qos=1)
    await gateway.state("03-002", dim=100)
    assert city.lamp("lamp-03-002").written_percent is None


@pytest.mark.parametrize(
    "payload", [b"", b"[]", b'{"dim": 101}', b'{"dim": "60"}', b"\xff\xfe", b'{"identify": 0}', b"{}" + b" " * 2000]
)
async def test_what_a_lamp_does_not_understand_is_counted_and_changes_nothing(
    city: RunningCity, gateway: Gateway, payload: bytes
) -> None:
    await gateway.client.publish("lamps/03-002/set", payload, qos=1)
    await gateway.client.publish("lamps/03-002/get", b"", qos=1)
    assert (await gateway.state("03-002"))["dim"] == 100
    assert city.field_lamps is not None
    assert city.field_lamps.refused == 1
    assert not city.writes


async def test_a_silent_lamp_says_nothing_and_its_neighbour_does(city: RunningCity, gateway: Gateway) -> None:
    city.faults.add("silent", "lamp-03-004")
    await gateway.client.publish("lamps/03-004/set", b'{"dim": 10}', qos=1)
    await gateway.client.publish("lamps/03-005/set", b'{"dim": 10}', qos=1)
    await gateway.state("03-005", dim=10)
    assert city.lamp("lamp-03-004").level_percent == 100


async def test_lamps_come_back_after_the_broker_was_away(
    city: RunningCity, mosquitto: Mosquitto, caplog: pytest.LogCaptureFixture
) -> None:
    assert city.field_lamps is not None
    mosquitto.kill()
    async with asyncio.timeout(5):
        while city.field_lamps.connected.is_set():
            await asyncio.sleep(0.02)
    mosquitto.start()
    async with asyncio.timeout(10):
        await city.field_lamps.connected.wait()
    assert sum("is away" in record.message for record in caplog.records) == 1
