"""A program of its own that runs into its file-size limit, gets room again, and tells what became of its writes."""

import asyncio
import json
import resource
import sys

import numpy as np

from lamplighter_contract.quantities import Kind
from lamplighter_controller.series.factory import open_series
from lamplighter_controller.series.port import Readings, Series, SeriesUnavailable
from lamplighter_controller.series.settings import SeriesSettings

LAMPS = 20_000
DEVICES = [f"lamp-{lamp:05d}" for lamp in range(LAMPS)]


async def _write(series: Series, number: int, acknowledged: list[int], refused: list[int]) -> None:
    batch = Readings(
        kind=Kind.LAMP,
        device=DEVICES,
        time_ms=np.full(LAMPS, number),
        values={"power_w": np.random.default_rng(number).random(LAMPS)},
        quality=np.zeros(LAMPS, np.uint8),
    )
    try:
        await series.write([batch])
    except SeriesUnavailable:
        refused.append(number)
    else:
        acknowledged.append(number)


async def _stored(series: Series) -> list[int]:
    found = await series.range(Kind.LAMP, [DEVICES[7]], ["power_w"], 0, 10**9, 10**6)
    numbers: list[int] = found.time_ms.tolist()
    return numbers


async def main(url: str, limit_bytes: int) -> None:
    series = await open_series(SeriesSettings(url=url))
    acknowledged: list[int] = []
    refused: list[int] = []
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit_bytes, resource.RLIM_INFINITY))
    number = 0
    while len(refused) < 3 and number < 3000:
        await _write(series, number, acknowledged, refused)
        number += 1
    while_full = await _stored(series)
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    again: list[int] = []
    for missing in (*refused, number):
        await _write(series, missing, acknowledged, again)
    after = await _stored(series)
    await series.close()
    told = {"refused": refused, "again": again, "while_full": while_full, "after": after, "acknowledged": acknowledged}
    print(json.dumps(told))


asyncio.run(main(sys.argv[1], int(sys.argv[2])))
