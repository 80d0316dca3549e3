"""The spool as the rest of the gateway uses it: hand over, and it is durable soon; wait, and it is durable now."""

import asyncio
import logging
import sqlite3
from collections import deque
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeVar

from lamplighter_contract.clock import Clock
from lamplighter_gateway.disk import DiskFullError, StorageFailedError, is_full, open_database
from lamplighter_gateway.spool.frames import Class, Frame, Limits, SpoolState, SpoolStatus
from lamplighter_gateway.spool.store import APPLICATION_ID, SCHEMA, Store

log = logging.getLogger(__name__)

FILE_NAME: Final = "spool.db"
RETRY_S: Final = 1.0
PUT_TIMEOUT_S: Final = 30.0
EVENTS_SHARE: Final = 16  # events may fill one part in so many of the spool
T = TypeVar("T")


@dataclass(slots=True)
class _Draft:
    of: Class
    body: bytes
    durable: asyncio.Future[None] | None = None


class Spool:
    """Frames on disk, written by one thread, many per commit. A failing disk ends `run`; a full one is waited for."""

    def __init__(self, folder: Path, limits: Limits, clock: Clock) -> None:
        """Keep the file in `folder`; nothing is touched before `open`."""
        self._path = folder / FILE_NAME
        self._aged_s = clock.monotonic_s()
        self._limits = limits
        self._clock = clock
        self._thread = ThreadPoolExecutor(1, "spool")
        self._drafts: deque[_Draft] = deque()
        self._memory_bytes = 0
        self._memory_dropped = 0
        self._stored: list[int] = []
        self._work = asyncio.Event()
        self._committing: asyncio.Future[list[Frame]] | None = None
        self._batch: deque[_Draft] = deque()
        self._marks: list[int] = []
        self._store: Store | None = None
        self._failed = False
        self.state = SpoolState.OK
        self.on_stored: Callable[[Sequence[Frame]], None] = lambda _frames: None
        self.on_state: Callable[[SpoolState], None] = lambda _state: None

    async def open(self) -> Path | None:
        """Open or begin the file; where a spoilt one was set aside, its new place.

        Raises:
            DataInUseError: another process has it open.
            StorageFailedError: the folder cannot be written.
        """
        now_ms = self._clock.wall_ms()

        def work() -> tuple[Store, Path | None]:
            opened = open_database(self._path, APPLICATION_ID, SCHEMA, now_ms)
            return Store(opened.connection, self._limits, now_ms if opened.fresh else None), opened.set_aside

        self._store, aside = await self._in_thread(work)
        return aside

    def offer(self, of: Class, body: bytes) -> None:
        """Hand a body over; when memory for what the disk cannot take is used up, the oldest readings go, counted."""
        self._append(_Draft(of, body))

    async def put(self, of: Class, body: bytes) -> bool:
        """Hand a body over and wait until it is durable; False: not yet, it waits in memory for room on the disk."""
        durable = asyncio.get_running_loop().create_future()
        self._append(_Draft(of, body, durable))
        done, _ = await asyncio.wait([durable], timeout=PUT_TIMEOUT_S)
        return bool(done)

    def mark_stored(self, seqs: Sequence[int]) -> None:
        """The centre has stored these frames; a crash before the note is durable only means they are sent again."""
        if seqs:
            self._stored.extend(seqs)
            self._work.set()

    async def waiting(self, classes: Sequence[Class], exclude: Collection[int], limit: int) -> list[Frame]:
        """The oldest frames not yet stored by the centre, without those named."""
        return await self._in_thread(lambda: self._opened.waiting_frames(classes, exclude, limit))

    async def resend(self, first: int, last: int) -> int:
        """Make kept frames of these numbers wait again; how many."""
        return await self._in_thread(lambda: self._opened.resend(first, last))

    async def oldest_ms(self) -> int | None:
        """When the oldest waiting frame was made (real epoch ms)."""
        return await self._in_thread(self._opened.oldest_ms)

    @property
    def newest_ms(self) -> int:
        """When the newest frame on disk at the opening was made (real epoch ms), 0 if there was none."""
        return self._opened.newest_ms

    @property
    def events_full(self) -> bool:
        """True while waiting events use up their share, or the disk takes none: coalesce them."""
        used = self._opened.waiting_bytes[Class.EVENT]
        return self.state is SpoolState.FULL or used > self._limits.max_bytes // EVENTS_SHARE

    def status(self, oldest_ms: int | None = None) -> SpoolStatus:
        """The spool in numbers."""
        store = self._opened
        return SpoolStatus(
            state=self.state,
            waiting=sum(store.waiting.values()),
            waiting_bytes=sum(store.waiting_bytes.values()),
            bytes=store.bytes,
            oldest_ms=oldest_ms,
            dropped=store.dropped + self._memory_dropped,
            in_memory=len(self._drafts),
            next_seq=store.last_seq + 1,
        )

    async def run(self) -> None:
        """Commit what is handed over until cancelled.

        Raises:
            StorageFailedError: the disk failed; what was not durable was never promised.
        """
        while True:
            await self._work.wait()
            self._work.clear()
            await self._commit()
            if self.state is SpoolState.FULL:
                await asyncio.sleep(RETRY_S)
                self._work.set()

    async def close(self) -> None:
        """Commit what is left and close the file; after a disk failure, leave it as it is for the next start."""
        if self._failed:
            self._thread.shutdown(wait=False)
            return
        if self._committing is not None:
            await asyncio.wait([self._committing])
            self._finish(self._committing)
        if self._store is not None:
            if self._drafts or self._stored:
                await self._commit()
            if self._drafts:
                log.error("%d frames are lost: the disk took no more before the stop", len(self._drafts))
            await self._in_thread(self._store.close)
        self._thread.shutdown(wait=False)

    @property
    def _opened(self) -> Store:
        assert self._store is not None, "open() comes first"
        return self._store

    def _append(self, draft: _Draft) -> None:
        self._drafts.append(draft)
        self._memory_bytes += len(draft.body)
        if self._memory_bytes > self._limits.memory_bytes:
            self._forget_readings()
        self._work.set()

    def _forget_readings(self) -> None:
        kept: deque[_Draft] = deque()
        for draft in self._drafts:
            if self._memory_bytes > self._limits.memory_bytes and draft.of is Class.READING and draft.durable is None:
                self._memory_bytes -= len(draft.body)
                self._memory_dropped += 1
            else:
                kept.append(draft)
        self._drafts = kept

    async def _commit(self) -> None:
        if self._committing is None:
            self._batch, self._drafts = self._drafts, deque()
            self._marks, self._stored = self._stored, []
            bodies = [(draft.of, draft.body) for draft in self._batch]
            now_ms, marks, elapsed_ms = self._clock.wall_ms(), self._marks, self._elapsed_ms()

            def work() -> list[Frame]:
                self._opened.pass_time(elapsed_ms)
                return self._opened.commit(bodies, marks, now_ms)

            self._committing = asyncio.get_running_loop().run_in_executor(self._thread, work)
        # A cancelled run leaves the commit to close(): the thread finishes it in any case.
        await asyncio.wait([self._committing])
        self._finish(self._committing)
        if self.state is SpoolState.FULL:
            await self._give_way()

    def _elapsed_ms(self) -> int:
        elapsed_ms = int((self._clock.monotonic_s() - self._aged_s) * 1000)
        self._aged_s += elapsed_ms / 1000
        return elapsed_ms

    def _finish(self, job: asyncio.Future[list[Frame]]) -> None:
        self._committing = None
        error = job.exception()
        if error is None:
            self._settle(job.result())
            return
        self._drafts.extendleft(reversed(self._batch))
        self._stored[:0] = self._marks
        self._failed = not (isinstance(error, sqlite3.Error) and is_full(error))
        if self._failed:
            # A second fsync may claim success for what the first one lost: nothing is tried again.
            raise StorageFailedError(f"the spool's disk failed: {error}") from error
        self._change(SpoolState.FULL)

    def _settle(self, frames: Sequence[Frame]) -> None:
        for draft in self._batch:
            self._memory_bytes -= len(draft.body)
            if draft.durable is not None and not draft.durable.done():
                draft.durable.set_result(None)
        self._change(SpoolState.OK)
        if frames:
            self.on_stored(frames)

    async def _give_way(self) -> None:
        """Frames the centre has are the first to go when there is no room; a disk too full even for that stays full."""
        try:
            await self._in_thread(self._opened.forget_kept)
        except DiskFullError:
            return

    def _change(self, state: SpoolState) -> None:
        if state is self.state:
            return
        self.state = state
        if state is SpoolState.FULL:
            log.error("no room on the disk of %s: readings wait in memory, the oldest are dropped", self._path)
        else:
            log.warning("the disk has room again; %d frames were dropped meanwhile", self._memory_dropped)
        self.on_state(state)

    async def _in_thread(self, work: Callable[[], T]) -> T:
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, work)
        except sqlite3.Error as error:
            if is_full(error):
                raise DiskFullError(str(error)) from error
            self._failed = True
            raise StorageFailedError(f"the spool's disk failed: {error}") from error
