"""The broker over aiomqtt: MQTT 5 where it is spoken, 3.1.1 elsewhere."""

import asyncio
import contextlib
import logging
import socket
import ssl
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any, Final

import aiomqtt
import paho.mqtt.client as paho
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from lamplighter_gateway.link.port import Incoming, LinkDownError, PublishDeniedError, Will

log = logging.getLogger(__name__)

CONNECT_TIMEOUT_S: Final = 5.0
UNPROVEN_TIMEOUT_S: Final = 2.0  # some brokers of 3.1.1 do not answer a newer client at all
LEAVE_TIMEOUT_S: Final = 0.5
RECEIVE_MAXIMUM: Final = 20
MAX_OUTSTANDING: Final = 64  # three lanes of sixteen, and documents
AT_ONCE: Final = ((socket.IPPROTO_TCP, socket.TCP_NODELAY, 1),)  # else a result waits 40 ms for a delayed TCP ack
KEEPALIVE_SHARE: Final = 0.75  # paho notices silence after two of its intervals: together 1.5 of the configured one
_WRONG_PROTOCOL: Final = frozenset({1, 0x84})


@dataclass(frozen=True, slots=True)
class Broker:
    """Where the broker is and how to be let in; the user name is the gateway's id."""

    host: str
    port: int
    user: str
    password: str | None = None
    tls: ssl.SSLContext | None = None
    keepalive_s: float = 30.0


class _Client(aiomqtt.Client):
    """aiomqtt with two answers it swallows: a refused publish, and a connection closed instead of confirmed."""

    def __init__(self, broker: Broker, protocol: aiomqtt.ProtocolVersion, will: Will, timeout_s: float) -> None:
        self.confirmations: dict[int, asyncio.Future[None]] = {}
        newest = protocol is aiomqtt.ProtocolVersion.V5
        super().__init__(
            hostname=broker.host,
            port=broker.port,
            username=broker.user,
            password=broker.password,
            identifier=broker.user,
            tls_context=broker.tls,
            protocol=protocol,
            will=aiomqtt.Will(will.topic, will.payload, qos=1, retain=True),
            keepalive=max(2, int(broker.keepalive_s * KEEPALIVE_SHARE)),
            timeout=timeout_s,
            max_inflight_messages=MAX_OUTSTANDING,
            socket_options=AT_ONCE,
            clean_session=None if newest else True,
            clean_start=True if newest else paho.MQTT_CLEAN_START_FIRST_ONLY,
            properties=_connect_properties() if newest else None,
        )
        # The broker may have so many messages underway as we have not dealt with: that bounds our queue.
        self._client.manual_ack_set(True)
        self._disconnected.add_done_callback(self._not_connected)

    def _not_connected(self, ended: asyncio.Future[None]) -> None:
        """An answer that could not be read ends the session; waiting for a better one would only take time."""
        error = None if ended.cancelled() else ended.exception()
        if not self._connected.done():
            self._connected.set_exception(aiomqtt.MqttError(f"no understandable answer ({error})"))

    def _on_publish(
        self, client: paho.Client, userdata: Any, mid: int, reason_code: ReasonCode, properties: Properties
    ) -> None:
        waiting = self.confirmations.pop(mid, None)
        if waiting is None or waiting.done():
            super()._on_publish(client, userdata, mid, reason_code, properties)
        elif reason_code.is_failure:
            waiting.set_exception(PublishDeniedError(str(reason_code)))
        else:
            waiting.set_result(None)

    def _on_disconnect(
        self,
        client: paho.Client,
        userdata: Any,
        flags: paho.DisconnectFlags,
        reason_code: ReasonCode,
        properties: Properties | None = None,
    ) -> None:
        if not self._connected.done():
            self._connected.set_exception(aiomqtt.MqttError("closed before it was confirmed"))
        super()._on_disconnect(client, userdata, flags, reason_code, properties)

    async def send(self, topic: str, payload: bytes, *, retain: bool, timeout_s: float) -> None:
        """Publish and wait for the broker's word."""
        info = self._client.publish(topic, payload, qos=1, retain=retain)
        if info.rc != paho.MQTT_ERR_SUCCESS:
            raise LinkDownError(f"not sent: {paho.error_string(info.rc)}")
        waiting = self.confirmations[info.mid] = asyncio.get_running_loop().create_future()
        try:
            done, _ = await asyncio.wait(
                {waiting, self._disconnected}, timeout=timeout_s, return_when=asyncio.FIRST_COMPLETED
            )
        finally:
            self.confirmations.pop(info.mid, None)
        if waiting not in done:
            raise LinkDownError("the broker did not confirm a message" if not done else "the connection is gone")
        waiting.result()

    def confirm(self, mid: int) -> None:
        """Tell the broker that a message is dealt with."""
        self._client.ack(mid, 1)


