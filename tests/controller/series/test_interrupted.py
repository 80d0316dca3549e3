"""Maintenance that fails or dies at any of its steps is made good by the next one."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import duckdb
import pytest

from lamplighter_contract.quantities import Kind
from lamplighter_controller.series.duck import store
from lamplighter_controller.series.duck.session import Session
from lamplighter_controller.series.duck.store import DuckSeries
from lamplighter_controller.series.factory import open_series
from lamplighter_controller.series.influx.http import InfluxV1
from lamplighter_controller.series.influx.influxql import Table
from lamplighter_controller.series.influx.state import READ_DUE
from lamplighter_controller.series.influx.store import InfluxSeries
from lamplighter_controller.series.port import Aggregate, Series, SeriesUnavailable
from lamplighter_controller.series.settings import Retention, SeriesSettings, influx_address
from tests.controller.series.columns import DAY_MS, MIDNIGHT_MS, QUARTER_HOUR_MS, readings
from tests.system.servers import Influxd

T = MIDNIGHT_MS
HOUR_MS = 4 * QUARTER_HOUR_MS
RETENTION = Retention(raw_days=2, quarter_hour_days=20, day_days=30)
DEVICES = ["lamp-1", "lamp-2"]


class Countdown:
    """Lets so many steps pass and fails the next one."""

    def __init__(self) -> None:
        self.left = -1

    def step(self) -> bool:
        """True when this step fails."""
        self.left -= 1
        return self.left == -1


class FailingInflux(InfluxV1):
    """An InfluxDB that does not answer one request."""

    countdown: Countdown

    def write(self, lines: bytes) -> None:
        self._fail_when_due()
        super().write(lines)

    def query(self, statement: str) -> list[Table]:
        self._fail_when_due()
        return super().query(statement)

    def _fail_when_due(self) -> None:
        if self.countdown.step():
            raise SeriesUnavailable("failed on purpose")


async def test_a_copy_that_takes_too_long_is_stopped_and_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    series = await DuckSeries.open(tmp_path / "series.duckdb", SeriesSettings())
    begun, ended = threading.Event(), threading.Event()

    def endless(session: Session, _target: Path) -> None:
        begun.set()
        try:
            session.connection.execute("SELECT count(*) FROM range(10000000000000) AS a WHERE a.range % 7 = 3")
        except duckdb.InterruptException:
            ended.set()
            raise

    monkeypatch.setattr(store, "_copy", endless)
    monkeypatch.setattr(store, "COPY_TIMEOUT_S", 0.2)
    with pytest.raises(SeriesUnavailable, match="copied within"):
        await series.copy_to(tmp_path / "copy.duckdb")
    assert begun.is_set()
    assert await asyncio.to_thread(ended.wait, 10)
    await series.close()


async def _prepare(series: Series) -> None:
    for minute in range(0, 120, 5):
        await series.write([readings(DEVICES, [T + minute * 60_000] * 2, power_w=[minute, 2 * minute])])
    await series.maintain(T + HOUR_MS + QUARTER_HOUR_MS)
    await series.write([readings(DEVICES, [T + 1] * 2, power_w=[1000, 2000])])


async def _hours(series: Series) -> list[list[float]]:
    answers = [
        await series.windows(Kind.LAMP, DEVICES, "power_w", T, T + DAY_MS, HOUR_MS, aggregate)
        for aggregate in Aggregate
    ]
    return [[round(value, 6) for value in answer.value.tolist()] for answer in answers]


async def _finish(series: Series) -> list[list[float]]:
    for days in (1, 3, 4):
        await series.maintain(T + days * DAY_MS)
    assert len((await series.range(Kind.LAMP, DEVICES, ["power_w"], T, T + DAY_MS, 1000)).device) == 0
    return await _hours(series)


@pytest.mark.system
@pytest.mark.parametrize("restarted", [False, True])
@pytest.mark.parametrize("steps", [0, 2, 5, 8, 9, 10, 14, 20, 26, 30, 33])
async def test_influx_maintenance_interrupted(influxd: Influxd, steps: int, restarted: bool) -> None:
    settings = SeriesSettings(
        f"influx+v1://127.0.0.1:{influxd.port}/interrupted_{steps}_{restarted}", retention=RETENTION
    )
    influx = FailingInflux(influx_address(settings.url), settings)
    influx.countdown = Countdown()
    series: Series = InfluxSeries(influx, RETENTION, settings.timeout_s)
    await _prepare(series)
    expected = await _hours(series)
    influx.countdown.left = steps
    with suppress(SeriesUnavailable):
        await series.maintain(T + DAY_MS)
        await series.maintain(T + 3 * DAY_MS)
    influx.countdown.left = -1
    if restarted:
        await series.close()
        series = await open_series(settings)
    assert await _finish(series) == expected
    assert influxd.query(READ_DUE, settings.url.rpartition("/")[2]) == {"results": [{"statement_id": 0}]}, "marks left"
    await series.close()


@pytest.mark.parametrize("restarted", [False, True])
@pytest.mark.parametrize("steps", range(7))
async def test_duckdb_maintenance_interrupted(
    tmp_path: Path, steps: int, restarted: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = SeriesSettings(f"duckdb:///{tmp_path / 'series.duckdb'}", retention=RETENTION)
    series = await open_series(settings)
    await _prepare(series)
    expected = await _hours(series)
    countdown, transaction = Countdown(), Session.transaction
    countdown.left = steps

    @contextmanager
    def failing(session: Session) -> Iterator[None]:
        with transaction(session):
            yield
            if countdown.step():
                raise duckdb.IOException("failed on purpose")

    with monkeypatch.context() as patched:
        patched.setattr(Session, "transaction", failing)
        with suppress(SeriesUnavailable):
            await series.maintain(T + DAY_MS)
            await series.maintain(T + 3 * DAY_MS)
    assert countdown.left < 0, "the failure came"
    if restarted:
        await series.close()
        series = await open_series(settings)
    assert await _finish(series) == expected
    await series.close()
