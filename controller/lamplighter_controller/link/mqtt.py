"""The link over MQTT: version 5 where the broker speaks it, else 3.1.1."""

import asyncio
import logging
import random
import socket
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, cast

import aiomqtt
from aiomqtt.exceptions import MqttConnectError
from paho.mqtt.client import MQTT_CLEAN_START_FIRST_ONLY

from lamplighter_controller.link.backoff import Backoff
from lamplighter_controller.link.client import CheckedClient
from lamplighter_controller.link.port import Handler, LinkDown, Message, OnUp, Will

log = logging.getLogger(__name__)

CONNECT_TIMEOUT_S: Final = 5.0
AT_ONCE: Final = ((socket.IPPROTO_TCP, socket.TCP_NODELAY, 1),)  # else a command waits 40 ms for a delayed TCP ack
PUBLISH_TIMEOUT_S: Final = 10.0
DRAIN_LIMIT: Final = 64  # messages handled in one go before other tasks get their turn
WRONG_VERSION: Final = frozenset({1, 0x81, 0x82, 0x84})  # MQTT 3.1.1 table 3.1, MQTT 5 table 3-1
MAX_PUBLISH_BYTES: Final = 1_100_000  # a plan or keys document with its signature


@dataclass(frozen=True, slots=True)
class Broker:
    """Where the broker is and who we are there."""

    host: str
    port: int
    client_id: str
    username: str | None = None
    password: str | None = None
    tls: ssl.SSLContext | None = None
    keepalive_s: int = 30


class MqttLink:
    """Keeps one connection, starting clean each time: what was in flight, the gateways send again.

    A message counts as received for the broker as soon as it is in our memory. That is no promise to anybody: a gateway
    keeps every frame until our own ack, which is sent after the store has committed. So the incoming queue has no
    bound here (a bounded one would drop in silence); it is emptied at once into a handler that bounds what it keeps.
    """

    def __init__(self, broker: Broker, filters: Sequence[str], handler: Handler, *, will: Will | None = None) -> None:
        """Subscribe to `filters` at each connect and hand every message to `handler`."""
        self._broker = broker
        self._filters = [(topic, 1) for topic in filters]
        self._handler = handler
        self._will = will and aiomqtt.Will(will.topic, will.payload, 1, retain=True)
        self._on_up: list[OnUp] = []
        self._client: CheckedClient | None = None
        self._version = aiomqtt.ProtocolVersion.V5
        self._known_version = False
        self._was_up = True
        self._backoff = Backoff(random.random)

    @property
    def up(self) -> bool:
        """True while connected and subscribed."""
        return self._client is not None

    def on_up(self, callback: OnUp) -> None:
        """Have `callback` awaited after each connect."""
        self._on_up.append(callback)

    async def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> None:
        """Hand a message to the broker, see `Link.publish`."""
        if len(payload) > MAX_PUBLISH_BYTES:
            raise ValueError(f"{len(payload)} bytes to {topic}, at most {MAX_PUBLISH_BYTES} are sent")
        if self._client is None:
            raise LinkDown("no connection to the broker")
        await self._client.send(topic, payload, retain=retain, timeout_s=PUBLISH_TIMEOUT_S)

    async def renew(self) -> None:
        """Subscribe once more, see `Link.renew`."""
        if self._client is None:
            raise LinkDown("no connection to the broker")
        try:
            await self._client.subscribe(self._filters)
        except aiomqtt.MqttError as error:
            raise LinkDown(str(error)) from error

    async def run(self) -> None:
        """Connect, listen, connect again; for ever."""
        while True:
            try:
                await self._session()
            except (aiomqtt.MqttError, LinkDown) as error:
                _let_cancellation_win(error)
                if self._version_may_be_wrong(error):
                    self._other_version()
                self._lost(str(error))
            await asyncio.sleep(self._backoff.next_s())

    async def _session(self) -> None:
        incoming: asyncio.Queue[aiomqtt.Message] = asyncio.Queue()
        async with self._make_client(incoming) as client:
            self._known_version = True
            await client.subscribe(self._filters)
            self._client = client
            self._found()
            try:
                for callback in self._on_up:
                    await callback()
                async for message in client.messages:
                    self._hand_over(message)
                    self._drain(incoming)
            finally:
                self._client = None

    def _make_client(self, incoming: asyncio.Queue[aiomqtt.Message]) -> CheckedClient:
        broker, v5 = self._broker, self._version is aiomqtt.ProtocolVersion.V5
        return CheckedClient(
            broker.host,
            broker.port,
            identifier=broker.client_id,
            username=broker.username,
            password=broker.password,
            tls_context=broker.tls,
            keepalive=broker.keepalive_s,
            protocol=self._version,
            clean_session=None if v5 else True,
            clean_start=True if v5 else MQTT_CLEAN_START_FIRST_ONLY,
            will=self._will,
            timeout=CONNECT_TIMEOUT_S,
            socket_options=AT_ONCE,
            queue_type=cast("type[asyncio.Queue[aiomqtt.Message]]", lambda maxsize: incoming),  # noqa: ARG005 - aiomqtt's name
        )

    def _drain(self, incoming: asyncio.Queue[aiomqtt.Message]) -> None:
        for _ in range(min(DRAIN_LIMIT, incoming.qsize())):
            self._hand_over(incoming.get_nowait())

    def _hand_over(self, message: aiomqtt.Message) -> None:
        payload = message.payload
        self._handler(Message(str(message.topic), payload if isinstance(payload, bytes) else b"", message.retain))

    def _version_may_be_wrong(self, error: Exception) -> bool:
        if isinstance(error, MqttConnectError):
            return getattr(error.rc, "value", error.rc) in WRONG_VERSION
        return not self._known_version  # some brokers just hang up on a version they do not speak

    def _other_version(self) -> None:
        v5, v311 = aiomqtt.ProtocolVersion.V5, aiomqtt.ProtocolVersion.V311
        self._version = v311 if self._version is v5 else v5

    def _found(self) -> None:
        self._backoff.reset()
        self._was_up = True
        log.info("connected to the broker at %s:%d, MQTT %s", self._broker.host, self._broker.port, self._version.name)

    def _lost(self, why: str) -> None:
        if self._was_up:
            log.warning("no broker at %s:%d, trying again: %s", self._broker.host, self._broker.port, why)
        self._was_up = False


def _let_cancellation_win(error: Exception) -> None:
    """Taking leave of a broker that hangs fails, and that failure would hide that we were told to end."""
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError from error
