"""Carrying out what was accepted: act, read back, tell. What a crash cut off is read back, never acted again."""

import asyncio
import logging
from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from typing import Final

from lamplighter_contract.clock import Clock
from lamplighter_contract.commands.command import Command, Operation
from lamplighter_contract.commands.results import DeviceResult
from lamplighter_contract.commands.states import CommandState
from lamplighter_contract.level import Level
from lamplighter_contract.wire.limits import MAX_TEXT
from lamplighter_gateway.commands.answers import Answers
from lamplighter_gateway.commands.journal import Journal
from lamplighter_gateway.commands.progress import Progress
from lamplighter_gateway.drivers.port import Outcome, Point, ReadFailed, Reading, Written
from lamplighter_gateway.faults import ACTED, TOLD, FaultHook, no_fault
from lamplighter_gateway.light.actuator import Actuator
from lamplighter_gateway.light.autonomy import Autonomy
from lamplighter_gateway.safety.work import OPERATIONS as SAFETY
from lamplighter_gateway.safety.work import SafetyWork
from lamplighter_gateway.trucks.work import AGAIN, OPERATIONS, TruckWork

log = logging.getLogger(__name__)

INTERRUPTED: Final = "interrupted"
APPLIED_AFTER_S: Final = 0.1  # a lamp read back sooner needs no word of its own about having taken the value
DOUBTFUL_KEPT: Final = 1000
TOLERANCE_PERCENT: Final = 1.0
POINTS: Final = {
    Operation.LIGHT_SET: Point.LEVEL,
    Operation.LIGHT_RESUME: Point.RESUME,
    Operation.LIGHT_IDENTIFY: Point.IDENTIFY,
}
LASTING: Final = frozenset({Operation.LIGHT_SET, Operation.LIGHT_RESUME})  # what a newer one undoes

GatewayWork = Callable[[Command], Awaitable[DeviceResult]]


