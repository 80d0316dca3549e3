"""The test servers themselves: each starts, answers, keeps its data over kill -9, hangs and goes on."""

import asyncio
import subprocess
from collections.abc import Callable

import psycopg
import pytest

from tests.system.process import ServerError, find_program, http_get
from tests.system.proxy import Proxy
from tests.system.servers import Influxd, Mosquitto, PostgreSql, VictoriaMetrics

pytestmark = pytest.mark.system


def test_broker_restarts_on_its_port_after_a_kill(make_mosquitto: Callable[..., Mosquitto]) -> None:
    broker = make_mosquitto(persistence=True)
    port, pid = broker.port, broker.pid
    broker.kill()
    assert not broker.answers()
    broker.start()
    assert broker.answers()
    assert broker.port == port
    assert broker.pid != pid


def test_broker_with_passwords_refuses_a_wrong_one(make_mosquitto: Callable[..., Mosquitto]) -> None:
    broker = make_mosquitto(passwords={"gw-1": "right"}, acl=["pattern readwrite up/%u/#"])
    publisher = find_program("mosquitto_pub")
    if publisher is None:
        pytest.skip("mosquitto_pub is not installed (Debian package mosquitto-clients)")

    def publish(password: str) -> int:
        command = [str(publisher), "-p", str(broker.port), "-u", "gw-1", "-P", password, "-t", "up/gw-1/x", "-m", "1"]
        return subprocess.run(command, check=False, timeout=10, stderr=subprocess.DEVNULL).returncode

    assert publish("right") == 0
    assert publish("wrong") != 0


def test_broker_hangs_and_goes_on(make_mosquitto: Callable[..., Mosquitto]) -> None:
    broker = make_mosquitto()
    broker.pause()
    assert not broker.answers()
    broker.resume()
    assert broker.answers()


def test_a_server_that_cannot_start_says_why(make_mosquitto: Callable[..., Mosquitto]) -> None:
    with pytest.raises(ServerError, match="no_such_option"):
        make_mosquitto(lines=["no_such_option 1"])


def test_influxd_answers_queries(influxd: Influxd) -> None:
    assert influxd.query("SHOW DATABASES") is not None


def test_influxd_survives_a_kill(make_influxd: Callable[..., Influxd]) -> None:
    server = make_influxd()
    server.kill()
    server.start()
    assert server.answers()


def test_victoria_metrics_answers_queries(victoria_metrics: VictoriaMetrics) -> None:
    assert http_get(victoria_metrics.port, "/api/v1/query?query=1") is not None
    assert victoria_metrics.export('{__name__="nothing_of_that_name"}') == []


def test_postgres_gives_every_test_its_own_database(postgres: PostgreSql) -> None:
    first, second = (postgres.create_database().replace("+psycopg", "") for _ in range(2))
    with psycopg.connect(first) as connection:
        connection.execute("CREATE TABLE t (n int)")
    with psycopg.connect(second) as connection, pytest.raises(psycopg.errors.UndefinedTable):
        connection.execute("SELECT * FROM t")


def test_postgres_survives_a_kill(make_postgres: Callable[..., PostgreSql]) -> None:
    server = make_postgres()
    server.kill()
    server.start()
    assert server.answers()


async def _echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while chunk := await reader.read(1000):
        writer.write(chunk)
    writer.close()


async def test_proxy_swallows_heals_and_cuts() -> None:
    upstream = await asyncio.start_server(_echo, "127.0.0.1", 0)
    async with upstream, Proxy(upstream.sockets[0].getsockname()[1]) as proxy:
        reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
        proxy.up.slice_bytes = 1
        writer.write(b"ping")
        assert await asyncio.wait_for(reader.readexactly(4), 5) == b"ping"
        proxy.swallow()
        writer.write(b"lost")
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(reader.readexactly(1), 0.2)
        proxy.heal()
        with pytest.raises((ConnectionResetError, asyncio.IncompleteReadError)):
            await asyncio.wait_for(reader.readexactly(1), 5)
        writer.close()
        await proxy.cut()
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection("127.0.0.1", proxy.port)
        await proxy.restore()
        reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
        writer.write(b"again")
        assert await asyncio.wait_for(reader.readexactly(5), 5) == b"again"
        writer.close()
