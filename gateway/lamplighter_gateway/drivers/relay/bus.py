"""The bus of forwarded trucks: a port to which another platform posts; its devices are trucks that are only seen."""

import asyncio
import json
import logging
import os
import ssl
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final

from lamplighter_contract.clock import Clock
from lamplighter_contract.commands.command import Operation
from lamplighter_contract.errors import Reason, Refusal
from lamplighter_gateway.config.model import Device, RelayServer
from lamplighter_gateway.drivers.port import (
    Applied,
    Brought,
    BusStatus,
    Instructed,
    Outcome,
    ReadFailed,
    Reading,
    Write,
    Written,
)
from lamplighter_gateway.drivers.relay.feed import MOST_BYTES, Mark, Missed, Repeated, Sender, read_part, read_position
from lamplighter_gateway.drivers.relay.http import Line, Posted, Reply
from lamplighter_gateway.drivers.silence import Silence
from lamplighter_gateway.drivers.strangers import Strangers
from lamplighter_gateway.uplink.pace import Pace

logger = logging.getLogger(__name__)

PATH: Final = "/v1/positions"
SIGNATURE: Final = "x-lamplighter-signature"
VIEW_ONLY: Final = "view only: another platform forwards it, and nothing can be sent to it"
MOST_CONNECTIONS: Final = 32
PARTS_PER_S: Final = 20.0
PARTS_BURST: Final = 100.0
RETRY_S: Final = 5.0
STEP_S: Final = 1.0
STATUS: Final = {
    Reason.SIGNATURE: HTTPStatus.UNAUTHORIZED,
    Reason.ADDRESS: HTTPStatus.FORBIDDEN,
    Reason.CLOCK: HTTPStatus.FORBIDDEN,
    Reason.SEQUENCE: HTTPStatus.CONFLICT,
    Reason.TOO_LARGE: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    Reason.CAPACITY: HTTPStatus.SERVICE_UNAVAILABLE,
}


