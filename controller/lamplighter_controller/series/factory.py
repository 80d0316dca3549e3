"""Opening the store that the settings name."""

from pathlib import Path

from lamplighter_controller.series.duck.store import DuckSeries
from lamplighter_controller.series.port import Series
from lamplighter_controller.series.settings import SeriesSettings, duckdb_path, influx_address


def damaged_files(series: Series) -> tuple[Path, ...]:
    """Files of the embedded store that were damaged and set aside, now or in an earlier run; asks the disk."""
    return series.damaged_files() if isinstance(series, DuckSeries) else ()


async def open_series(settings: SeriesSettings) -> Series:
    """The store behind the port. An InfluxDB need not be there yet: calls raise `SeriesUnavailable` until it is.

    Raises:
        SeriesSettingsError: the URL names no store we know.
        SeriesUnavailable: the embedded store's file belongs to another process or cannot be made.
    """
    path = duckdb_path(settings.url)
    if path is not None:
        return await DuckSeries.open(Path(path), settings)
    # The client takes most of a second to load: only who uses it waits for it.
    from lamplighter_controller.series.influx.http import InfluxV1, InfluxV2  # noqa: PLC0415 - see above
    from lamplighter_controller.series.influx.store import InfluxSeries  # noqa: PLC0415 - see above

    address = influx_address(settings.url)
    influx = InfluxV1(address, settings) if address.version == "v1" else InfluxV2(address, settings)
    return InfluxSeries(influx, settings.retention, settings.timeout_s)
