"""Writing, reading and maintaining at the same time lose nothing and stop each other for no long time."""

import asyncio
from pathlib import Path

import numpy as np
import pytest

from lamplighter_contract.quantities import Kind
from lamplighter_controller.series.duck.session import Session
from lamplighter_controller.series.duck.store import DuckSeries
from lamplighter_controller.series.port import Aggregate, Series, SeriesUnavailable
from lamplighter_controller.series.settings import SeriesSettings
from tests.controller.series.columns import DAY_MS, MIDNIGHT_MS, QUARTER_HOUR_MS, readings

T = MIDNIGHT_MS
DEVICES = [f"lamp-{lamp:02d}" for lamp in range(10)]
STEPS = 60
STEP_MS = QUARTER_HOUR_MS // 3


async def _write(series: Series) -> None:
    """Every step one live row per device, and one that comes an hour and a bit late."""
    for step in range(STEPS):
        live, late = T + step * STEP_MS, T + step * STEP_MS - 5 * QUARTER_HOUR_MS + 1
        await series.write([readings(DEVICES, [live] * 10, power_w=[1] * 10)])
        await series.write([readings(DEVICES, [max(late, T + 1)] * 10, power_w=[1] * 10)])


async def _maintain(series: Series) -> None:
    for step in range(0, STEPS, 2):
        await series.maintain(T + step * STEP_MS)


async def _read(series: Series) -> None:
    seen = 0
    for _ in range(30):
        found = await series.range(Kind.LAMP, DEVICES, ["power_w"], T, T + DAY_MS, 10**6)
        assert len(found.device) >= seen
        seen = len(found.device)
        await series.last(Kind.LAMP, T)


async def test_summaries_hold_what_was_written_meanwhile(series: Series) -> None:
    async with asyncio.TaskGroup() as tasks:
        for job in (_write, _maintain, _read):
            tasks.create_task(job(series), name=job.__name__)
    raw = await series.range(Kind.LAMP, DEVICES, ["power_w"], T, T + DAY_MS, 10**6)
    for days in range(1, 5):
        await series.maintain(T + days * DAY_MS)
    assert len((await series.range(Kind.LAMP, DEVICES, ["power_w"], T, T + DAY_MS, 10**6)).device) == 0
    summed = await series.windows(Kind.LAMP, DEVICES, "power_w", T, T + DAY_MS, DAY_MS, Aggregate.COUNT)
    assert list(summed.device) == DEVICES
    assert np.all(summed.value == len(raw.device) / len(DEVICES))


async def test_a_query_without_end_is_given_up_and_the_next_one_answered(tmp_path: Path) -> None:
    series = await DuckSeries.open(tmp_path / "series.duckdb", SeriesSettings(timeout_s=0.3))
    await series.write([readings(["lamp-1"], [T], power_w=[1])])

    def endless(session: Session) -> int:
        return session.numbers("SELECT count(*) FROM range(1000000) a, range(1000000) b WHERE a.range + b.range = 7")[0]

    with pytest.raises(SeriesUnavailable, match="did not answer within"):
        await series._in_reader(endless)
    await series.write([readings(["lamp-1"], [T + 1], power_w=[2])])
    async with asyncio.timeout(10):
        while True:
            try:
                last = await series.last(Kind.LAMP, 0)
                break
            except SeriesUnavailable:
                continue
    assert last.values["power_w"].tolist() == [2]
    await series.close()


async def test_a_copy_made_while_writing_is_a_store_as_it_stood_at_one_moment(tmp_path: Path) -> None:
    series = await DuckSeries.open(tmp_path / "series.duckdb", SeriesSettings())
    copies = [tmp_path / f"it's copy {number}.duckdb" for number in range(3)]

    async def copy() -> None:
        for target in copies:
            await series.copy_to(target)

    await series.write([readings(DEVICES, [T] * 10, power_w=[1] * 10)])
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(_write(series), name="write")
        tasks.create_task(copy(), name="copy")
    await series.close()
    for target in copies:
        copied = await DuckSeries.open(target, SeriesSettings())
        found = await copied.range(Kind.LAMP, DEVICES, ["power_w"], 0, T + DAY_MS, 10**6)
        assert len(found.device) % len(DEVICES) == 0, "whole commits only"
        await _write(copied)
        written = await copied.range(Kind.LAMP, DEVICES, ["power_w"], T, T + DAY_MS, 10**6)
        assert len(written.device) == len(set(zip(written.device, written.time_ms.tolist(), strict=True)))
        await copied.close()
