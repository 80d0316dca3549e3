"""In-memory ports of the gateway: a bus of lamps, and a broker with a centre behind it."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from lamplighter_contract.clock import Clock
from lamplighter_contract.quantities import Kind
from lamplighter_contract.wire.ack import Ack, ranges
from lamplighter_contract.wire.documents import DeviceEntry
from lamplighter_contract.wire.frame import decode_frame
from lamplighter_contract.wire.topics import Down, down
from lamplighter_gateway.drivers.port import (
    Applied,
    BusStatus,
    Outcome,
    Point,
    ReadFailed,
    Reading,
    Sink,
    Write,
    Written,
)
from lamplighter_gateway.link.port import Incoming, LinkDownError, PublishDeniedError, Will

LAMP_CAPABILITIES = ("light.set", "light.resume", "light.identify")


def lamp_entry(device: str) -> DeviceEntry:
    return DeviceEntry(device, Kind.LAMP, "lamp-single", "bus/1", LAMP_CAPABILITIES)


async def until(condition: Callable[[], bool], timeout_s: float = 10.0) -> None:
    """Wait until a condition holds."""
    async with asyncio.timeout(timeout_s):
        while not condition():
            await asyncio.sleep(0.005)


class MemoryBus:
    """Lamps that obey at once; `silent` ones do not answer, `stuck` ones keep their level."""

    def __init__(self, bus: str, devices: Sequence[str], sink: Sink, clock: Clock, poll_s: float = 0.05) -> None:
        self.bus = bus
        self.levels = dict.fromkeys(devices, 40.0)
        self.silent: set[str] = set()
        self.stuck: set[str] = set()
        self.connected = True
        self.writes: list[Write] = []
        self.broadcasts = 0
        self.reads: list[str] = []
        self._sink = sink
        self._clock = clock
        self._poll_s = poll_s

    async def run(self) -> None:
        while True:
            self._sink([self._reading(device) for device in self.levels if device not in self.silent])
            await asyncio.sleep(self._poll_s)

    async def read(self, device: str, timeout_s: float) -> Reading | ReadFailed:
        self.reads.append(device)
        return ReadFailed(device, "no response") if device in self.silent else self._reading(device)

    async def write(self, writes: Sequence[Write], applied: Applied, *, broadcast: bool) -> list[Written]:
        self.writes += writes
        self.broadcasts += broadcast
        return [self._write(write, applied) for write in writes]

    def status(self) -> BusStatus:
        silent = tuple(sorted(self.silent))
        return BusStatus(self.bus, "memory", self.connected, len(self.levels), silent, 0.1, 0.1, 1, 0, 0, 0, 0, "")

    def _write(self, write: Write, applied: Applied) -> Written:
        if write.device in self.silent:
            return Written(write.device, Outcome.UNCONFIRMED, "no response", answered=False)
        applied(write.device)
        if write.point is not Point.LEVEL:
            if write.point is Point.RESUME:
                self.levels[write.device] = 40.0
            return Written(write.device, Outcome.APPLIED)
        if write.device in self.stuck:
            return Written(write.device, Outcome.FAILED, "something else was read back", self._reading(write.device))
        self.levels[write.device] = write.value
        return Written(write.device, Outcome.VERIFIED, "", self._reading(write.device))

    def _reading(self, device: str) -> Reading:
        values = {"level_percent": self.levels[device], "power_w": self.levels[device]}
        return Reading(device, Kind.LAMP, self._clock.civil_ms(), values)


@dataclass
class MemoryConnection:
    link: "MemoryLink"
    incoming: asyncio.Queue[Incoming] = field(default_factory=asyncio.Queue)
    lost: asyncio.Event = field(default_factory=asyncio.Event)

    async def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> None:
        if self.lost.is_set():
            raise LinkDownError("cut")
        channel = topic.rsplit("/", 1)[1]
        if channel in self.link.denied:
            raise PublishDeniedError("not authorized")
        self.link.published.append((channel, payload, retain))
        if channel in ("urgent", "live", "backlog"):
            self.link.take_frame(payload)

    async def messages(self) -> AsyncIterator[Incoming]:
        lost = asyncio.ensure_future(self.lost.wait())
        try:
            while True:
                getting = asyncio.ensure_future(self.incoming.get())
                await asyncio.wait({getting, lost}, return_when=asyncio.FIRST_COMPLETED)
                if not getting.done():
                    getting.cancel()
                    raise LinkDownError("cut")
                yield getting.result()
        finally:
            lost.cancel()

    def done(self, message: Incoming) -> None:
        self.link.handled += 1


class MemoryLink:
    """A broker with a centre that acks frames when `acking`."""

    def __init__(self, gateway: str) -> None:
        self.gateway = gateway
        self.reachable = True
        self.acking = True
        self.epoch = 1
        self.denied: set[str] = set()
        self.published: list[tuple[str, bytes, bool]] = []
        self.frames: list[Any] = []
        self.handled = 0
        self.will: Will | None = None
        self.connection: MemoryConnection | None = None
        self.greeting: list[Incoming] = []

    @contextlib.asynccontextmanager
    async def connect(self, will: Will, topics: tuple[str, ...]) -> AsyncIterator[MemoryConnection]:
        if not self.reachable:
            raise LinkDownError("refused")
        self.will = will
        self.connection = MemoryConnection(self)
        for message in self.greeting:
            self.connection.incoming.put_nowait(message)
        try:
            yield self.connection
        finally:
            self.connection = None

    def cut(self) -> None:
        self.reachable = False
        if self.connection is not None:
            self.connection.lost.set()

    def send(self, channel: Down, payload: bytes, *, retained: bool = False) -> None:
        assert self.connection is not None
        self.connection.incoming.put_nowait(Incoming(down(self.gateway, channel), payload, retained))

    def send_to(self, topic: str, payload: bytes) -> None:
        assert self.connection is not None
        self.connection.incoming.put_nowait(Incoming(topic, payload, retained=True))

    def take_frame(self, payload: bytes) -> None:
        frame = decode_frame(payload)
        self.frames.append(frame)
        if self.acking:
            self.ack([frame.envelope.seq], frame.envelope.boot)  # type: ignore[union-attr]

    def ack(self, seqs: Sequence[int], boot: str) -> None:
        if self.connection is not None:
            self.send(Down.ACK, Ack("c", self.epoch, boot, ranges(seqs)).encode())

    def results(self, identity: str | None = None) -> list[dict[str, Any]]:
        """Result objects that arrived, each (id, n) once, in order of n."""
        found = {}
        for channel, payload, _ in self.published:
            if channel == "urgent":
                for result in json.loads(payload).get("results", []):
                    if identity in (None, result["id"]):
                        found[result["id"], result["n"]] = result
        return [found[key] for key in sorted(found)]

    def events(self) -> list[dict[str, Any]]:
        return [
            event
            for channel, payload, _ in self.published
            if channel == "urgent"
            for event in json.loads(payload).get("events", [])
        ]

    def lanes(self) -> list[str]:
        return [channel for channel, _, _ in self.published if channel in ("urgent", "live", "backlog")]
