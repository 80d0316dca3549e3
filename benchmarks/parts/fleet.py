"""Many gateways in one process: ready frames, at most 16 in flight each, acks honoured and timed."""

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing.sharedctypes import SynchronizedArray
from typing import Final

import aiomqtt

from benchmarks.parts.frames import ROWS, Press, devices, gateway_id
from benchmarks.parts.truck_frames import TruckPress, truck_devices
from benchmarks.parts.worker import CONTEXT, Counter, counter, worker
from lamplighter_contract.wire import topics
from lamplighter_contract.wire.ack import Ack, decode_ack
from lamplighter_contract.wire.documents import GatewayState, encode
from lamplighter_contract.wire.limits import IN_FLIGHT_PER_LANE

_BOOT: Final = "boot-1"
_KEPT: Final = 100_000
_TIMEOUT_S: Final = 60


@dataclass(frozen=True, slots=True)
class Plan:
    """Who sends what.

    Args:
        gateways: how many there are.
        blocks: frames of 250 lamps that each of them serves.
        trucks: they are trucks, not lamps.
        period_s: 0 sends as fast as acks allow, else every lamp once in that time, evenly spread.
        acked: False for a receiver that never acknowledges: nothing but the broker slows the fleet then.
    """

    gateways: int
    blocks: int
    period_s: float = 0
    acked: bool = True
    trucks: bool = False


@dataclass(frozen=True, slots=True)
class Progress:
    """What a running fleet lets see: frames sent and acknowledged, acks, and how long they took."""

    announced: Counter
    go: Counter
    sent: Counter
    acked: Counter
    acks: Counter
    delays_s: "SynchronizedArray[float]"

    def readings(self) -> int:
        """Readings acknowledged so far."""
        return self.acked.value * ROWS

    def behind(self) -> int:
        """Frames sent and not yet acknowledged."""
        return self.sent.value - self.acked.value

    def delays(self, first: int) -> list[float]:
        """Seconds from sending to ack of the frames acknowledged after the `first` ones."""
        return [self.delays_s[index % _KEPT] for index in range(first, self.acked.value)]


@dataclass(slots=True)
class _Gateway:
    number: int
    seq: int = 0
    room: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(IN_FLIGHT_PER_LANE))
    in_flight: dict[int, float] = field(default_factory=dict)


class _Fleet:
    def __init__(self, plan: Plan, progress: Progress, client: aiomqtt.Client) -> None:
        self._plan, self._progress, self._client = plan, progress, client
        self._press = (TruckPress if plan.trucks else Press)(range(plan.gateways), plan.blocks)
        self._gateways = [_Gateway(number) for number in range(plan.gateways)]

    async def announce(self) -> None:
        """Births and device lists of all gateways."""
        birth = encode(GatewayState(_BOOT, online=True, version="benchmark"))
        for gateway in self._gateways:
            name = gateway_id(gateway.number)
            listed = (truck_devices if self._plan.trucks else devices)(gateway.number, self._plan.blocks)
            await self._publish(topics.up(name, topics.Up.STATE), birth, retain=True)
            await self._publish(topics.up(name, topics.Up.DEVICES), listed, retain=True)
            self._progress.announced.value += 1

    async def send(self) -> None:
        """Send until cancelled."""
        while not self._progress.go.value:
            await asyncio.sleep(0.02)
        async with asyncio.TaskGroup() as tasks:
            for gateway in self._gateways:
                tasks.create_task(self._serve(gateway), name=gateway_id(gateway.number))

    async def listen(self) -> None:
        """Take acks."""
        async for message in self._client.messages:
            ack, place = decode_ack(bytes(message.payload)), topics.parse_down(message.topic.value)
            if isinstance(ack, Ack) and place is not None:
                self._note(self._gateways[int(place[0].removeprefix("gw-"))], ack)

    def _note(self, gateway: _Gateway, ack: Ack) -> None:
        self._progress.acks.value += 1
        now_s = time.monotonic()
        for first, last in ack.seq:
            for seq in range(first, last + 1):
                sent_s = gateway.in_flight.pop(seq, None)
                if sent_s is not None:
                    self._progress.delays_s[self._progress.acked.value % _KEPT] = now_s - sent_s
                    self._progress.acked.value += 1
                    gateway.room.release()

    async def _serve(self, gateway: _Gateway) -> None:
        step_s = self._plan.period_s / self._plan.blocks
        due_s = time.monotonic() + step_s * gateway.number / self._plan.gateways
        while True:
            for block in range(self._plan.blocks):
                await asyncio.sleep(max(0.0, due_s - time.monotonic()) if step_s else 0)
                if self._plan.acked:
                    await gateway.room.acquire()
                await self._send(gateway, block)
                due_s += step_s

    async def _send(self, gateway: _Gateway, block: int) -> None:
        gateway.seq += 1
        frame = self._press.frame(gateway.number, block, gateway.seq, _BOOT, time.time_ns() // 1_000_000)
        if self._plan.acked:
            gateway.in_flight[gateway.seq] = time.monotonic()
        self._progress.sent.value += 1
        await self._publish(topics.up(gateway_id(gateway.number), topics.Up.LIVE), frame)

    async def _publish(self, topic: str, payload: bytes, *, retain: bool = False) -> None:
        await self._client.publish(topic, payload, qos=1, retain=retain, timeout=_TIMEOUT_S)


async def _run_fleet(port: int, plan: Plan, progress: Progress) -> None:
    connection = aiomqtt.Client(
        "127.0.0.1", port, identifier="fleet", max_inflight_messages=5000, max_concurrent_outgoing_calls=5000
    )
    connection.pending_calls_threshold = 5000
    async with connection as client, asyncio.TaskGroup() as tasks:
        fleet = _Fleet(plan, progress, client)
        await client.subscribe(topics.down("+", topics.Down.ACK), qos=1, timeout=_TIMEOUT_S)
        tasks.create_task(fleet.listen(), name="acks")
        await fleet.announce()
        tasks.create_task(fleet.send(), name="frames")


def _run(port: int, plan: Plan, progress: Progress) -> None:
    asyncio.run(_run_fleet(port, plan, progress))


@contextmanager
def fleet(port: int, plan: Plan) -> Iterator[Progress]:
    """Announce the gateways at the broker on this port; they send once `go` is 1."""
    progress = Progress(counter(), counter(), counter(), counter(), counter(), CONTEXT.Array("d", _KEPT))
    with worker(_run, port, plan, progress):
        yield progress
