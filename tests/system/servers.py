"""The real servers our tests run against: mosquitto, influxd, VictoriaMetrics, PostgreSQL."""

import contextlib
import getpass
import json
import secrets
import signal
import socket
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import quote

import psycopg
from psycopg import sql

from tests.system.process import Server, find_program, free_port, http_get

MQTT_CONNECT = b"\x10\x10\x00\x04MQTT\x04\x02\x00\x0a\x00\x04wait"


class Mosquitto(Server):
    """An MQTT broker.

    Args:
        persistence: keep retained messages and sessions over a restart, saved as Debian's default does (every 30 min
            and at a clean stop).
        passwords: user name -> password; anonymous clients are refused when given.
        acl: lines of an acl_file.
        lines: further configuration lines, after the listener.
    """

    program: ClassVar = "mosquitto"
    package: ClassVar = "mosquitto"

    def __init__(
        self,
        *,
        persistence: bool = False,
        passwords: Mapping[str, str] | None = None,
        acl: Sequence[str] = (),
        lines: Sequence[str] = (),
    ) -> None:
        super().__init__()
        self.persistence = persistence
        self.passwords = dict(passwords or {})
        self.acl = list(acl)
        self.lines = list(lines)

    @property
    def host(self) -> str:
        """Where clients connect to, with `port`."""
        return "127.0.0.1"

    @property
    def url(self) -> str:
        """The broker as a URL."""
        return f"mqtt://127.0.0.1:{self.port}"

    def prepare(self) -> None:
        """Write the configuration, and the password and ACL files it names."""
        config = [
            f"listener {self.port} 127.0.0.1",
            f"allow_anonymous {'false' if self.passwords else 'true'}",
            f"user {getpass.getuser()}",
            f"persistence {'true' if self.persistence else 'false'}",
            f"persistence_location {self.folder}/",
            "log_type warning",
            "log_type error",
        ]
        if self.passwords:
            config.append(f"password_file {self._password_file()}")
        if self.acl:
            config.append(f"acl_file {self._private_file('acl', self.acl)}")
        (self.folder / "mosquitto.conf").write_text("\n".join([*config, *self.lines]) + "\n")

    def command(self) -> Sequence[str]:
        """Start with the written configuration."""
        return ["mosquitto", "-c", str(self.folder / "mosquitto.conf")]

    def answers(self) -> bool:
        """True when a CONNECT is answered, be it with a refusal."""
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=1) as connection:
                connection.sendall(MQTT_CONNECT)
                return connection.recv(4)[:1] == b"\x20"
        except OSError:
            return False

    def reload(self) -> None:
        """Read `passwords` and `acl` again, without a restart."""
        self.prepare()
        self._running().send_signal(signal.SIGHUP)

    def _private_file(self, name: str, lines: Sequence[str]) -> Path:
        path = self.folder / name
        path.touch(mode=0o600)
        path.write_text("\n".join(lines) + "\n")
        return path

    def _password_file(self) -> Path:
        path = self._private_file("passwords", [f"{user}:{word}" for user, word in self.passwords.items()])
        self.run_tool("mosquitto_passwd", "-U", str(path))
        return path


INFLUXD_CONFIG = """\
reporting-disabled = true
bind-address = "127.0.0.1:{rpc_port}"
[meta]
  dir = "{folder}/meta"
[data]
  dir = "{folder}/data"
  wal-dir = "{folder}/wal"
  index-version = "tsi1"
  query-log-enabled = false
[monitor]
  store-enabled = false
[continuous_queries]
  enabled = false
[logging]
  level = "warn"
  suppress-logo = true
[http]
  bind-address = "127.0.0.1:{port}"
  log-enabled = false
"""


class Influxd(Server):
    """InfluxDB 1.x: line protocol on /write, InfluxQL on /query."""

    program: ClassVar = "influxd"
    package: ClassVar = "influxdb"

    def __init__(self) -> None:
        super().__init__()
        self.rpc_port = free_port()

    @property
    def url(self) -> str:
        """Base URL of its HTTP listener."""
        return f"http://127.0.0.1:{self.port}"

    def prepare(self) -> None:
        """Write the configuration: every listener on loopback, nothing reported."""
        config = INFLUXD_CONFIG.format(folder=self.folder, port=self.port, rpc_port=self.rpc_port)
        (self.folder / "influxd.conf").write_text(config)

    def command(self) -> Sequence[str]:
        """Start with the written configuration."""
        return ["influxd", "-config", str(self.folder / "influxd.conf")]

    def answers(self) -> bool:
        """True when a query is answered."""
        return self.query("SHOW DATABASES") is not None

    def query(self, influxql: str, database: str = "") -> dict[str, object] | None:
        """Answer to a reading InfluxQL statement, None when there is none."""
        body = http_get(self.port, f"/query?epoch=ms&db={quote(database)}&q={quote(influxql)}", timeout_s=10)
        if body is None:
            return None
        answer: dict[str, object] = json.loads(body)
        return answer


