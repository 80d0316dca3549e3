"""Files of the gateway: nobody else's to read, and never begun anew without a word."""

import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from lamplighter_contract.clock import ManualClock
from lamplighter_gateway.disk import StorageFailedError, open_database
from lamplighter_gateway.spool.frames import Class, Limits
from lamplighter_gateway.spool.spool import Spool
from lamplighter_gateway.spool.store import APPLICATION_ID, SCHEMA, Store
from tests.gateway.fakes import until
from tests.gateway.rig import Rig

NOW = 1_763_650_000_000
WAL_HEADER_BYTES = 32


def readable_by_others(folder: Path) -> list[str]:
    return [path.name for path in (folder, *folder.iterdir()) if path.stat().st_mode & 0o077]


async def test_what_the_gateway_keeps_is_nobody_elses_to_read(tmp_path):
    rig = Rig(tmp_path / "data")
    async with rig.running():
        await rig.centre.final(rig.centre.send(rig.centre.light_set(50)))
        assert {"spool.db", "spool.db-wal", "desired.db"} <= {path.name for path in rig.folder.iterdir()}
        assert readable_by_others(rig.folder) == []


async def test_a_file_that_others_could_read_is_closed_to_them(tmp_path):
    path = tmp_path / "spool.db"
    open_database(path, APPLICATION_ID, SCHEMA, NOW).connection.close()
    path.chmod(0o644)
    opened = open_database(path, APPLICATION_ID, SCHEMA, NOW)
    assert path.stat().st_mode & 0o777 == 0o600
    opened.connection.close()


def test_whatever_the_program_makes_is_private(tmp_path):
    """Nothing is started: the configuration is read, and the file that a fault would leave is made instead."""
    script = (
        "import os, sys, pathlib\n"
        "from click.testing import CliRunner\n"
        "from lamplighter_gateway import supervisor\n"
        "from lamplighter_gateway.cli import program as cli\n"
        "async def supervise(started, environment):\n"
        "    pathlib.Path(sys.argv[1]).touch()\n"
        "    return supervisor.Exit.CLEAN\n"
        "supervisor.supervise = supervise\n"
        "cli.start = lambda file, environment: cli.Start(*[None] * 5)\n"
        "assert CliRunner().invoke(cli.main, ['run', 'x']).exit_code == 0\n"
    )
    made = tmp_path / "made"
    subprocess.run([sys.executable, "-c", script, str(made)], check=True, timeout=20)
    assert made.stat().st_mode & 0o077 == 0


@pytest.fixture
def in_the_log_only(tmp_path):
    """A spool killed before anything of it reached the database itself, copied while it is open."""
    opened = open_database(tmp_path / "spool.db", APPLICATION_ID, SCHEMA, NOW)
    store = Store(opened.connection, Limits(), NOW)
    store.commit([(Class.READING, b"{}")], [], NOW)
    copy = tmp_path / "copy"
    copy.mkdir()
    for name in ("spool.db", "spool.db-wal"):
        shutil.copy(tmp_path / name, copy / name)
    store.close()
    return copy


def test_a_spool_whose_log_is_spoilt_from_the_first_frame_on_is_not_taken_for_a_new_one(in_the_log_only):
    log = in_the_log_only / "spool.db-wal"
    spoilt = bytearray(log.read_bytes())
    spoilt[WAL_HEADER_BYTES + 30] ^= 0xFF
    log.write_bytes(spoilt)
    opened = open_database(in_the_log_only / "spool.db", APPLICATION_ID, SCHEMA, NOW)
    assert opened.fresh
    assert opened.set_aside is not None
    opened.connection.close()


def test_a_spool_that_never_was_is_new_and_nothing_is_set_aside(tmp_path):
    opened = open_database(tmp_path / "spool.db", APPLICATION_ID, SCHEMA, NOW)
    assert (opened.fresh, opened.set_aside) == (True, None)
    opened.connection.close()


@pytest.mark.parametrize(
    "change",
    [
        "ALTER TABLE command RENAME COLUMN body TO text",
        "DROP TABLE held",
        "PRAGMA user_version = 99",
        "PRAGMA user_version = 0",
    ],
)
async def test_a_memory_of_an_unknown_layout_is_set_aside_and_the_gateway_starts(tmp_path, change):
    rig = Rig(tmp_path)
    async with rig.running():
        pass
    with closing(sqlite3.connect(tmp_path / "desired.db", isolation_level=None)) as other:
        other.execute(change)
    async with rig.running():
        assert (await rig.centre.final(rig.centre.send(rig.centre.light_set(50))))["state"] == "verified"
        await until(lambda: "ledger.set_aside" in {event["event"] for event in rig.link.events()})


async def test_a_spool_of_an_unknown_layout_is_set_aside(tmp_path):
    path = tmp_path / "spool.db"
    opened = open_database(path, APPLICATION_ID, "CREATE TABLE frame (seq INTEGER PRIMARY KEY, text TEXT)", NOW)
    opened.connection.close()
    spool = Spool(tmp_path, Limits(), ManualClock())
    aside = await spool.open()
    await spool.close()
    assert aside is not None


def test_an_upgrade_that_breaks_off_is_made_again(tmp_path):
    path, first = tmp_path / "a.db", "CREATE TABLE a (x)"
    open_database(path, 1, first, NOW).connection.close()
    upgrades = ("ALTER TABLE a ADD COLUMN y", "CREATE TABLE b (z); INSERT INTO nowhere VALUES (1)")
    with pytest.raises(StorageFailedError):
        open_database(path, 1, first, NOW, upgrades)
    with closing(open_database(path, 1, first, NOW, (upgrades[0], "CREATE TABLE b (z)")).connection) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (2,)
        connection.execute("INSERT INTO a (x, y) VALUES (1, 2)")
    assert not list(tmp_path.glob("*.bad-*"))
