"""A serial line, on pymodbus: a question out, its answer or the reason why there is none.

The library neither retries nor reconnects here. Each question comes after 3.5 characters of silence and finds the
buffers empty. A silence is followed by a quiet time for the late answer and a reopened port, so that nothing of it is
left in any buffer.
"""

import asyncio
import contextlib
import termios
from typing import Final

from pymodbus.client import AsyncModbusSerialClient
from pymodbus.exceptions import ModbusException
from pymodbus.pdu import ModbusPDU

from lamplighter_contract.clock import Clock
from lamplighter_gateway.config.model import SerialBus
from lamplighter_gateway.drivers.modbus.answers import AnswerDecoder, Cause, Trouble
from lamplighter_gateway.drivers.modbus.hearing import Hearing
from lamplighter_gateway.drivers.modbus.line import serial_line
from lamplighter_gateway.drivers.modbus.questions import Question
from lamplighter_gateway.drivers.modbus.turnaround import Turnarounds
from lamplighter_gateway.drivers.modbus.wire import CONNECT_S, judged

_BACKSTOP_S: Final = 60.0  # the library's own time-out; ours always comes first
_FRAME_TORN_S: Final = 0.03  # silence inside a frame that no adapter makes
_FOREIGN_FRAME: Final = 40  # characters of another master's answer that may still be coming


