"""What was stored, read back to be judged: since the checkpoint, or around what came late."""

from collections.abc import AsyncIterator, Sequence
from typing import Final

from lamplighter_contract.quantities import Kind
from lamplighter_controller.fleet.live.city import City
from lamplighter_controller.fleet.live.collector import JUDGED
from lamplighter_controller.series.port import Readings, Series

SLICE_MS: Final = 1_800_000
DEVICES_AT_ONCE: Final = 500
ROWS_AT_ONCE: Final = 500_000
FARTHEST_MS: Final = 24 * 3_600_000


async def since(series: Series, city: City, start_ms: int, end_ms: int) -> AsyncIterator[list[Readings]]:
    """Stored reports of the city's trucks, a slice at a time.

    Raises:
        SeriesUnavailable: the store does not answer.
    """
    start_ms = max(start_ms, end_ms - FARTHEST_MS)
    devices = [row.device for row in city.rows if row.device]
    for slice_ms in range(start_ms, end_ms, SLICE_MS):
        yield await between(series, devices, slice_ms, min(slice_ms + SLICE_MS, end_ms))


async def between(
    series: Series, devices: Sequence[str], start_ms: int, end_ms: int, quantities: Sequence[str] = JUDGED
) -> list[Readings]:
    """Stored reports of some terminals.

    Raises:
        SeriesUnavailable: the store does not answer.
    """
    chunks = [devices[at : at + DEVICES_AT_ONCE] for at in range(0, len(devices), DEVICES_AT_ONCE)]
    found = [await series.range(Kind.TRUCK, chunk, quantities, start_ms, end_ms, ROWS_AT_ONCE) for chunk in chunks]
    return [readings for readings in found if len(readings.device)]
