"""The spool as the rest of the gateway uses it."""

import asyncio
import contextlib
import sqlite3
from collections.abc import Sequence

import pytest

from lamplighter_contract.clock import ManualClock
from lamplighter_gateway.disk import StorageFailedError
from lamplighter_gateway.spool import spool as module
from lamplighter_gateway.spool.frames import Class, Frame, Limits, SpoolState
from lamplighter_gateway.spool.spool import Spool
from lamplighter_gateway.spool.store import Store
from tests.gateway.fakes import until


def error(code):
    found = sqlite3.OperationalError("made to fail")
    found.sqlite_errorcode = code
    return found


@contextlib.asynccontextmanager
async def running(folder, limits=Limits(), clock=None):  # noqa: B008 - frozen
    spool = Spool(folder, limits, clock or ManualClock())
    await spool.open()
    task = asyncio.create_task(spool.run())
    try:
        yield spool
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError, StorageFailedError):
            await task
        await spool.close()


@pytest.fixture
def disk(monkeypatch):
    """Makes commits fail with `disk["code"]`."""
    state = {"code": None}
    real = Store.commit

    def commit(self, drafts, stored, now_ms):
        if state["code"] is not None:
            raise error(state["code"])
        return real(self, drafts, stored, now_ms)

    monkeypatch.setattr(Store, "commit", commit)
    monkeypatch.setattr(module, "RETRY_S", 0.01)
    return state


async def test_what_was_handed_over_is_there_after_a_clean_stop(tmp_path):
    async with running(tmp_path) as spool:
        for i in range(20):
            spool.offer(Class.READING, b"%d" % i)
    async with running(tmp_path) as spool:
        assert [f.body for f in await spool.waiting((Class.READING,), (), 99)] == [b"%d" % i for i in range(20)]


async def test_many_are_committed_together_in_order(tmp_path):
    async with running(tmp_path) as spool:
        commits: list[Sequence[Frame]] = []
        spool.on_stored = commits.append
        async with asyncio.TaskGroup() as group:
            for i in range(50):
                group.create_task(spool.put(Class.RESULT, b"%d" % i))
        assert len(commits) <= 5
        assert [frame.body for frames in commits for frame in frames] == [b"%d" % i for i in range(50)]


async def test_a_full_disk_promises_nothing_keeps_results_and_recovers_by_itself(tmp_path, disk):
    async with running(tmp_path, Limits(memory_bytes=1000)) as spool:
        states: list[SpoolState] = []
        spool.on_state = states.append
        disk["code"] = sqlite3.SQLITE_FULL
        result = asyncio.create_task(spool.put(Class.RESULT, b"r" * 100))
        for _ in range(50):
            spool.offer(Class.READING, b"x" * 100)
        await until(lambda: spool.state is SpoolState.FULL)
        assert spool.events_full
        assert not result.done()
        assert spool.status().dropped >= 40
        disk["code"] = None
        await asyncio.wait_for(result, 5)
        assert states == [SpoolState.FULL, SpoolState.OK]
        assert spool.status().waiting <= 11
        assert [f.body for f in await spool.waiting((Class.RESULT,), (), 9)] == [b"r" * 100]


@pytest.mark.parametrize("code", [sqlite3.SQLITE_IOERR_FSYNC, sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_READONLY])
async def test_a_failing_disk_ends_the_service(tmp_path, disk, code):
    spool = Spool(tmp_path, Limits(), ManualClock())
    await spool.open()
    disk["code"] = code
    waiting = asyncio.create_task(spool.put(Class.RESULT, b"r"))
    with pytest.raises(StorageFailedError):
        await spool.run()
    assert not waiting.done()
    waiting.cancel()
    await spool.close()


async def test_events_have_a_quota(tmp_path):
    async with running(tmp_path, Limits(max_bytes=16_000)) as spool:
        assert not spool.events_full
        await spool.put(Class.EVENT, b"e" * 1000)
        assert spool.events_full


async def test_what_the_centre_has_is_kept_for_its_time_and_not_for_what_the_clock_says(tmp_path):
    clock = ManualClock()
    async with running(tmp_path, Limits(keep_ms=60_000), clock) as spool:
        await spool.put(Class.EVENT, b"1")
        (frame,) = await spool.waiting((Class.EVENT,), (), 9)
        spool.mark_stored([frame.seq])
        await spool.put(Class.EVENT, b"2")
        clock.now_ms += 10 * 365 * 86_400_000
        await spool.put(Class.EVENT, b"3")
        assert await spool.resend(frame.seq, frame.seq) == 1
        spool.mark_stored([frame.seq])
        await spool.put(Class.EVENT, b"4")
        clock.advance(61)
        await spool.put(Class.EVENT, b"5")
        assert await spool.resend(frame.seq, frame.seq) == 0


async def test_nobody_waits_for_a_full_disk_for_ever_and_what_was_handed_over_is_kept(tmp_path, disk, monkeypatch):
    monkeypatch.setattr(module, "PUT_TIMEOUT_S", 0.05)
    async with running(tmp_path) as spool:
        disk["code"] = sqlite3.SQLITE_FULL
        assert not await spool.put(Class.RESULT, b"1")
        disk["code"] = None
        assert await spool.put(Class.RESULT, b"2")
        assert [frame.body for frame in await spool.waiting((Class.RESULT,), (), 9)] == [b"1", b"2"]
