"""The ledger as the event loop uses it: one thread, and its picture in memory."""

import asyncio
import contextlib
import logging
import sqlite3
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Final, NoReturn, TypeVar

import msgspec

from lamplighter_contract.clock import Clock
from lamplighter_contract.commands.command import Command
from lamplighter_contract.commands.results import Result
from lamplighter_contract.level import Override
from lamplighter_contract.wire.limits import SEQUENCE_WINDOW
from lamplighter_gateway.commands.ledger import APPLICATION_ID, SCHEMA, UPGRADES, Change, Ledger, Memory, OpenCommand
from lamplighter_gateway.disk import DiskFullError, StorageFailedError, is_full, open_database, write_durably
from lamplighter_gateway.light.desired import Desired
from lamplighter_gateway.safety.holds import Hold, Holds
from lamplighter_gateway.trucks.limits import Limit, LimitKey

log = logging.getLogger(__name__)

FILE_NAME: Final = "desired.db"
BEGINS: Final = "begins_ms"
KEYS: Final = "keys"
PLAN: Final = "plan"
SIGNALS: Final = "signals"
GENERATION: Final = "generation"
HOLDS: Final = "holds.json"  # isolations and locks once more, beside the ledger: they outlive it
COMMISSIONED: Final = "commissioned"  # a file beside the ledger, which outlives it
T = TypeVar("T")


