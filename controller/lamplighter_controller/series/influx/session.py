"""The threads that talk to one InfluxDB, and the order of what they say.

Requests run in two small pools, so that slow queries never hold up a write. Writes are sent one at a time: late
readings are marked, then sent, and maintenance takes its snapshot of the marks between two writes.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from functools import partial
from typing import Final, TypeVar

from lamplighter_contract.quantities import Kind
from lamplighter_controller.series.influx.http import DatabaseMissing, Influx
from lamplighter_controller.series.influx.influxql import Table
from lamplighter_controller.series.influx.state import READ_DUE, READ_PROGRESS, KindState, decode_states
from lamplighter_controller.series.port import SeriesUnavailable

T = TypeVar("T")

READERS: Final = 2
# Looking for the lines to blame takes many requests; a delete goes through every shard.
LONG_WORK: Final = 12


class InfluxSession:
    """An InfluxDB for asyncio; take a `turn()` around what must not happen between two writes."""

    def __init__(self, influx: Influx, timeout_s: float) -> None:
        self.influx = influx
        self._writing = asyncio.Lock()
        self._timeout_s = timeout_s
        self._states: dict[Kind, KindState] | None = None
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="influx-write")
        self._reader = ThreadPoolExecutor(READERS, thread_name_prefix="influx-read")

    async def query(self, statement: str) -> list[Table]:
        """Tables of a reading statement."""
        await self.states()
        return await self._ask(statement)

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Be the only one who writes.

        Raises:
            SeriesUnavailable: whoever writes now takes too long.
        """
        try:
            async with asyncio.timeout(self._timeout_s):
                await self._writing.acquire()
        except TimeoutError as error:
            raise SeriesUnavailable(f"an earlier write is under way for more than {self._timeout_s} s") from error
        try:
            yield
        finally:
            self._writing.release()

    async def write(self, job: Callable[[], T], *, long_work: bool = False) -> T:
        """Run writing requests; a database that is missing is made, once."""
        try:
            return await self._run_write(job, long_work=long_work)
        except DatabaseMissing:
            await self._run_write(self.influx.prepare, long_work=False)
            return await self._run_write(job, long_work=long_work)

    async def states(self) -> dict[Kind, KindState]:
        """What is remembered about summaries; read from the database once."""
        if self._states is None:
            await self._run_write(self.influx.prepare, long_work=False)
            progress, due = await self._ask(READ_PROGRESS), await self._ask(READ_DUE)
            if self._states is None:
                self._states = decode_states(progress, due)
        return self._states

    async def close(self) -> None:
        """Let what is under way end, and give the connections back."""
        try:
            await self._run_write(self.influx.close, long_work=True)
        finally:
            for threads in (self._writer, self._reader):
                threads.shutdown(wait=False, cancel_futures=True)

    async def _ask(self, statement: str) -> list[Table]:
        return await self._run(self._reader, partial(self.influx.query, statement), self._timeout_s)

    async def _run_write(self, job: Callable[[], T], *, long_work: bool) -> T:
        return await self._run(self._writer, job, self._timeout_s * (LONG_WORK if long_work else 1))

    async def _run(self, threads: ThreadPoolExecutor, job: Callable[[], T], timeout_s: float) -> T:
        try:
            async with asyncio.timeout(timeout_s):
                return await asyncio.get_running_loop().run_in_executor(threads, job)
        except TimeoutError as error:
            raise SeriesUnavailable(f"InfluxDB did not answer within {timeout_s} s") from error
