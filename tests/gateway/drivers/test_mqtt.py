import asyncio
import contextlib
import json
from random import Random

import aiomqtt
import pytest

from lamplighter_contract.clock import SystemClock
from lamplighter_contract.quality import Quality
from lamplighter_gateway.config.model import Device, FieldBroker
from lamplighter_gateway.drivers.mqtt import MqttBus
from lamplighter_gateway.drivers.port import Outcome, Point, ReadFailed, Reading, Write
from tests.gateway.drivers.rig import PROFILES, until

pytestmark = pytest.mark.system


class Lamp:
    """A lamp on the field broker: reports its state when asked or told, unless it is deaf."""

    def __init__(self, client, address):
        self.client = client
        self.address = address
        self.state = {"on": True, "dim": 60, "u": 231.2, "p": 57.1, "e": 12_345, "f": 0, "n": 3}
        self.deaf = False
        self.stubborn = False

    async def report(self, **more):
        await self.client.publish(f"lamps/{self.address}/state", json.dumps(self.state | more), qos=1)

    async def serve(self):
        await self.client.subscribe(f"lamps/{self.address}/#", qos=1)
        async for message in self.client.messages:
            verb = str(message.topic).rsplit("/", 1)[1]
            if self.deaf or verb == "state":
                continue
            if verb == "set" and not self.stubborn:
                self.state |= json.loads(message.payload)
            await self.report()


@contextlib.asynccontextmanager
async def field(mosquitto, *addresses):
    """The driver on a running broker, and one lamp that serves at the first address."""
    profile = PROFILES["lamp-mqtt"]
    devices = [Device(f"lamp-{address}", "field", profile, address=address) for address in addresses]
    readings: list[Reading] = []
    broker = FieldBroker("field", "127.0.0.1", mosquitto.port, None, None, None)
    driver = MqttBus(broker, devices, SystemClock(), readings.extend, Random(1))
    async with aiomqtt.Client("127.0.0.1", mosquitto.port) as client:
        lamp = Lamp(client, addresses[0])
        tasks = [asyncio.create_task(driver.run()), asyncio.create_task(lamp.serve())]
        try:
            await until(lambda: driver.status().connected)
            yield driver, lamp, readings
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


def write(device, point, value, seconds=5.0):
    return Write(device, point, value, SystemClock().monotonic_s() + seconds)


async def test_a_report_becomes_a_reading(mosquitto):
    async with field(mosquitto, "t1") as (_, lamp, readings):
        now_ms = SystemClock().civil_ms()
        await lamp.report(ts=now_ms - 1500)
        await until(lambda: readings)
    values = readings[0].values
    assert readings[0].time_ms == now_ms - 1500
    assert (values["switched_on"], values["level_percent"], values["energy_kwh"]) == (True, 60, 12.345)
    assert values["rssi_dbm"] is None
    assert readings[0].quality == 0


async def test_absurd_times_and_values_are_replaced_refused_and_counted(mosquitto):
    async with field(mosquitto, "t2") as (driver, lamp, readings):
        before_ms = SystemClock().civil_ms()
        await lamp.report(ts=12, dim=140, p="many")
        await until(lambda: readings)
        assert driver.status().refused == 3
    assert readings[0].time_ms >= before_ms
    assert readings[0].values["level_percent"] is None
    assert readings[0].values["power_w"] is None
    assert readings[0].values["voltage_v"] == 231.2
    assert readings[0].quality == Quality.OUT_OF_RANGE


@pytest.mark.parametrize(
    "payload",
    [b"", b"{", b"[]", b"\xff\xfe", b'{"dim": NaN}', b'{"x":' * 4000, b"[" * 5000, b'"' + b"x" * 100_000 + b'"'],
)
async def test_garbage_is_counted_and_the_next_report_is_read(mosquitto, payload):
    async with field(mosquitto, "t3") as (driver, lamp, readings):
        await lamp.client.publish("lamps/t3/state", payload, qos=1)
        await until(lambda: driver.status().refused == 1)
        await lamp.report()
        await until(lambda: readings)


async def test_strangers_are_counted(mosquitto):
    async with field(mosquitto, "t4") as (driver, lamp, readings):
        await lamp.client.publish("lamps/stranger/state", b"{}", qos=1)
        await until(lambda: driver.status().refused == 1)
        assert not readings


async def test_a_retained_report_is_stale(mosquitto):
    async with aiomqtt.Client("127.0.0.1", mosquitto.port) as client:
        await client.publish("lamps/t5/state", b'{"dim": 10}', qos=1, retain=True)
    async with field(mosquitto, "t5") as (_, lamp, readings):
        await until(lambda: readings)
        await lamp.client.publish("lamps/t5/state", b"", retain=True)
    assert readings[0].quality == Quality.STALE


async def test_a_lamp_answers_when_asked(mosquitto):
    async with field(mosquitto, "t6") as (driver, lamp, _):
        reading = await driver.read("lamp-t6", 3.0)
        assert reading.values["level_percent"] == 60
        lamp.deaf = True
        failed = await driver.read("lamp-t6", 0.2)
        assert isinstance(failed, ReadFailed)
        assert "no answer" in failed.reason


async def test_writes_end_as_the_lamp_reports(mosquitto):
    async with field(mosquitto, "t7") as (driver, lamp, _):
        applied: list[str] = []
        (written,) = await driver.write([write("lamp-t7", Point.LEVEL, 35)], applied.append, broadcast=False)
        assert (written.outcome, applied, lamp.state["dim"]) == (Outcome.VERIFIED, ["lamp-t7"], 35)
        (written,) = await driver.write([write("lamp-t7", Point.RESUME, 0)], applied.append, broadcast=False)
        assert written.outcome is Outcome.APPLIED
        await until(lambda: lamp.state.get("auto") is True)
        (written,) = await driver.write([write("lamp-t7", Point.LEVEL, 135)], applied.append, broadcast=False)
        assert written.outcome is Outcome.FAILED
        lamp.stubborn = True
        (written,) = await driver.write([write("lamp-t7", Point.LEVEL, 80, 0.5)], applied.append, broadcast=False)
        assert (written.outcome, written.reason) == (Outcome.FAILED, "read back 35, expected 80")
        lamp.deaf = True
        (written,) = await driver.write([write("lamp-t7", Point.LEVEL, 80, 0.5)], applied.append, broadcast=False)
        assert written.outcome is Outcome.UNCONFIRMED


async def test_a_broker_that_dies_is_waited_for(make_mosquitto):
    broker = make_mosquitto()
    profile = PROFILES["lamp-mqtt"]
    readings: list[Reading] = []
    place = FieldBroker("field", "127.0.0.1", broker.port, None, None, None)
    driver = MqttBus(
        place, [Device("lamp-a", "field", profile, address="a")], SystemClock(), readings.extend, Random(1)
    )
    task = asyncio.create_task(driver.run())
    try:
        await until(lambda: driver.status().connected)
        broker.kill()
        await until(lambda: not driver.status().connected)
        (written,) = await driver.write([write("lamp-a", Point.LEVEL, 35)], lambda _: None, broadcast=False)
        assert written.outcome is Outcome.FAILED
        broker.start()
        await until(lambda: driver.status().connected)
        async with aiomqtt.Client("127.0.0.1", broker.port) as client:
            await client.publish("lamps/a/state", b'{"dim": 5}', qos=1)
        await until(lambda: readings)
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
