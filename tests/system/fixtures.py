"""Real servers as fixtures.

`mosquitto`, `influxd`, `victoria_metrics` and `postgres` are shared by the whole run: use database and topic names of
your own and never stop them. The `make_...` fixtures start one for a single test, to be killed, hung and restarted.
"""

import contextlib
from collections.abc import Callable, Iterator
from typing import ParamSpec, TypeVar

import pytest

from tests.system.process import Server
from tests.system.servers import Influxd, Mosquitto, PostgreSql, VictoriaMetrics

S = TypeVar("S", bound=Server)
P = ParamSpec("P")


def _require(kind: type[Server]) -> None:
    reason = kind.missing()
    if reason:
        pytest.skip(reason)


def _shared(kind: type[S]) -> Iterator[S]:
    _require(kind)
    server = kind()
    with server:
        yield server


@contextlib.contextmanager
def _maker(kind: Callable[P, S]) -> Iterator[Callable[P, S]]:
    with contextlib.ExitStack() as running:

        def make(*args: P.args, **kwargs: P.kwargs) -> S:
            server = kind(*args, **kwargs)
            running.enter_context(server)
            return server

        yield make


@pytest.fixture(scope="session")
def mosquitto() -> Iterator[Mosquitto]:
    """A broker without passwords."""
    yield from _shared(Mosquitto)


@pytest.fixture(scope="session")
def influxd() -> Iterator[Influxd]:
    """An InfluxDB 1.x."""
    yield from _shared(Influxd)


@pytest.fixture(scope="session")
def victoria_metrics() -> Iterator[VictoriaMetrics]:
    """A VictoriaMetrics."""
    yield from _shared(VictoriaMetrics)


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgreSql]:
    """A PostgreSQL."""
    yield from _shared(PostgreSql)


@pytest.fixture
def postgres_url(postgres: PostgreSql) -> str:
    """SQLAlchemy URL of an empty PostgreSQL database of the test's own."""
    return postgres.create_database()


@pytest.fixture
def make_mosquitto() -> Iterator[Callable[..., Mosquitto]]:
    """Starts brokers of the test's own; takes `Mosquitto`'s arguments."""
    _require(Mosquitto)
    with _maker(Mosquitto) as make:
        yield make


@pytest.fixture
def make_influxd() -> Iterator[Callable[..., Influxd]]:
    """Starts InfluxDBs of the test's own."""
    _require(Influxd)
    with _maker(Influxd) as make:
        yield make


@pytest.fixture
def make_victoria_metrics() -> Iterator[Callable[..., VictoriaMetrics]]:
    """Starts VictoriaMetrics of the test's own."""
    _require(VictoriaMetrics)
    with _maker(VictoriaMetrics) as make:
        yield make


@pytest.fixture
def make_postgres() -> Iterator[Callable[..., PostgreSql]]:
    """Starts PostgreSQLs of the test's own; takes `PostgreSql`'s arguments."""
    _require(PostgreSql)
    with _maker(PostgreSql) as make:
        yield make