class Journal:
    """Changes go to disk first, then to `desired` and to what is known of commands."""

    def __init__(self, folder: Path, clock: Clock) -> None:
        """Keep the file in `folder`; nothing is touched before `open`."""
        self._path = folder / FILE_NAME
        self._mark = folder / COMMISSIONED
        self._holds_file = folder / HOLDS
        self._clock = clock
        self._thread = ThreadPoolExecutor(1, "ledger")
        self._ledger: Ledger | None = None
        self._failure = asyncio.Event()
        self._failed_by = ""
        self._memory = Memory(set(), set(), 0, {}, [], set(), {})
        self.desired = Desired()
        self.holds = Holds()
        self.begins_ms = 0
        self.highest_seq = 0
        self.generation = 0

    async def open(self, *, clock_trusted: bool = False) -> Path | None:
        """Open or begin the file; where a spoilt one was set aside, its new place.

        A memory that would begin in the future was begun by a wrong clock: with a trusted one it begins now.

        Raises:
            DataInUseError: another process has it open.
            StorageFailedError: the folder cannot be written.
        """
        now_ms = self._clock.wall_ms()

        def work() -> tuple[Ledger, Memory, int, int, Path | None]:
            opened = open_database(self._path, APPLICATION_ID, SCHEMA, now_ms, UPGRADES)
            ledger = Ledger(opened.connection)
            ledger.reserve()
            if opened.fresh:
                ledger.put(BEGINS, b"%d" % now_ms)
                ledger.want(Change(holds=_outlived(self._holds_file)), 0)
            begins_ms = int(ledger.get(BEGINS) or b"0")
            if clock_trusted and begins_ms > now_ms:
                ledger.put(BEGINS, b"%d" % (begins_ms := now_ms))
            generation = int(ledger.get(GENERATION) or b"0")
            return ledger, ledger.memory(), begins_ms, generation, opened.set_aside

        self._ledger, self._memory, self.begins_ms, self.generation, aside = await self._in_thread(work)
        self.highest_seq = self._memory.highest_seq
        self.desired = Desired(self._memory.overrides, self._memory.held, self._memory.resumed)
        self.holds.add(self._memory.holds)
        return aside

    async def run(self) -> NoReturn:
        """Watch over the disk, whoever it fails under, until cancelled.

        Raises:
            StorageFailedError: it failed; nothing more is promised.
        """
        await self._failure.wait()
        raise StorageFailedError(self._failed_by)

    @property
    def memory(self) -> Memory:
        """Ids seen, numbers used, the last number of each device."""
        return self._memory

    async def accept(self, command: Command, change: Change, results: Sequence[Result], *, final: bool) -> None:
        """Store id, seq, desired state and first results in one transaction, then know them.

        Raises:
            DiskFullError: the disk is full; nothing was accepted.
        """
        await self._in_thread(lambda: self._opened.accept(command, change, results, final=final))
        self._memory.seen.add(command.id)
        self._memory.used.add(command.seq)
        self._memory.last_of.update(dict.fromkeys(change.devices, command.seq))
        if command.seq > self.highest_seq:
            self.highest_seq = command.seq
            if len(self._memory.used) > 2 * SEQUENCE_WINDOW:
                self._memory.used.intersection_update(range(command.seq - SEQUENCE_WINDOW, command.seq + 1))
        await self._settle(change, command.seq)

    async def hand_over(self, generation: int, change: Change) -> None:
        """Keep what a handover brings, then know it.

        Raises:
            DiskFullError: the disk is full; nothing was taken.
        """
        await self._in_thread(lambda: self._opened.hand_over(GENERATION, generation, change))
        self.generation = generation
        await self._settle(change, 0)

    async def want(self, change: Change, seq: int) -> None:
        """Store desired state that no command of the centre brought."""
        await self._in_thread(lambda: self._opened.want(change, seq))
        await self._settle(change, seq)

    async def tell(self, result: Result, *, final: bool) -> None:
        """Store one more result of an accepted command."""
        await self._in_thread(lambda: self._opened.tell(result, final=final))

    async def results(self, identity: str) -> list[Result]:
        """All results of a command, in order."""
        return await self._in_thread(lambda: self._opened.results(identity))

    async def due(self) -> list[Result]:
        """Results that may not have reached the spool."""
        return await self._in_thread(self._opened.due)

    async def spooled(self, results: Sequence[Result]) -> None:
        """These results are in the spool."""
        await self._in_thread(lambda: self._opened.spooled(results))

    async def unfinished(self) -> list[OpenCommand]:
        """Commands that were accepted and have no final result."""
        return await self._in_thread(self._opened.unfinished)

    async def forget(self, ended: Sequence[Override], handed_back: Sequence[str]) -> None:
        """Overrides whose end has passed, and lamps that follow their own schedule again."""
        await self._in_thread(lambda: self._opened.forget(ended, handed_back))
        for device in handed_back:
            self.desired.hand_back(device)

    async def keys(self) -> bytes | None:
        """The last accepted keys document, as it came."""
        return await self._in_thread(lambda: self._opened.get(KEYS))

    async def keep_keys(self, payload: bytes) -> None:
        """Keep an accepted keys document."""
        await self._in_thread(lambda: self._opened.put(KEYS, payload))

    async def plan(self) -> bytes | None:
        """The plan in force, None when there never was one."""
        return await self._in_thread(lambda: self._opened.get(PLAN))

    async def keep_plan(self, body: bytes, in_force: Callable[[], Sequence[Override]]) -> None:
        """Keep a plan and the overrides in force under it, then know them; `in_force` is asked at the last moment.

        Raises:
            DiskFullError: the disk is full; the plan before stays in force.
        """
        overrides = in_force()

        def work() -> None:
            self._opened.keep_plan(PLAN, body, overrides)
            with contextlib.suppress(OSError):  # no room: the plan is kept all the same, and the next one marks it
                self._mark.touch()

        await self._in_thread(work)
        self.desired.replace(overrides)

    async def commissioned(self) -> bool:
        """True once a plan was kept here, though the ledger may have been lost since."""
        return await self._in_thread(self._mark.exists)

    async def signals(self) -> bytes | None:
        """The last accepted signals."""
        return await self._in_thread(lambda: self._opened.get(SIGNALS))

    async def keep_signals(self, body: bytes) -> None:
        """Keep accepted signals.

        Raises:
            DiskFullError: the disk is full; those before stay kept.
        """
        await self._in_thread(lambda: self._opened.put(SIGNALS, body))

    async def switched(self, devices: Iterable[str], forget_before_ms: int) -> None:
        """Keep that these have gone on or off now; what is older than a real time is forgotten.

        Raises:
            DiskFullError: the disk is full; this switching is known until the next start.
        """
        now_ms = self._clock.wall_ms()
        await self._in_thread(lambda: self._opened.switched(devices, now_ms, forget_before_ms))

    async def switchings(self) -> list[tuple[str, int]]:
        """Device and real time of the switchings kept, the oldest first."""
        return await self._in_thread(self._opened.switchings)

    @property
    def limits(self) -> Mapping[LimitKey, Limit]:
        """Limits of trucks that are not over."""
        return self._memory.limits

    async def release(self, key: LimitKey) -> None:
        """This limit of a truck is to be over now."""
        await self._in_thread(lambda: self._opened.release_limits([key]))
        self._released([key])

    async def note_limit(self, limit: Limit) -> bool:
        """Keep what was sent for a limit and what is confirmed of it; False: it was released or replaced meanwhile."""
        await self._in_thread(lambda: self._opened.note_limit(limit))
        kept = self._memory.limits.get(limit.key)
        if kept is None or kept.command != limit.command:
            return False
        self._memory.limits[limit.key] = replace(kept, sent=limit.sent, confirmed=limit.confirmed)
        return kept.released == limit.released

    async def forget_limit(self, limit: Limit) -> None:
        """This limit of a truck is over; a newer one in its place stays."""
        await self._in_thread(lambda: self._opened.forget_limit(limit))
        kept = self._memory.limits.get(limit.key)
        if kept is not None and kept.command == limit.command:
            del self._memory.limits[limit.key]

    async def close(self) -> None:
        """Close the file."""
        if self._ledger is not None and not self._failure.is_set():
            await self._in_thread(self._ledger.close)
        self._thread.shutdown(wait=False)

    async def _settle(self, change: Change, seq: int) -> None:
        self._take(change, seq)
        if change.holds or change.ended:
            held = msgspec.json.encode(list(self.holds.all()))
            await self._in_thread(lambda: _keep(self._holds_file, held))

    def _take(self, change: Change, seq: int) -> None:
        self.desired.add(change.overrides)
        self.desired.end(change.resumed, seq)
        self._released(change.released)
        self.holds.end(change.ended)
        self.holds.add(change.holds)
        for limit in change.limits:
            before = self._memory.limits.get(limit.key, limit)
            self._memory.limits[limit.key] = replace(limit, sent=before.sent, confirmed=before.confirmed)

    def _released(self, keys: Iterable[LimitKey]) -> None:
        for key in keys:
            limit = self._memory.limits.get(key)
            if limit is not None:
                self._memory.limits[key] = replace(limit, released=True)

    @property
    def _opened(self) -> Ledger:
        assert self._ledger is not None, "open() comes first"
        return self._ledger

    async def _in_thread(self, work: Callable[[], T]) -> T:
        if self._failure.is_set():
            raise StorageFailedError(self._failed_by)
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, work)
        except sqlite3.Error as error:
            if is_full(error):
                raise DiskFullError("the disk is full") from error
            self._failed_by = f"the disk under the command memory failed: {error}"
            self._failure.set()
            raise StorageFailedError(self._failed_by) from error


def _keep(file: Path, held: bytes) -> None:
    try:
        write_durably(file, held)
    except OSError as error:  # the ledger has them; this is for the day on which it is lost
        log.warning("isolations and locks are kept in the ledger only: %s", error)


def _outlived(file: Path) -> tuple[Hold, ...]:
    """The isolations and locks of a ledger that was lost."""
    try:
        return msgspec.json.decode(file.read_bytes(), type=tuple[Hold, ...])
    except FileNotFoundError:
        return ()
    except (OSError, msgspec.DecodeError) as error:
        log.error("isolations and locks cannot be read from %s (%s): ask the centre what is isolated", file, error)  # noqa: TRY400 - expected trouble, no trace wanted
        return ()
