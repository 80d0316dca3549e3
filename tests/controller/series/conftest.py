"""The stores the series suite runs on."""

import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from pathlib import Path

import pytest

from lamplighter_controller.series.factory import open_series
from lamplighter_controller.series.port import Series
from lamplighter_controller.series.settings import Retention, SeriesSettings

RETENTION = Retention(raw_days=2, quarter_hour_days=5, day_days=30)


@pytest.fixture(params=["duckdb", pytest.param("influx-v1", marks=pytest.mark.system)])
def settings(request: pytest.FixtureRequest, tmp_path: Path) -> SeriesSettings:
    """An empty store of each sort."""
    if request.param == "duckdb":
        url = f"duckdb:///{tmp_path / 'series.duckdb'}"
    else:
        influxd = request.getfixturevalue("influxd")
        url = f"influx+v1://127.0.0.1:{influxd.port}/test_{secrets.token_hex(6)}"
    return SeriesSettings(url=url, retention=RETENTION)


@pytest.fixture
async def series(settings: SeriesSettings) -> AsyncIterator[Series]:
    """The store, open."""
    opened = await open_series(settings)
    yield opened
    await opened.close()


@pytest.fixture
def reopen(settings: SeriesSettings) -> Callable[..., Awaitable[Series]]:
    """Opens the same store again, with other settings where given."""

    async def again(**changed: object) -> Series:
        return await open_series(replace(settings, **changed))  # type: ignore[arg-type]  # a test names its own fields

    return again