class VictoriaMetrics(Server):
    """VictoriaMetrics: InfluxDB's v2 write path, read back by `/api/v1/export`."""

    program: ClassVar = "victoria-metrics"
    package: ClassVar = "victoria-metrics"

    @property
    def url(self) -> str:
        """Base URL of its HTTP listener."""
        return f"http://127.0.0.1:{self.port}"

    def command(self) -> Sequence[str]:
        """Start with writes visible to queries at once, and repeats of a key stored once."""
        return [
            "victoria-metrics",
            f"-httpListenAddr=127.0.0.1:{self.port}",
            f"-storageDataPath={self.folder / 'data'}",
            "-search.latencyOffset=0",
            "-dedup.minScrapeInterval=1ms",
            "-retentionPeriod=100y",
            "-loggerLevel=WARN",
        ]

    def answers(self) -> bool:
        """True when a query is answered."""
        return http_get(self.port, "/api/v1/query?query=1") is not None

    def export(self, match: str) -> list[dict[str, Any]]:
        """Every stored series that matches, just written data included: `metric`, `values`, `timestamps` in ms."""
        http_get(self.port, "/internal/force_flush")
        body = http_get(self.port, f"/api/v1/export?match%5B%5D={quote(match)}", timeout_s=10)
        return [json.loads(line) for line in (body or b"").splitlines()]


class PostgreSql(Server):
    """PostgreSQL with one throw-away cluster; fsync is off, so a test of durability gives `durable=True`."""

    program: ClassVar = "postgres"
    package: ClassVar = "postgresql"
    account: ClassVar = "postgres"
    stop_signal: ClassVar = signal.SIGINT

    def __init__(self, *, durable: bool = False) -> None:
        super().__init__()
        self.durable = durable

    @property
    def data(self) -> Path:
        """The cluster's folder."""
        return self.folder / "data"

    @property
    def url(self) -> str:
        """SQLAlchemy URL of the administrator's database."""
        return self._url("postgres")

    def create_database(self, like: str = "template1") -> str:
        """SQLAlchemy URL of a new database, empty or `like` another one that nobody is connected to."""
        name = f"test_{secrets.token_hex(6)}"
        made = sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(name), sql.Identifier(like))
        with self._connect() as connection:
            connection.execute(made)
        return self._url(name)

    def prepare(self) -> None:
        """Make the cluster, once."""
        if not self.data.exists():
            options = ["--auth=trust", "--username=postgres", "--encoding=UTF8", "--no-locale"]
            self.run_tool("initdb", *options, *([] if self.durable else ["--no-sync"]), f"--pgdata={self.data}")

    def command(self) -> Sequence[str]:
        """Start on a loopback port and a Unix socket in the folder."""
        settings = {
            "listen_addresses": "127.0.0.1",
            "port": self.port,
            "unix_socket_directories": self.folder,
            "fsync": "on" if self.durable else "off",
            "shared_buffers": "16MB",
        }
        return ["postgres", "-D", str(self.data), *(f"--{name}={value}" for name, value in settings.items())]

    def answers(self) -> bool:
        """True when a query is answered."""
        with contextlib.suppress(psycopg.Error), self._connect() as connection:
            return connection.execute("SELECT 1").fetchone() == (1,)
        return False

    def _connect(self) -> psycopg.Connection:
        return psycopg.connect(
            host="127.0.0.1", port=self.port, user="postgres", dbname="postgres", autocommit=True, connect_timeout=2
        )

    def _url(self, database: str) -> str:
        return f"postgresql+psycopg://postgres@127.0.0.1:{self.port}/{database}"


__all__ = ["Influxd", "Mosquitto", "PostgreSql", "Server", "VictoriaMetrics", "find_program", "free_port", "http_get"]
