"""Asking units of one bus: retries, breakers, late answers and counters around the bare wire."""

import logging
from collections.abc import Mapping, Sequence
from typing import Final

from pymodbus.pdu import ModbusPDU

from lamplighter_contract.clock import Clock
from lamplighter_contract.errors import Reason
from lamplighter_gateway.config.model import Device, SerialBus, TcpBus
from lamplighter_gateway.drivers.modbus.answers import BlockAnswer, Cause, Trouble
from lamplighter_gateway.drivers.modbus.breaker import Breakers
from lamplighter_gateway.drivers.modbus.counters import Counters, Utilisation
from lamplighter_gateway.drivers.modbus.crowd import Crowd
from lamplighter_gateway.drivers.modbus.endpoint import Endpoint
from lamplighter_gateway.drivers.modbus.late import LateAnswers
from lamplighter_gateway.drivers.modbus.planner import Span
from lamplighter_gateway.drivers.modbus.polls import Block, Poll
from lamplighter_gateway.drivers.modbus.questions import Question, read_question
from lamplighter_gateway.drivers.modbus.serial_wire import SerialWire
from lamplighter_gateway.drivers.modbus.tcp_wire import TcpWire
from lamplighter_gateway.drivers.modbus.wire import Wire
from lamplighter_gateway.drivers.port import Reading

logger = logging.getLogger(__name__)

_WRITE_TRIES: Final = 3


