"""A terminal that speaks JT/T 808 to the platform over TCP, for as long as its truck exists."""

import asyncio
import contextlib
import logging
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any, Final

from lamplighter_contract.clock import Clock
from lamplighter_firmware_sim.trucks.fleet import Tracker
from lamplighter_firmware_sim.trucks.wire import messages as say
from lamplighter_firmware_sim.trucks.wire.answers import Answers
from lamplighter_firmware_sim.trucks.wire.fragments import Kept
from lamplighter_firmware_sim.trucks.wire.frames import Message, Reader, Writer
from lamplighter_firmware_sim.trucks.wire.onboard import MOST_STORED, Onboard
from lamplighter_firmware_sim.trucks.wire.settings import FENCING, Settings

_LOG: Final = logging.getLogger(__name__)

LOOK_S: Final = 0.2
HEARTBEAT_S: Final = 20.0
ANSWER_S: Final = 10.0
MENDED_S: Final = 75.0  # a platform asks for lost fragments more than once, seconds apart
QUIET_S: Final = 60.0
BACK_OFF_S: Final = (0.5, 1, 2, 5, 10)
PICTURE: Final = b"\xff\xd8" + bytes(range(256)) * 6 + b"\xff\xd9"


class Terminal:
    """One terminal.

    It reports every `interval_s` civil seconds, never more often than `least_s` real ones, and at once when its truck's
    body, cover, load or limits change.
    """

    def __init__(
        self, onboard: Onboard, server: tuple[str, int], clock: Clock, interval_s: float, least_s: float
    ) -> None:
        """`server` is where the platform listens."""
        self.onboard, self._server, self._clock = onboard, server, clock
        self._interval_ms, self._least_s = interval_s * 1000, least_s
        self._new = onboard.truck.tracker is Tracker.MUCK_2019
        self._writer = Writer(onboard.truck.phone, self._new)
        self._code = ""
        self._stored: deque[bytes] = deque(maxlen=MOST_STORED)
        self._unacked: dict[int, bytes] = {}
        self._reported_ms, self._reported_s = 0, 0.0
        self._status = -1
        self._waybill = onboard.driver.waybill
        self.logged_in = asyncio.Event()
        self.refused = 0
        self.photos = 0
        self._carded = False
        self._answers = Answers()
        self.kept = Kept()
        self._said_s = 0.0
        self.settings = Settings(interval_s)
        self._tracked: tuple[float, float] = (0.0, 0.0)  # until when (real), and how often
        self._does: Mapping[int, Callable[[bytes], None]] = {
            0x8F02: self._limit_speed,
            0x8F03: self._limit_lift,
            0x8300: self._speak,
            0x8202: self._track,
            **dict.fromkeys((0x8105, 0x8203, 0x8500), lambda _body: None),
        }

    async def run(self) -> None:
        """Call for ever; what happens while there is no link is stored, and sent as blind-area positions later."""
        failures = 0
        while True:
            with contextlib.suppress(OSError, TimeoutError, asyncio.IncompleteReadError):
                await self._call()
                failures = 0
            self._store_unacked()
            self.logged_in.clear()
            end_s = self._clock.monotonic_s() + BACK_OFF_S[min(failures, len(BACK_OFF_S) - 1)]
            failures += 1
            while self._clock.monotonic_s() < end_s or self._blind():
                self._note()
                await asyncio.sleep(LOOK_S)

    async def _call(self) -> None:
        async with asyncio.timeout(ANSWER_S):
            reader, writer = await asyncio.open_connection(*self._server)
        listening = asyncio.create_task(self._listen(reader, writer), name=f"{self.onboard.truck.id} listens")
        try:
            await self._log_in(writer)
            _LOG.debug("%s is logged in", self.onboard.truck.id)
            await self._report(writer, listening)
        finally:
            listening.cancel()
            writer.close()
            with contextlib.suppress(asyncio.CancelledError, OSError):
                await listening

    async def _log_in(self, writer: asyncio.StreamWriter) -> None:
        truck = self.onboard.truck
        if not self._code:
            await self._ask(writer, say.REGISTER, say.register(truck.plate, truck.id, new=self._new))
        if await self._ask(writer, say.LOG_IN, say.log_in(self._code, new=self._new)) != say.OK:
            self._code = ""
            raise OSError("the code was refused")
        self.logged_in.set()
        if not self._carded:
            self._carded = True
            card = say.driver_card(f"{truck.plate[-3:]}号司机", truck.phone, self._clock.civil_ms(), new=self._new)
            self._send(writer, say.DRIVER_CARD, card)

    async def _report(self, writer: asyncio.StreamWriter, listening: "asyncio.Task[None]") -> None:
        self._said_s = self._clock.monotonic_s()
        while not listening.done() and not self._blind():
            await self._backfill(writer, listening)
            await self._say_due(writer)
            await asyncio.sleep(LOOK_S)

    async def _say_due(self, writer: asyncio.StreamWriter) -> None:
        now_s = self._clock.monotonic_s()
        if self._due():
            self._send(writer, say.POSITION, self._position())
            self._said_s = now_s
        elif now_s - self._said_s > HEARTBEAT_S:
            self._send(writer, say.HEARTBEAT, b"")
            self._said_s = now_s
        self._tell_waybill(writer)
        if self.onboard.sickness.photographs(self._clock.civil_ms()):
            self._photograph(writer, say.TIMED)
        await writer.drain()

    def _tell_waybill(self, writer: asyncio.StreamWriter) -> None:
        told = self.onboard.driver.waybill
        if told is not None and told != self._waybill:
            self._waybill = told
            truck = self.onboard.truck
            text = f'{{"waybill":"{told[0]}","plate":"{truck.plate}","site":"{truck.site}","ground":"{truck.ground}"}}'
            self._send(writer, say.WAYBILL, say.waybill(text))

    async def _backfill(self, writer: asyncio.StreamWriter, listening: "asyncio.Task[None]") -> None:
        """What was stored goes up in batches, each acknowledged before the next."""
        while self._stored and not self._blind():
            its = self.onboard.sickness.quirks
            part = [self._stored[n] for n in range(min(its.batch, len(self._stored)))]
            body = say.batch(part, blind_area=True)
            if len(body) <= its.frame_bytes:
                result = await self._ask(writer, say.BATCH, body)
            else:
                result = await self._ask_at_length(writer, say.BATCH, body, listening)
            if result != say.OK:
                return
            for _ in part:
                self._stored.popleft()

    async def _ask_at_length(
        self, writer: asyncio.StreamWriter, message: int, body: bytes, listening: "asyncio.Task[None]"
    ) -> int:
        """A fragmented message may have to be mended first; reports go on meanwhile."""
        with self._answers.to(self._send(writer, message, body)) as reply:
            either: set[asyncio.Future[Any]] = {reply, listening}
            async with asyncio.timeout(MENDED_S):
                while not reply.done() and not listening.done() and not self._blind():
                    await asyncio.wait(either, timeout=LOOK_S, return_when=asyncio.FIRST_COMPLETED)
                    await self._say_due(writer)
            return reply.result() if reply.done() else say.BAD

    def _blind(self) -> bool:
        return self.onboard.sickness.blind(self._clock.civil_ms())

    def _note(self) -> None:
        """Without a link a terminal goes on recording."""
        if self._due():
            self._stored.append(self._position())

    def _due(self) -> bool:
        now_ms, now_s = self._clock.civil_ms(), self._clock.monotonic_s()
        changed = self.onboard.status() != self._status
        until_s, every_s = self._tracked
        tracked = now_s < until_s and now_s - self._reported_s >= every_s
        return (
            changed
            or tracked
            or (now_ms - self._reported_ms >= self._interval_ms and now_s - self._reported_s >= self._least_s)
        )

    def _position(self) -> bytes:
        self._reported_ms, self._reported_s = self._clock.civil_ms(), self._clock.monotonic_s()
        self._status = self.onboard.status()
        return say.position(self.onboard.fix(self._reported_ms))

    def _send(self, writer: asyncio.StreamWriter, message: int, body: bytes) -> list[int]:
        """The serial numbers of the frames that it took."""
        sickness = self.onboard.sickness
        frames = self._writer.frames(message, body, sickness.quirks.frame_bytes)
        serials = [(self._writer.serial - before) & 0xFFFF for before in reversed(range(len(frames)))]
        if len(frames) > 1:
            self.kept.keep(serials[0], frames)
        lost = sickness.loses(len(frames))
        writer.write(b"".join(frame for place, frame in enumerate(frames) if place != lost))
        if message == say.POSITION:
            self._unacked[self._writer.serial] = body
        return serials

    def _photograph(self, writer: asyncio.StreamWriter, why: int) -> None:
        self.photos += 1
        fix = self.onboard.fix(self._clock.civil_ms())
        self._send(writer, say.PHOTO, say.photo(self.photos, fix, PICTURE, why))

    def _store_unacked(self) -> None:
        """Whatever the platform has not confirmed is sent again later."""
        self._stored.extend(self._unacked.values())
        self._unacked.clear()

    async def _ask(self, writer: asyncio.StreamWriter, message: int, body: bytes) -> int:
        with self._answers.to(self._send(writer, message, body)) as reply:
            async with asyncio.timeout(ANSWER_S):
                return await reply

    async def _listen(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        cutter = Reader()
        while True:
            async with asyncio.timeout(QUIET_S):
                data = await reader.read(65_536)
            if not data:
                return
            for message in cutter.feed(data):
                await self._take(message, writer)

    async def _take(self, message: Message, writer: asyncio.StreamWriter) -> None:
        if message.id in {0x8001, 0x8100}:
            self._answered(message)
            return
        if self.onboard.sickness.quirks.shy:
            await asyncio.sleep(1.0)
        if message.id == 0x8201:
            self._send(writer, say.POSITION_ANSWER, message.serial.to_bytes(2) + self._position())
        elif message.id == 0x8801:
            self._send(writer, say.ANSWER, say.answer(message.serial, message.id, say.OK))
            self._photograph(writer, say.ASKED_FOR)
        elif message.id == 0x8003:
            writer.write(b"".join(self.kept.again(message.body, new=self._new)))
        elif message.id in (0x8104, 0x8106):
            told = self.settings.told(message.serial, self.settings.asked(message.body))
            self._send(writer, say.PARAMETERS, told)
        elif message.id != 0x8800:
            self._send(writer, say.ANSWER, say.answer(message.serial, message.id, self._obey(message)))

    def _obey(self, message: Message) -> int:
        if message.id == 0x8103:
            taken = self.settings.take(message.body)
            self._interval_ms = self.settings.report_s * 1000
            return say.OK if taken else say.BAD
        if message.id in self._does:
            self._does[message.id](message.body)
        elif message.id in FENCING:
            self.settings.fence(message.id, message.body)
        else:
            return say.UNSUPPORTED
        return say.OK

    def _answered(self, message: Message) -> None:
        serial, body = int.from_bytes(message.body[:2]), message.body
        result = body[4] if message.id == 0x8001 else body[2]
        if message.id == 0x8100 and result == say.OK:
            self._code = body[3:].decode("gbk", "replace")
        if result == say.OK:
            self._unacked.pop(serial, None)
        else:
            self.refused += 1
        self._answers.came(serial, result)

    def _track(self, body: bytes) -> None:
        every_s = int.from_bytes(body[:2])
        lasts_s = int.from_bytes(body[2:6]) if every_s else 0
        self._tracked = self._clock.monotonic_s() + lasts_s, every_s

    def _limit_speed(self, body: bytes) -> None:
        self.onboard.limit_speed(float(body[6]))

    def _limit_lift(self, body: bytes) -> None:
        self.onboard.limit_lift(limited=body[6] == 1)

    def _speak(self, body: bytes) -> None:
        self.onboard.speak(body[2 if self._new else 1 :].decode("gbk", "replace"))
