"""Records raw frames behind the stream: positions never wait for them; a power cut costs a second of them at most."""

import asyncio
import logging
import sqlite3
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final, NoReturn, TypeVar

from lamplighter_contract.clock import Clock
from lamplighter_gateway.disk import open_database
from lamplighter_gateway.trucks.evidence.store import APPLICATION_ID, SCHEMA, FrameLimits, FrameStore, RawFrame

log = logging.getLogger(__name__)

FILE_NAME: Final = "frames.db"
FLUSH_S: Final = 1.0
MOST_WAITING_BYTES: Final = 8 * 1024 * 1024
T = TypeVar("T")


class Recorder:
    """The rolling store of raw frames. `run` must be running; nothing is touched before `open`."""

    def __init__(self, folder: Path, limits: FrameLimits, clock: Clock, trusted: Callable[[], bool]) -> None:
        """`trusted` tells whether the clock is; while it is not, nothing is dropped for its age."""
        self._path, self._limits, self._clock, self._trusted = folder / FILE_NAME, limits, clock, trusted
        self._thread = ThreadPoolExecutor(1, "frames")
        self._waiting: list[RawFrame] = []
        self._waiting_bytes = 0
        self._store: FrameStore | None = None
        self._failing = False
        self.lost = 0

    async def open(self) -> Path | None:
        """Open or begin the file; where a spoilt one was set aside, its new place.

        Raises:
            DataInUseError: another process has it open.
            StorageFailedError: the folder cannot be written.
        """
        now_ms = self._clock.wall_ms()

        def work() -> tuple[FrameStore, Path | None]:
            opened = open_database(self._path, APPLICATION_ID, SCHEMA, now_ms)
            return FrameStore(opened.connection, self._limits), opened.set_aside

        self._store, aside = await self._in_thread(work)
        return aside

    def record(self, device: str, content: bytes) -> None:
        """A frame has just come; what the disk cannot take for long is lost, counted."""
        if self._waiting_bytes > MOST_WAITING_BYTES:
            self.lost += 1
            return
        self._waiting.append(RawFrame(device, self._clock.civil_ms(), content))
        self._waiting_bytes += len(content)

    async def find(self, device: str, start_ms: int, end_ms: int) -> Sequence[RawFrame]:
        """What is kept of a truck, up to this moment; civil ms."""
        await self._commit()
        store = self._opened
        return await self._in_thread(lambda: store.find(device, start_ms, end_ms))

    async def run(self) -> NoReturn:
        """Bring frames to the disk until cancelled."""
        while True:
            await asyncio.sleep(FLUSH_S)
            await self._commit()

    async def close(self) -> None:
        """Bring what waits to the disk and close the file."""
        if self._store is not None:
            await self._commit()
            await self._in_thread(self._store.close)
        self._thread.shutdown(wait=False)

    @property
    def trusted(self) -> bool:
        """Whether the clock that frames are stamped by can be trusted now."""
        return self._trusted()

    @property
    def _opened(self) -> FrameStore:
        assert self._store is not None, "open() comes first"
        return self._store

    async def _commit(self) -> None:
        if not self._waiting:
            return
        frames, self._waiting, self._waiting_bytes = self._waiting, [], 0
        oldest_ms = self._clock.civil_ms() - self._limits.keep_ms if self._trusted() else None
        store = self._opened
        try:
            await self._in_thread(lambda: store.add(frames, oldest_ms))
        except sqlite3.Error as error:
            self.lost += len(frames)
            if not self._failing:
                self._failing = True
                log.error("raw frames of trucks are not kept: %s", error)  # noqa: TRY400 - its text says all
        else:
            if self._failing:
                self._failing = False
                log.warning("raw frames of trucks are kept again; %d were lost", self.lost)

    async def _in_thread(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)