class Asking:
    """Everything that is asked on one bus goes through here: one at a time on a serial line."""

    def __init__(self, bus: TcpBus | SerialBus, units: Mapping[int, Sequence[Device]], clock: Clock) -> None:
        """`units` maps each unit to its devices."""
        self.bus = bus
        self.wire: Wire = SerialWire(bus, clock) if isinstance(bus, SerialBus) else TcpWire(bus, clock)
        self.breakers: Breakers[int] = Breakers(units)
        self.counters = Counters()
        self.utilisation = Utilisation(clock.monotonic_s(), bus.window if isinstance(bus, TcpBus) else 1)
        self.endpoint = Endpoint({unit: devices[0].profile.kind for unit, devices in units.items()})
        self._units = units
        self._clock = clock
        self._late: LateAnswers | None = LateAnswers() if isinstance(bus, SerialBus) else None
        self._crowd: Crowd[int] | None = None if isinstance(bus, SerialBus) else Crowd()  # a late answer has no number

    async def read(self, poll: Poll) -> list[Reading] | Trouble:
        """Read everything of one poll; finer grained, and again, where the unit refuses a block."""
        while True:
            replanned = False
            values, quality = poll.blank(), [0] * len(poll.devices)
            for block in poll.blocks:
                answer = await self._block(poll, block)
                if isinstance(answer, BlockAnswer):
                    for index, decode in block.parts:
                        quality[index] |= decode(answer.block, values[index])
                elif not answer.illegal:
                    return answer
                elif poll.refused(block):
                    replanned = True
                    break
                else:
                    self.counters.last_error = f"unit {poll.unit}: {answer}"
            if not replanned:
                time_ms = self._clock.civil_ms()
                readings = poll.readings(values, quality, time_ms)
                poll.completed()
                return readings or Trouble(Cause.REFUSED, 2)

    async def write(self, question: Question) -> Trouble | None:
        """Write, again when nothing came back: setting a point twice is setting it once."""
        tries = 1 if self.breakers.is_silent(question.unit) else _WRITE_TRIES
        trouble: Trouble | None = None
        for _ in range(tries):
            answer = await self._ask(question)
            if not isinstance(answer, Trouble):
                return None
            if trouble is None or answer.cause is not Cause.OFFLINE:
                trouble = answer
            if not answer.unit_silent:
                return answer
        return trouble

    async def tell_all(self, question: Question, quiet_s: float) -> Trouble | None:
        """Broadcast."""
        self.counters.requests += 1
        return await self.wire.tell_all(question, quiet_s)

    @property
    def stalled(self) -> bool:
        """True if the connection stands and nobody behind it answers."""
        return self.endpoint.stalled(self.breakers.silent)

    @property
    def witness(self) -> int | None:
        """The unit to ask before all others, because the connection is in doubt."""
        return self.endpoint.witness(self.breakers.silent)

    @property
    def gathering(self) -> bool:
        """True while several units have fallen silent together: each of them is worth asking again at once."""
        return self._crowd is not None and self._crowd.gathers(self._clock.monotonic_s())

    def reset(self) -> None:
        """A new connection: nobody has been asked on it yet."""
        self.endpoint.renew(self.breakers.silent)

    async def _block(self, poll: Poll, block: Block) -> BlockAnswer | Trouble:
        """One read, behind a guard where a late answer may be about; once more if the answer was garbled."""
        if self._late is not None:
            guarded = await self._guard(self._late, block)
            if guarded is not None:
                return guarded
        answer = await self._ask(block.question)
        if isinstance(answer, Trouble) and answer.cause is Cause.GARBLED:
            answer = await self._ask(block.question)
        if isinstance(answer, BlockAnswer):
            return answer
        trouble = answer if isinstance(answer, Trouble) else Trouble(Cause.FOREIGN)
        if self._late is not None and trouble.unit_silent:
            self._late.owes(poll.unit, block.span.count, self._clock.monotonic_s())
        return trouble

    async def _guard(self, late: LateAnswers, block: Block) -> Trouble | None:
        unit, now_s = block.question.unit, self._clock.monotonic_s()
        if late.spent(unit, now_s):
            return Trouble(Cause.SILENT)
        count = late.guard(unit, now_s)
        if count is None:
            return None
        answer = await self._ask(read_question(unit, block.table, Span(block.span.start, count)))
        if isinstance(answer, Trouble) and answer.unit_silent:
            late.owes(unit, count, self._clock.monotonic_s())
            return answer
        if isinstance(answer, Trouble) and answer.cause is not Cause.REFUSED:
            return answer
        late.settled(unit)
        return None

    async def _ask(self, question: Question) -> ModbusPDU | Trouble:
        begun_s = self._clock.monotonic_s()
        answer = await self.wire.ask(question, self._patience_s(begun_s))
        now_s = self._clock.monotonic_s()
        self.counters.requests += 1
        self.utilisation.add(now_s - begun_s, now_s)
        if isinstance(answer, Trouble):
            self._note_trouble(question.unit, answer, now_s, now_s - begun_s)
        else:
            self.counters.end()
            self._note_answer(question.unit)
            if self._crowd is not None:
                self._crowd.answered(question.unit, now_s - begun_s)
        return answer

    def _patience_s(self, now_s: float) -> float | None:
        return None if self._crowd is None else self._crowd.patience_s(self.bus.timeout_s, now_s)

    def _note_answer(self, unit: int) -> None:
        self.endpoint.answer(unit)
        if self.breakers.succeeded(unit):
            logger.info("bus %s: unit %d (%s) answers again", self.bus.id, unit, self._names(unit))

    def _note_trouble(self, unit: int, trouble: Trouble, now_s: float, cost_s: float) -> None:
        self._count(unit, trouble)
        if trouble.unit_silent:
            self._note_silence(unit, trouble, now_s, cost_s)
        elif trouble.cause is Cause.REFUSED:
            self._note_answer(unit)
        if trouble.cause is Cause.REFUSED:
            self.endpoint.life()  # also where a gateway behind it says that the unit does not answer
        elif trouble.unit_silent:
            self.endpoint.silence(unit)

    def _note_silence(self, unit: int, trouble: Trouble, now_s: float, cost_s: float) -> None:
        if self._crowd is not None and trouble.cause is Cause.SILENT:
            self._crowd.silent(unit, now_s)
        if self.breakers.failed(unit, now_s, cost_s):
            text = "bus %s: unit %d (%s) does not answer (%s); it is probed every minute"
            logger.warning(text, self.bus.id, unit, self._names(unit), trouble)

    def _count(self, unit: int, trouble: Trouble) -> None:
        counters, cause = self.counters, trouble.cause
        garbled, refused, foreign = cause is Cause.GARBLED, cause is Cause.REFUSED, cause is Cause.FOREIGN
        counters.end(garbled=garbled, refused=refused and not trouble.illegal, foreign=foreign)
        if not trouble.illegal:  # that may only be a hole between two registers, which the poll learns to leave out
            counters.last_error = f"unit {unit}: {trouble}"
        if cause is Cause.SILENT:
            counters.timeouts += 1
        elif garbled:
            counters.crc_errors += 1
        elif refused:
            counters.exceptions += 1
        elif foreign:
            counters.refusals[Reason.ADDRESS] += 1

    def _names(self, unit: int) -> str:
        names = [device.id for device in self._units.get(unit, ())]
        return ", ".join(names[:3]) + (", …" if len(names) > 3 else "")
