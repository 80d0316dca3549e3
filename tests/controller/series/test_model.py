"""Merge semantics against the obvious model: a dict from key to what was last read of each quantity."""

import asyncio
import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from lamplighter_contract.quantities import Kind
from lamplighter_controller.series.factory import open_series
from lamplighter_controller.series.gather import gather
from lamplighter_controller.series.port import Readings, Series
from lamplighter_controller.series.settings import SeriesSettings
from tests.controller.series.columns import NOT_READ, readings, rows

DEVICES = ("lamp-1", "lamp-2", "lamp-3")
QUANTITIES = ("power_w", "level_percent")
Model = dict[tuple[str, int], tuple[int, dict[str, float]]]

value = st.sampled_from([NOT_READ, 0.0, 1.0, 2.5])
row = st.tuples(st.sampled_from(DEVICES), st.integers(0, 5), st.integers(0, 3), value, value)


def _batch(cells: list[tuple[str, int, int, float, float]]) -> Readings:
    device, time_ms, quality, power, level = zip(*cells, strict=True)
    return readings(device, time_ms, quality=quality, power_w=power, level_percent=level)


batch = st.lists(row, min_size=1, max_size=6).map(_batch)
call = st.lists(batch, max_size=3)


def _apply(model: Model, written: Readings) -> None:
    for device, time_ms, quality, values in rows(written):
        _, known = model.get((device, time_ms), (0, {}))
        model[device, time_ms] = (quality, {**known, **values})


async def _everything(series: Series) -> Model:
    found = await series.range(Kind.LAMP, DEVICES, QUANTITIES, 0, 100, 1000)
    listed = rows(found)
    assert listed == sorted(listed, key=lambda each: each[:2])
    assert len({each[:2] for each in listed}) == len(listed), "one row per device and time"
    return {(device, time_ms): (quality, dict(values)) for device, time_ms, quality, values in listed}


@given(calls=st.lists(call, max_size=6), reopened_after=st.integers(0, 6))
@settings(max_examples=25, deadline=None)
def test_the_embedded_store_is_a_dict_that_merges(calls: list[list[Readings]], reopened_after: int) -> None:
    async def story(file: Path) -> None:
        where = SeriesSettings(url=f"duckdb:///{file}")
        series, model = await open_series(where), Model()
        for number, batches in enumerate(calls):
            if number == reopened_after:
                await series.close()
                series = await open_series(where)
            await series.write(batches)
            for written in batches:
                _apply(model, written)
        assert await _everything(series) == model
        await series.close()

    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(story(Path(folder) / "series.duckdb"))


@given(batches=st.lists(batch, max_size=5))
def test_gathering_a_call_merges_as_if_written_one_by_one(batches: list[Readings]) -> None:
    model = Model()
    for written in batches:
        _apply(model, written)
    gathered, rejected = gather(batches, frozenset())
    found = {
        (device, time_ms): (quality, dict(values))
        for each in gathered
        for device, time_ms, quality, values in rows(each)
    }
    assert rejected == []
    assert found == model
    assert sum(len(each.device) for each in gathered) == len(model)