class Execution:
    """Carries out accepted commands, each in a task of its own."""

    def __init__(
        self,
        journal: Journal,
        answers: Answers,
        actuator: Actuator,
        level: Callable[[str], Level],
        clock: Clock,
        gateway_work: Mapping[Operation, GatewayWork],
        fault: FaultHook = no_fault,
        truck_work: TruckWork | None = None,
        safety: SafetyWork | None = None,
    ) -> None:
        """`level`: what a lamp is to show now, whoever decides it.

        `gateway_work`: what operations on the gateway itself do; their result's `device` is empty.
        """
        self._journal = journal
        self._answers = answers
        self._actuator = actuator
        self._level = level
        self._clock = clock
        self._gateway_work = gateway_work
        self._truck_work = truck_work
        self._safety = safety
        self._truck_operations = OPERATIONS if truck_work else frozenset()
        self._fault = fault
        self._queue: asyncio.Queue[Progress] = asyncio.Queue()
        self._doubtful: dict[str, Progress] = {}
        self.autonomy: Autonomy | None = None

    def begin(self, progress: Progress) -> None:
        """Carry out an accepted command; returns at once."""
        if progress.command.op in POINTS:
            self._actuator.busy.update(progress.open_devices())  # or the loop would write the same beside it
        self._queue.put_nowait(progress)

    async def run(self) -> None:
        """Finish what a crash cut off, then carry out what comes, until cancelled."""
        async with asyncio.TaskGroup() as commands:
            for cut in await self._journal.unfinished():
                progress = Progress.of(cut.command, cut.results)
                commands.create_task(self._recover(progress), name=f"recover-{cut.command.id}")
            while True:
                progress = await self._queue.get()
                commands.create_task(self.carry_out(progress), name=f"command-{progress.command.id}")

    async def carry_out(self, progress: Progress) -> None:
        """One command from accepted to its end."""
        command = progress.command
        if self.autonomy is not None:
            self.autonomy.refresh()
        if command.op in POINTS:
            await self._write(progress)
        elif command.op is Operation.DEVICE_READ:
            await self._read(progress)
        elif command.op in self._truck_operations:
            await self._trucks(progress)
        elif command.op in SAFETY:
            await self._hold(progress)
        else:
            await self._tell(progress, [await self._gateway_work.get(command.op, _not_here)(command)])

    async def reached(self, device: str, source: str) -> None:
        """A lamp now shows the level of an override: a command that was in doubt about it no longer is."""
        progress = self._doubtful.get(source)
        if progress is not None and device in progress.states:
            await self._tell(progress, [DeviceResult(device, CommandState.VERIFIED, "late")])

    async def _write(self, progress: Progress) -> None:
        # Asked again after each telling, which takes time: what is written is never older than what was accepted.
        devices = progress.open_devices()
        while devices != (left := await self._not_superseded(progress, devices)):
            devices = left
        taken: list[str] = []
        async with asyncio.TaskGroup() as telling:
            soon = telling.create_task(self._tell_applied(progress, taken), name="tell-applied")

            def done(point: Point, written: Sequence[Written]) -> None:
                self._fault(ACTED)
                telling.create_task(self._conclude(progress, point, written), name="tell-written")

            await self._bring(progress, taken, done)
            soon.cancel()

    async def _bring(
        self, progress: Progress, taken: list[str], done: Callable[[Point, Sequence[Written]], None]
    ) -> None:
        """Write to all at once, but for those that would come on with too many others: they follow one by one."""
        waiting = progress.open_devices()
        async with asyncio.TaskGroup() as writing:
            while waiting:
                self._actuator.busy.update(waiting)
                writes, waiting = self._writes(progress.command, waiting)
                for point, values in writes.items():
                    write = self._actuator.write(
                        point, values, taken.append, partial(done, point), by=progress.command.by
                    )
                    writing.create_task(write, name=f"write-{point}")
                if waiting:
                    await asyncio.sleep(self._actuator.relays.pause_s)
                    waiting = await self._not_superseded(progress, waiting)

    async def _not_superseded(self, progress: Progress, devices: Sequence[str]) -> list[str]:
        gone = [device for device in devices if self._superseded(progress.command, device)]
        self._actuator.busy.difference_update(gone)
        await self._tell(progress, [DeviceResult(device, CommandState.SUPERSEDED) for device in gone])
        return [device for device in devices if device not in gone]

    def _writes(
        self, command: Command, devices: Sequence[str]
    ) -> tuple[Mapping[Point, Mapping[str, float]], list[str]]:
        """What brings each lamp where it is to be, and who has to wait.

        A resume, too, is a level when a plan or an override has one.
        """
        found: dict[Point, dict[str, float]] = defaultdict(dict)
        waiting: list[str] = []
        for device in devices:
            percent = None if command.op is Operation.LIGHT_IDENTIFY else self._level(device).level_percent
            if percent is None:
                found[POINTS[command.op]][device] = _value(command)
            elif self._actuator.admits(device, percent):
                found[Point.LEVEL][device] = percent
            else:
                waiting.append(device)
        return found, waiting

    def _asked(self, command: Command, device: str) -> float:
        percent = self._level(device).level_percent
        return _value(command) if percent is None else percent

    async def _tell_applied(self, progress: Progress, taken: Sequence[str]) -> None:
        told = 0
        while True:
            await asyncio.sleep(APPLIED_AFTER_S)
            new, told = taken[told:], len(taken)
            await self._tell(progress, [DeviceResult(device, CommandState.APPLIED) for device in new])

    async def _conclude(self, progress: Progress, point: Point, written: Sequence[Written]) -> None:
        # Where the profile knows no read-back for this point, that the device answers afterwards has to do.
        unproven = [part.device for part in written if part.outcome is Outcome.APPLIED]
        answers = dict(zip(unproven, await self._actuator.read_all(unproven), strict=True))
        parts = [self._part(progress.command, part, answers.get(part.device)) for part in written]
        if point is Point.RESUME and self.autonomy is not None:
            good = [part.device for part in written if part.outcome in (Outcome.APPLIED, Outcome.VERIFIED)]
            await self.autonomy.handed_back(good)
        await self._tell(progress, parts)

    def _part(self, command: Command, written: Written, answer: Reading | ReadFailed | None) -> DeviceResult:
        device, reason = written.device, written.reason[:MAX_TEXT]
        acted = written.outcome in (Outcome.VERIFIED, Outcome.APPLIED)
        if self._superseded(command, device) and (command.op in LASTING or not acted):
            return DeviceResult(device, CommandState.SUPERSEDED, reason, _values(written.reading))
        if isinstance(answer, ReadFailed):
            return DeviceResult(device, CommandState.UNCONFIRMED, answer.reason[:MAX_TEXT])
        if answer is not None:
            return DeviceResult(device, CommandState.VERIFIED, "", _values(answer))
        return DeviceResult(device, CommandState(written.outcome), reason, _values(written.reading))

    async def _trucks(self, progress: Progress) -> None:
        """Each truck is told of as soon as its part has ended."""
        assert self._truck_work is not None
        async with asyncio.TaskGroup() as trucks:
            for device in progress.open_devices():
                trucks.create_task(self._truck(progress, device), name=f"truck-{device}")

    async def _hold(self, progress: Progress) -> None:
        """Isolations, locks and their ends: told of one by one, as each is read back."""
        assert self._safety is not None
        async with asyncio.TaskGroup() as holds:
            for device in progress.open_devices():
                holds.create_task(self._held(progress, device), name=f"hold-{device}")

    async def _held(self, progress: Progress, device: str) -> None:
        assert self._safety is not None
        await self._tell(progress, [await self._safety.carry_out(progress.command, device)])

    async def _truck(self, progress: Progress, device: str) -> None:
        assert self._truck_work is not None
        await self._tell(progress, [await self._truck_work.carry_out(progress.command, device)])

    async def _read(self, progress: Progress) -> None:
        found = await self._actuator.read_all(progress.open_devices())
        await self._tell(progress, [_read_part(one) for one in found])

    async def _recover(self, progress: Progress) -> None:
        command = progress.command
        if progress.states and progress.finished:
            return  # only the note of its end is missing: there was no room for it
        if command.op in self._truck_operations & AGAIN:
            await self._trucks(progress)  # judged again from the beginning: nothing of it acts by itself
            return
        if command.op in SAFETY:
            await self._hold(progress)  # it was in force all the while; only its read-back is missing
            return
        if command.op is Operation.GATEWAY_UPDATE:
            await self.carry_out(progress)  # it goes on where it was, or is answered by the version that runs now
            return
        log.warning("command %s was cut off by the last stop; its devices are read back", command.id)
        if command.op is Operation.GATEWAY_RESTART:
            await self._tell(progress, [DeviceResult("", CommandState.VERIFIED)])
            return
        self._doubt(progress)  # before the look: the level may be reached while the devices are read
        found = await self._actuator.read_all(progress.open_devices())
        parts = [self._interrupted(command, part) for part in found]
        await self._tell(progress, parts or [DeviceResult("", CommandState.FAILED, INTERRUPTED)])

    def _interrupted(self, command: Command, found: Reading | ReadFailed) -> DeviceResult:
        """What can be said of a device whose part was cut off; "failed" only of what will not come into effect."""
        device = found.device
        values = _values(found) if isinstance(found, Reading) else {}
        shown = values.get("level_percent")
        if self._superseded(command, device):
            return DeviceResult(device, CommandState.SUPERSEDED, INTERRUPTED, values)
        if (
            command.op is Operation.LIGHT_SET
            and isinstance(shown, int | float)
            and _close(shown, self._asked(command, device))
        ):
            return DeviceResult(device, CommandState.VERIFIED, INTERRUPTED, values)
        state = CommandState.UNCONFIRMED if self._wanted(command, device) else CommandState.FAILED
        return DeviceResult(device, state, INTERRUPTED, values)

    def _wanted(self, command: Command, device: str) -> bool:
        """True while what an accepted command asks of a lamp is desired state, which is brought about all the same."""
        if command.op is Operation.LIGHT_SET:
            return int(command.args["until"]) > self._clock.civil_ms()
        return command.op is Operation.LIGHT_RESUME and device in self._journal.desired.held

    def _superseded(self, command: Command, device: str) -> bool:
        return self._journal.memory.last_of.get(device, -1) > command.seq

    async def _tell(self, progress: Progress, parts: Sequence[DeviceResult]) -> None:
        gateway = [part for part in parts if not part.device]
        new = progress.take(parts)
        if not new:
            return
        reason, detail = (gateway[0].reason, str(gateway[0].reading.get("detail", ""))) if gateway else ("", "")
        self._remember_doubt(progress, new)
        devices = [part for part in new if part.device]
        for result in list(progress.results(devices, self._clock.civil_ms(), reason, detail[:MAX_TEXT])):
            await self._answers.tell(result, final=progress.finished)
        self._fault(TOLD)

    def _remember_doubt(self, progress: Progress, parts: Sequence[DeviceResult]) -> None:
        if any(part.state is CommandState.UNCONFIRMED for part in parts):
            self._doubt(progress)

    def _doubt(self, progress: Progress) -> None:
        """What becomes of this command's level later is told as well."""
        if progress.command.op is not Operation.LIGHT_SET:
            return
        self._doubtful[progress.command.id] = progress
        if len(self._doubtful) > DOUBTFUL_KEPT:
            del self._doubtful[next(iter(self._doubtful))]


def _value(command: Command) -> float:
    return float(command.args.get("level_percent", command.args.get("seconds", 0)))


async def _not_here(_command: Command) -> DeviceResult:
    return DeviceResult("", CommandState.FAILED, "this gateway was started without it")


def _close(shown: float, wanted: float) -> bool:
    return abs(shown - wanted) <= TOLERANCE_PERCENT


def _values(reading: Reading | None) -> dict[str, float | int | bool | str | None]:
    return dict(reading.values) if reading is not None else {}


def _read_part(found: Reading | ReadFailed) -> DeviceResult:
    if isinstance(found, ReadFailed):
        return DeviceResult(found.device, CommandState.FAILED, found.reason[:MAX_TEXT])
    return DeviceResult(found.device, CommandState.VERIFIED, "", _values(found))
