"""A person's mistake in the store's settings is named with its value and what is expected."""

import pytest

from lamplighter_controller.series.settings import (
    InfluxAddress,
    Retention,
    SeriesSettingsError,
    duckdb_path,
    influx_address,
)


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("duckdb:///series.duckdb", "series.duckdb"),
        ("duckdb:////var/lib/x.duckdb", "/var/lib/x.duckdb"),
        ("influx+v1://h/d", None),
    ],
)
def test_duckdb_urls(url: str, path: str | None) -> None:
    assert duckdb_path(url) == path


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("influx+v1://db:1234/city", InfluxAddress("v1", "http://db:1234", "city", "")),
        ("influx+v2://db/bucket?org=jinan", InfluxAddress("v2", "http://db:8086", "bucket", "jinan")),
        ("influxs+v1://[::1]/city", InfluxAddress("v1", "https://[::1]:8086", "city", "")),
    ],
)
def test_influx_urls(url: str, address: InfluxAddress) -> None:
    assert influx_address(url) == address


@pytest.mark.parametrize("url", ["duckdb:", "duckdb:///", "duckdb://host/x", "duckdb:///x?mode=ro"])
def test_wrong_duckdb_urls(url: str) -> None:
    with pytest.raises(SeriesSettingsError, match="expected duckdb:///file"):
        duckdb_path(url)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "http://db/city",
        "influx+v3://db/city",
        "influx+v1://db",
        "influx+v1://db/a/b",
        "influx+v1:///city",
        "influx+v1://db:port/city",
        "influx+v1://db/city?org=x",
        "influx+v2://db/city?token=x",
        "influx+v1://me:secret@db/city",
    ],
)
def test_wrong_influx_urls(url: str) -> None:
    with pytest.raises(SeriesSettingsError) as caught:
        influx_address(url)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("days", "named"),
    [
        ((1, 400, 3660), "raw_days is 1"),
        ((30, 29, 3660), "quarter_hour_days is 29"),
        ((30, 400, 399), "day_days is 399"),
    ],
)
def test_retention_that_would_lose_summaries(days: tuple[int, int, int], named: str) -> None:
    with pytest.raises(SeriesSettingsError, match=named):
        Retention(*days)
