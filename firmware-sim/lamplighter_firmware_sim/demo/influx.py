"""`SERIES=influx make run`: readings go into InfluxDB, from the PATH or at a given URL."""

import http.client
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import quote

from lamplighter_firmware_sim.demo.processes import Program
from lamplighter_firmware_sim.errors import SimError

DATABASE: Final = "lamplighter"


@dataclass(frozen=True, slots=True)
class Influx:
    """Where the controller writes, and the server the demo runs for it, if it does."""

    url: str
    program: Program | None
    port: int = 0


def influx(choice: str, port: int, spare_port: int, directory: Path, log_file: Path) -> Influx | None:
    """What `SERIES` asks for: nothing or `duckdb`, `influx`, or a URL such as influx+v2://host:8086/org/bucket.

    Raises:
        SimError: it is none of these, or influxd is not on the PATH.
    """
    if choice in {"", "duckdb"}:
        return None
    if choice.startswith("influx+v"):
        return Influx(choice, None)
    if choice != "influx":
        raise SimError(
            f"SERIES is {choice!r}, expected duckdb, influx, or a URL such as influx+v1://host:8086/database"
        )
    binary = shutil.which("influxd")
    if binary is None:
        raise SimError(
            "SERIES=influx needs influxd on the PATH (Debian package influxdb), or a URL instead of `influx`"
        )
    config = directory / "influxd.conf"
    config.write_text(_config(directory / "influx", port, spare_port))
    program = Program("influxd", [binary, "-config", str(config)], log_file)
    return Influx(f"influx+v1://127.0.0.1:{port}/{DATABASE}", program, port)


def make_database(port: int) -> bool | None:
    """Make the database; None while the server does not answer."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
    try:
        connection.request("POST", f"/query?q={quote(f'CREATE DATABASE {DATABASE}')}")
        return connection.getresponse().status == http.HTTPStatus.OK or None
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()


def _config(folder: Path, port: int, spare_port: int) -> str:
    folder = folder.resolve()
    return f"""reporting-disabled = true
bind-address = "127.0.0.1:{spare_port}"
[meta]
dir = "{folder / "meta"}"
[data]
dir = "{folder / "data"}"
wal-dir = "{folder / "wal"}"
index-version = "tsi1"
query-log-enabled = false
[http]
bind-address = "127.0.0.1:{port}"
log-enabled = false
[monitor]
store-enabled = false
[logging]
level = "warn"
"""
