"""The uplink on a real broker: killed, half-open, denying, speaking only 3.1.1."""

import asyncio
import contextlib
import json
import socket
import sys
from functools import partial
from pathlib import Path

import aiomqtt
import pytest

from lamplighter_contract.errors import Refusal
from lamplighter_contract.wire import documents
from lamplighter_contract.wire.ack import Ack, ranges
from lamplighter_contract.wire.documents import ControllerState
from lamplighter_contract.wire.frame import ReadingsFrame, decode_frame
from lamplighter_contract.wire.topics import CONTROLLER_STATE, UP_FILTER, Down, down
from lamplighter_gateway.link.mqtt import Broker, MqttLink
from lamplighter_gateway.link.port import LinkDownError, PublishDeniedError, Will
from lamplighter_gateway.uplink import pace
from tests.gateway.fakes import until
from tests.gateway.rig import GATEWAY, Rig
from tests.system.process import Server, free_port
from tests.system.proxy import Proxy

pytestmark = pytest.mark.system
WILL = Will("lamplighter/1/up/gw-7/state", b"gone")


@pytest.fixture(autouse=True)
def _quick(monkeypatch):
    monkeypatch.setattr(pace, "RECONNECT_FIRST_S", 0.05)
    monkeypatch.setattr(pace, "RECONNECT_MOST_S", 0.3)


class BrokerCentre:
    """The centre's half on a real broker: keeps every (device, time) it has and acks."""

    def __init__(self, port):
        self.port = port
        self.storing = True
        self.rows = set()
        self.acked = set()
        self.lanes = []
        self.states = []
        self.connected = asyncio.Event()

    @contextlib.asynccontextmanager
    async def running(self):
        task = asyncio.create_task(self._run())
        try:
            await asyncio.wait_for(self.connected.wait(), 10)
            yield self
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    async def _run(self):
        while True:
            with contextlib.suppress(aiomqtt.MqttError):
                async with aiomqtt.Client("127.0.0.1", self.port, timeout=2) as client:
                    state = ControllerState("c", "b", 3, online=True, storing=True)
                    await client.subscribe(UP_FILTER, qos=1)
                    await client.publish(CONTROLLER_STATE, documents.encode(state), qos=1, retain=True)
                    self.connected.set()
                    async for message in client.messages:
                        await self._take(client, message)
            await asyncio.sleep(0.05)

    async def _take(self, client, message):
        channel = message.topic.value.rsplit("/", 1)[1]
        if channel == "state":
            self.states.append(json.loads(message.payload))
        elif channel in ("urgent", "live", "backlog"):
            frame = decode_frame(message.payload)
            self.lanes.append(channel)
            if isinstance(frame, ReadingsFrame):
                self.rows.update(zip(frame.device, frame.time_ms, strict=True))
            if self.storing and not isinstance(frame, Refusal):
                self.acked.add(frame.envelope.seq)
                ack = Ack("c", 3, frame.envelope.boot, ranges([frame.envelope.seq]))
                await client.publish(down(GATEWAY, Down.ACK), ack.encode(), qos=1)


def more(found, than):
    return len(found) > than


def rig_on(tmp_path, port, keepalive_s=30.0):
    return Rig(tmp_path, MqttLink(Broker("127.0.0.1", port, GATEWAY, keepalive_s=keepalive_s)))


async def test_birth_readings_and_goodbye(tmp_path, make_mosquitto):
    broker = make_mosquitto()
    async with BrokerCentre(broker.port).running() as centre:
        rig = rig_on(tmp_path, broker.port)
        async with rig.running() as gateway:
            await until(lambda: len(centre.rows) > 20)
        await until(lambda: not centre.states[-1]["online"])
    assert centre.states[0]["online"]
    assert {state["boot"] for state in centre.states} == {gateway.boot}
    assert centre.lanes.count("live") > 0


async def test_broker_killed_and_back_nothing_read_is_lost(tmp_path, make_mosquitto):
    broker = make_mosquitto()
    async with BrokerCentre(broker.port).running() as centre:
        rig = rig_on(tmp_path, broker.port)
        read = rig.reports.offered
        async with rig.running() as gateway:
            for _ in range(2):
                await until(partial(more, centre.rows, len(centre.rows) + 20))
                broker.kill()
                await until(lambda: not gateway.uplink.connected)
                await until(partial(more, read, len(read) + 20))
                broker.start()
                await until(lambda: gateway.uplink.connected and gateway.spool.status().waiting <= 1, 20)
            rig.bus.silent.update(rig.bus.levels)
            await until(lambda: read <= centre.rows)
        assert "backlog" in centre.lanes


