"""One terminal on its socket: bytes in, what they bring about, and answers to what we ask."""

import asyncio
import logging
import socket
import struct
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from math import inf
from typing import Final

from lamplighter_contract.clock import Clock
from lamplighter_gateway.drivers.jt808.codec.faults import Refused
from lamplighter_gateway.drivers.jt808.codec.fields import Edition
from lamplighter_gateway.drivers.jt808.codec.frame import Frame, read_frame, write_message
from lamplighter_gateway.drivers.jt808.codec.framing import Deframer
from lamplighter_gateway.drivers.jt808.session import (
    OK,
    Action,
    Answer,
    Close,
    Keep,
    LoggedIn,
    Reply,
    Session,
    Store,
    Stranger,
)
from lamplighter_gateway.drivers.port import Brought, Reading
from lamplighter_gateway.uplink.pace import Pace

logger = logging.getLogger(__name__)

FLAG: Final = b"\x7e"
AUTHENTICATION: Final = 0x0102
READ_BYTES: Final = 65_536
LOGIN_S: Final = 60.0
QUIET_HEARTBEATS: Final = 3
FRAMES_PER_S: Final = 50.0
FRAMES_BURST: Final = 500.0
WRITE_S: Final = 10.0
FIRST_WAIT_S: Final = 4.0
TRIES: Final = 3
LATE_EVERY_S: Final = 5.0


@dataclass(frozen=True, slots=True)
class Shore:
    """Where a connection hands over what it learns; the server is it.

    `store` and `keep` return once it is durable, False when it may take a while. `logged_in` makes a connection the
    device's; `stranger` notes who wanted in.
    """

    store: Callable[[Sequence[Reading]], Awaitable[bool]]
    keep: Callable[[str, Brought], Awaitable[bool]]
    heard: Callable[[str, Sequence[Reading]], None]
    logged_in: Callable[[str, "Connection"], None]
    stranger: Callable[[Stranger], Awaitable[None]]
    refusals: Counter[str]
    record: Callable[[str, bytes], None] = lambda _device, _frame: None


@dataclass(frozen=True, slots=True)
class _Asked:
    answered: "asyncio.Future[Answer | None]"
    wants: int | None