class RelayBus:
    """The driver of one feed."""

    def __init__(self, bus: RelayServer, devices: Sequence[Device], clock: Clock, secret: bytes, mark: Path) -> None:
        """`secret` is what parts are signed with; the last part taken is kept in the file `mark`."""
        self._bus, self._clock, self._secret, self._mark_file = bus, clock, secret, mark
        self._devices = {device.id for device in devices}
        self._senders = {d.address: Sender(d.id, d.profile.relay) for d in devices if d.profile.relay is not None}
        heartbeats = {one.device: one.profile.heartbeat_s for one in self._senders.values()}
        self._silence = Silence(heartbeats, clock.monotonic_s())
        self._last: dict[str, Reading] = {}
        self._refusals: Counter[str] = Counter()
        self._strangers = Strangers(bus.id, bus.wire, clock)
        self._store: Callable[[Sequence[Reading]], Awaitable[bool]] = _nowhere
        self._keep: Callable[[str, Brought], Awaitable[bool]] = _nowhere
        self._mark = Mark()
        self._taking = asyncio.Lock()
        self._pace = Pace(PARTS_PER_S, PARTS_BURST)
        self._connections = 0
        self._parts = 0
        self._listening = False
        self._port = bus.port
        self._last_error = ""

    def attach(
        self,
        store: Callable[[Sequence[Reading]], Awaitable[bool]],
        keep: Callable[[str, Brought], Awaitable[bool]],
        logged_in: Callable[[str], None],
    ) -> None:
        """Before it runs: where readings become durable, and who is told of strangers. Nobody logs in here."""
        del logged_in
        self._store, self._keep = store, keep

    def record_to(self, record: Callable[[str, bytes], None]) -> None:
        """Nothing: what another platform forwards is no frame of a terminal."""

    @property
    def port(self) -> int:
        """Where it listens, once it does."""
        return self._port

    async def run(self) -> None:
        """Take parts until cancelled; a port that cannot be opened is tried again."""
        self._mark = await asyncio.to_thread(_kept, self._mark_file)
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

    async def read(self, device: str, timeout_s: float) -> ReadFailed:  # noqa: ARG002 - there is nobody to wait for
        """Nobody can be asked."""
        return ReadFailed(device, VIEW_ONLY)

    async def write(self, writes: Sequence[Write], applied: Applied, *, broadcast: bool) -> list[Written]:  # noqa: ARG002 - nothing goes out
        """Nothing can be sent."""
        return [Written(write.device, Outcome.FAILED, VIEW_ONLY, answered=False) for write in writes]

    async def instruct(
        self, device: str, operation: Operation, args: Mapping[str, Any], timeout_s: float
    ) -> Instructed:
        """Nothing can be sent."""
        del device, operation, args, timeout_s
        return Instructed(Outcome.FAILED, VIEW_ONLY)

    def latest(self, device: str) -> Reading | None:
        """The newest position of a truck since the start."""
        return self._last.get(device)

    def online(self, device: str) -> bool:  # noqa: ARG002 - none of them
        """False: it cannot be reached, whatever is heard of it."""
        return False

    def ends_limits(self, device: str) -> bool:  # noqa: ARG002 - none of them
        """False: none is ever set."""
        return False

    def strangers(self) -> Sequence[Mapping[str, object]]:
        """Trucks that are forwarded and are not configured, for a person to adopt."""
        return self._strangers.listed()

    def status(self) -> BusStatus:
        """Counters and health since start; the cycle is the sender's own."""
        return BusStatus(
            bus=self._bus.id,
            wire=self._bus.wire,
            connected=self._listening,
            devices=len(self._devices),
            silent=self._silence.silent,
            cycle_s=0.0,
            utilisation=0.0,
            requests=self._parts,
            timeouts=0,
            crc_errors=0,
            exceptions=0,
            refused=self._refusals.total(),
            last_error=self._last_error,
            refusals=tuple(sorted(self._refusals.items())),
        )

    async def _serve(self) -> None:
        async with asyncio.TaskGroup() as group:

            def begin(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
                if self._connections >= MOST_CONNECTIONS:
                    self._refusals[Reason.CAPACITY] += 1
                    writer.close()
                    return
                group.create_task(self._attend(Line(reader, writer, self._answer, MOST_BYTES)), name=self._bus.id)

            server = await asyncio.start_server(begin, self._bus.host, self._bus.port, ssl=_tls(self._bus))
            self._port = server.sockets[0].getsockname()[1]
            self._listening, self._last_error = True, ""
            try:
                while True:
                    for name in self._silence.step(self._clock.monotonic_s()).silent:
                        logger.info("bus %s: nothing of %s was forwarded for long", self._bus.id, name)
                    await asyncio.sleep(STEP_S)
            finally:
                self._listening = False
                server.close()

    async def _attend(self, line: Line) -> None:
        self._connections += 1
        try:
            if not await line.serve():
                self._refusals[Reason.MALFORMED] += 1
        finally:
            self._connections -= 1

    async def _answer(self, posted: Posted) -> Reply:
        if (posted.method, posted.path) != ("POST", PATH):
            self._refusals[Reason.MALFORMED] += 1
            return Reply(HTTPStatus.NOT_FOUND, {"reason": Reason.MALFORMED, "detail": f"POST {PATH} is expected"})
        if posted.body is None:
            return self._refused(Refusal(Reason.TOO_LARGE, f"at most {MOST_BYTES} bytes are taken"))
        async with self._taking:  # parts are taken one after the other, whoever sends them
            return await self._take(posted.body, posted.headers.get(SIGNATURE, ""))

    async def _take(self, body: bytes, signed: str) -> Reply:
        part = read_part(body, signed, self._secret, self._bus.id, self._clock.wall_ms(), self._mark)
        if isinstance(part, Refusal):
            return self._refused(part)
        if isinstance(part, Repeated):
            self._refusals[Reason.REPEATED] += 1
            return Reply(HTTPStatus.OK, {"sequence": part.mark.sequence, "repeated": True})
        if not self._pace.take(self._clock.monotonic_s()):
            return self._refused(Refusal(Reason.CAPACITY, f"more than {PARTS_PER_S:g} parts a second"))
        now_ms = self._clock.civil_ms()
        found = [read_position(one, place, self._senders, now_ms) for place, one in enumerate(part.positions)]
        readings = [one for one in found if isinstance(one, Reading)]
        if not await self._kept(readings, part.mark):
            return self._refused(Refusal(Reason.CAPACITY, "nothing becomes durable now"))
        missed = [one for one in found if isinstance(one, Missed)]
        await self._note(missed)
        refused = [{"position": one.position, "reason": one.reason, "detail": one.detail} for one in missed]
        return Reply(HTTPStatus.OK, {"sequence": part.mark.sequence, "stored": len(readings), "refused": refused[:100]})

    async def _kept(self, readings: Sequence[Reading], mark: Mark) -> bool:
        """Readings first: a part that is taken twice does no harm, as a truck is at one moment in one place."""
        for reading in readings:
            self._silence.heard(reading.device, self._clock.monotonic_s())
            before = self._last.get(reading.device)
            if before is None or before.time_ms <= reading.time_ms:
                self._last[reading.device] = reading
        if not await self._store(readings):
            return False
        try:
            await asyncio.to_thread(_keep, self._mark_file, mark)
        except OSError as error:
            self._last_error = f"{self._mark_file}: {error}"
            return False
        self._mark = mark
        self._parts += 1
        return True

    def _refused(self, refusal: Refusal) -> Reply:
        self._refusals[refusal.reason] += 1
        self._last_error = f"{refusal.reason}: {refusal.detail}"
        status = STATUS.get(refusal.reason, HTTPStatus.BAD_REQUEST)
        about = {"reason": refusal.reason, "detail": refusal.detail}
        if refusal.reason is Reason.SEQUENCE:
            return Reply(status, about | {"highest": self._mark.sequence})
        again = (("retry-after", "1"),) if refusal.reason is Reason.CAPACITY else ()
        return Reply(status, about, again, ends=refusal.reason is Reason.SIGNATURE)

    async def _note(self, missed: Sequence[Missed]) -> None:
        for one in missed:
            self._refusals[one.reason] += 1
            if one.truck:
                await self._strangers.note(one.truck, {"truck": one.truck}, self._keep)


def _tls(bus: RelayServer) -> ssl.SSLContext | None:
    if bus.certificate is None or bus.key is None:
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(bus.certificate, bus.key)
    return context


def _kept(file: Path) -> Mark:
    """The last part that was taken, as the last process start left it; none where the file cannot be understood."""
    try:
        found = json.loads(file.read_bytes())
        return Mark(int(found["sequence"]), str(found["digest"]))
    except (OSError, ValueError, KeyError, TypeError):
        return Mark()


def _keep(file: Path, mark: Mark) -> None:
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    fresh = file.with_suffix(".new")
    with fresh.open("wb") as made:
        made.write(json.dumps({"sequence": mark.sequence, "digest": mark.digest}).encode())
        made.flush()
        os.fsync(made.fileno())
    fresh.replace(file)


async def _nowhere(*_brought: object) -> bool:
    """Nothing is durable before somebody says where."""
    return False
