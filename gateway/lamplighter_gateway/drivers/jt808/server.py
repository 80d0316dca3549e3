"""The bus of JT/T 808 terminals: a TCP server that they call; its devices are the trucks they sit in."""

import asyncio
import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from math import inf
from typing import Any, Final

from lamplighter_contract.clock import Clock
from lamplighter_contract.commands.command import Operation
from lamplighter_gateway.config.model import Device, TrackerServer
from lamplighter_gateway.drivers.jt808.carrying import carry_out
from lamplighter_gateway.drivers.jt808.codec.fragments import Assembly, Room
from lamplighter_gateway.drivers.jt808.commanding import Told, limit_message, speak_message
from lamplighter_gateway.drivers.jt808.connection import Connection, Shore, accepted
from lamplighter_gateway.drivers.jt808.instructing import instruction
from lamplighter_gateway.drivers.jt808.session import Book, Session, Stranger, Terminal, bare
from lamplighter_gateway.drivers.port import (
    Applied,
    Brought,
    BusStatus,
    Instructed,
    Outcome,
    Point,
    ReadFailed,
    Reading,
    Write,
    Written,
)
from lamplighter_gateway.drivers.silence import Silence
from lamplighter_gateway.drivers.strangers import Strangers

logger = logging.getLogger(__name__)

MOST_CONNECTIONS: Final = 20_000
UNFINISHED_BYTES: Final = 64 * 1024 * 1024  # of fragments, of all terminals together
READ_BYTES: Final = 8_192  # read ahead of a terminal that is slowed
BACKLOG: Final = 1024
RETRY_S: Final = 5.0
POSITION_S: Final = 1.0  # between an answer and the position in it
STEP_S: Final = 1.0
NOT_CONNECTED: Final = "not sent: its terminal is not connected"


