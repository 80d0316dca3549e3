"""What every series store promises, on each of them."""

from collections.abc import Awaitable, Callable

import numpy as np
import pytest

from lamplighter_contract.quantities import Kind
from lamplighter_controller.series.port import Aggregate, Readings, Series, SeriesRejected
from tests.controller.series.columns import MIDNIGHT_MS, NOT_READ, readings, rows

T = MIDNIGHT_MS
ALL = (T - 10**9, T + 10**9, 1000)
A, B = "lamp-01-001", "lamp-01-002"


async def read(series: Series, *quantities: str, devices: tuple[str, ...] = (A, B)) -> Readings:
    return await series.range(Kind.LAMP, devices, quantities, *ALL)


async def test_what_is_written_is_read_back_exactly(series: Series) -> None:
    await series.write([readings([B, A], [T + 1, T], quality=[0, 4], power_w=[57.1, 0.1 + 0.2], starts=[7, 2**53])])
    assert rows(await read(series, "power_w", "starts")) == [
        (A, T, 4, {"power_w": 0.1 + 0.2, "starts": float(2**53)}),
        (B, T + 1, 0, {"power_w": 57.1, "starts": 7.0}),
    ]


async def test_a_value_not_read_is_neither_zero_nor_the_last_one(series: Series) -> None:
    await series.write([readings([A, A], [T, T + 1], power_w=[5, NOT_READ], level_percent=[NOT_READ, 60])])
    assert rows(await read(series, "power_w", "level_percent", "voltage_v")) == [
        (A, T, 0, {"power_w": 5.0}),
        (A, T + 1, 0, {"level_percent": 60.0}),
    ]


async def test_a_row_without_any_value_keeps_its_time_and_quality(series: Series) -> None:
    await series.write([readings([A], [T], quality=[16], power_w=[NOT_READ])])
    assert rows(await read(series, "power_w")) == [(A, T, 16, {})]


async def test_a_repeat_changes_nothing(series: Series) -> None:
    batch = readings([A, B], [T, T], power_w=[1, 2])
    for _ in range(3):
        await series.write([batch])
    assert rows(await read(series, "power_w")) == [(A, T, 0, {"power_w": 1.0}), (B, T, 0, {"power_w": 2.0})]


async def test_a_repeat_merges_and_later_non_null_wins(series: Series) -> None:
    await series.write([readings([A], [T], power_w=[1], voltage_v=[230])])
    await series.write([readings([A], [T], quality=[2], power_w=[9], voltage_v=[NOT_READ], level_percent=[60])])
    merged = {"power_w": 9.0, "voltage_v": 230.0, "level_percent": 60.0}
    assert rows(await read(series, "power_w", "voltage_v", "level_percent")) == [(A, T, 2, merged)]


async def test_repeats_within_one_call_merge_in_their_order(series: Series) -> None:
    first = readings([A, B, A], [T, T, T], power_w=[1, 2, 3], voltage_v=[230, 231, NOT_READ])
    await series.write([first, readings([A], [T], power_w=[4])])
    assert rows(await read(series, "power_w", "voltage_v")) == [
        (A, T, 0, {"power_w": 4.0, "voltage_v": 230.0}),
        (B, T, 0, {"power_w": 2.0, "voltage_v": 231.0}),
    ]


async def test_old_readings_find_their_place_among_new_ones(series: Series) -> None:
    await series.write([readings([A], [T + 100], power_w=[2])])
    await series.write([readings([A, B], [T + 50, T + 200], power_w=[1, 3])])
    assert [(device, time) for device, time, *_ in rows(await read(series, "power_w"))] == [
        (A, T + 50),
        (A, T + 100),
        (B, T + 200),
    ]


async def test_kinds_of_one_device_are_apart(series: Series) -> None:
    await series.write([readings([A], [T], power_w=[1]), readings([A], [T], kind=Kind.CABINET, power_w=[2])])
    assert rows(await series.range(Kind.CABINET, [A], ["power_w"], *ALL)) == [(A, T, 0, {"power_w": 2.0})]
    assert rows(await read(series, "power_w")) == [(A, T, 0, {"power_w": 1.0})]


async def test_sensors_bring_quantities_of_their_own(series: Series) -> None:
    await series.write([readings(["bin-1"], [T], kind=Kind.SENSOR, fill_percent=[40])])
    await series.write([readings(["bin-2"], [T], kind=Kind.SENSOR, weight_kg=[7])])
    found = await series.range(Kind.SENSOR, ["bin-1", "bin-2"], ["fill_percent", "weight_kg"], *ALL)
    assert rows(found) == [("bin-1", T, 0, {"fill_percent": 40.0}), ("bin-2", T, 0, {"weight_kg": 7.0})]


async def test_range_is_half_open_limited_and_for_the_devices_named(series: Series) -> None:
    await series.write([readings([A] * 4 + [B], [T, T + 1, T + 2, T + 3, T + 1], power_w=[0, 1, 2, 3, 4])])
    found = await series.range(Kind.LAMP, [A], ["power_w"], T + 1, T + 3, 100)
    assert found.time_ms.tolist() == [T + 1, T + 2]
    limited = await series.range(Kind.LAMP, [B, A, B], ["power_w"], T, T + 4, 3)
    assert [(device, time) for device, time, *_ in rows(limited)] == [(A, T), (A, T + 1), (A, T + 2)]


