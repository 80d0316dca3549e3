"""Our own programs as servers: started, killed, hung and restarted like any other."""

import asyncio
import re
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import psutil
import yaml

from lamplighter_gateway.control import NotRunningError, ask
from lamplighter_gateway.spool.frames import Class
from tests.system.process import Server, http_get

TOOL_TIMEOUT_S = 60


class Program(Server):
    """One of our programs on a configuration file in its folder."""

    package: ClassVar = "none, it is ours"
    module: ClassVar[str]
    start_timeout_s: ClassVar = 30.0

    def __init__(self, config: Mapping[str, Any]) -> None:
        super().__init__()
        self.config = dict(config)
        self.before: Sequence[str] = ()  # a command that starts the program, such as strace

    @property
    def config_file(self) -> Path:
        """Its configuration file; written anew at every start."""
        return self.folder / "config.yaml"

    @property
    def data(self) -> Path:
        """Its data folder."""
        return self.folder / "data"

    def prepare(self) -> None:
        """Write the configuration."""
        self.config_file.write_text(yaml.safe_dump(self.config, allow_unicode=True, sort_keys=False))

    def command(self) -> Sequence[str]:
        """Run on the written configuration."""
        return [*self.before, sys.executable, "-m", self.module, "run", str(self.config_file)]

    def tool(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run another command of the program to its end."""
        command = [sys.executable, "-m", self.module, *words]
        return subprocess.run(command, capture_output=True, text=True, timeout=TOOL_TIMEOUT_S, check=False)

    def wait(self, timeout_s: float) -> int:
        """Wait until it ends by itself; returns the exit code."""
        code = self._running().wait(timeout_s)
        self._process = None
        return code

    @property
    def rss_bytes(self) -> int:
        """Memory it holds now."""
        rss: int = psutil.Process(self.pid).memory_info().rss
        return rss

    @property
    def log(self) -> str:
        """Everything it ever wrote."""
        path = self.folder / "server.log"
        return path.read_text(errors="replace") if path.exists() else ""


class Controller(Program):
    """The centre."""

    program: ClassVar = "lamplighter-controller"
    module: ClassVar = "lamplighter_controller"

    def __init__(self, config: Mapping[str, Any]) -> None:
        super().__init__({"controller": "centre-1", "data": "data", **config})
        self.config["http"] = {"port": self.port}

    def answers(self) -> bool:
        """True when its API says that it is well."""
        return b'"ok"' in (http_get(self.port, "/api/v1/health") or b"")

    @property
    def url(self) -> str:
        """Base URL of the API."""
        return f"http://127.0.0.1:{self.port}/api/v1"

    @property
    def token(self) -> str:
        """The administrator's token, as the first start showed it."""
        found = re.search(r"#token=(\S+)", self.log)
        assert found, self.log
        return found[1]

    @property
    def root_key(self) -> str:
        """The public root key that gateways are given."""
        return (self.data / "keys" / "root.pub").read_text().strip()


@dataclass(frozen=True, slots=True)
class Kept:
    """A frame in a gateway's spool; `stored` once the centre has said so."""

    seq: int
    of: Class
    stored: bool
    body: bytes


class Gateway(Program):
    """An edge box."""

    program: ClassVar = "lamplighter-gateway"
    module: ClassVar = "lamplighter_gateway"

    def __init__(self, config: Mapping[str, Any]) -> None:
        super().__init__(config)
        self.name: str = self.config["gateway"]
        self.config["data"] = str(self.data)

    def answers(self) -> bool:
        """True when a person beside it could ask it."""
        try:
            return "gateway" in self.ask("status")
        except (NotRunningError, OSError):
            return False

    def ask(self, what: str, **more: Any) -> dict[str, Any]:
        """Ask through its control socket, as its command line does."""
        return asyncio.run(ask(self.data, {"do": what, **more}))

    def spool(self) -> list[Kept]:
        """Every frame in its spool, read from a copy; the gateway must not be running."""
        assert self._process is None, "a running gateway's spool is its own"
        with tempfile.TemporaryDirectory() as copy:
            for name in self.data.glob("spool.db*"):
                if ".bad-" not in name.name:
                    shutil.copy(name, copy)
            with closing(sqlite3.connect(Path(copy) / "spool.db")) as database:
                assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
                rows = database.execute("SELECT seq, class, stored IS NOT NULL, body FROM frame ORDER BY seq")
                return [Kept(seq, Class(of), bool(stored), body) for seq, of, stored, body in rows]