async def test_a_half_open_link_is_noticed_within_one_and_a_half_keepalives(tmp_path, make_mosquitto):
    broker = make_mosquitto()
    async with BrokerCentre(broker.port).running() as centre, Proxy(broker.port) as proxy:
        rig = rig_on(tmp_path, proxy.port, keepalive_s=2)
        async with rig.running() as gateway:
            await until(lambda: len(centre.rows) > 3)
            proxy.swallow()
            await until(lambda: not gateway.uplink.connected, 3.0)
            polled = len(rig.bus.writes)
            proxy.heal()
            await until(lambda: gateway.uplink.connected, 15)
            await until(lambda: gateway.spool.status().waiting <= 1, 15)
            assert len(rig.bus.writes) == polled


async def test_the_stop_does_not_wait_for_a_broker_that_is_deaf(tmp_path, make_mosquitto):
    broker = make_mosquitto()
    async with Proxy(broker.port) as proxy:
        rig = rig_on(tmp_path, proxy.port)
        async with rig.running() as gateway:
            await until(lambda: gateway.spool.status().waiting > 0)
            proxy.swallow()
            began = asyncio.get_running_loop().time()
            gateway.stop()
        assert asyncio.get_running_loop().time() - began < 2


async def test_a_denied_publish_is_seen(make_mosquitto):
    broker = make_mosquitto(acl=["topic read #"])
    link = MqttLink(Broker("127.0.0.1", broker.port, GATEWAY))
    async with link.connect(WILL, ()) as connection:
        with pytest.raises(PublishDeniedError):
            await connection.publish("lamplighter/1/up/gw-8/live", b"x")


async def test_nobody_listens():
    link = MqttLink(Broker("127.0.0.1", free_port(), GATEWAY))
    with pytest.raises(LinkDownError):
        async with link.connect(WILL, ()):
            pass


async def test_messages_wait_at_the_broker_until_they_are_dealt_with(make_mosquitto):
    broker = make_mosquitto()
    link = MqttLink(Broker("127.0.0.1", broker.port, GATEWAY))
    async with link.connect(WILL, ("t",)) as connection, aiomqtt.Client("127.0.0.1", broker.port) as other:
        for i in range(60):
            await other.publish("t", b"%d" % i, qos=1)
        messages = connection.messages()
        held = [await anext(messages) for _ in range(20)]
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(anext(connection.messages()), 0.2)
        for message in held:
            connection.done(message)
        more = connection.messages()
        got = [message.payload for message in held]
        for _ in range(40):
            message = await asyncio.wait_for(anext(more), 2)
            connection.done(message)
            got.append(message.payload)
        assert got == [b"%d" % i for i in range(60)]


class Amqtt(Server):
    """A broker that speaks MQTT 3.1.1 and nothing newer."""

    program = "python3"
    package = "python3"

    def command(self):
        config = {
            "listeners": {"default": {"type": "tcp", "bind": f"127.0.0.1:{self.port}"}},
            "plugins": {"amqtt.plugins.authentication.AnonymousAuthPlugin": {"allow_anonymous": True}},
        }
        (self.folder / "amqtt.yaml").write_text(json.dumps(config))
        return [str(Path(sys.executable).with_name("amqtt")), "-c", str(self.folder / "amqtt.yaml")]

    def answers(self):
        try:
            socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
        except OSError:
            return False
        return True


async def test_a_broker_of_mqtt_3_1_1_only():
    with Amqtt() as broker:
        link = MqttLink(Broker("127.0.0.1", broker.port, GATEWAY))
        with pytest.raises(LinkDownError):
            async with link.connect(WILL, ("t",)):
                pass
        async with link.connect(WILL, ("t",)) as connection:
            await connection.publish("t", b"hello")
            message = await asyncio.wait_for(anext(connection.messages()), 5)
            connection.done(message)
            assert message.payload == b"hello"
