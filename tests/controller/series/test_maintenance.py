"""Downsampling and retirement, on every store: what was measured can still be asked after the readings are gone."""

from collections.abc import Awaitable, Callable

import numpy as np
import pytest

from lamplighter_contract.quantities import Kind
from lamplighter_controller.series.port import Aggregate, Series
from tests.controller.series.columns import DAY_MS, MIDNIGHT_MS, NOT_READ, QUARTER_HOUR_MS, readings

A, B = "lamp-01-001", "lamp-01-002"
T = MIDNIGHT_MS
HOUR_MS = 4 * QUARTER_HOUR_MS
MINUTE_MS = 60_000


async def ask(
    series: Series, aggregate: Aggregate, window_ms: int = HOUR_MS, days: int = 40
) -> dict[tuple[str, int], float]:
    found = await series.windows(Kind.LAMP, [A, B], "power_w", T, T + days * DAY_MS, window_ms, aggregate)
    starts = ((found.start_ms - T) / window_ms).tolist()
    return {
        (device, int(start)): round(value, 9)
        for device, start, value in zip(found.device, starts, found.value.tolist(), strict=True)
    }


async def raw_rows(series: Series) -> int:
    found = await series.range(Kind.LAMP, [A, B], ["power_w"], T, T + 40 * DAY_MS, 10_000)
    return len(found.device)


async def write_two_hours(series: Series) -> None:
    minutes = np.arange(0, 120, 5)
    for device, scale in ((A, 1.0), (B, 2.0)):
        power = minutes * scale
        power[3] = NOT_READ
        times = (T + minutes * MINUTE_MS).tolist()
        await series.write([readings([device] * len(times), times, power_w=power.tolist())])


@pytest.mark.parametrize("aggregate", list(Aggregate))
@pytest.mark.parametrize("window_ms", [HOUR_MS, DAY_MS, 7 * DAY_MS])
async def test_windows_are_the_same_after_the_readings_are_retired(
    series: Series, aggregate: Aggregate, window_ms: int
) -> None:
    await write_two_hours(series)
    before = await ask(series, aggregate, window_ms)
    await series.maintain(T + DAY_MS)
    assert await ask(series, aggregate, window_ms) == before
    await series.maintain(T + 3 * DAY_MS)
    assert await raw_rows(series) in {0, 48}, "late rows live until the next day's maintenance"
    await series.maintain(T + 4 * DAY_MS)
    assert await raw_rows(series) == 0
    assert await ask(series, aggregate, window_ms) == before
    assert len(before) > 1


async def test_quarter_hours_retire_to_days_and_days_to_nothing(series: Series) -> None:
    await write_two_hours(series)
    await series.maintain(T + DAY_MS)
    day = await ask(series, Aggregate.MEAN, DAY_MS)
    for days in range(2, 9):
        await series.maintain(T + days * DAY_MS)
    assert await ask(series, Aggregate.MEAN, DAY_MS) == day
    assert await ask(series, Aggregate.MEAN, HOUR_MS) == {
        (device, start): value for (device, start), value in day.items()
    }
    await series.maintain(T + 40 * DAY_MS)
    assert await ask(series, Aggregate.MEAN, DAY_MS) == {}


async def test_maintenance_is_idempotent(series: Series) -> None:
    await write_two_hours(series)
    for _ in range(3):
        await series.maintain(T + 4 * DAY_MS)
        await series.maintain(T + 5 * DAY_MS)
    counts = await ask(series, Aggregate.COUNT)
    assert counts == {(A, 0): 11.0, (A, 1): 12.0, (B, 0): 11.0, (B, 1): 12.0}


async def test_late_readings_change_summaries_already_made(series: Series) -> None:
    await write_two_hours(series)
    await series.maintain(T + DAY_MS + HOUR_MS)
    await series.write([readings([A, B], [T + 1, T + HOUR_MS + 1], power_w=[1000, -1000])])
    expected = {each: await ask(series, each) for each in Aggregate}
    for days in range(2, 5):
        await series.maintain(T + days * DAY_MS)
    assert await raw_rows(series) == 0
    assert {each: await ask(series, each) for each in Aggregate} == expected
    assert expected[Aggregate.MAXIMUM][A, 0] == 1000


async def test_a_backlog_older_than_the_kept_readings_is_summarised(series: Series) -> None:
    await series.write([readings([A], [T + 10 * DAY_MS], power_w=[1])])
    await series.maintain(T + 10 * DAY_MS + HOUR_MS)
    await series.write([readings([B] * 3, [T + 7 * DAY_MS, T + 7 * DAY_MS + 1, T + 7 * DAY_MS + 2], power_w=[2, 4, 9])])
    await series.maintain(T + 10 * DAY_MS + 2 * HOUR_MS)
    assert (await ask(series, Aggregate.MEAN, DAY_MS))[B, 7] == 5
    for days in (11, 12):
        await series.maintain(T + days * DAY_MS)
    assert (await ask(series, Aggregate.MEAN, DAY_MS))[B, 7] == 5


async def test_a_repeat_of_a_retired_reading_spoils_no_summary(series: Series) -> None:
    await write_two_hours(series)
    for days in range(1, 5):
        await series.maintain(T + days * DAY_MS)
    before = await ask(series, Aggregate.MEAN)
    await series.write([readings([A], [T], power_w=[0])])
    await series.maintain(T + 4 * DAY_MS + HOUR_MS)
    await series.maintain(T + 5 * DAY_MS)
    assert await ask(series, Aggregate.MEAN) == before
    assert len(before) == 4


async def test_maintenance_goes_on_after_a_restart(reopen: Callable[..., Awaitable[Series]]) -> None:
    first = await reopen()
    await write_two_hours(first)
    await first.maintain(T + HOUR_MS)
    await first.write([readings([A], [T + 1], power_w=[1000])])
    await first.close()
    again = await reopen()
    for days in range(1, 4):
        await again.maintain(T + days * DAY_MS)
    found = await ask(again, Aggregate.MAXIMUM, DAY_MS)
    await again.close()
    assert found == {(A, 0): 1000.0, (B, 0): 230.0}


async def test_a_new_quantity_is_summarised_with_the_old_ones(series: Series) -> None:
    await write_two_hours(series)
    await series.maintain(T + HOUR_MS)
    await series.write([readings([A], [T + 90 * MINUTE_MS], voltage_v=[230])])
    for days in range(1, 5):
        await series.maintain(T + days * DAY_MS)
    found = await series.windows(Kind.LAMP, [A], "voltage_v", T, T + DAY_MS, DAY_MS, Aggregate.LAST)
    assert found.value.tolist() == [230.0]
