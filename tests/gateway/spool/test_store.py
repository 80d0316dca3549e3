"""The spool's table: numbers, marks, limits."""

import sqlite3
from itertools import pairwise

import pytest

from lamplighter_gateway.disk import open_database
from lamplighter_gateway.spool.frames import URGENT, Class, Limits
from lamplighter_gateway.spool.store import APPLICATION_ID, SCHEMA, Store

NOW = 1_763_650_000_000
READINGS = (Class.READING,)


def reopen(path, limits=Limits(), now_ms=NOW):  # noqa: B008 - frozen
    opened = open_database(path / "spool.db", APPLICATION_ID, SCHEMA, now_ms)
    return Store(opened.connection, limits, now_ms if opened.fresh else None)


@pytest.fixture
def store(tmp_path):
    store = reopen(tmp_path)
    yield store
    store.close()


def test_a_new_spool_begins_at_epoch_ms_and_numbers_rise_by_one_over_restarts(tmp_path):
    store = reopen(tmp_path)
    assert [frame.seq for frame in store.commit([(Class.READING, b"a"), (Class.EVENT, b"b")], [], NOW)] == [
        NOW,
        NOW + 1,
    ]
    store.close()
    store = reopen(tmp_path, now_ms=NOW + 10**9)
    assert [frame.seq for frame in store.commit([(Class.READING, b"c")], [], NOW)] == [NOW + 2]
    store.close()


def test_numbers_go_on_when_every_frame_is_gone(tmp_path):
    store = reopen(tmp_path, Limits(keep_ms=0))
    store.commit([(Class.READING, b"a")], [], NOW)
    store.commit([], [NOW], NOW + 1)
    store.commit([], [], NOW + 2)
    assert store.bytes == 0
    store.close()
    store = reopen(tmp_path)
    assert store.commit([(Class.READING, b"b")], [], NOW)[0].seq == NOW + 1
    store.close()


def test_a_second_process_is_told_that_the_file_is_in_use(tmp_path, store):
    from lamplighter_gateway.disk import DataInUseError

    with pytest.raises(DataInUseError):
        reopen(tmp_path)


def test_marked_frames_wait_no_more_and_come_again_on_resend(store):
    store.commit([(Class.READING, b"%d" % i) for i in range(5)], [], NOW)
    store.commit([], [NOW + 1, NOW + 2, NOW + 2, 7], NOW)
    assert [frame.body for frame in store.waiting_frames(READINGS, (), 9)] == [b"0", b"3", b"4"]
    assert store.waiting[Class.READING] == 3
    assert store.resend(NOW + 2, NOW + 4) == 1
    assert [frame.body for frame in store.waiting_frames(READINGS, (), 9)] == [b"0", b"2", b"3", b"4"]
    assert store.waiting[Class.READING] == 4


def test_waiting_frames_leave_out_what_is_named_and_other_classes(store):
    store.commit([(Class.RESULT, b"r"), (Class.READING, b"a"), (Class.EVENT, b"e"), (Class.READING, b"b")], [], NOW)
    assert [frame.body for frame in store.waiting_frames(URGENT, {NOW}, 9)] == [b"e"]
    assert [frame.body for frame in store.waiting_frames(READINGS, {NOW + 1}, 1)] == [b"b"]


def test_stored_frames_are_kept_for_their_time(tmp_path):
    store = reopen(tmp_path, Limits(keep_ms=1000))
    store.commit([(Class.READING, b"a")], [], NOW)
    store.pass_time(10)
    store.commit([], [NOW], NOW)
    store.pass_time(999)
    store.commit([], [], NOW)
    assert store.resend(0, 2**53) == 1
    store.pass_time(1000)
    store.commit([], [NOW], NOW)
    store.pass_time(1001)
    store.commit([], [], NOW)
    assert store.resend(0, 2**53) == 0
    store.close()


def test_a_clock_that_jumps_ahead_lets_nothing_go_early(tmp_path):
    ten_years_ms = 10 * 365 * 86_400_000
    store = reopen(tmp_path, Limits(keep_ms=1000))
    store.commit([(Class.READING, b"a"), (Class.READING, b"b")], [], NOW)
    store.commit([], [NOW], NOW)
    store.commit([], [NOW + 1], NOW + ten_years_ms)
    store.close()
    store = reopen(tmp_path, Limits(keep_ms=1000), NOW + ten_years_ms)
    store.commit([], [], NOW + ten_years_ms)
    assert store.resend(0, 2**53) == 2
    store.close()


def test_room_is_made_from_kept_then_thinned_then_oldest_readings_never_results(tmp_path):
    store = reopen(tmp_path, Limits(max_bytes=100_000))
    store.commit([(Class.RESULT, b"r" * 900), (Class.EVENT, b"e" * 900)], [], NOW)
    store.commit([(Class.READING, b"kept" * 200)], [], NOW)
    store.commit([], [NOW + 2], NOW)
    for minute in range(400):
        store.commit([(Class.READING, b"x" * 900)], [], NOW + minute * 60_000)
    assert store.bytes <= 100_000
    assert store.dropped > 250
    assert store.resend(0, 2**53) == 0
    assert [frame.of for frame in store.waiting_frames(URGENT, (), 9)] == [Class.RESULT, Class.EVENT]
    readings = store.waiting_frames(READINGS, (), 1000)
    assert readings[-1].created_ms == NOW + 399 * 60_000
    newest_half = [frame.created_ms for frame in readings[len(readings) // 2 + 1 :]]
    assert all(after - before == 60_000 for before, after in pairwise(newest_half))
    gaps = {b.created_ms - a.created_ms for a, b in pairwise(readings)}
    assert max(gaps) > 60_000
    store.close()


def test_totals_are_those_of_the_table(tmp_path):
    store = reopen(tmp_path, Limits(max_bytes=30_000, keep_ms=5000))
    for step in range(120):
        store.pass_time(1000)
        frames = store.commit([(Class(step % 3), b"y" * (step * 7 % 600))], [], NOW + step * 1000)
        store.commit([], [frames[0].seq - step % 5], NOW + step * 1000)
    store.close()
    found = reopen(tmp_path)
    assert (found.bytes, found.waiting, found.waiting_bytes) == (store.bytes, store.waiting, store.waiting_bytes)
    found.close()


def test_a_failed_transaction_leaves_numbers_as_they_were(store):
    with pytest.raises(sqlite3.Error):
        store.commit([(Class.READING, b"a"), (Class.READING, [1])], [], NOW)
    assert store.commit([(Class.READING, b"b")], [], NOW)[0].seq == NOW