class TrackerBus:
    """The driver of one listening port."""

    def __init__(self, bus: TrackerServer, devices: Sequence[Device], clock: Clock, secret: bytes) -> None:
        """`secret` makes the codes with which terminals log in."""
        self._bus, self._clock = bus, clock
        self._devices = {device.id: device for device in devices}
        terminals = {bare(d.address): Terminal(d.id, d.profile.jt808) for d in devices if d.profile.jt808 is not None}
        self._terminals = {terminal.device: terminal for terminal in terminals.values()}
        self._book = Book(terminals, secret)
        self._online: dict[str, Connection] = {}
        self._last: dict[str, Reading] = {}
        self._news: dict[str, asyncio.Future[Reading]] = {}
        self._refusals: Counter[str] = Counter()
        self._shore = Shore(_nowhere, _nowhere, self._heard, self._logged_in, self._stranger, self._refusals)
        heartbeats = {name: terminal.profile.heartbeat_s for name, terminal in self._terminals.items()}
        self._silence = Silence(heartbeats, clock.monotonic_s())
        self._connections: set[Connection] = set()
        self._messages = 0
        self._timeouts = 0
        self._listening = False
        self._port = bus.port
        self._last_error = ""
        self._strangers = Strangers(bus.id, bus.wire, clock)
        self._unfinished = Room(UNFINISHED_BYTES)
        self._tell_login: Callable[[str], None] = lambda _device: None

    def attach(
        self,
        store: Callable[[Sequence[Reading]], Awaitable[bool]],
        keep: Callable[[str, Brought], Awaitable[bool]],
        logged_in: Callable[[str], None],
    ) -> None:
        """Before it runs: where readings and other things become durable, and who is told of each log-in."""
        self._shore = replace(self._shore, store=store, keep=keep)
        self._tell_login = logged_in

    def record_to(self, record: Callable[[str, bytes], None]) -> None:
        """Before it runs: who keeps frames as they came, flags and escapes included."""
        self._shore = replace(self._shore, record=record)

    @property
    def port(self) -> int:
        """Where it listens, once it does."""
        return self._port

    async def run(self) -> None:
        """Serve terminals until cancelled; a port that cannot be opened is tried again."""
        told = False
        while True:
            try:
                await self._serve()
            except OSError as error:
                self._last_error = f"{self._bus.host}:{self._bus.port} cannot be opened: {error}"
                if not told:
                    logger.error("bus %s: %s; trying again", self._bus.id, self._last_error)  # noqa: TRY400 - a person's mistake, no trace wanted
                told = True
            await asyncio.sleep(RETRY_S)

    async def read(self, device: str, timeout_s: float) -> Reading | ReadFailed:
        """Have a terminal tell where it is (0x8201)."""
        connection = self._online.get(device)
        if connection is None:
            return ReadFailed(device, "its terminal is not connected")
        news = self._next(device)
        answer = await connection.ask(0x8201, b"", timeout_s)
        if answer is None:
            self._timeouts += 1
            return ReadFailed(device, f"no answer within {timeout_s:g} s")
        try:
            async with asyncio.timeout(POSITION_S):
                return await asyncio.shield(news)
        except TimeoutError:
            return ReadFailed(device, "it answered without a position")

    async def write(self, writes: Sequence[Write], applied: Applied, *, broadcast: bool) -> list[Written]:  # noqa: ARG002 - terminals have no broadcast
        """Send every write, and wait for the status bits that prove it; one result per write, in order."""
        async with asyncio.TaskGroup() as group:
            tasks = [
                group.create_task(self._write(write, applied), name=f"write-{write.device}-{write.point}")
                for write in writes
            ]
        return [task.result() for task in tasks]

    async def instruct(
        self, device: str, operation: Operation, args: Mapping[str, Any], timeout_s: float
    ) -> Instructed:
        """Have a terminal do what limits nobody, each message acknowledged."""
        connection = self._online.get(device)
        if connection is None:
            return Instructed(Outcome.FAILED, NOT_CONNECTED)
        wanted = instruction(operation, args, connection.edition, self._terminals[device].profile)
        if isinstance(wanted, str):
            return Instructed(Outcome.FAILED, wanted)
        return await carry_out(wanted, connection, self._clock, timeout_s)

    def latest(self, device: str) -> Reading | None:
        """The newest reading of a truck since the start."""
        return self._last.get(device)

    def online(self, device: str) -> bool:
        """True while its terminal is connected and logged in."""
        return device in self._online

    def ends_limits(self, device: str) -> bool:
        """True when the terminal itself ends a limit."""
        return self._terminals[device].profile.ends_limits

    def strangers(self) -> Sequence[Mapping[str, object]]:
        """Terminals that called and are not configured, for a person to adopt; the oldest first."""
        return self._strangers.listed()

    def status(self) -> BusStatus:
        """Counters and health since start; trackers report in a rhythm of their own."""
        return BusStatus(
            bus=self._bus.id,
            wire=self._bus.wire,
            connected=self._listening,
            devices=len(self._devices),
            silent=self._silence.silent,
            cycle_s=0.0,
            utilisation=0.0,
            requests=self._messages + sum(connection.messages for connection in self._connections),
            timeouts=self._timeouts,
            crc_errors=self._refusals["checksum"],
            exceptions=0,
            refused=self._refusals.total(),
            last_error=self._last_error,
            refusals=tuple(sorted(self._refusals.items())),
        )

    async def _serve(self) -> None:
        async with asyncio.TaskGroup() as group:

            def begin(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
                if len(self._connections) >= MOST_CONNECTIONS:
                    self._refusals["crowded"] += 1
                    writer.close()
                    return
                session = Session(self._book, assembly=Assembly(self._unfinished))
                connection = Connection(reader, writer, session, self._shore, self._clock)
                group.create_task(self._attend(connection), name=f"{self._bus.id} {connection.peer}")

            server = await asyncio.start_server(
                begin, self._bus.host, self._bus.port, backlog=BACKLOG, limit=READ_BYTES
            )
            self._port = server.sockets[0].getsockname()[1]
            self._listening, self._last_error = True, ""
            try:
                await self._watch()
            finally:
                self._listening = False
                server.close()

    async def _attend(self, connection: Connection) -> None:
        self._connections.add(connection)
        try:
            why = await connection.serve()
        finally:
            self._connections.discard(connection)
            self._messages += connection.messages
            gone = [device for device, its in self._online.items() if its is connection]
            for device in gone:
                del self._online[device]
        logger.debug("bus %s: %s ended: %s", self._bus.id, connection.phone or connection.peer, why)

    async def _watch(self) -> None:
        while True:
            for name in self._silence.step(self._clock.monotonic_s()).silent:
                logger.info("bus %s: %s is silent", self._bus.id, name)
            await asyncio.sleep(STEP_S)

    def _logged_in(self, device: str, connection: Connection) -> None:
        """The newest connection of a terminal is its only one."""
        before = self._online.pop(device, None)
        if before is not None and before is not connection:
            before.close()
        self._online[device] = connection
        self._silence.heard(device, self._clock.monotonic_s())
        self._tell_login(device)

    def _heard(self, device: str, readings: Sequence[Reading]) -> None:
        self._silence.heard(device, self._clock.monotonic_s())
        newest = readings[-1]
        before = self._last.get(device)
        if before is None or newest.time_ms >= before.time_ms:
            self._last[device] = newest
            news = self._news.pop(device, None)
            if news is not None and not news.done():
                news.set_result(newest)

    async def _stranger(self, stranger: Stranger) -> None:
        """A terminal nobody configured; people see who it says it is, and may adopt it."""
        self._refusals["unknown_terminal"] += 1
        await self._strangers.note(bare(stranger.phone), {"phone": stranger.phone, **stranger.body}, self._shore.keep)

    async def _write(self, write: Write, applied: Applied) -> Written:
        terminal, connection = self._terminals[write.device], self._online.get(write.device)
        told = self._message(write, terminal, connection)
        if isinstance(told, str):
            return Written(write.device, Outcome.FAILED, told, answered=False)
        assert connection is not None
        left_s = max(write.deadline_s - self._clock.monotonic_s(), 0.1)
        answer = await connection.ask(told.message, told.body, left_s, again_by_s=write.again_by_s)
        if answer is None:
            self._timeouts += 1
            if write.again_by_s < inf:
                connection.abandon()
            return Written(write.device, Outcome.UNCONFIRMED, "no answer from the terminal", answered=False)
        if not accepted(answer):
            return Written(write.device, Outcome.FAILED, f"the terminal refused it with {answer.result}")
        applied(write.device)
        if told.proof is None:
            return Written(write.device, Outcome.APPLIED)
        return await self._proven(write, terminal, told.proof, connection)

    def _message(self, write: Write, terminal: Terminal, connection: Connection | None) -> Told | str:
        if connection is None:
            return NOT_CONNECTED
        if write.point is Point.SPEAK:
            return speak_message(write.text, connection.edition)
        return limit_message(write.point, write.value, terminal.profile.limiter)

    async def _proven(self, write: Write, terminal: Terminal, proof: str, connection: Connection) -> Written:
        """The terminal's own status bit is the only proof; it is asked where it is so as to hear it soon."""
        end_s = min(self._clock.monotonic_s() + terminal.profile.settle_s, write.deadline_s)
        last: Reading | None = None
        while (left_s := end_s - self._clock.monotonic_s()) > 0:
            news = self._next(write.device)
            await connection.ask(0x8201, b"", min(left_s, terminal.profile.settle_s / 3))
            try:
                async with asyncio.timeout(max(0.05, min(1.0, end_s - self._clock.monotonic_s()))):
                    last = await asyncio.shield(news)
            except TimeoutError:
                continue
            if bool(last.values.get(proof)) is bool(write.value):
                return Written(write.device, Outcome.VERIFIED, "", last)
        if last is None:
            return Written(write.device, Outcome.UNCONFIRMED, "acknowledged, and nothing heard since", answered=False)
        return Written(write.device, Outcome.FAILED, "acknowledged, but not in effect", last)

    def _next(self, device: str) -> "asyncio.Future[Reading]":
        news = self._news.get(device)
        if news is None or news.done():
            news = self._news[device] = asyncio.get_running_loop().create_future()
        return news


async def _nowhere(*_brought: object) -> bool:
    """Nothing is durable before somebody says where."""
    return False
