"""Requests to an InfluxDB and what its answers mean. Synchronous: called from the store's threads only.

InfluxQL is asked on `/query`, which 1.x, 2.x and 3.x answer. Lines go to `/write` (1.x) or, by influxdb-client, to
`/api/v2/write` (1.8 and later, and VictoriaMetrics).
"""

import gzip
import logging
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any, Final, Protocol, cast
from urllib.parse import urlencode

import urllib3
from influxdb_client.client.influxdb_client import InfluxDBClient
from influxdb_client.client.write_api import SYNCHRONOUS
from influxdb_client.domain.write_precision import WritePrecision
from influxdb_client.rest import ApiException

from lamplighter_controller.errors import ControllerError
from lamplighter_controller.series.influx.influxql import (
    QueryFailed,
    Table,
    create_database,
    delete_before,
    read_answer,
)
from lamplighter_controller.series.port import SeriesUnavailable
from lamplighter_controller.series.settings import InfluxAddress, SeriesSettings

logger = logging.getLogger(__name__)

CONNECTIONS: Final = 4
GZIP_LEVEL: Final = 1
MILLISECONDS: Final = cast("WritePrecision", WritePrecision.MS)  # the library's constants are strings of no type
DATA_REFUSED: Final = frozenset({400, 413, 422})
DETAIL_LENGTH: Final = 300


class LinesRefused(ControllerError):
    """The server will not take at least one of the lines; those it could take may be stored."""


class DatabaseMissing(SeriesUnavailable):
    """The server has no database of that name (any more)."""


class Influx(Protocol):
    """One database of one server. Every call may raise `SeriesUnavailable`."""

    def write(self, lines: bytes) -> None:
        """Store durably, or raise `LinesRefused`."""

    def query(self, statement: str) -> list[Table]:
        """Tables of an InfluxQL statement, one per series."""

    def delete_before(self, measurement: str, until_ms: int) -> None:
        """Delete a measurement's points with time < until_ms."""

    def prepare(self) -> None:
        """Make the database where the server lets us."""

    def close(self) -> None:
        """Give the connections back."""


class InfluxV1:
    """InfluxDB 1.x."""

    def __init__(self, address: InfluxAddress, settings: SeriesSettings) -> None:
        self._address = address
        self._gzip = settings.gzip
        self._pool = _pool(settings)
        user = f"{settings.username}:{settings.password}"
        self._headers = urllib3.make_headers(basic_auth=user) if settings.username else {}

    def write(self, lines: bytes) -> None:
        """Store durably, or raise `LinesRefused`."""
        query = urlencode({"db": self._address.database, "precision": "ms"})
        headers = self._headers | ({"Content-Encoding": "gzip"} if self._gzip else {})
        body = gzip.compress(lines, GZIP_LEVEL) if self._gzip else lines
        answer = _request(self._pool, f"{self._address.base}/write?{query}", body=body, headers=headers)
        _check_write(answer.status, answer.data)

    def query(self, statement: str) -> list[Table]:
        """Tables of an InfluxQL statement, one per series."""
        return _query(self._pool, self._address, statement, self._headers)

    def delete_before(self, measurement: str, until_ms: int) -> None:
        """Delete a measurement's points with time < until_ms."""
        self.query(delete_before(measurement, until_ms))

    def prepare(self) -> None:
        """Make the database, where this account may."""
        try:
            self.query(create_database(self._address.database))
        except QueryFailed as error:
            logger.warning("database %s cannot be made, so it has to be there: %s", self._address.database, error)

    def close(self) -> None:
        """Give the connections back."""
        self._pool.clear()


class InfluxV2:
    """InfluxDB 2.x and what speaks its write path; bucket and, for queries, DBRP mapping are the administrator's."""

    def __init__(self, address: InfluxAddress, settings: SeriesSettings) -> None:
        self._address = address
        self._pool = _pool(settings)
        self._headers = {"Authorization": f"Token {settings.token}"} if settings.token else {}
        self._client = InfluxDBClient(
            url=address.base,
            token=settings.token,
            org=address.org,
            timeout=round(settings.timeout_s * 1000),
            enable_gzip=settings.gzip,
            retries=False,
        )
        self._writer = self._client.write_api(write_options=SYNCHRONOUS)

    def write(self, lines: bytes) -> None:
        """Store durably, or raise `LinesRefused`."""
        try:
            self._writer.write(self._address.database, record=lines, write_precision=MILLISECONDS)
        except ApiException as error:
            _check_write(error.status, error.body or b"")
        except urllib3.exceptions.HTTPError as error:
            raise SeriesUnavailable(f"{self._address.base}: {error}") from error

    def query(self, statement: str) -> list[Table]:
        """Tables of an InfluxQL statement, one per series."""
        return _query(self._pool, self._address, statement, self._headers)

    def delete_before(self, measurement: str, until_ms: int) -> None:
        """Delete a measurement's points with time < until_ms."""
        first, last = (datetime.fromtimestamp(ms / 1000, UTC) for ms in (0, until_ms - 1))
        try:
            self._client.delete_api().delete(first, last, f'_measurement="{measurement}"', self._address.database)
        except ApiException as error:
            raise SeriesUnavailable(f"{self._address.base} does not delete: {error.status}") from error
        except urllib3.exceptions.HTTPError as error:
            raise SeriesUnavailable(f"{self._address.base}: {error}") from error

    def prepare(self) -> None:
        """Nothing: buckets are made by the administrator."""

    def close(self) -> None:
        """Give the connections back."""
        self._writer.close()  # type: ignore[no-untyped-call]  # the library has no annotation there
        self._client.close()  # type: ignore[no-untyped-call]  # nor there
        self._pool.clear()


def _pool(settings: SeriesSettings) -> urllib3.PoolManager:
    timeout = urllib3.Timeout(total=settings.timeout_s)
    return urllib3.PoolManager(maxsize=CONNECTIONS, retries=False, timeout=timeout)


def _request(pool: urllib3.PoolManager, url: str, **options: Any) -> urllib3.BaseHTTPResponse:
    try:
        return pool.request("POST", url, **options)
    except urllib3.exceptions.HTTPError as error:
        raise SeriesUnavailable(f"{url.partition('?')[0]}: {error}") from error


def _query(pool: urllib3.PoolManager, address: InfluxAddress, statement: str, headers: dict[str, str]) -> list[Table]:
    url = f"{address.base}/query?{urlencode({'db': address.database, 'epoch': 'ms'})}"
    answer = _request(pool, url, fields={"q": statement}, encode_multipart=False, headers=headers)
    if answer.status != HTTPStatus.OK:
        raise QueryFailed(f"{address.base} answers a query with {answer.status}: {_detail(answer.data)}")
    return read_answer(answer.data)


def _check_write(status: int, body: bytes | str) -> None:
    if status in DATA_REFUSED:
        raise LinesRefused(_detail(body))
    if status == HTTPStatus.NOT_FOUND:
        raise DatabaseMissing(_detail(body))
    if status >= HTTPStatus.MULTIPLE_CHOICES:
        raise SeriesUnavailable(f"a write is answered with {status}: {_detail(body)}")


def _detail(body: bytes | str) -> str:
    text = body.decode(errors="replace") if isinstance(body, bytes) else body
    return text.strip()[:DETAIL_LENGTH]