class SerialWire:
    """One port; used by one task at a time."""

    def __init__(self, bus: SerialBus, clock: Clock) -> None:
        self._bus = bus
        self._clock = clock
        self._line = serial_line(bus)
        self._client: AsyncModbusSerialClient | None = None
        self._waiting: asyncio.Timeout | None = None
        self._torn: asyncio.TimerHandle | None = None
        self._garbled = False
        self._late = asyncio.Event()
        self._sent_s = float("-inf")
        self.hearing = Hearing()
        self.turnarounds: Turnarounds[int] = Turnarounds()

    @property
    def connected(self) -> bool:
        """True while the port is open."""
        return self._client is not None and self._client.connected

    async def open(self) -> bool:
        """Open the port; False if that did not work within a few seconds."""
        self.close()
        client = self._build()
        client.ctx.framer.decoder = AnswerDecoder()
        self._client = client
        try:
            async with asyncio.timeout(CONNECT_S):
                return await client.connect()
        except TimeoutError:
            self.close()
            return False

    def close(self) -> None:
        """Let go of the port."""
        if self._client is not None:
            self._client.close()
            self._client = None

    async def ask(self, question: Question, timeout_s: float | None = None) -> ModbusPDU | Trouble:
        """Send the question and wait for its answer, by the bus's own time-out unless told another."""
        client = self._client
        if client is None or not client.connected:
            return Trouble(Cause.OFFLINE)
        await self._keep_quiet(client)
        self._garbled = False
        self.hearing.asks(question)
        self._sent_s = self._clock.monotonic_s()
        try:
            async with asyncio.timeout(self._patience_s(question, timeout_s)) as self._waiting:
                answer: ModbusPDU = await client.execute(False, question.pdu)
        except TimeoutError:
            return await self._without_answer(client, question)
        except ModbusException:
            return Trouble(Cause.FOREIGN)
        finally:
            self._settle()
        _obey_cancellation()
        self._learn(question)
        return judged(question, answer)

    async def tell_all(self, question: Question, quiet_s: float) -> Trouble | None:
        """Send a broadcast, which nobody answers, and keep the bus quiet until every unit has worked on it."""
        client = self._client
        if client is None or not client.connected:
            return Trouble(Cause.OFFLINE)
        await self._keep_quiet(client)
        self._sent_s = self._clock.monotonic_s()
        try:
            await client.execute(True, question.pdu)
            await asyncio.sleep(quiet_s + self._wire_s(question))
        except ModbusException:  # the port went away after the look above
            return Trouble(Cause.LOST)
        finally:
            self._settle()
        return None

    def _build(self) -> AsyncModbusSerialClient:
        bus = self._bus
        return AsyncModbusSerialClient(
            bus.device,
            baudrate=bus.baud,
            parity=bus.parity.value,
            stopbits=bus.stop_bits,
            reconnect_delay=0,
            retries=0,
            timeout=_BACKSTOP_S,
            trace_connect=self._turned,
            trace_packet=self._heard,
        )

    def _wire_s(self, question: Question) -> float:
        return self._line.frame_s(question.characters)

    def _patience_s(self, question: Question, timeout_s: float | None) -> float:
        most_s = self._bus.timeout_s if timeout_s is None else timeout_s
        return self.turnarounds.patience_s(question.unit, most_s) + self._wire_s(question)

    def _learn(self, question: Question) -> None:
        """How long the unit thought, from the last byte that came."""
        self.turnarounds.answered(question.unit, self.hearing.last_s - self._sent_s - self._wire_s(question))

    async def _keep_quiet(self, client: AsyncModbusSerialClient) -> None:
        """Wait until the line was idle for 3.5 characters, and another master's business is done; then empty buffers.

        Where others never stop, we speak all the same after a while.
        """
        now_s = self._clock.monotonic_s()
        give_up_s = now_s + 2 * self._bus.timeout_s
        while now_s < give_up_s:
            rest_s = min(self._bus.timeout_s, _FRAME_TORN_S + self._line.frame_s(_FOREIGN_FRAME))
            idle_s = rest_s if self.hearing.disturbed else self._line.gap_s
            wait_s = max(self.hearing.last_s, self._sent_s) + idle_s - now_s
            if wait_s <= 0:
                break
            await asyncio.sleep(wait_s)
            now_s = self._clock.monotonic_s()
        _flush(client)

    async def _without_answer(self, client: AsyncModbusSerialClient, question: Question) -> Trouble:
        if not client.connected:
            return Trouble(Cause.LOST)
        if self._garbled:
            return Trouble(Cause.GARBLED)
        foreign = self.hearing.foreign
        self.turnarounds.silent(question.unit)
        await self._drain(question)
        await self.open()
        return Trouble(Cause.FOREIGN if foreign else Cause.SILENT)

    async def _drain(self, question: Question) -> None:
        """Keep the line quiet for as long again, or until a late answer is through: it must not meet a question."""
        self._waiting = None
        self._late.clear()
        self.hearing.rests(late_expected=True)
        try:
            async with asyncio.timeout(self._bus.timeout_s):
                await self._late.wait()
        except TimeoutError:
            return
        await asyncio.sleep(_FRAME_TORN_S)
        self._learn(question)

    def _settle(self) -> None:
        self._waiting = None
        self.hearing.rests()
        if self._torn is not None:
            self._torn.cancel()
            self._torn = None

    def _turned(self, connected: bool) -> None:
        """The port came or went: nobody will answer on one that went."""
        if not connected:
            self._stop_waiting()

    def _heard(self, sending: bool, data: bytes) -> bytes:
        """Bytes went out or came in: if those that came stay no frame, waiting for the time-out is lost time."""
        if sending:
            self.hearing.sends(data)
            return data
        frame = self.hearing.hears(data, self._clock.monotonic_s())
        if self._waiting is None:
            self._late.set()
        else:
            self._await_more()
        return frame

    def _await_more(self) -> None:
        if self._torn is not None:
            self._torn.cancel()
        pause_s = self._line.gap_s if self.hearing.whole else _FRAME_TORN_S
        self._torn = asyncio.get_running_loop().call_later(pause_s, self._judge_noise)

    def _judge_noise(self) -> None:
        if self.hearing.judges():
            self._garbled = True
            self._stop_waiting()

    def _stop_waiting(self) -> None:
        if self._waiting is not None and not self._waiting.expired():
            self._waiting.reschedule(asyncio.get_running_loop().time())


def _flush(client: AsyncModbusSerialClient) -> None:
    """Throw away what came and was not read: it is older than the question that is about to go out."""
    port = getattr(client.ctx.transport, "sync_serial", None)
    if port is not None:
        with contextlib.suppress(OSError, termios.error):  # it has just gone away, which its reader notices, too
            port.reset_input_buffer()


def _obey_cancellation() -> None:
    """End here if this task was cancelled while its answer came in: `asyncio.wait_for` of Python 3.11 forgets it then.

    Raises:
        CancelledError: somebody cancelled this task.
    """
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError
