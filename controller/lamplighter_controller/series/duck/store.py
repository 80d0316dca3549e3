"""The embedded store behind the series port.

Two threads own the database: one writes and maintains, one reads, so that a long query never holds up a commit.
DuckDB logs and syncs (fdatasync) every commit before it returns.
"""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Sequence
from collections.abc import Set as AbstractSet
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Final, Self, TypeVar

import duckdb

from lamplighter_contract.quantities import Kind
from lamplighter_controller.series.duck import maintenance, reads
from lamplighter_controller.series.duck.append import store
from lamplighter_controller.series.duck.file import open_file, set_aside_files
from lamplighter_controller.series.duck.session import Session
from lamplighter_controller.series.duck.tables import load_catalogue
from lamplighter_controller.series.gather import gather
from lamplighter_controller.series.port import Aggregate, Readings, SeriesRejected, SeriesUnavailable, Windows
from lamplighter_controller.series.rollup import horizons
from lamplighter_controller.series.settings import SeriesSettings

logger = logging.getLogger(__name__)

T = TypeVar("T")

INVALIDATED: Final = (duckdb.InternalError, duckdb.FatalException)
STORE_FAILED: Final = (*INVALIDATED, duckdb.OperationalError, duckdb.InterruptException)
CLOSE_TIMEOUT_S: Final = 30.0
MAINTENANCE_TIMEOUT_S: Final = 120.0
COPY_TIMEOUT_S: Final = 540.0  # less than whoever asked for a backup waits, so that the answer says what was slow


class DuckSeries:
    """A series store in one database file; `set_aside` names files that were damaged and renamed at open."""

    def __init__(self, path: Path, settings: SeriesSettings) -> None:
        self._path = path
        self._retention = settings.retention
        self._timeout_s = settings.timeout_s
        self._memory_mib = settings.memory_mib
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="series-write")
        self._reader = ThreadPoolExecutor(1, thread_name_prefix="series-read")
        self._session: Session | None = None
        self._cursor: Session | None = None
        self.set_aside: tuple[Path, ...] = ()

    @classmethod
    async def open(cls, path: Path, settings: SeriesSettings) -> Self:
        """Open or create the file, however long its log takes to replay.

        Raises:
            SeriesUnavailable: another process owns the file, or the folder cannot be used.
        """
        series = cls(path, settings)
        try:
            await asyncio.get_running_loop().run_in_executor(series._writer, series._connected)
        except SeriesUnavailable:
            series._shut_down()
            raise
        return series

    async def write(self, batches: Sequence[Readings]) -> None:
        """Store durably; on return every row is committed and synced."""
        rows, rejected = gather(batches, self._known_devices())
        if rows:
            await self._in_writer(partial(store, rows))
        if rejected:
            raise SeriesRejected(rejected)

    async def range(
        self, kind: Kind, devices: Sequence[str], quantities: Sequence[str], start_ms: int, end_ms: int, limit: int
    ) -> Readings:
        """Raw readings with start_ms <= time < end_ms, ordered by device, then time; at most `limit` rows."""
        query = reads.RangeQuery(kind, devices, quantities, start_ms, end_ms, limit)
        return await self._in_reader(partial(reads.read_range, query))

    async def windows(
        self,
        kind: Kind,
        devices: Sequence[str],
        quantity: str,
        start_ms: int,
        end_ms: int,
        window_ms: int,
        aggregate: Aggregate,
    ) -> Windows:
        """Aggregates per epoch-aligned window; where only summaries are left, windows are no finer than those."""
        query = reads.WindowsQuery(kind, devices, quantity, start_ms, end_ms, window_ms, aggregate)
        return await self._in_reader(partial(reads.read_windows, query))

    async def last(self, kind: Kind, since_ms: int) -> Readings:
        """One row per device measured at or after `since_ms`, ordered by device."""
        return await self._in_reader(partial(reads.read_last, kind, since_ms))

    async def maintain(self, now_ms: int) -> None:
        """Summarise and retire in short transactions, between which writes go on."""
        limits = horizons(now_ms, self._retention)
        for kind in await self._in_writer(_kinds):
            await self._maintain(partial(maintenance.collect, kind, now_ms))
            rolled: list[int] = []
            while chunk := await self._maintain(partial(maintenance.roll_quarter_hours, kind)):
                rolled += chunk
            while await self._maintain(partial(maintenance.roll_days, kind)):
                pass
            await self._maintain(partial(maintenance.retire, kind, limits, rolled))

    async def copy_to(self, target: Path) -> None:
        """Write the database as it stands at one moment into a new file, while it is in use.

        Raises:
            SeriesUnavailable: it could not be copied, or not in time.
        """
        session = self._session
        if session is None:
            raise SeriesUnavailable(f"{self._path} is being opened again")
        cursor = session.cursor()
        try:
            async with asyncio.timeout(COPY_TIMEOUT_S):
                await _interruptible(cursor, partial(_copy, cursor, target))
        except TimeoutError as error:
            raise SeriesUnavailable(f"{self._path} could not be copied within {COPY_TIMEOUT_S} s") from error
        except duckdb.Error as error:
            raise SeriesUnavailable(f"{self._path} cannot be copied: {error}") from error

    def damaged_files(self) -> tuple[Path, ...]:
        """Files set aside in this run or an earlier one that still lie beside the database; asks the disk."""
        return set_aside_files(self._path)

    async def close(self) -> None:
        """Finish what is under way and give the file back."""
        try:
            async with asyncio.timeout(CLOSE_TIMEOUT_S):
                await asyncio.get_running_loop().run_in_executor(self._writer, self._disconnect)
        except TimeoutError:
            logger.warning("%s was still busy after %.0f s and is left to its log", self._path, CLOSE_TIMEOUT_S)
        finally:
            self._shut_down()

    def _known_devices(self) -> AbstractSet[str]:
        return self._session.catalogue.codes.keys() if self._session else frozenset()

    async def _in_writer(self, job: Callable[[Session], T]) -> T:
        return await self._run(self._writer, partial(self._run_writer, job), self._timeout_s)

    async def _maintain(self, job: Callable[[Session], T]) -> T:
        return await self._run(self._writer, partial(self._run_writer, job), MAINTENANCE_TIMEOUT_S)

    async def _in_reader(self, job: Callable[[Session], T]) -> T:
        if self._session is None:
            await self._in_writer(_kinds)
        return await self._run(self._reader, partial(self._run_reader, job), self._timeout_s)

    async def _run(self, threads: ThreadPoolExecutor, call: Callable[[], T], timeout_s: float) -> T:
        try:
            async with asyncio.timeout(timeout_s):
                return await asyncio.get_running_loop().run_in_executor(threads, call)
        except TimeoutError as error:
            if threads is self._reader and self._cursor is not None:
                self._cursor.connection.interrupt()
            raise SeriesUnavailable(f"{self._path} did not answer within {timeout_s} s") from error
        except STORE_FAILED as error:
            raise SeriesUnavailable(f"{self._path}: {error}") from error

    def _run_writer(self, job: Callable[[Session], T]) -> T:
        try:
            return job(self._connected())
        except INVALIDATED:
            self._disconnect()
            raise

    def _run_reader(self, job: Callable[[Session], T]) -> T:
        session = self._session
        if session is None:
            raise SeriesUnavailable(f"{self._path} is being opened again")
        if self._cursor is None or self._cursor.catalogue is not session.catalogue:
            self._cursor = session.cursor()
        return job(self._cursor)

    def _connected(self) -> Session:
        if self._session is None:
            opened = open_file(self._path, self._memory_mib, load_catalogue)
            self._session = Session(opened.connection, opened.loaded)
            self.set_aside += opened.set_aside
        return self._session

    def _disconnect(self) -> None:
        session, self._session = self._session, None
        if session is not None:
            # The file stays open, and a broken database stays broken, until the last connection to it is closed.
            self._reader.submit(self._drop_cursor).result(self._timeout_s)
            session.connection.close()

    def _drop_cursor(self) -> None:
        cursor, self._cursor = self._cursor, None
        if cursor is not None:
            cursor.connection.close()

    def _shut_down(self) -> None:
        for threads in (self._writer, self._reader):
            threads.shutdown(wait=False, cancel_futures=True)


def _kinds(session: Session) -> list[Kind]:
    return list(session.catalogue.columns)


async def _interruptible(session: Session, call: Callable[[], None]) -> None:
    """Run in a thread; whoever stops waiting stops the query, too."""
    try:
        await asyncio.to_thread(call)
    except asyncio.CancelledError:
        with contextlib.suppress(duckdb.Error):  # it ended at this very moment
            session.connection.interrupt()
        raise


def _copy(session: Session, target: Path) -> None:
    connection = session.connection
    try:
        (name,) = connection.execute("SELECT current_database()").fetchall()[0]
        connection.execute(f"ATTACH {_quoted(str(target))} AS copy")
        try:
            connection.execute(f'COPY FROM DATABASE "{name}" TO copy')
        finally:
            connection.execute("DETACH copy")
    finally:
        connection.close()


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
