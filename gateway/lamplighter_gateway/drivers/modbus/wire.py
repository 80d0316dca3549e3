"""One connection to one bus, on pymodbus: a question out, its answer or the reason why there is none.

The library neither retries nor reconnects here. On a serial line a silence is followed by a quiet time for the late
answer and a reopened port, so that nothing of it is left in any buffer; on TCP the transaction number already tells
answers apart.
"""

import asyncio
import logging
from typing import Final

from pymodbus.client import AsyncModbusSerialClient, AsyncModbusTcpClient
from pymodbus.exceptions import ModbusException
from pymodbus.framer.rtu import FramerRTU
from pymodbus.pdu import ModbusPDU

from lamplighter_contract.clock import Clock
from lamplighter_gateway.config.model import SerialBus, TcpBus
from lamplighter_gateway.drivers.modbus.answers import AnswerDecoder, Cause, Trouble
from lamplighter_gateway.drivers.modbus.line import SerialLine, serial_line
from lamplighter_gateway.drivers.modbus.questions import Question

logging.getLogger("pymodbus").setLevel(logging.CRITICAL)  # it logs every failure; the bus logs the first and the last

Client = AsyncModbusTcpClient | AsyncModbusSerialClient

_CONNECT_S: Final = 5.0
_BACKSTOP_S: Final = 60.0  # the library's own time-out; ours always comes first
_FRAME_TORN_S: Final = 0.03  # silence inside a frame that no adapter makes


class Wire:
    """The connection of one bus; used by one task at a time."""

    def __init__(self, bus: TcpBus | SerialBus, clock: Clock) -> None:
        self._bus = bus
        self._clock = clock
        self._line: SerialLine | None = serial_line(bus) if isinstance(bus, SerialBus) else None
        self._client: Client | None = None
        self._waiting: asyncio.Timeout | None = None
        self._torn: asyncio.TimerHandle | None = None
        self._garbled = False
        self._stray = asyncio.Event()
        self._quiet_since_s = 0.0

    @property
    def connected(self) -> bool:
        """True while the connection or port is open."""
        return self._client is not None and self._client.connected

    async def open(self) -> bool:
        """Connect or open the port; False if that did not work within a few seconds."""
        self.close()
        client = self._build()
        client.ctx.framer.decoder = AnswerDecoder()
        self._client = client
        try:
            async with asyncio.timeout(_CONNECT_S):
                return await client.connect()
        except TimeoutError:
            self.close()
            return False

    def close(self) -> None:
        """Let go of the connection or port."""
        if self._client is not None:
            self._client.close()
            self._client = None

    async def ask(self, question: Question, timeout_s: float | None = None) -> ModbusPDU | Trouble:
        """Send the question and wait for its answer, by the bus's own time-out unless told another."""
        client = self._client
        if client is None or not client.connected:
            return Trouble(Cause.OFFLINE)
        if self._line is not None:
            await self._keep_gap(self._line)
        self._garbled = False
        try:
            async with asyncio.timeout(self._patience_s(question, timeout_s)) as self._waiting:
                answer: ModbusPDU = await client.execute(False, question.pdu)
        except TimeoutError:
            return await self._without_answer(client)
        except ModbusException:
            return Trouble(Cause.FOREIGN)
        finally:
            self._settle()
        _obey_cancellation()
        return _judged(question, answer)

    async def tell_all(self, question: Question, quiet_s: float) -> Trouble | None:
        """Send a broadcast, which nobody answers, and keep the bus quiet until every unit has worked on it."""
        client = self._client
        if client is None or not client.connected:
            return Trouble(Cause.OFFLINE)
        if self._line is not None:
            await self._keep_gap(self._line)
        try:
            await client.execute(True, question.pdu)
            await asyncio.sleep(quiet_s + self._wire_s(question))
        except ModbusException:  # the port went away after the look above
            return Trouble(Cause.LOST)
        finally:
            self._settle()
        return None

    def _build(self) -> Client:
        bus = self._bus
        if isinstance(bus, TcpBus):
            return AsyncModbusTcpClient(
                bus.host, port=bus.port, reconnect_delay=0, retries=0, timeout=_BACKSTOP_S, trace_connect=self._turned
            )
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
        return self._line.frame_s(question.characters) if self._line else 0.0

    def _patience_s(self, question: Question, timeout_s: float | None) -> float:
        return (self._bus.timeout_s if timeout_s is None else timeout_s) + self._wire_s(question)

    async def _keep_gap(self, line: SerialLine) -> None:
        wait_s = self._quiet_since_s + line.gap_s - self._clock.monotonic_s()
        if wait_s > 0:
            await asyncio.sleep(wait_s)

    async def _without_answer(self, client: Client) -> Trouble:
        if not client.connected:
            return Trouble(Cause.LOST)
        if self._line is None:
            return Trouble(Cause.SILENT)
        if self._garbled:
            return Trouble(Cause.GARBLED)
        await self._drain()
        await self.open()
        return Trouble(Cause.SILENT)

    async def _drain(self) -> None:
        """Keep the line quiet for as long again, or until a late answer is through: it must not meet a question."""
        self._waiting = None
        self._stray.clear()
        try:
            async with asyncio.timeout(self._bus.timeout_s):
                await self._stray.wait()
        except TimeoutError:
            return
        await asyncio.sleep(_FRAME_TORN_S)

    def _settle(self) -> None:
        self._waiting = None
        self._quiet_since_s = self._clock.monotonic_s()
        if self._torn is not None:
            self._torn.cancel()
            self._torn = None

    def _turned(self, connected: bool) -> None:
        """The connection came or went: nobody will answer on one that went."""
        if not connected:
            self._stop_waiting()

    def _heard(self, sending: bool, data: bytes) -> bytes:
        """Bytes came in: if they stay no frame, waiting for the rest of the time-out is lost time."""
        if not sending and self._waiting is None:
            self._stray.set()
        elif not sending:
            if self._torn is not None:
                self._torn.cancel()
            self._torn = asyncio.get_running_loop().call_later(_FRAME_TORN_S, self._judge_noise, bytes(data))
        return data

    def _judge_noise(self, data: bytes) -> None:
        if len(data) >= 4 and FramerRTU.check_CRC(data[:-2], int.from_bytes(data[-2:], "big")):
            return  # a whole frame, though not for us: the answer may still come
        self._garbled = True
        self._stop_waiting()

    def _stop_waiting(self) -> None:
        if self._waiting is not None and not self._waiting.expired():
            self._waiting.reschedule(asyncio.get_running_loop().time())


def _obey_cancellation() -> None:
    """End here if this task was cancelled while its answer came in: `asyncio.wait_for` of Python 3.11 forgets it then.

    Raises:
        CancelledError: somebody cancelled this task.
    """
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError


def _judged(question: Question, answer: ModbusPDU) -> ModbusPDU | Trouble:
    if answer.isError():
        foreign = answer.function_code & 0x7F != question.pdu.function_code
        return Trouble(Cause.FOREIGN) if foreign else Trouble(Cause.REFUSED, answer.exception_code)
    return answer if question.answered_by(answer) else Trouble(Cause.FOREIGN)
