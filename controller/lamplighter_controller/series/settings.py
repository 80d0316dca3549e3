"""Which store keeps the series, and for how long, as one frozen value."""

from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qs, urlsplit

from lamplighter_controller.errors import ControllerError

MINIMUM_RAW_DAYS: Final = 2
INFLUX_SCHEMES: Final = {
    "influx+v1": ("v1", "http"),
    "influxs+v1": ("v1", "https"),
    "influx+v2": ("v2", "http"),
    "influxs+v2": ("v2", "https"),
}


class SeriesSettingsError(ControllerError):
    """A setting of the series store is wrong; the message names it, its value and what is expected."""


@dataclass(frozen=True, slots=True)
class Retention:
    """How many days readings, their 15-minute and their daily summaries are kept."""

    raw_days: int = 30
    quarter_hour_days: int = 400
    day_days: int = 3660

    def __post_init__(self) -> None:
        """Refuse what would retire readings before they are summarised."""
        if self.raw_days < MINIMUM_RAW_DAYS:
            raise SeriesSettingsError(f"raw_days is {self.raw_days}, expected at least {MINIMUM_RAW_DAYS}")
        if self.quarter_hour_days < self.raw_days:
            raise SeriesSettingsError(f"quarter_hour_days is {self.quarter_hour_days}, expected at least raw_days")
        if self.day_days < self.quarter_hour_days:
            raise SeriesSettingsError(f"day_days is {self.day_days}, expected at least quarter_hour_days")


@dataclass(frozen=True, slots=True)
class SeriesSettings:
    """Where the series are kept.

    Args:
        url: `duckdb:///relative/file`, `duckdb:////absolute/file`, `influx+v1://host:port/database`, or
            `influx+v2://host:port/bucket?org=name`; `influxs+...` for HTTPS.
        username: for v1.
        password: for v1.
        token: for v2.
        gzip: compress what is written; worth it on a slow network only.
        timeout_s: longest wait for one answer, real seconds.
        memory_mib: what the embedded store may use for its cache and its sorting.
        retention: how long what is kept.
    """

    url: str = "duckdb:///series.duckdb"
    username: str = ""
    password: str = ""
    token: str = ""
    gzip: bool = False
    timeout_s: float = 10.0
    memory_mib: int = 512
    retention: Retention = Retention()


@dataclass(frozen=True, slots=True)
class InfluxAddress:
    """An InfluxDB by its URL's parts: `version` v1 or v2, `base` without a path, and where to write."""

    version: str
    base: str
    database: str
    org: str


def duckdb_path(url: str) -> str | None:
    """The database file a `duckdb:` URL names; None for another scheme."""
    if not url.startswith("duckdb:"):
        return None
    path = url.removeprefix("duckdb:///")
    if path == url or not path or "?" in path:
        raise SeriesSettingsError(f"series url is {url!r}, expected duckdb:///file")
    return path


def influx_address(url: str) -> InfluxAddress:
    """The parts of an `influx...` URL."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise SeriesSettingsError(f"series url is {url!r}: {error}") from error
    if parts.scheme not in INFLUX_SCHEMES or not host:
        raise SeriesSettingsError(f"series url is {url!r}, expected duckdb:, influx+v1: or influx+v2:")
    if parts.username or parts.password:
        raise SeriesSettingsError("series url holds a user name or password, expected them as settings of their own")
    version, scheme = INFLUX_SCHEMES[parts.scheme]
    options = parse_qs(parts.query)
    unknown = options.keys() - ({"org"} if version == "v2" else set())
    database = parts.path.strip("/")
    if unknown or not database or "/" in database:
        raise SeriesSettingsError(f"series url is {url!r}, expected one database or bucket, and for v2 only ?org=")
    address = f"[{host}]" if ":" in host else host
    return InfluxAddress(version, f"{scheme}://{address}:{port or 8086}", database, options.get("org", [""])[0])
