"""An aiomqtt client that tells when the broker refused a publish, and when it hung up on us."""

import asyncio
from types import TracebackType
from typing import Any, Final

import aiomqtt
from paho.mqtt.client import MQTT_ERR_SUCCESS
from paho.mqtt.reasoncodes import ReasonCode

from lamplighter_controller.link.port import LinkDown, PublishDenied

CONNECT_TIMEOUT_S: Final = 3.0  # of the blocking TCP connect, whose thread a stop of the program has to wait for
DISCONNECT_TIMEOUT_S: Final = 1.0


class CheckedClient(aiomqtt.Client):
    """aiomqtt 2.5 drops the reason code of a PUBACK, so a publish the broker's ACL refused would look sent.

    Only MQTT 5 brokers can refuse; an MQTT 3.1.1 broker acknowledges and throws away.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Take aiomqtt's arguments."""
        super().__init__(*args, **kwargs)
        self._client.connect_timeout = CONNECT_TIMEOUT_S
        self._disconnected.add_done_callback(_seen)
        self._answers: dict[int, asyncio.Future[ReasonCode]] = {}

    async def __aexit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None
    ) -> None:
        """Take leave, but not for long: a broker that hangs must not hold up our end."""
        self.timeout = DISCONNECT_TIMEOUT_S
        await super().__aexit__(exc_type, exc, tb)

    async def send(self, topic: str, payload: bytes, *, retain: bool, timeout_s: float) -> None:
        """Publish with QoS 1 and wait for the broker's answer.

        Raises:
            LinkDown: the connection is or went down, or no answer came in time.
            PublishDenied: the broker refused.
        """
        info = self._client.publish(topic, payload, 1, retain)
        if info.rc != MQTT_ERR_SUCCESS:
            raise LinkDown(f"publish to {topic}: MQTT error {info.rc}")
        answer = self._answers[info.mid] = asyncio.get_running_loop().create_future()
        try:
            await asyncio.wait((answer, self._disconnected), timeout=timeout_s, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._answers.pop(info.mid, None)
        if not answer.done():
            raise LinkDown(f"publish to {topic}: no answer from the broker")
        if answer.result().is_failure:
            raise PublishDenied(f"publish to {topic}: {answer.result()}")

    def _on_publish(self, client: Any, userdata: Any, mid: int, reason_code: ReasonCode, properties: Any) -> None:
        answer = self._answers.get(mid)
        if answer is not None and not answer.done():
            answer.set_result(reason_code)
        super()._on_publish(client, userdata, mid, reason_code, properties)

    def _on_disconnect(
        self, client: Any, userdata: Any, flags: Any, reason_code: ReasonCode, properties: Any = None
    ) -> None:
        # A broker that does not speak our version may just hang up; without this the connect would wait its time out.
        if not self._connected.done():
            self._connected.set_exception(aiomqtt.MqttError("the broker closed the connection during the handshake"))
        super()._on_disconnect(client, userdata, flags, reason_code, properties)


def _seen(ended: "asyncio.Future[None]") -> None:
    """Look at the error, which everybody who waits is told by other ways: asyncio complains of one nobody saw."""
    if not ended.cancelled():
        ended.exception()
