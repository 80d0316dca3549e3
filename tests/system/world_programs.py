"""Our own programs as servers: started, killed, hung and restarted like any other."""

import asyncio
import os
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


class SmallDisk:
    """A disk of a few MiB mounted at a folder, in a mount namespace that only programs put `inside` see.

    Raises:
        OSError: this machine has no such namespaces for us; the message says why.
    """

    MOUNT: ClassVar = 'mount -t tmpfs -o size="$0"m none "$1" && echo mounted && exec sleep infinity'

    def __init__(self, folder: Path, mib: int) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._root = os.geteuid() == 0
        namespace = ["unshare", "--mount"] if self._root else ["unshare", "--map-root-user", "--mount"]
        command = [*namespace, "sh", "-c", self.MOUNT, str(mib), str(folder)]
        self._holder = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        assert self._holder.stdout is not None
        said = self._holder.stdout.readline()
        if said != b"mounted\n":
            self.close()
            raise OSError(f"no private mount namespace: {said.decode().strip()}")

    @property
    def inside(self) -> Sequence[str]:
        """A command that starts a program where the disk is."""
        user = [] if self._root else ["--user", "--preserve-credentials"]
        return ["nsenter", f"--target={self._holder.pid}", "--mount", *user]

    def seen(self, folder: Path) -> Path:
        """A folder of that namespace, as seen from outside."""
        return Path(f"/proc/{self._holder.pid}/root{folder}")

    def close(self) -> None:
        """Let go of the disk and of all that is on it."""
        self._holder.kill()
        self._holder.communicate()


class Program(Server):
    """One of our programs on a configuration file in its folder."""

    package: ClassVar = "none, it is ours"
    module: ClassVar[str]
    start_timeout_s: ClassVar = 120.0

    def __init__(self, config: Mapping[str, Any]) -> None:
        super().__init__()
        self.config = dict(config)
        self.before: Sequence[str] = ()  # a command that starts the program, such as strace
        self.how = "run"  # or another command that starts it
        self.disk: SmallDisk | None = None

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
        return [
            *self.before,
            *(self.disk.inside if self.disk else ()),
            sys.executable,
            "-m",
            self.module,
            self.how,
            str(self.config_file),
        ]

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
        """True when its API says that it is up, with or without the broker and its stores."""
        said = http_get(self.port, "/api/v1/health") or b""
        return b'"ok"' in said or b'"degraded"' in said

    @property
    def url(self) -> str:
        """Base URL of the API."""
        return f"http://127.0.0.1:{self.port}/api/v1"

    @property
    def token(self) -> str:
        """The administrator's token, as the first start left it."""
        return (self.data / "admin.token").read_text()

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

    @property
    def seen_data(self) -> Path:
        """Its data folder, also where that is a disk of its own."""
        return self.disk.seen(self.data) if self.disk else self.data

    def ask(self, what: str, **more: Any) -> dict[str, Any]:
        """Ask through its control socket, as its command line does."""
        return asyncio.run(ask(self.seen_data, {"do": what, **more}))

    def spool(self) -> list[Kept]:
        """Every frame in its spool, read from a copy; the gateway must not be running."""
        assert self._process is None, "a running gateway's spool is its own"
        with tempfile.TemporaryDirectory() as copy:
            for file in self.seen_data.glob("spool.db*"):
                if ".bad-" not in file.name:
                    shutil.copy(file, copy)
            with closing(sqlite3.connect(Path(copy) / "spool.db")) as database:
                assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
                rows = database.execute("SELECT seq, class, stored IS NOT NULL, body FROM frame ORDER BY seq")
                return [Kept(seq, Class(of), bool(stored), body) for seq, of, stored, body in rows]
