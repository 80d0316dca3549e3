"""Thousands of JT/T 808 terminals in a process of their own: they log in, report in turn, and time acknowledgements.

They speak the simulator's reading of the standard, not the gateway's.
"""

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Final

from benchmarks.parts.worker import CONTEXT, Counter, counter, worker
from lamplighter_firmware_sim.trucks.wire import messages as say
from lamplighter_firmware_sim.trucks.wire.frames import Message, Reader, Writer

LONGEST_MS: Final = 10_000
TURN_S: Final = 0.02
BEAT_S: Final = 30.0
CALLS_AT_ONCE: Final = 200
_EAST_DEG: Final = 0.0002


@dataclass(frozen=True, slots=True)
class Told:
    """What terminals count: who is logged in, positions sent and acknowledged, acknowledgements by their ms."""

    online: Counter
    sent: Counter
    acked: Counter
    waits: Counter  # an array of LONGEST_MS counts

    def p99_ms(self) -> float:
        """Of all acknowledgements so far."""
        counts: list[int] = list(self.waits)  # type: ignore[call-overload]  # an array, whose type is not public
        left = sum(counts) * 0.99
        for wait_ms, count in enumerate(counts):
            left -= count
            if left <= 0:
                return float(wait_ms + 1)
        return float(LONGEST_MS)

    def forget(self) -> None:
        """Begin to count waits anew."""
        for at in range(LONGEST_MS):
            self.waits[at] = 0  # type: ignore[index]  # as above


@contextmanager
def terminals(port: int, count: int, per_s: Counter) -> Iterator[Told]:
    """So many terminals; together they send `per_s` positions a second, which may be changed on the way."""
    waits = CONTEXT.Array("q", LONGEST_MS, lock=False)
    told = Told(counter(), counter(), counter(), waits)
    with worker(_run, port, count, per_s, told):
        yield told


def phone(number: int) -> str:
    """The number of a terminal, counted from 1."""
    return f"1390{number:07}"


@dataclass(slots=True, eq=False)
class _Terminal(asyncio.Protocol):
    number: int
    told: Told
    writer: Writer = field(init=False)
    reader: Reader = field(default_factory=Reader)
    sent_s: dict[int, float] = field(default_factory=dict)
    transport: asyncio.Transport | None = None
    ready: bool = False
    beat_s: float = 0.0

    def __post_init__(self) -> None:
        self.writer = Writer(phone(self.number), new=False)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self.send(say.REGISTER, say.register(f"鲁A{self.number:05}", f"{self.number:07}", new=False))

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - both ends of a life are alike here
        if self.ready:
            self.told.online.value -= 1
        self.ready = False

    def data_received(self, data: bytes) -> None:
        for message in self.reader.feed(data):
            self.take(message)

    def take(self, message: Message) -> None:
        if message.id == 0x8100 and message.body[2] == say.OK:
            self.send(say.LOG_IN, say.log_in(message.body[3:].decode(), new=False))
        elif message.id == 0x8001:
            serial, of = int.from_bytes(message.body[:2]), int.from_bytes(message.body[2:4])
            if of == say.LOG_IN and message.body[4] == say.OK:
                self.ready = True
                self.told.online.value += 1
            elif of == say.POSITION and (sent_s := self.sent_s.pop(serial, None)) is not None:
                self.told.acked.value += 1
                wait_ms = min(LONGEST_MS - 1, int((time.monotonic() - sent_s) * 1000))
                self.told.waits[wait_ms] += 1  # type: ignore[index]  # an array

    def send(self, message: int, body: bytes) -> None:
        assert self.transport is not None
        self.transport.write(b"".join(self.writer.frames(message, body)))

    def report(self, turn: int) -> None:
        """One position, a little further on each time."""
        latitude = 36.5 + self.number % 500 * _EAST_DEG * 3
        longitude = 117.0 + (self.number // 500 * 0.02 + turn % 100 * _EAST_DEG)
        now_ms = time.time_ns() // 1_000_000
        fix = say.Fix(now_ms, latitude, longitude, 40.0, 90.0, 1_000.0 + turn * 0.1, 0, 0b11 | 1 << 28)
        self.send(say.POSITION, say.position(fix))
        self.sent_s[self.writer.serial] = time.monotonic()
        self.told.sent.value += 1


def _run(port: int, count: int, per_s: Counter, told: Told) -> None:
    asyncio.run(_drive(port, count, per_s, told))


async def _drive(port: int, count: int, per_s: Counter, told: Told) -> None:
    fleet = [_Terminal(number, told) for number in range(1, count + 1)]
    async with asyncio.TaskGroup() as group:
        group.create_task(_call(port, fleet), name="terminals call")
        await _report(fleet, per_s)


async def _call(port: int, fleet: list[_Terminal]) -> None:
    loop = asyncio.get_running_loop()
    for at in range(0, len(fleet), CALLS_AT_ONCE):
        here = fleet[at : at + CALLS_AT_ONCE]
        await asyncio.gather(*[loop.create_connection(partial(_same, one), "127.0.0.1", port) for one in here])


def _same(one: _Terminal) -> _Terminal:
    return one


async def _report(fleet: list[_Terminal], per_s: Counter) -> None:
    at, owed, before_s = 0, 0.0, time.monotonic()
    while True:
        await asyncio.sleep(TURN_S)
        now_s = time.monotonic()
        owed = min(owed + per_s.value * (now_s - before_s), per_s.value)
        before_s = now_s
        while owed >= 1:
            one = fleet[at % len(fleet)]
            if one.ready:
                one.report(at // len(fleet))
            at, owed = at + 1, owed - 1
        _beat(fleet, now_s)


def _beat(fleet: list[_Terminal], now_s: float) -> None:
    for one in fleet:
        if one.ready and now_s - one.beat_s > BEAT_S:
            one.beat_s = now_s
            one.send(say.HEARTBEAT, b"")
