"""Writing points of devices and proving that they took: one answer, then the value read back."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

from lamplighter_contract.clock import Clock
from lamplighter_contract.quantities import Kind
from lamplighter_gateway.config.model import Device, SerialBus
from lamplighter_gateway.drivers.modbus.answers import Cause, Trouble
from lamplighter_gateway.drivers.modbus.asking import Asking
from lamplighter_gateway.drivers.modbus.bus_queue import BusQueue
from lamplighter_gateway.drivers.modbus.line import bus_cost
from lamplighter_gateway.drivers.modbus.polls import Poll
from lamplighter_gateway.drivers.modbus.questions import Question, write_coil, write_registers
from lamplighter_gateway.drivers.modbus.values import encode
from lamplighter_gateway.drivers.port import Applied, Outcome, Reading, Sink, Write, Written
from lamplighter_gateway.drivers.proof import POWER, doubt
from lamplighter_gateway.profiles.model import ReadBack, RegisterWrite, Table

EVERY_UNIT: Final = 0
_QUIET_AFTER_BROADCAST_S: Final = 0.1
_FIRST_PAUSE_S: Final = 0.05
_LONGEST_PAUSE_S: Final = 0.5


@dataclass(frozen=True, slots=True)
class Prepared:
    """One write as it goes over the wire."""

    device: Device
    spec: RegisterWrite
    value: float
    question: Question
    deadline_s: float

    @property
    def message(self) -> tuple[int, bytes]:
        """What goes out, without the unit."""
        return self.question.pdu.function_code, self.question.pdu.encode()


def prepare(device: Device, write: Write, unit: int) -> Prepared | Written:
    """The request for a write to `unit`, or why there is none."""
    profile = device.profile.modbus
    spec = profile.write.get(write.point) if profile else None
    if spec is None:
        return Written(device.id, Outcome.FAILED, f"profile {device.profile.name} has no {write.point}")
    value = write.value if spec.value is None else spec.value
    registers = encode(spec.register, value) if spec.minimum <= value <= spec.maximum else None
    if registers is None:
        reason = f"{write.point} is {value:g}, expected {spec.minimum:g} to {spec.maximum:g}"
        return Written(device.id, Outcome.FAILED, reason)
    address = spec.register.address + device.offset
    if spec.register.table is Table.COIL:
        question = write_coil(unit, address, bool(registers[0]))
    else:
        question = write_registers(unit, address, registers)
    return Prepared(device, spec, value, question, write.deadline_s)


class Writing:
    """The write path of one bus."""

    def __init__(self, asking: Asking, queue: BusQueue, polls: Mapping[str, Poll], clock: Clock, sink: Sink) -> None:
        """`polls` maps each device to the poll that reads it."""
        self._asking = asking
        self._queue = queue
        self._polls = polls
        self._brief: dict[tuple[str, bool], Poll] = {}
        self._clock = clock
        self._sink = sink

    async def write(self, prepared: Sequence[Prepared], applied: Applied, broadcast: Prepared | None) -> list[Written]:
        """Send all of them, or the one broadcast that stands for all, then read each back."""
        if broadcast is None:
            troubles = await self._send_each(prepared, applied)
        else:
            troubles = await self._send_once(broadcast, prepared, applied)
        async with asyncio.TaskGroup() as proofs:
            tasks = [
                proofs.create_task(self._proven(one, trouble), name=f"prove-{one.device.id}")
                for one, trouble in zip(prepared, troubles, strict=True)
            ]
        return [task.result() for task in tasks]

    async def _send_each(self, prepared: Sequence[Prepared], applied: Applied) -> list[Trouble | None]:
        sent = [self._queue.leave(partial(self._asking.write, one.question), one.deadline_s) for one in prepared]
        troubles: list[Trouble | None] = []
        for one, future in zip(prepared, sent, strict=True):
            trouble = await future
            troubles.append(trouble)
            if trouble is None:
                applied(one.device.id)
        return troubles

    async def _send_once(
        self, broadcast: Prepared, prepared: Sequence[Prepared], applied: Applied
    ) -> list[Trouble | None]:
        work = partial(self._asking.tell_all, broadcast.question, _QUIET_AFTER_BROADCAST_S)
        trouble = await self._queue.leave(work, broadcast.deadline_s)
        if trouble is None:
            for one in prepared:
                applied(one.device.id)
        return [trouble] * len(prepared)

    async def _proven(self, one: Prepared, trouble: Trouble | None) -> Written:
        if trouble is not None and not _may_have_acted(trouble):
            return Written(one.device.id, Outcome.FAILED, str(trouble), answered=trouble.cause is Cause.REFUSED)
        if one.spec.read_back is None:
            outcome = Outcome.APPLIED if trouble is None else Outcome.UNCONFIRMED
            return Written(one.device.id, outcome, str(trouble or ""), answered=trouble is None)
        reading = await self._read_back(one, one.spec.read_back, trouble)
        if isinstance(reading, Trouble):
            return Written(one.device.id, Outcome.UNCONFIRMED, str(reading), answered=False)
        self._sink([reading])
        return _judged(one, one.spec.read_back, reading)

    async def _read_back(self, one: Prepared, proof: ReadBack, trouble: Trouble | None) -> Reading | Trouble:
        """Read until the value is there or the device had time enough to settle; silence ends it at once."""
        end_s = min(self._clock.monotonic_s() + proof.settle_s, one.deadline_s)
        pause_s = _FIRST_PAUSE_S
        while True:
            reading = await self._reading(one)
            if isinstance(reading, Trouble):
                if trouble is not None or reading.cause is not Cause.SILENT:
                    return trouble or reading
            elif doubt(proof, reading.values, one.value) is None:
                return reading
            if self._clock.monotonic_s() + pause_s > end_s:
                return reading
            await asyncio.sleep(pause_s)
            pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)

    async def _reading(self, one: Prepared) -> Reading | Trouble:
        found = await self._queue.leave(partial(self._asking.read, self._poll_for(one)), one.deadline_s)
        if isinstance(found, Trouble):
            return found
        mine = next((reading for reading in found if reading.device == one.device.id), None)
        return mine or Trouble(Cause.REFUSED, 2)

    def _poll_for(self, one: Prepared) -> Poll:
        """What proves a lamp's level: on a serial line, where each register takes its time, that and no more."""
        device, proof = one.device, one.spec.read_back
        if not isinstance(self._asking.bus, SerialBus) or device.profile.kind is not Kind.LAMP or proof is None:
            return self._polls[device.id]
        dark = one.value == 0 and proof.dark_below_w is not None
        poll = self._brief.get((device.id, dark))
        if poll is None:
            names = {proof.quantity, POWER} if dark else {proof.quantity}
            poll = self._brief[device.id, dark] = Poll(device.unit, [device], bus_cost(self._asking.bus), names)
        return poll


def _may_have_acted(trouble: Trouble) -> bool:
    return trouble.cause not in (Cause.OFFLINE, Cause.EXPIRED, Cause.REFUSED) or trouble.unit_silent


def _judged(one: Prepared, proof: ReadBack, reading: Reading) -> Written:
    reason = doubt(proof, reading.values, one.value)
    if reason is None:
        return Written(one.device.id, Outcome.VERIFIED, "", reading)
    read = reading.values.get(proof.quantity) is not None
    return Written(one.device.id, Outcome.FAILED if read else Outcome.UNCONFIRMED, reason, reading)