class Connection:
    """Serves one socket until it ends. One bad frame costs that frame."""

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, session: Session, shore: Shore, clock: Clock
    ) -> None:
        self._reader, self._writer = reader, writer
        self._session, self._shore, self._clock = session, shore, clock
        self._pace = Pace(FRAMES_PER_S, FRAMES_BURST)
        self._waiting: dict[int, _Asked] = {}
        self._busy = asyncio.Lock()
        self.messages = 0

    @property
    def peer(self) -> str:
        """Where the terminal calls from."""
        name = self._writer.get_extra_info("peername")
        return f"{name[0]}:{name[1]}" if name else "?"

    @property
    def phone(self) -> str:
        """The number it calls itself."""
        return self._session.phone

    @property
    def edition(self) -> Edition:
        """The text of the standard it keeps to."""
        return self._session.edition

    async def serve(self) -> str:
        """Read until the terminal goes; why it ended."""
        deframer = Deframer()
        try:
            while True:
                async with asyncio.timeout(self._patience_s()):
                    data = await self._reader.read(READ_BYTES)
                if not data:
                    return "the terminal closed it"
                why = await self._take(deframer, data)
                if why is not None:
                    return why
        except TimeoutError:
            return "nothing was heard"
        except OSError as error:
            return str(error)
        finally:
            self.close()

    def close(self) -> None:
        """End the connection; who waits for an answer learns that none comes."""
        self._writer.close()
        self._session.assembly.close()
        for asked in self._waiting.values():
            if not asked.answered.done():
                asked.answered.set_result(None)

    def abandon(self) -> None:
        """End the connection at once: what it still holds for the terminal is not to arrive later."""
        line = self._writer.get_extra_info("socket")
        if line is not None:
            line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._writer.transport.abort()

    async def ask(
        self, message: int, body: bytes, timeout_s: float, *, wants: int | None = None, again_by_s: float = inf
    ) -> Answer | None:
        """Send and wait for the terminal's answer, again after T·2, T·6 …; None when none came (JT/T 808-2013, 4.3).

        Where a message of its own is wanted as the answer, a mere acknowledgement before it is none. After
        `again_by_s` (monotonic) it is only waited for.
        """
        header = self._session.header(message)
        answered: asyncio.Future[Answer | None] = asyncio.get_running_loop().create_future()
        self._waiting[header.serial] = _Asked(answered, wants)
        wait_s = FIRST_WAIT_S
        try:
            async with asyncio.timeout(timeout_s):
                for number in range(1, TRIES + 1):
                    if number == 1 or self._clock.monotonic_s() <= again_by_s:
                        await self._write(b"".join(write_message(header, body)))
                    done, _ = await asyncio.wait([answered], timeout=wait_s)
                    if done:
                        return answered.result()
                    wait_s *= number + 1
        except (TimeoutError, OSError):
            return None
        finally:
            self._waiting.pop(header.serial, None)
        return None

    def _patience_s(self) -> float:
        terminal = self._session.terminal
        return LOGIN_S if terminal is None else QUIET_HEARTBEATS * terminal.profile.heartbeat_s

    async def _take(self, deframer: Deframer, data: bytes) -> str | None:
        for between in deframer.feed(data):
            frame = read_frame(between) if isinstance(between, bytes) else between
            if isinstance(frame, Refused):
                self._shore.refusals[frame.fault] += 1
                continue
            self.messages += 1
            assert isinstance(between, bytes)
            self._record(frame, between)
            if not self._pace.take(self._clock.monotonic_s()):
                self._shore.refusals["slowed"] += 1
                await asyncio.sleep(self._pace.wait_s(self._clock.monotonic_s()))
            why = await self._frame(frame)
            if why is not None:
                return why
        return None

    def _record(self, frame: Frame, between: bytes) -> None:
        """What a terminal says once it is known, but for its code."""
        terminal = self._session.terminal
        if terminal is not None and frame.header.message != AUTHENTICATION:
            self._shore.record(terminal.device, FLAG + between + FLAG)

    async def _frame(self, frame: Frame) -> str | None:
        now_s = self._clock.monotonic_s()
        actions = self._session.take(frame, self._clock.civil_ms(), now_s)
        if len(self._session.assembly):
            actions = [*actions, *self._session.late(now_s)]
        for action in actions:
            why = await self._act(action)
            if why is not None:
                return why
        return None

    async def _act(self, action: Action) -> str | None:
        match action:
            case Close(why):
                return why
            case Reply():
                await self._say(action)
            case Store() | Keep():
                if await self._durable(action) and action.reply is not None:
                    await self._say(action.reply)
            case Answer():
                self._answered(action)
            case Stranger():
                await self._shore.stranger(action)
            case _:
                self._note(action)
        return None

    async def _durable(self, action: Store | Keep) -> bool:
        if isinstance(action, Keep):
            return await self._shore.keep(self._device, action.brought)
        self._shore.heard(self._device, action.readings)
        return await self._shore.store(action.readings)

    def _note(self, action: LoggedIn | Refused) -> None:
        match action:
            case LoggedIn(device):
                self._shore.logged_in(device, self)
            case Refused(fault):
                self._shore.refusals[fault] += 1

    def _answered(self, answer: Answer) -> None:
        """An answer to nothing we asked, or a second one, is nobody's."""
        asked = self._waiting.get(answer.serial)
        if asked is None or asked.answered.done():
            return
        if asked.wants in (None, answer.message) or answer.result != OK:
            asked.answered.set_result(answer)

    @property
    def _device(self) -> str:
        assert self._session.terminal is not None, "only terminals that logged in bring anything"
        return self._session.terminal.device

    async def _say(self, reply: Reply) -> None:
        await self._write(b"".join(write_message(self._session.header(reply.message), reply.body)))

    async def _write(self, frames: bytes) -> None:
        self._writer.write(frames)
        if self._writer.transport.get_write_buffer_size():  # as a rule the socket has taken all of it
            async with self._busy, asyncio.timeout(WRITE_S):
                await self._writer.drain()


def accepted(answer: Answer | None) -> bool:
    """True when the terminal took what it was sent; that is no word about its effect."""
    return answer is not None and answer.result == OK
