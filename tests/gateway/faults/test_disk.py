"""The gateway's disk fails or fills: nothing is promised falsely, and it is clean again afterwards."""

import asyncio
import contextlib
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

from lamplighter_gateway import control
from tests.system.process import free_port

pytestmark = [pytest.mark.fault, pytest.mark.system]

PROFILES = Path(__file__).parents[3] / "config" / "profiles"
CONFIG = """
gateway: gw-7
data: {data}
profiles: {profiles}
root_key: 11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=
uplink: {{host: 127.0.0.1, port: {port}}}
report: {{interval_s: 0, heartbeat_s: 900}}
spool: {{max_mib: 1, keep_h: 24}}
buses: [{{id: bus-1, wire: modbus-tcp, host: 127.0.0.1, port: {port}, timeout_s: 0.2}}]
devices: [{{id: "lamp-{{n:03}}", bus: bus-1, profile: lamp-single, units: 1-200}}]
"""
DISK_FAILED = 74


@pytest.fixture
def files(tmp_path):
    """A configuration whose bus and broker nobody serves; the data folder is `data`."""
    data = tmp_path / "data"
    data.mkdir()
    (tmp_path / "gateway.yaml").write_text(CONFIG.format(data=data, profiles=PROFILES, port=free_port()))
    return tmp_path


@contextlib.contextmanager
def running(files, *before):
    """The program, behind a command that changes its world; ended by its pid."""
    command = [*before, sys.executable, "-m", "lamplighter_gateway", "run", str(files / "gateway.yaml")]
    with (files / "log").open("ab") as log:
        process = subprocess.Popen(command, stderr=log, stdout=log, start_new_session=True)
    try:
        yield process
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGTERM)
            process.wait(10)


def ask(folder, **request):
    return asyncio.run(control.ask(folder, request))


def write(folder, number, minutes=600):
    return ask(folder, do="write", device=f"lamp-{number:03}", level_percent=number % 100, minutes=minutes)


def wait_for(condition, timeout_s=10.0):
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, "it did not come true in time"
        time.sleep(0.05)


def answers(folder):
    try:
        return ask(folder, do="status")
    except control.NotRunningError:
        return None


@pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not installed (Debian package strace)")
@pytest.mark.parametrize("healthy_syncs", [0, 30])
def test_a_failing_fsync_ends_the_process_and_the_next_start_has_all_that_was_promised(files, healthy_syncs):
    inject = f"inject=fsync,fdatasync:error=EIO:when={healthy_syncs + 1}+"
    data = files / "data"
    promised = set()
    with running(
        files, "strace", "-f", "-qq", "-o", "/dev/null", "-e", "trace=fsync,fdatasync", "-e", inject
    ) as process:
        wait_for(lambda: process.poll() is not None or answers(data))
        for number in range(1, 200):
            try:
                answer = write(data, number)
            except control.NotRunningError:
                break
            if "outcome" in answer:
                promised.add(f"lamp-{number:03}")
        assert process.wait(10) == DISK_FAILED
    assert bool(promised) == bool(healthy_syncs)
    with running(files) as process:
        wait_for(lambda: answers(data))
        assert promised <= {override["device"] for override in ask(data, do="status")["overrides"]}
        os.killpg(process.pid, signal.SIGTERM)
        assert process.wait(5) == 0


@pytest.mark.skipif(os.geteuid() != 0 or shutil.which("unshare") is None, reason="needs root and unshare")
def test_a_full_disk_is_told_takes_commands_all_the_same_and_heals_by_itself(files):
    data = files / "data"
    mount = f'mount -t tmpfs -o size=2m tmpfs "{data}" && exec "$@"'
    with running(files, "unshare", "--mount", "sh", "-c", mount, "sh") as process:
        seen = Path(f"/proc/{process.pid}/root{data}")
        wait_for(lambda: (seen / "control.sock").exists() and answers(seen))
        assert write(seen, 1)["outcome"] == "failed"
        fill(seen / "ballast")
        # Room for commands was reserved: what a person wants is kept and tried, though readings find no room.
        for number in range(2, 60):
            assert write(seen, number)["outcome"] == "failed"
        wait_for(lambda: ask(seen, do="status")["spool"].get("state") == "full", 5)
        kept = {override["device"] for override in ask(seen, do="status")["overrides"]}
        (seen / "ballast").unlink()
        wait_for(lambda: ask(seen, do="status")["spool"].get("state", "ok") == "ok", 5)
        assert write(seen, 100)["outcome"] == "failed"
        for name in ("spool.db", "spool.db-wal", "desired.db", "desired.db-wal"):
            with contextlib.suppress(FileNotFoundError):
                shutil.copy(seen / name, files / name)
    for name in ("spool.db", "desired.db"):
        with contextlib.closing(sqlite3.connect(files / name)) as copy:
            assert copy.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    with contextlib.closing(sqlite3.connect(files / "desired.db")) as copy:
        overrides = {row[0] for row in copy.execute("SELECT device FROM override")}
    assert overrides == kept | {"lamp-100"}


def fill(ballast):
    with ballast.open("wb", buffering=0) as file:
        for size in (65_536, 4096):
            with contextlib.suppress(OSError):
                while True:
                    file.write(b"\0" * size)
