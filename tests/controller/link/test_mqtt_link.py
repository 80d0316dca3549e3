"""The link against real brokers: mosquitto (MQTT 5) and amqtt (3.1.1 only)."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable

import aiomqtt
import pytest
from amqtt.broker import Broker as AmqttBroker  # type: ignore[import-untyped]  # amqtt has no types

from lamplighter_controller.link.mqtt import Broker, MqttLink
from lamplighter_controller.link.port import LinkDown, Message, PublishDenied, Will
from tests.system.process import free_port
from tests.system.proxy import Proxy
from tests.system.servers import Mosquitto

pytestmark = pytest.mark.system


async def until(condition: Callable[[], object], timeout_s: float = 10) -> None:
    async with asyncio.timeout(timeout_s):
        while not condition():
            await asyncio.sleep(0.01)


@contextlib.asynccontextmanager
async def running(link: MqttLink) -> AsyncIterator[MqttLink]:
    task = asyncio.create_task(link.run(), name="link")
    try:
        await until(lambda: link.up or task.done())
        yield link
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


def make(port: int, handler: Callable[[Message], None] = lambda _: None, **kwargs: object) -> MqttLink:
    will = Will("t/state", b"gone")
    broker = Broker("127.0.0.1", port, "controller", keepalive_s=2, **kwargs)  # type: ignore[arg-type]  # test's own names
    return MqttLink(broker, ["t/#"], handler, will=will)


async def test_what_is_published_comes_back_in_order(mosquitto: Mosquitto) -> None:
    seen: list[Message] = []
    async with running(make(mosquitto.port, seen.append)) as link:
        for number in range(200):
            await link.publish("t/n", str(number).encode())
        await until(lambda: len(seen) == 200)
    assert [int(message.payload) for message in seen] == list(range(200))
    assert not any(message.retained for message in seen)


async def test_retained_messages_come_again_at_a_renewal(make_mosquitto: Callable[..., Mosquitto]) -> None:
    seen: list[Message] = []
    async with running(make(make_mosquitto().port, seen.append)) as link:
        await link.publish("t/doc", b"kept", retain=True)
        await until(lambda: len(seen) == 1)
        await link.renew()
        await until(lambda: len(seen) == 2)
    assert seen[1].retained


async def test_a_denied_publish_is_an_error(make_mosquitto: Callable[..., Mosquitto]) -> None:
    broker = make_mosquitto(passwords={"centre": "word"}, acl=["user centre", "topic readwrite t/#"])
    async with running(make(broker.port, username="centre", password="word")) as link:
        await link.publish("t/allowed", b"x")
        with pytest.raises(PublishDenied, match="other/topic"):
            await link.publish("other/topic", b"x")


async def test_the_link_comes_back_after_a_kill(make_mosquitto: Callable[..., Mosquitto]) -> None:
    broker = make_mosquitto()
    ups: list[int] = []

    async def came_up() -> None:
        ups.append(1)

    link = make(broker.port)
    link.on_up(came_up)
    async with running(link):
        broker.kill()
        await until(lambda: not link.up)
        with pytest.raises(LinkDown):
            await link.publish("t/x", b"x")
        broker.start()
        await until(lambda: link.up)
        await link.publish("t/x", b"x")
    assert len(ups) == 2


async def test_a_hung_broker_does_not_hold_up_the_end(make_mosquitto: Callable[..., Mosquitto]) -> None:
    broker = make_mosquitto()
    async with running(make(broker.port)) as link:
        broker.pause()
        waiting = [asyncio.create_task(link.publish("t/x", bytes(1_000_000))) for _ in range(15)]
        await asyncio.wait(waiting, timeout=0.2)  # the socket is full by now: not even a farewell goes out
        begun = asyncio.get_running_loop().time()
    assert asyncio.get_running_loop().time() - begun < 3
    assert {type(error) for error in await asyncio.gather(*waiting, return_exceptions=True)} == {LinkDown}
    broker.resume()


async def test_the_broker_speaks_for_us_when_we_are_gone(make_mosquitto: Callable[..., Mosquitto]) -> None:
    broker = make_mosquitto()
    async with aiomqtt.Client("127.0.0.1", broker.port) as witness:
        await witness.subscribe("t/state", 1)
        async with Proxy(broker.port) as proxy, running(make(proxy.port)):
            await proxy.cut()
            message = await asyncio.wait_for(anext(witness.messages), 10)
    assert message.payload == b"gone"


async def test_an_old_broker_is_spoken_to_in_its_version() -> None:
    port = free_port()
    plugins = {
        "amqtt.plugins.authentication.AnonymousAuthPlugin": {"allow_anonymous": True},
    }
    broker = AmqttBroker({"listeners": {"default": {"type": "tcp", "bind": f"127.0.0.1:{port}"}}, "plugins": plugins})
    await broker.start()
    seen: list[Message] = []
    try:
        async with running(make(port, seen.append)) as link:
            assert link._version is aiomqtt.ProtocolVersion.V311
            await link.publish("t/x", b"x")
            await until(lambda: seen)
    finally:
        await broker.shutdown()
