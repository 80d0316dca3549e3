"""Child processes of the launcher."""

import asyncio
import sys
from pathlib import Path

import psutil
import pytest

from lamplighter_firmware_sim.demo import processes
from lamplighter_firmware_sim.demo.processes import Program, ProgramFailed, until_line, until_port


def program(tmp_path: Path, code: str) -> Program:
    return Program("part", [sys.executable, "-c", code], tmp_path / "part.log")


async def test_a_part_that_dies_is_started_again_until_it_is_stopped(tmp_path: Path, monkeypatch, caplog):
    monkeypatch.setattr(processes, "RESTART_S", (0.01,))
    part = program(tmp_path, "print('ready now', flush=True); import time; time.sleep(60)")
    await part.start()
    assert await until_line(part, "ready ") == "now"
    watching = asyncio.create_task(part.watch())
    assert part.process is not None
    before = part.process.pid
    psutil.Process(before).kill()
    async with asyncio.timeout(10):
        while part.process.pid == before:
            await asyncio.sleep(0.01)
    assert "ended with code -9" in caplog.text
    await part.stop()
    await asyncio.wait_for(watching, 5)
    assert not part.running


async def test_a_part_that_does_not_obey_is_ended(tmp_path: Path, monkeypatch):
    monkeypatch.setattr(processes, "STOP_S", 0.2)
    deaf = (
        "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); time.sleep(60)"
    )
    part = program(tmp_path, deaf)
    await part.start()
    await until_line(part, "deaf")
    await part.stop()
    assert not part.running


async def test_a_part_that_does_not_come_up_shows_the_end_of_its_log(tmp_path: Path):
    part = program(tmp_path, "raise SystemExit('no such lamp')")
    await part.start()
    with pytest.raises(ProgramFailed, match="no such lamp"):
        await until_port(part, 1)


async def test_the_log_of_earlier_starts_is_kept_and_not_mistaken_for_this_one(tmp_path: Path):
    part = program(tmp_path, "import os; print('ready', os.getpid(), flush=True); import time; time.sleep(60)")
    part.pid_file = tmp_path / "pid"
    for _ in range(2):
        await part.start()
        said = await until_line(part, "ready ")
        assert said == part.pid_file.read_text().strip()
        await part.stop()
    assert len(part.log_file.read_text().splitlines()) == 2
    assert part.log_file.stat().st_mode & 0o077 == 0
