"""A Modbus TCP endpoint: questions out, each answer by its transaction number, as many underway as the bus allows.

pymodbus connects, writes and reads frames. It would have one question underway at a time and reconnect by itself; both
are ours to decide, so that no second connection is made beside the first.
"""

import asyncio
from itertools import cycle
from typing import Final

from pymodbus.client import AsyncModbusTcpClient
from pymodbus.pdu import ModbusPDU

from lamplighter_contract.clock import Clock
from lamplighter_gateway.config.model import TcpBus
from lamplighter_gateway.drivers.modbus.answers import AnswerDecoder, Cause, Trouble
from lamplighter_gateway.drivers.modbus.hearing import Hearing
from lamplighter_gateway.drivers.modbus.questions import Question
from lamplighter_gateway.drivers.modbus.turnaround import Turnarounds
from lamplighter_gateway.drivers.modbus.wire import CONNECT_S, judged

_NUMBERS: Final = range(1, 65_000)
_LONGEST_FRAME: Final = 264
_HEADER: Final = 8


class TcpWire:
    """One connection; several tasks may ask at once."""

    def __init__(self, bus: TcpBus, clock: Clock) -> None:
        self._bus = bus
        self._clock = clock
        self._client: AsyncModbusTcpClient | None = None
        self._numbers = cycle(_NUMBERS)
        self._waiting: dict[int, asyncio.Future[ModbusPDU | None]] = {}
        self.hearing = Hearing()
        self.turnarounds: Turnarounds[int] = Turnarounds()

    @property
    def connected(self) -> bool:
        """True while the connection is open."""
        return self._client is not None and self._client.connected

    async def open(self) -> bool:
        """Connect; False if that did not work within a few seconds."""
        self.close()
        client = AsyncModbusTcpClient(
            self._bus.host,
            port=self._bus.port,
            reconnect_delay=0,
            retries=0,
            timeout=CONNECT_S,
            trace_connect=self._turned,
        )
        client.ctx.framer.decoder = AnswerDecoder()
        client.ctx.max_buffer_size = _LONGEST_FRAME * (self._bus.window + 1)
        client.ctx.callback_data = self._arrived  # type: ignore[method-assign]  # its own knows one question at a time
        self._client = client
        try:
            async with asyncio.timeout(CONNECT_S):
                return await client.connect()
        except TimeoutError:
            self.close()
            return False

    def close(self) -> None:
        """Let go of the connection."""
        if self._client is not None:
            self._client.close()
            self._client = None
        self._nobody_answers()

    async def ask(self, question: Question, timeout_s: float | None = None) -> ModbusPDU | Trouble:
        """Send the question and wait for its answer, by the bus's own time-out unless told another."""
        if not self.connected:
            return Trouble(Cause.OFFLINE)
        begun_s, number = self._clock.monotonic_s(), next(self._numbers)
        waiting = self._waiting[number] = asyncio.get_running_loop().create_future()
        try:
            self._send(question, number)
            async with asyncio.timeout(self._bus.timeout_s if timeout_s is None else timeout_s):
                answer = await waiting
        except TimeoutError:
            return Trouble(Cause.SILENT if self.connected else Cause.LOST)
        finally:
            self._waiting.pop(number, None)
        if answer is None:
            return Trouble(Cause.LOST)
        self.turnarounds.answered(question.unit, self._clock.monotonic_s() - begun_s)
        return judged(question, answer)

    async def tell_all(self, question: Question, quiet_s: float) -> Trouble | None:
        """Send a broadcast, which nobody answers, and wait until every unit has worked on it."""
        if not self.connected:
            return Trouble(Cause.OFFLINE)
        self._send(question, next(self._numbers))
        await asyncio.sleep(quiet_s)
        return None

    def _send(self, question: Question, number: int) -> None:
        assert self._client is not None, "connected comes first"
        question.pdu.transaction_id = number
        self._client.ctx.transport.write(self._client.ctx.framer.buildFrame(question.pdu))  # type: ignore[attr-defined]  # typed as any transport

    def _arrived(self, data: bytes, addr: object = None) -> int:  # noqa: ARG002 - the library's signature
        """Give each whole frame to who waits for its number; how many bytes are dealt with."""
        if self._client is None:
            return len(data)
        framer, used = self._client.ctx.framer, 0
        while True:
            length, unit, number, content = framer.decode(data[used:])
            if not length:
                break
            used += length
            self._deliver(number, unit, framer.decoder.decode(content) if content else None)
        if (
            len(data) - used >= _HEADER and data[used + 2 : used + 4] != b"\0\0"
        ):  # no Modbus: nothing after it can be read
            self._client.ctx.connection_lost(None)
        return used

    def _deliver(self, number: int, unit: int, answer: ModbusPDU | None) -> None:
        waiting = self._waiting.get(number)
        if waiting is None or waiting.done() or answer is None:
            return  # too late, or asked by nobody
        answer.dev_id, answer.transaction_id = unit, number
        waiting.set_result(answer)

    def _turned(self, connected: bool) -> None:
        if not connected:
            self._nobody_answers()

    def _nobody_answers(self) -> None:
        for waiting in self._waiting.values():
            if not waiting.done():
                waiting.set_result(None)
