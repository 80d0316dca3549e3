"""What was measured, raw or by windows."""

import asyncio
from collections.abc import Coroutine, Mapping, Sequence
from typing import Annotated, Any, Final

import numpy as np
from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from lamplighter_contract.quantities import Kind
from lamplighter_contract.wire.limits import EARLIEST_TIME_MS, LATEST_TIME_MS
from lamplighter_controller.api.guard import Reader
from lamplighter_controller.api.problems import refused
from lamplighter_controller.api.quantities import chosen
from lamplighter_controller.api.resources.devices import DeviceId, seen_entry
from lamplighter_controller.api.services import Provided
from lamplighter_controller.series.port import Aggregate, Floats, Series, Windows

router = APIRouter(prefix="/devices", tags=["history"])

MAX_ROWS: Final = 10_000
MAX_SPAN_MS: Final = 3 * 366 * 24 * 3_600_000
DEFAULT_QUANTITIES: Final = "level_percent,power_w"

Time = Annotated[int, Query(ge=EARLIEST_TIME_MS, lt=LATEST_TIME_MS, description="Civil epoch ms")]


class History(BaseModel):
    """Columns of equal length, ordered by time; null = not read then."""

    device: str
    kind: Kind
    time_ms: list[int] = Field(description="Of the reading, or where the window begins; civil epoch ms")
    values: dict[str, list[float | None]]
    quality: list[int] | None = Field(description="Bits of each raw reading; null for windows")
    truncated: bool = Field(description=f"True when there are more than {MAX_ROWS} rows; ask for a shorter time")


@router.get("/{device}/history", summary="Readings of a device over time")
async def history(
    services: Provided,
    caller: Reader,
    device: DeviceId,
    start: Time,
    end: Time,
    quantities: Annotated[str, Query(max_length=500, description="Names, by commas")] = DEFAULT_QUANTITIES,
    window: Annotated[int | None, Query(ge=1, le=31 * 86_400, description="Seconds; absent = raw readings")] = None,
    aggregate: Annotated[Aggregate, Query(description="How a window becomes one value")] = Aggregate.MEAN,
) -> History:
    """Raw readings, or one value per window that has any."""
    kind = seen_entry(services, caller, device).kind
    names = chosen(kind, quantities)
    if not 0 < end - start <= MAX_SPAN_MS:
        raise refused("query.end", "span", "end must come after start, and at most three years after.")
    if window is None:
        return await _raw(services.series, kind, device, names, start, end)
    if (end - start) // (window * 1000) > MAX_ROWS:
        raise refused("query.window", "too-many", f"At most {MAX_ROWS} windows; take longer ones.")
    asked = {
        name: services.series.windows(kind, [device], name, start, end, window * 1000, aggregate) for name in names
    }
    return _windowed(kind, device, names, await _together(asked))


async def _together(asked: Mapping[str, Coroutine[Any, Any, Windows]]) -> list[Windows]:
    """The answers in order; the first failure ends the others and is raised alone."""
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(each, name=f"history-{name}") for name, each in asked.items()]
    except ExceptionGroup as failures:
        raise failures.exceptions[0] from failures
    return [task.result() for task in tasks]


async def _raw(series: Series, kind: Kind, device: str, names: Sequence[str], start: int, end: int) -> History:
    found = await series.range(kind, [device], names, start, end, MAX_ROWS + 1)
    rows = slice(0, MAX_ROWS)
    nothing = np.full(len(found.time_ms), np.nan)
    return History(
        device=device,
        kind=kind,
        time_ms=found.time_ms[rows].tolist(),
        values={name: _cells(found.values.get(name, nothing)[rows]) for name in names},
        quality=found.quality[rows].tolist(),
        truncated=len(found.time_ms) > MAX_ROWS,
    )


def _windowed(kind: Kind, device: str, names: Sequence[str], found: Sequence[Windows]) -> History:
    """Windows of several quantities on one axis of time."""
    times = np.unique(np.concatenate([windows.start_ms for windows in found]))
    values = {}
    for name, windows in zip(names, found, strict=True):
        column = np.full(len(times), np.nan)
        column[np.searchsorted(times, windows.start_ms)] = windows.value
        values[name] = _cells(column)
    return History(device=device, kind=kind, time_ms=times.tolist(), values=values, quality=None, truncated=False)


def _cells(column: Floats) -> list[float | None]:
    return [None if value != value else round(value, 6) for value in column.tolist()]  # noqa: PLR0124 - NaN is not itself
