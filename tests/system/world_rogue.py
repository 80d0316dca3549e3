"""Somebody else on the broker: hears everything, and may say anything in anybody's name."""

import json
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, Self

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from lamplighter_contract.wire.topics import ROOT
from tests.system.world_api import eventually

PATIENCE_S: Final = 10.0


@dataclass(frozen=True, slots=True)
class Heard:
    """One message as it came."""

    topic: str
    payload: bytes
    retained: bool

    def document(self) -> Any:
        """Its JSON."""
        return json.loads(self.payload)


class Rogue:
    """A client without any restraint; hears all of `lamplighter/1/#`."""

    def __init__(self, port: int) -> None:
        self.heard: list[Heard] = []
        self._ready = threading.Event()
        self._port = port
        self._client = mqtt.Client(CallbackAPIVersion.VERSION2)
        self._client.on_connect = self._connected
        self._client.on_subscribe = lambda *_: self._ready.set()
        self._client.on_message = lambda _client, _data, message: self.heard.append(
            Heard(message.topic, bytes(message.payload), message.retain)
        )

    def __enter__(self) -> Self:
        self._client.connect("127.0.0.1", self._port)
        self._client.loop_start()
        assert self._ready.wait(PATIENCE_S), "the broker does not take the subscription"
        return self

    def __exit__(self, *_: object) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def say(self, topic: str, payload: bytes | str, *, retain: bool = False) -> None:
        """Publish with QoS 1 and wait until the broker has it."""
        self._client.publish(topic, payload, 1, retain).wait_for_publish(PATIENCE_S)

    def on(self, topic: str) -> list[Heard]:
        """What was heard on a topic so far."""
        return [message for message in list(self.heard) if message.topic == topic]

    def wait_for(self, topic: str, fits: Callable[[Heard], bool], timeout_s: float = PATIENCE_S) -> Heard:
        """The first message on a topic that fits."""
        return eventually(
            lambda: next((message for message in self.on(topic) if fits(message)), None), timeout_s, f"word on {topic}"
        )

    def _connected(
        self,
        client: mqtt.Client,
        _data: Any,
        _flags: mqtt.ConnectFlags,
        _reason: ReasonCode,
        _properties: Properties | None,
    ) -> None:
        client.subscribe(f"{ROOT}/#", 1)
