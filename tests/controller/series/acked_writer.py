"""A program of its own that writes one reading after another and says which ones the store has acknowledged."""

import asyncio
import sys

from lamplighter_controller.series.factory import open_series
from lamplighter_controller.series.settings import SeriesSettings
from tests.controller.series.columns import readings


async def main(url: str, first: int) -> None:
    series = await open_series(SeriesSettings(url=url))
    number = first
    while True:
        devices = [f"lamp-{lamp:02d}" for lamp in range(20)]
        await series.write([readings(devices, [number] * 20, power_w=[float(number)] * 20)])
        print(number, flush=True)
        number += 1


asyncio.run(main(sys.argv[1], int(sys.argv[2])))
