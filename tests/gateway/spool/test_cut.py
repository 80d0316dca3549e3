"""A copy of a spool cut at any byte opens, or is set aside; it never refuses to start."""

import shutil
import sqlite3
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lamplighter_gateway.disk import open_database
from lamplighter_gateway.spool.frames import Class, Limits
from lamplighter_gateway.spool.store import APPLICATION_ID, SCHEMA, Store

NOW = 1_763_650_000_000
BODIES = {NOW + i: b'{"kind":"lamp","n":%d}' % i * (1 + i % 90) for i in range(120)}


@pytest.fixture(scope="module")
def spool(tmp_path_factory):
    """A spool with a checkpointed part and a part that is only in the log, copied while it is open."""
    folder = tmp_path_factory.mktemp("spool")
    opened = open_database(folder / "spool.db", APPLICATION_ID, SCHEMA, NOW)
    store = Store(opened.connection, Limits(), NOW)
    for i, body in enumerate(BODIES.values()):
        store.commit([(Class.READING, body)], [NOW + i - 3], NOW)
        if i == 70:
            opened.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    copy = folder / "copy"
    copy.mkdir()
    for name in ("spool.db", "spool.db-wal"):
        shutil.copy(folder / name, copy / name)
    store.close()
    return copy


@settings(max_examples=60, deadline=None)
@given(share=st.floats(0, 1), name=st.sampled_from(["spool.db", "spool.db-wal"]))
def test_cut_anywhere(spool, share, name):
    check(spool, name, int((spool / name).stat().st_size * share))


@pytest.mark.parametrize("name", ["spool.db", "spool.db-wal"])
@pytest.mark.parametrize("size", [0, 1, 15, 16, 99, 100, 4095, 4096, 4097])
def test_cut_at_the_edges(spool, name, size):
    check(spool, name, size)


def test_a_row_that_its_index_does_not_know_is_not_believed(tmp_path):
    path = tmp_path / "spool.db"
    opened = open_database(path, APPLICATION_ID, SCHEMA, NOW)
    store = Store(opened.connection, Limits(), NOW)
    for i in range(60):
        store.commit([(Class.READING, b"{}" * 30)], [NOW + i - 1], NOW)
    store.close()
    whole = path.read_bytes()
    for size in range(len(whole) - 120, len(whole)):  # through the last row, whose columns become null one by one
        path.write_bytes(whole[:size])
        opened = open_database(path, APPLICATION_ID, SCHEMA, NOW + size)
        assert opened.connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        opened.connection.close()


def check(spool: Path, name: str, size: int) -> None:
    with TemporaryDirectory() as folder:
        copy = Path(folder)
        shutil.copytree(spool, copy, dirs_exist_ok=True)
        with (copy / name).open("rb+") as file:
            file.truncate(size)
        opened = open_database(copy / "spool.db", APPLICATION_ID, SCHEMA, NOW + 10**6)
        store = Store(opened.connection, Limits(), NOW + 10**6 if opened.fresh else None)
        found = store.waiting_frames((Class.READING,), (), 1000)
        assert all(BODIES[frame.seq] == frame.body for frame in found)
        frame = store.commit([(Class.READING, b"after")], [], NOW)[0]
        assert frame.seq > max((f.seq for f in found), default=0)
        assert frame.seq >= NOW
        store.close()
        assert (opened.set_aside is not None) == any(copy.glob("spool.db.bad-*"))


def test_a_foreign_file_is_set_aside_and_two_are_kept(tmp_path):
    path = tmp_path / "spool.db"
    for i in range(4):
        path.unlink(missing_ok=True)
        path.write_bytes(b"not a database at all, but long enough to be looked at" * 100)
        opened = open_database(path, APPLICATION_ID, SCHEMA, NOW + i)
        assert opened.set_aside == tmp_path / f"spool.db.bad-{NOW + i}"
        opened.connection.close()
    assert sorted(file.name for file in tmp_path.glob("*.bad-*")) == [f"spool.db.bad-{NOW + i}" for i in (2, 3)]


def test_a_sound_database_of_another_program_is_set_aside(tmp_path):
    with sqlite3.connect(tmp_path / "spool.db") as other:
        other.execute("CREATE TABLE theirs (a)")
    other.close()
    opened = open_database(tmp_path / "spool.db", APPLICATION_ID, SCHEMA, NOW)
    assert opened.fresh
    assert opened.set_aside is not None
    opened.connection.close()
