"""One Modbus bus: who owns the connection, polling by deadline, with commands ahead of polls."""

import asyncio
import logging
from collections.abc import Sequence
from functools import partial
from random import Random
from typing import Final

from lamplighter_contract.clock import Clock
from lamplighter_contract.quality import Quality
from lamplighter_gateway.config.model import Device, SerialBus, TcpBus
from lamplighter_gateway.drivers.modbus.answers import Cause, Trouble
from lamplighter_gateway.drivers.modbus.asking import Asking
from lamplighter_gateway.drivers.modbus.bus_queue import BusQueue
from lamplighter_gateway.drivers.modbus.findings import findings
from lamplighter_gateway.drivers.modbus.line import bus_cost
from lamplighter_gateway.drivers.modbus.polls import Poll
from lamplighter_gateway.drivers.modbus.schedule import Due, Schedule
from lamplighter_gateway.drivers.modbus.writing import EVERY_UNIT, Prepared, Writing, prepare
from lamplighter_gateway.drivers.port import Applied, BusStatus, Outcome, ReadFailed, Reading, Sink, Write, Written

logger = logging.getLogger(__name__)

_FIRST_DELAY_S: Final = 0.5
_LONGEST_DELAY_S: Final = 30.0
_LONGEST_STALL_S: Final = 5.0  # nobody loses by a try, and lamps without power by day look like this
_SLACK_S: Final = 0.01  # polls due this soon are made now: fewer wake-ups
_SKIPPED_FOR_S: Final = 1.0


