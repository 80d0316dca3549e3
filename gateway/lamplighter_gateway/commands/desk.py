"""Where commands come in: judged, stored with what they want, answered; what is accepted goes on to be carried out."""

import asyncio
import logging
from collections.abc import Callable, Mapping
from typing import Any, Final

from lamplighter_contract.clock import Clock
from lamplighter_contract.commands.command import Command, Operation
from lamplighter_contract.commands.results import DeviceResult, Result
from lamplighter_contract.commands.states import CommandState
from lamplighter_contract.errors import Reason, Refusal
from lamplighter_contract.level import Override
from lamplighter_contract.wire.bounded import read_object
from lamplighter_contract.wire.documents import DeviceEntry
from lamplighter_contract.wire.limits import MAX_COMMAND_BYTES, MAX_TEXT
from lamplighter_gateway.commands.acceptance import READS, Accepted, Facts, Refused, Repeated, judge
from lamplighter_gateway.commands.answers import Answers
from lamplighter_gateway.commands.journal import Journal
from lamplighter_gateway.commands.keys import Keys
from lamplighter_gateway.commands.ledger import Change
from lamplighter_gateway.commands.progress import Progress
from lamplighter_gateway.disk import DiskFullError
from lamplighter_gateway.events import Events
from lamplighter_gateway.faults import STORED, FaultHook, no_fault
from lamplighter_gateway.safety.work import ended_by, holds_of
from lamplighter_gateway.trucks.work import limits_of, released_by
from lamplighter_gateway.uplink.pace import Pace
from lamplighter_gateway.watch.counters import Counters

log = logging.getLogger(__name__)

REPEATS_PER_S: Final = 10.0
REPEATS_BURST: Final = 100.0

Begin = Callable[[Progress], None]


class CommandDesk:
    """Takes commands from the uplink, one at a time."""

    def __init__(
        self,
        gateway: str,
        keys: Keys,
        entries: Mapping[str, DeviceEntry],
        journal: Journal,
        answers: Answers,
        events: Events,
        counters: Counters,
        clock: Clock,
        begin: Begin,
        *,
        clock_trusted: Callable[[], bool],
        fault: FaultHook = no_fault,
    ) -> None:
        """`begin` starts to carry out what was accepted and returns at once."""
        self._gateway = gateway
        self._keys = keys
        self._entries = entries
        self._journal = journal
        self._answers = answers
        self._events = events
        self._counters = counters
        self._clock = clock
        self._begin = begin
        self._clock_trusted = clock_trusted
        self._fault = fault
        self._one_at_a_time = asyncio.Lock()
        self._pace = Pace(REPEATS_PER_S, REPEATS_BURST)

    async def take(self, payload: bytes, retained: bool) -> None:
        """A command as it came."""
        document = read_object(payload, MAX_COMMAND_BYTES)
        if isinstance(document, Refusal):
            self._refuse_quietly(document)
            return
        if retained:
            self._refuse_quietly(Refusal(Reason.RETAINED, "commands are never retained"))
            return
        async with self._one_at_a_time:
            await self._decide(document)

    async def _decide(self, document: Mapping[str, Any]) -> None:
        verdict = judge(document, self._facts())
        if isinstance(verdict, Repeated):
            await self._repeat(verdict.id)
        elif isinstance(verdict, Refused):
            await self._refuse(verdict)
        else:
            await self._accept(verdict)

    def _facts(self) -> Facts:
        memory = self._journal.memory
        return Facts(
            gateway=self._gateway,
            keyring=self._keys.ring,
            wall_ms=self._clock.wall_ms(),
            civil_ms=self._clock.civil_ms(),
            clock_trusted=self._clock_trusted(),
            begins_ms=self._journal.begins_ms,
            highest_seq=self._journal.highest_seq,
            seen=memory.seen,
            used=memory.used,
            last_of=memory.last_of,
            entries=self._entries,
            holders=self._journal.holds.holders(),
        )

    async def _accept(self, verdict: Accepted) -> None:
        command = verdict.command
        progress = Progress(command, 1, {"": CommandState.CREATED} if not verdict.devices else {})
        parts = [DeviceResult(device, CommandState.ACCEPTED) for device in verdict.devices]
        new = progress.take([*parts, *verdict.refused] or [DeviceResult("", CommandState.ACCEPTED)])
        results = list(progress.results([part for part in new if part.device], self._clock.civil_ms()))
        try:
            change = _change(command, verdict.devices, self._clock.civil_ms())
            await self._journal.accept(command, change, results, final=False)
        except DiskFullError:
            # Not stored, so nothing is remembered: the centre's next repeat may find room again.
            self._counters.add("commands_no_room")
            log.warning("command %s waits: no room on the disk to accept it", command.id)
            return
        self._fault(STORED)
        self._counters.add("commands_accepted")
        self._answers.repeat(results)
        self._begin(progress)

    async def _repeat(self, identity: str) -> None:
        self._counters.add("commands_repeated")
        self._events.say(f"command.refused.{Reason.REPEATED}", detail=f"{identity} was taken before, its results stand")
        if self._pace.take(self._clock.monotonic_s()):
            self._answers.repeat(await self._journal.results(identity))

    async def _refuse(self, verdict: Refused) -> None:
        self._refuse_quietly(verdict.refusal)
        if not verdict.id or verdict.id in self._journal.memory.seen:
            return
        result = Result(
            id=verdict.id,
            n=0,
            time=self._clock.civil_ms(),
            state=verdict.state,
            reason=verdict.refusal.reason,
            detail=verdict.refusal.detail[:MAX_TEXT],
            highest_seq=self._journal.highest_seq,
        )
        if verdict.command is not None:
            try:
                await self._journal.accept(verdict.command, Change(), [result], final=True)
            except DiskFullError:
                self._counters.add("commands_no_room")
                return
            self._answers.repeat([result])
        elif self._pace.take(self._clock.monotonic_s()):
            self._answers.repeat([result])

    def _refuse_quietly(self, refusal: Refusal) -> None:
        self._counters.add(f"command_refused_{refusal.reason}")
        self._events.say(f"command.refused.{refusal.reason}", detail=refusal.detail)


def _change(command: Command, devices: tuple[str, ...], civil_ms: int) -> Change:
    changed = () if command.op in READS else devices
    if command.op is Operation.LIGHT_SET:
        return Change(changed, overrides=tuple(_override(command, device) for device in devices))
    if command.op is Operation.LIGHT_RESUME:
        return Change(changed, resumed=devices)
    return Change(
        changed,
        limits=limits_of(command, devices),
        released=released_by(command, devices),
        holds=holds_of(command, devices, civil_ms),
        ended=ended_by(command, devices),
    )


def _override(command: Command, device: str) -> Override:
    percent, until = float(command.args["level_percent"]), int(command.args["until"])
    emergency = bool(command.args.get("emergency", False))
    return Override(command.id, command.seq, command.issued, device, percent, until, emergency)
