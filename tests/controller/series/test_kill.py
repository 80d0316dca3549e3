"""kill -9 of the process that owns the embedded store, and of influxd: what was acknowledged is there, once."""

import asyncio
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from lamplighter_contract.quantities import Kind
from lamplighter_controller.series.factory import open_series
from lamplighter_controller.series.port import Series, SeriesUnavailable
from lamplighter_controller.series.settings import SeriesSettings
from tests.controller.series.columns import MIDNIGHT_MS, readings
from tests.system.servers import Influxd

pytestmark = pytest.mark.fault

DEVICES = [f"lamp-{lamp:02d}" for lamp in range(20)]
ROOT = Path(__file__).parents[3]


async def _acknowledged_before_a_kill(url: str, first: int, count: int) -> int:
    """Run the writer, kill it -9 after `count` acknowledgements; the last number it printed."""
    program = [sys.executable, "-m", "tests.controller.series.acked_writer", url, str(first)]
    writer = await asyncio.create_subprocess_exec(*program, cwd=ROOT, stdout=asyncio.subprocess.PIPE)
    assert writer.stdout is not None
    async with asyncio.timeout(30):
        for _ in range(count):
            await writer.stdout.readline()
    writer.kill()
    rest, _ = await writer.communicate()
    later = rest.decode().split()
    return int(later[-1]) if later else first + count - 1


async def _stored_numbers(series: Series) -> dict[str, list[int]]:
    found = await series.range(Kind.LAMP, DEVICES, ["power_w"], 0, 10**9, 10**6)
    assert np.array_equal(found.time_ms.astype(float), found.values["power_w"])
    stored: dict[str, list[int]] = {device: [] for device in DEVICES}
    for device, number in zip(found.device, found.time_ms.tolist(), strict=True):
        stored[device].append(number)
    return stored


async def test_the_embedded_store_keeps_what_it_acknowledged(tmp_path: Path) -> None:
    url = f"duckdb:///{tmp_path / 'series.duckdb'}"
    next_number = 0
    for count in (7, 40, 90):
        last = await _acknowledged_before_a_kill(url, next_number, count)
        series = await open_series(SeriesSettings(url=url))
        stored = await _stored_numbers(series)
        await series.close()
        for device in DEVICES:
            assert stored[device][: last + 1] == list(range(last + 1))
            assert len(stored[device]) <= last + 2, "at most the write that was under way is there beyond"
        next_number = last + 1


async def test_a_second_owner_is_refused_by_name(tmp_path: Path) -> None:
    url = f"duckdb:///{tmp_path / 'series.duckdb'}"
    program = [sys.executable, "-m", "tests.controller.series.acked_writer", url, "0"]
    writer = await asyncio.create_subprocess_exec(*program, cwd=ROOT, stdout=asyncio.subprocess.PIPE)
    assert writer.stdout is not None
    await asyncio.wait_for(writer.stdout.readline(), 30)
    with pytest.raises(SeriesUnavailable, match=str(writer.pid)):
        await open_series(SeriesSettings(url=url))
    writer.kill()
    await writer.communicate()
    assert [file.name for file in tmp_path.iterdir() if "damaged" in file.name] == []


@pytest.mark.system
async def test_influxd_keeps_what_it_acknowledged(make_influxd: Callable[..., Influxd]) -> None:
    influxd = make_influxd()
    series = await open_series(SeriesSettings(url=f"influx+v1://127.0.0.1:{influxd.port}/city", timeout_s=30))
    acknowledged = []
    for number in range(60):
        if number in {20, 40}:
            await asyncio.to_thread(influxd.kill)
            with pytest.raises(SeriesUnavailable):
                await series.write([readings(DEVICES, [number] * 20, power_w=[float(number)] * 20)])
            await asyncio.to_thread(influxd.start)
        await series.write([readings(DEVICES, [number] * 20, power_w=[float(number)] * 20)])
        acknowledged.append(number)
    stored = await _stored_numbers(series)
    await series.close()
    assert all(stored[device] == acknowledged for device in DEVICES)


@pytest.mark.system
async def test_a_hung_influxd_is_unavailable_in_time_and_goes_on(make_influxd: Callable[..., Influxd]) -> None:
    influxd = make_influxd()
    series = await open_series(SeriesSettings(url=f"influx+v1://127.0.0.1:{influxd.port}/city", timeout_s=0.5))
    await series.write([readings(["lamp-00"], [MIDNIGHT_MS], power_w=[1])])
    influxd.pause()
    for _ in range(3):
        with pytest.raises(SeriesUnavailable):
            await series.write([readings(["lamp-00"], [MIDNIGHT_MS + 1], power_w=[2])])
        with pytest.raises(SeriesUnavailable):
            await series.last(Kind.LAMP, 0)
    influxd.resume()
    async with asyncio.timeout(10):
        while True:
            try:
                await series.write([readings(["lamp-00"], [MIDNIGHT_MS + 1], power_w=[2])])
                break
            except SeriesUnavailable:
                continue
    assert (await series.last(Kind.LAMP, 0)).values["power_w"].tolist() == [2]
    await series.close()


@pytest.mark.system
async def test_influxd_may_come_up_after_us(make_influxd: Callable[..., Influxd]) -> None:
    influxd = make_influxd()
    influxd.stop()
    series = await open_series(SeriesSettings(url=f"influx+v1://127.0.0.1:{influxd.port}/city", timeout_s=2))
    with pytest.raises(SeriesUnavailable):
        await series.write([readings(["lamp-00"], [MIDNIGHT_MS], power_w=[1])])
    await asyncio.to_thread(influxd.start)
    await series.write([readings(["lamp-00"], [MIDNIGHT_MS], power_w=[1])])
    assert list((await series.last(Kind.LAMP, 0)).device) == ["lamp-00"]
    await series.close()
