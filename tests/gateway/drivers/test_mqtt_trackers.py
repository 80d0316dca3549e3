"""Trucks on a field broker: their reports, limits proven by them, and being reachable."""

import asyncio
import contextlib
import json
import time
from random import Random
from typing import Any

import aiomqtt
import pytest

from lamplighter_contract.clock import SystemClock
from lamplighter_contract.quality import Quality
from lamplighter_gateway.config.model import Device, FieldBroker
from lamplighter_gateway.drivers.mqtt import MqttBus
from lamplighter_gateway.drivers.port import Outcome, Point, Reading, Trackers, Write
from tests.gateway.drivers.rig import PROFILES, until

pytestmark = pytest.mark.system

PLACE = {"_type": "location", "lat": 36.65, "lon": 117.12, "vel": 42.0, "cog": 90, "fix": True, "lift": "flat"}


@contextlib.asynccontextmanager
async def truck(mosquitto, address, *, obeys=True):
    """The driver, and a tracker that serves and says what it was told."""
    readings: list[Reading] = []
    said: list[dict[str, Any]] = []
    device = Device("truck-1", "field", PROFILES["truck-mqtt"], address=address)
    broker = FieldBroker("field", "127.0.0.1", mosquitto.port, None, None, None)
    driver = MqttBus(broker, [device], SystemClock(), readings.extend, Random(1))
    state = dict(PLACE) | {"slim": False, "llim": False, "limit": 0}

    async def report(client, **changes):
        body = state | {"tst": round(time.time())} | changes
        await client.publish(f"owntracks/{address}/truck", json.dumps(body), qos=1)

    async def serve(client):
        await client.subscribe(f"owntracks/{address}/truck/+", qos=1)
        async for message in client.messages:
            wanted = json.loads(message.payload)
            said.append(wanted)
            if obeys and "limit" in wanted:
                state.update(limit=wanted["limit"], slim=wanted["limit"] > 0)
            await report(client)

    async with aiomqtt.Client("127.0.0.1", mosquitto.port) as client:
        tasks = [asyncio.create_task(driver.run()), asyncio.create_task(serve(client))]
        try:
            await until(lambda: driver.status().connected)
            yield driver, readings, said, lambda **changes: report(client, **changes)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


async def test_a_report_in_the_shape_of_owntracks_is_a_reading_of_a_truck(mosquitto):
    async with truck(mosquitto, "own1") as (driver, readings, _, report):
        await report()
        await until(lambda: readings)
        assert isinstance(driver, Trackers)
        assert driver.latest("truck-1") == readings[0]
        assert driver.online("truck-1")
    values: dict[str, Any] = dict(readings[0].values)
    assert (values["latitude"], values["speed_kmh"], values["lift"], values["cover"]) == (36.65, 42.0, "flat", None)
    assert abs(values["received"] - time.time() * 1000) < 10_000
    assert readings[0].time_ms % 1000 == 0


async def test_an_old_report_tells_the_past_and_is_not_the_latest(mosquitto):
    async with truck(mosquitto, "own2") as (driver, readings, _, report):
        await report()
        await report(tst=round(time.time()) - 3600)
        await until(lambda: len(readings) == 2)
        assert driver.latest("truck-1") == readings[0]
    assert readings[1].quality & Quality.STALE


@pytest.mark.parametrize(("obeys", "outcome"), [(True, Outcome.VERIFIED), (False, Outcome.FAILED)])
async def test_a_limit_is_in_effect_when_the_truck_reports_it(mosquitto, obeys, outcome):
    async with truck(mosquitto, f"own3{obeys}", obeys=obeys) as (driver, _, said, _):
        write = Write("truck-1", Point.SPEED_LIMIT, 40.0, time.monotonic() + 3)
        [written] = await driver.write([write], lambda _: None, broadcast=False)
    assert written.outcome is outcome
    assert {"limit": 40} in said


async def test_a_driver_is_spoken_to(mosquitto):
    async with truck(mosquitto, "own4") as (driver, _, said, _):
        write = Write("truck-1", Point.SPEAK, 0.0, time.monotonic() + 3, "请盖好密闭盖")
        [written] = await driver.write([write], lambda _: None, broadcast=False)
        await until(lambda: said)
    assert written.outcome is Outcome.APPLIED
    assert said[0] == {"say": "请盖好密闭盖"}