class MqttConnection:
    """One session."""

    def __init__(self, client: _Client, timeout_s: float) -> None:
        """Take a connected client; a confirmation that takes longer than `timeout_s` means the link is dead."""
        self._client = client
        self._timeout_s = timeout_s

    async def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> None:
        """Send, and return when the broker has confirmed it."""
        await self._client.send(topic, payload, retain=retain, timeout_s=self._timeout_s)

    async def messages(self) -> AsyncIterator[Incoming]:
        """Messages in order of arrival."""
        try:
            async for message in self._client.messages:
                payload = message.payload if isinstance(message.payload, bytes) else b""
                token = message.mid if message.qos == 1 else None
                yield Incoming(message.topic.value, payload, message.retain, token)
        except aiomqtt.MqttError as error:
            raise LinkDownError(str(error)) from error

    def done(self, message: Incoming) -> None:
        """The message is dealt with."""
        if isinstance(message.token, int):
            self._client.confirm(message.token)


class MqttLink:
    """Opens sessions with one broker and remembers which protocol it speaks."""

    def __init__(self, broker: Broker) -> None:
        """Nothing is contacted yet."""
        self._broker = broker
        self._protocol = aiomqtt.ProtocolVersion.V5
        self._proven = False

    @contextlib.asynccontextmanager
    async def connect(self, will: Will, topics: tuple[str, ...]) -> AsyncIterator[MqttConnection]:
        """Connect with a will, and subscribe to topics.

        Raises:
            LinkDownError: nobody answers, or we are not let in.
        """
        await self._reach()
        guess = self._protocol is aiomqtt.ProtocolVersion.V5 and not self._proven
        client = _Client(self._broker, self._protocol, will, UNPROVEN_TIMEOUT_S if guess else CONNECT_TIMEOUT_S)
        try:
            await client.__aenter__()
        except aiomqtt.MqttError as error:
            self._doubt(error)
            raise LinkDownError(str(error)) from error
        self._proven = True
        try:
            await _subscribe(client, topics)
            yield MqttConnection(client, self._broker.keepalive_s / 2)
        finally:
            # Taking leave of a broker that is gone must not hide why we leave.
            client.timeout = LEAVE_TIMEOUT_S
            with contextlib.suppress(aiomqtt.MqttError):
                await client.__aexit__(None, None, None)

    async def _reach(self) -> None:
        """See that somebody listens: paho's own attempt holds a thread that nobody can cancel."""
        try:
            async with asyncio.timeout(CONNECT_TIMEOUT_S):
                _, writer = await asyncio.open_connection(self._broker.host, self._broker.port)
        except (OSError, TimeoutError) as error:
            raise LinkDownError(str(error) or "no answer") from error
        writer.transport.abort()

    def _doubt(self, error: aiomqtt.MqttError) -> None:
        code = getattr(error, "rc", None)
        value = code.value if isinstance(code, ReasonCode) else code
        if value in _WRONG_PROTOCOL or (value is None and not self._proven):
            newest = self._protocol is aiomqtt.ProtocolVersion.V5
            self._protocol = aiomqtt.ProtocolVersion.V311 if newest else aiomqtt.ProtocolVersion.V5
            log.info("the broker did not confirm the session (%s); trying %s", error, self._protocol.name)


async def _subscribe(client: _Client, topics: tuple[str, ...]) -> None:
    try:
        for topic in topics:
            await client.subscribe(topic, qos=1)
    except aiomqtt.MqttError as error:
        raise LinkDownError(str(error)) from error


def _connect_properties() -> Properties:
    properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]  # paho gives it no types
    properties.ReceiveMaximum = RECEIVE_MAXIMUM
    return properties
