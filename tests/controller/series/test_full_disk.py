"""A disk without room: no false acknowledgement, reading goes on, and so does writing once there is room."""

import asyncio
import json
import sys
from pathlib import Path

import pytest

from lamplighter_contract.quantities import Kind
from lamplighter_controller.series.factory import open_series
from lamplighter_controller.series.settings import SeriesSettings

pytestmark = pytest.mark.fault

ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize("limit_bytes", [2_000_000, 17_000_000], ids=["in-the-log", "at-a-checkpoint"])
async def test_a_full_disk(tmp_path: Path, limit_bytes: int) -> None:
    url = f"duckdb:///{tmp_path / 'series.duckdb'}"
    program = [sys.executable, "-m", "tests.controller.series.full_disk", url, str(limit_bytes)]
    child = await asyncio.create_subprocess_exec(*program, cwd=ROOT, stdout=asyncio.subprocess.PIPE)
    out, _ = await asyncio.wait_for(child.communicate(), 50)
    told = json.loads(out)
    assert len(told["refused"]) == 3
    assert set(told["while_full"]) >= set(told["acknowledged"]) - set(told["refused"]) - {max(told["acknowledged"])}
    assert told["again"] == []
    assert told["after"] == sorted(told["acknowledged"])
    series = await open_series(SeriesSettings(url=url))
    found = await series.range(Kind.LAMP, ["lamp-00007"], ["power_w"], 0, 10**9, 10**6)
    await series.close()
    assert found.time_ms.tolist() == told["after"]