class ModbusBus:
    """The driver of one Modbus bus."""

    def __init__(
        self, bus: TcpBus | SerialBus, devices: Sequence[Device], clock: Clock, sink: Sink, random: Random
    ) -> None:
        self._bus = bus
        self._devices = {device.id: device for device in devices}
        self._clock = clock
        self._sink = sink
        self._random = random
        units: dict[int, list[Device]] = {}
        for device in devices:
            units.setdefault(device.unit, []).append(device)
        self._hearing = {device.unit for device in devices if device.profile.modbus and not device.profile.modbus.deaf}
        self._asking = Asking(bus, units, clock)
        self._queue = BusQueue()
        self._polls = _polls(bus, devices)
        self._poll_of_unit = {poll.unit: poll for poll, _ in reversed(self._polls)}
        self._poll_of = {device.id: poll for poll, _ in self._polls for device in poll.devices}
        self._writing = Writing(self._asking, self._queue, self._poll_of, clock, sink)
        self._serving = False
        self._lost = False  # and told so
        self._crowded = False
        self._served = 0
        self._cycle_began_s = clock.monotonic_s()
        self._cycle_s = 0.0

    async def run(self) -> None:
        """Serve the bus until cancelled."""
        delay_s = _FIRST_DELAY_S
        schedule = Schedule(self._polls, self._clock.monotonic_s())
        try:
            while True:
                self._asking.reset()
                if await self._asking.wire.open():
                    self._serving = True
                    await self._serve(schedule)
                    self._serving = False
                    delay_s = _FIRST_DELAY_S if self._asking.endpoint.answered else min(delay_s, _LONGEST_STALL_S)
                    self._asking.wire.close()
                self._note_lost()
                self._queue.clear(Trouble(Cause.OFFLINE))
                await asyncio.sleep(delay_s * self._random.uniform(0.5, 1.0))
                delay_s = min(2 * delay_s, _LONGEST_DELAY_S)
        finally:
            self._serving = False
            self._asking.wire.close()
            self._queue.clear(Trouble(Cause.OFFLINE))

    async def read(self, device: str, timeout_s: float) -> Reading | ReadFailed:
        """Read one device now, ahead of polls."""
        deadline_s = self._clock.monotonic_s() + timeout_s
        if not self._serving:
            return ReadFailed(device, self._asking.counters.last_error or str(Trouble(Cause.OFFLINE)))
        try:
            async with asyncio.timeout(timeout_s):
                found = await self._queue.leave(partial(self._asking.read, self._poll_of[device]), deadline_s)
        except TimeoutError:
            return ReadFailed(device, f"no answer within {timeout_s:g} s")
        if isinstance(found, Trouble):
            return ReadFailed(device, str(found))
        self._sink(found)
        mine = next((reading for reading in found if reading.device == device), None)
        return mine or ReadFailed(device, "the unit has no such registers")

    async def write(self, writes: Sequence[Write], applied: Applied, *, broadcast: bool) -> list[Written]:
        """Execute writes ahead of polls and read them back, one result per write in the same order."""
        plans = [prepare(self._devices[write.device], write, self._devices[write.device].unit) for write in writes]
        good = [plan for plan in plans if isinstance(plan, Prepared)]
        if not self._serving:
            reason = self._asking.counters.last_error or str(Trouble(Cause.OFFLINE))
            return [plan if isinstance(plan, Written) else _unsent(plan, reason) for plan in plans]
        together = self._together(writes, good) if broadcast and len(good) == len(plans) else None
        done = iter(await self._writing.write(good, applied, together))
        return [next(done) if isinstance(plan, Prepared) else plan for plan in plans]

    def status(self) -> BusStatus:
        """Counters and health since start."""
        asking, counters = self._asking, self._asking.counters
        silent, hearing, now_s = asking.breakers.silent, asking.wire.hearing, self._clock.monotonic_s()
        return BusStatus(
            bus=self._bus.id,
            wire=self._bus.wire,
            connected=asking.wire.connected,
            devices=len(self._devices),
            silent=tuple(device.id for device in self._devices.values() if device.unit in silent),
            cycle_s=self._cycle_s,
            utilisation=asking.utilisation.share(now_s),
            requests=counters.requests,
            timeouts=counters.timeouts,
            crc_errors=counters.crc_errors,
            exceptions=counters.exceptions,
            refused=counters.refusals.total(),
            last_error=counters.last_error,
            refusals=tuple(sorted(counters.refusals.items())),
            turnaround_s=asking.wire.turnarounds.slowest_s,
            late=hearing.late,
            strays=hearing.strays,
            findings=tuple(findings(counters, hearing, now_s)),
        )

    async def _serve(self, schedule: Schedule[Poll]) -> None:
        """Work until the connection is gone or nobody behind it answers; as many at once as the endpoint takes."""
        async with asyncio.TaskGroup() as workers:
            for number in range(self._bus.window if isinstance(self._bus, TcpBus) else 1):
                workers.create_task(self._work(schedule), name=f"bus-{self._bus.id}-{number}")

    async def _work(self, schedule: Schedule[Poll]) -> None:
        asking = self._asking
        while asking.wire.connected and not asking.stalled:
            now_s = self._clock.monotonic_s()
            witness = asking.witness
            due = None if self._queue or witness is not None else schedule.take(now_s + _SLACK_S)
            if witness is not None:
                await self._hear(witness)
            elif due is not None:
                await self._poll(schedule, due, now_s)
            elif self._queue:
                await self._queue.do_next(now_s)
                await self._queue.give_way()
            else:
                await self._rest(schedule, now_s)
            if self._lost and asking.endpoint.answered:
                logger.info("bus %s: answers again", self._bus.id)
                self._lost = False
        self._queue.waiting.set()  # whoever rests beside this one has nothing more to wait for

    async def _hear(self, unit: int) -> None:
        """Ask a unit out of turn, so that no connection is given up on which somebody answers."""
        found = await self._asking.read(self._poll_of_unit[unit])
        if isinstance(found, list):
            self._sink(found)
        else:
            self._asking.endpoint.silence(unit)

    async def _poll(self, schedule: Schedule[Poll], due: Due[Poll], now_s: float) -> None:
        poll = due.key
        breakers = self._asking.breakers
        if not breakers.allows(poll.unit, now_s):
            schedule.postpone(poll, now_s, breakers.due_s(poll.unit) - now_s, _SKIPPED_FOR_S)
            return
        if breakers.is_silent(poll.unit):
            poll.forget()
        found = await self._asking.read(poll)
        while isinstance(found, Trouble) and found.unit_silent and self._again(poll.unit):
            found = await self._asking.read(poll)
        self._look_around(schedule)
        schedule.done(poll, self._clock.monotonic_s())
        if isinstance(found, list):
            self._sink([_late(reading) for reading in found] if due.missed else found)
            self._count_cycle()

    def _again(self, unit: int) -> bool:
        """Whether a unit that said nothing is asked once more before the others have their turn."""
        asking = self._asking
        alive = asking.wire.connected and not asking.stalled and not self._queue
        return alive and asking.gathering and not asking.breakers.is_silent(unit)

    def _look_around(self, schedule: Schedule[Poll]) -> None:
        """Once several units have fallen silent together, all are asked now, so that it is seen how many there are."""
        gathering = self._asking.gathering
        if gathering and not self._crowded:
            schedule.hasten(self._clock.monotonic_s())
        self._crowded = gathering

    def _count_cycle(self) -> None:
        self._served += 1
        if self._served >= self._asking.breakers.answering:
            now_s = self._clock.monotonic_s()
            self._cycle_s, self._cycle_began_s, self._served = now_s - self._cycle_began_s, now_s, 0

    async def _rest(self, schedule: Schedule[Poll], now_s: float) -> None:
        """Wait for the next deadline or for a command, whichever comes first."""
        next_s = schedule.next_s()
        wait_s = 1.0 if next_s is None else max(next_s - now_s, 0.0)
        self._queue.waiting.clear()
        alarm = asyncio.get_running_loop().call_later(wait_s, self._queue.waiting.set)
        try:
            await self._queue.waiting.wait()
        finally:
            alarm.cancel()

    def _note_lost(self) -> None:
        """Log the first loss of a bus, not each attempt to get it back."""
        counters = self._asking.counters
        counters.last_error = "connected, but nobody answers" if self._asking.stalled else "cannot connect"
        if not self._lost:
            logger.warning("bus %s: %s; trying again", self._bus.id, counters.last_error)
        self._lost = True

    def _together(self, writes: Sequence[Write], good: Sequence[Prepared]) -> Prepared | None:
        """One broadcast for all of the writes: equal ones, to everybody who would hear it, as each profile allows."""
        same = len({one.message for one in good}) == 1
        if not same or {one.device.unit for one in good} != self._hearing:
            return None
        if not all(one.spec.broadcast for one in good):
            return None
        everyone = prepare(good[0].device, writes[0], EVERY_UNIT)
        return everyone if isinstance(everyone, Prepared) else None


def _polls(bus: TcpBus | SerialBus, devices: Sequence[Device]) -> list[tuple[Poll, float]]:
    """Devices of one unit with one period are read together."""
    groups: dict[tuple[int, float], list[Device]] = {}
    for device in devices:
        groups.setdefault((device.unit, device.poll_s), []).append(device)
    cost = bus_cost(bus)
    return [(Poll(unit, together, cost), period_s) for (unit, period_s), together in groups.items()]


def _unsent(plan: Prepared, reason: str) -> Written:
    return Written(plan.device.id, Outcome.FAILED, f"not sent: {reason}", answered=False)


def _late(reading: Reading) -> Reading:
    quality = reading.quality | Quality.PERIOD_MISSED
    return Reading(reading.device, reading.kind, reading.time_ms, reading.values, quality)
