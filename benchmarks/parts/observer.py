"""Who only listens at the broker: readings that were acknowledged, results of commands and when they came."""

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

import aiomqtt

from benchmarks.parts.worker import Counter, counter, worker
from lamplighter_contract.commands.states import CommandState
from lamplighter_contract.wire import topics
from lamplighter_contract.wire.ack import Ack, decode_ack
from lamplighter_contract.wire.frame import ReadingsFrame, ResultsFrame, decode_frame

_EVERYTHING: Final = f"{topics.ROOT}/#"
Frame = tuple[str, int]


@dataclass(slots=True)
class Seen:
    """What passed by."""

    acknowledged: int = 0
    verified_s: dict[str, float] = field(default_factory=dict)
    _rows: dict[Frame, int] = field(default_factory=dict)

    def take(self, topic: str, payload: bytes) -> None:
        """Note one message."""
        upward, downward = topics.parse_up(topic), topics.parse_down(topic)
        if upward is not None and upward[1] in topics.LANES:
            self._frame(upward[0], payload)
        elif downward is not None and downward[1] is topics.Down.ACK:
            self._ack(downward[0], payload)

    def _frame(self, gateway: str, payload: bytes) -> None:
        frame = decode_frame(payload)
        if isinstance(frame, ReadingsFrame):
            self._rows.setdefault((gateway, frame.envelope.seq), len(frame.device))
        elif isinstance(frame, ResultsFrame):
            for result in frame.results:
                if result.state is CommandState.VERIFIED:
                    self.verified_s.setdefault(result.id, time.monotonic())

    def _ack(self, gateway: str, payload: bytes) -> None:
        ack = decode_ack(payload)
        if isinstance(ack, Ack):
            for first, last in ack.seq:
                self.acknowledged += sum(self._rows.pop((gateway, seq), 0) for seq in range(first, last + 1))


async def observe(port: int, seen: Seen, listening: asyncio.Event | None = None) -> None:
    """Listen until cancelled."""
    async with aiomqtt.Client("127.0.0.1", port, identifier="observer") as client:
        await client.subscribe(_EVERYTHING, qos=1, timeout=10)
        if listening is not None:
            listening.set()
        async for message in client.messages:
            seen.take(message.topic.value, bytes(message.payload))


async def _count(port: int, acknowledged: Counter) -> None:
    seen = Seen()
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(observe(port, seen), name="observe")
        while True:
            await asyncio.sleep(0.2)
            acknowledged.value = seen.acknowledged


def _run(port: int, acknowledged: Counter) -> None:
    asyncio.run(_count(port, acknowledged))


@contextmanager
def counting(port: int) -> Iterator[Counter]:
    """Count readings acknowledged at the broker on this port, in another process."""
    acknowledged = counter()
    with worker(_run, port, acknowledged):
        yield acknowledged
