"""A controller's stub: says it is storing, acknowledges every frame, and counts distinct readings.

With it the gateway is measured alone. `python -m benchmarks ingest` measures the real one.
"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final

import aiomqtt

from benchmarks.parts.worker import Counter, counter, worker
from lamplighter_contract.wire import topics
from lamplighter_contract.wire.ack import Ack, ranges
from lamplighter_contract.wire.documents import ControllerState, encode
from lamplighter_contract.wire.frame import ReadingsFrame, decode_frame

_NAME: Final = "centre"
_FLUSH_S: Final = 0.02
Reading = tuple[str, int]


@dataclass(slots=True)
class Tally:
    """What has come in: frames to acknowledge per gateway and boot, and how many distinct readings they held."""

    distinct: int = 0
    waiting: dict[tuple[str, str], list[int]] = field(default_factory=dict)
    _newest_ms: dict[str, int] = field(default_factory=dict)

    def take(self, topic: str, payload: bytes) -> None:
        """Count what is new in one message; what is no readings frame is acknowledged uncounted."""
        place, frame = topics.parse_up(topic), decode_frame(payload)
        if place is None or place[1] not in topics.LANES or not hasattr(frame, "envelope"):
            return
        self.waiting.setdefault((place[0], frame.envelope.boot), []).append(frame.envelope.seq)
        if isinstance(frame, ReadingsFrame):
            for device, time_ms in zip(frame.device, frame.time_ms, strict=True):
                if time_ms > self._newest_ms.get(device, 0):
                    self._newest_ms[device] = time_ms
                    self.distinct += 1

    def acks(self) -> list[tuple[str, bytes]]:
        """Topic and payload of the acks that are due."""
        due, self.waiting = self.waiting, {}
        return [
            (topics.down(gateway, topics.Down.ACK), Ack(_NAME, 1, boot, ranges(numbers)).encode())
            for (gateway, boot), numbers in due.items()
        ]


async def _acknowledge(client: aiomqtt.Client, tally: Tally, acknowledged: Counter) -> None:
    while True:
        await asyncio.sleep(_FLUSH_S)
        distinct = tally.distinct
        for topic, payload in tally.acks():
            await client.publish(topic, payload, qos=1, timeout=10)
        acknowledged.value = distinct


async def _serve(port: int, acknowledged: Counter) -> None:
    state = encode(ControllerState(_NAME, "boot-1", 1, online=True, storing=True))
    tally = Tally()
    async with aiomqtt.Client("127.0.0.1", port, identifier=_NAME) as client, asyncio.TaskGroup() as tasks:
        await client.publish(topics.CONTROLLER_STATE, state, qos=1, retain=True, timeout=10)
        await client.subscribe(topics.UP_FILTER, qos=1, timeout=10)
        tasks.create_task(_acknowledge(client, tally, acknowledged), name="acknowledge")
        async for message in client.messages:
            tally.take(message.topic.value, _bytes(message.payload))


def _bytes(payload: Any) -> bytes:
    return payload if isinstance(payload, bytes) else b""


def _run(port: int, acknowledged: Counter) -> None:
    asyncio.run(_serve(port, acknowledged))


@contextmanager
def acknowledging(port: int) -> Iterator[Counter]:
    """Serve as a controller at the broker on this port; the counter holds the distinct readings acknowledged."""
    acknowledged = counter()
    with worker(_run, port, acknowledged):
        yield acknowledged