@pytest.mark.parametrize("devices", [(), ("nobody",), ("it's", 'a"b', "x\\", "); DROP TABLE lamp; --")])
async def test_unknown_devices_have_no_readings(series: Series, devices: tuple[str, ...]) -> None:
    await series.write([readings([A], [T], power_w=[1])])
    found = await series.range(Kind.LAMP, devices, ["power_w"], *ALL)
    assert rows(found) == []
    assert list(found.values) == ["power_w"]
    windows = await series.windows(Kind.LAMP, devices, "power_w", T, T + 10**6, 60_000, Aggregate.MEAN)
    assert list(windows.device) == []
    assert rows(await read(series, "power_w")) == [(A, T, 0, {"power_w": 1.0})]


async def test_an_empty_store_has_nothing(series: Series) -> None:
    assert rows(await series.last(Kind.LAMP, 0)) == []
    assert rows(await read(series, "power_w")) == []
    await series.write([])
    await series.maintain(T)


async def test_last_is_the_newest_value_of_each_quantity(series: Series) -> None:
    await series.write([readings([A, B], [T, T - 5000], power_w=[1, 8], voltage_v=[230, 231])])
    await series.write([readings([A], [T + 1], quality=[1], power_w=[NOT_READ], voltage_v=[232])])
    last = await series.last(Kind.LAMP, T)
    assert rows(last) == [(A, T + 1, 1, {"power_w": 1.0, "voltage_v": 232.0})]
    both = await series.last(Kind.LAMP, T - 5000)
    assert list(both.device) == [A, B]


@pytest.mark.parametrize(
    ("aggregate", "expected"),
    [
        (Aggregate.MEAN, [2.0, 9.0]),
        (Aggregate.MINIMUM, [1.0, 9.0]),
        (Aggregate.MAXIMUM, [3.0, 9.0]),
        (Aggregate.LAST, [3.0, 9.0]),
        (Aggregate.COUNT, [2.0, 1.0]),
    ],
)
async def test_windows_aggregate_what_was_read(series: Series, aggregate: Aggregate, expected: list[float]) -> None:
    times = [T, T + 30_000, T + 59_999, T + 180_000]
    await series.write([readings([A] * 4, times, power_w=[1, NOT_READ, 3, 9])])
    await series.write([readings([B], [T], power_w=[7])])
    found = await series.windows(Kind.LAMP, [A], "power_w", T, T + 600_000, 60_000, aggregate)
    assert list(found.device) == [A, A]
    assert found.start_ms.tolist() == [T, T + 180_000]
    assert found.value.tolist() == expected


async def test_windows_are_ordered_by_device_then_time(series: Series) -> None:
    await series.write([readings([B, A, B, A], [T, T, T + 60_000, T + 60_000], power_w=[1, 2, 3, 4])])
    found = await series.windows(Kind.LAMP, [B, A], "power_w", T, T + 600_000, 60_000, Aggregate.LAST)
    assert list(zip(found.device, found.value.tolist(), strict=True)) == [(A, 2), (A, 4), (B, 1), (B, 3)]


async def test_windows_keep_to_the_range(series: Series) -> None:
    await series.write([readings([A] * 3, [T, T + 30_000, T + 90_000], power_w=[1, 2, 3])])
    found = await series.windows(Kind.LAMP, [A], "power_w", T + 30_000, T + 90_000, 60_000, Aggregate.COUNT)
    assert found.start_ms.tolist() == [T]
    assert found.value.tolist() == [1.0]


async def test_everything_is_there_after_closing_and_opening(reopen: Callable[..., Awaitable[Series]]) -> None:
    first = await reopen()
    await first.write([readings([A], [T], power_w=[1], voltage_v=[230])])
    assert len((await first.last(Kind.LAMP, 0)).device) == 1
    await first.close()
    again = await reopen()
    await again.write([readings([A, B], [T, T], power_w=[2, 3])])
    found = await read(again, "power_w", "voltage_v")
    await again.close()
    assert rows(found) == [(A, T, 0, {"power_w": 2.0, "voltage_v": 230.0}), (B, T, 0, {"power_w": 3.0})]


@pytest.mark.parametrize(
    ("bad", "detail"),
    [
        (readings(["lamp 1"], [T], power_w=[1]), "not a device id"),
        (readings(["灯-1"], [T], power_w=[1]), "not a device id"),
        (readings(["a\nlamp,device=b power_w=1"], [T], power_w=[1]), "not a device id"),
        (readings([B], [-1], power_w=[1]), "time outside"),
        (readings([B], [2**62], power_w=[1]), "time outside"),
        (readings([B], [T], power_w=[float("inf")]), "power_w is infinite"),
        (readings([B], [T], lift=[1]), "lift is no quantity"),
    ],
)
async def test_a_bad_row_is_named_and_its_neighbours_are_stored(series: Series, bad: Readings, detail: str) -> None:
    good = readings([A, A], [T, T + 1], power_w=[1, 2])
    with pytest.raises(SeriesRejected, match=detail) as caught:
        await series.write([good, bad])
    assert [row.device for row in caught.value.rows] == list(bad.device)
    assert [row.time_ms for row in caught.value.rows] == bad.time_ms.tolist()
    assert len((await read(series, "power_w")).device) == 2


async def test_a_hundred_thousand_rows_come_back(series: Series) -> None:
    count, devices = 500, [f"lamp-{number:03d}" for number in range(200)]
    for step in range(count):
        if step % 100 == 0:
            steps = np.repeat(np.arange(step, step + 100), len(devices))
            batch = readings(devices * 100, (T + steps * 60_000).tolist(), power_w=steps.astype(float).tolist())
            await series.write([batch])
    found = await series.range(Kind.LAMP, devices, ["power_w"], T, T + count * 60_000, 1_000_000)
    assert len(found.device) == count * len(devices)
    assert found.device[0] == devices[0]
    assert np.array_equal(found.values["power_w"], np.tile(np.arange(count, dtype=float), len(devices)))
