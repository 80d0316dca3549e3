"""One real server as a child process of the test run: started on free loopback ports, ended by its pid."""

import atexit
import contextlib
import http.client
import os
import pwd
import random
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar, Self

import psutil

SEARCHED = ("/usr/local/sbin", "/usr/sbin", "/sbin", "/usr/lib/postgresql/*/bin")
STOP_TIMEOUT_S = 10.0
LOG_TAIL_BYTES = 2000
RANDOM = random.SystemRandom()


class ServerError(AssertionError):
    """The server did not do what the test asked of it; its log's end is in the message."""


def find_program(name: str) -> Path | None:
    """Where a server's program is: the PATH first, then where Debian puts programs that are not on it."""
    found = shutil.which(name)
    if found:
        return Path(found)
    candidates = (
        path for pattern in SEARCHED for path in sorted(Path("/").glob(f"{pattern[1:]}/{name}"), reverse=True)
    )
    return next(candidates, None)


def free_port() -> int:
    """A loopback port nobody listens on, below the ephemeral range: a client that keeps trying a stopped server's
    ephemeral port can end up connected to itself, and an outgoing connection can take it before the restart.
    """
    for _ in range(200):
        port = RANDOM.randint(20_000, 32_000)
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise ServerError("no free loopback port between 20000 and 32000")


def http_get(port: int, path: str, timeout_s: float = 2.0) -> bytes | None:
    """Body of a 2xx answer from a loopback server, None when there is no such answer."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout_s)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        body = answer.read()
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()
    return body if 200 <= answer.status < 300 else None


class Server:
    """A child process with a throw-away folder; the same port and data over every restart until `close()`."""

    program: ClassVar[str]
    package: ClassVar[str]
    account: ClassVar[str | None] = None
    stop_signal: ClassVar[signal.Signals] = signal.SIGTERM
    start_timeout_s: ClassVar[float] = 60.0

    def __init__(self) -> None:
        self.port = free_port()
        self.folder = Path(tempfile.mkdtemp(prefix="lamplighter-"))
        self._process: subprocess.Popen[bytes] | None = None
        atexit.register(self.close)

    @classmethod
    def missing(cls) -> str | None:
        """Why this server cannot be started here, None when it can."""
        if find_program(cls.program):
            return None
        return f"{cls.program} is not installed (Debian package {cls.package})"

    def command(self) -> Sequence[str]:
        """The command line; called once per start, after `prepare()`."""
        raise NotImplementedError

    def answers(self) -> bool:
        """True when the server answers a query."""
        raise NotImplementedError

    def prepare(self) -> None:
        """Write configuration and data folders; called at every start."""

    @property
    def pid(self) -> int:
        """Process id while it is running."""
        return self._running().pid

    def start(self) -> None:
        """Start and wait until a query is answered."""
        if self._process is not None:
            raise ServerError(f"{self.program} is running already")
        self.prepare()
        self._process = self._spawn(self.command())
        deadline = time.monotonic() + self.start_timeout_s
        while not self.answers():
            if self._process.poll() is not None:
                code, self._process = self._process.returncode, None
                raise ServerError(f"{self.program} ended with {code} at start:\n{self.log_tail()}")
            if time.monotonic() > deadline:
                self.kill()
                raise ServerError(f"{self.program} answers no query:\n{self.log_tail()}")
            time.sleep(0.02)

    def stop(self) -> None:
        """End it the way an administrator does; SIGKILL when it does not obey in time."""
        process = self._running()
        if process.poll() is not None:  # it ended by itself
            self._process = None
            return
        self.resume()
        process.send_signal(self.stop_signal)
        try:
            process.wait(STOP_TIMEOUT_S)
            self._process = None
        except subprocess.TimeoutExpired:
            self.kill()

    def kill(self) -> None:
        """SIGKILL, children included: what a power cut looks like to everybody else."""
        family, process = self._family(), self._running()
        self._process = None
        for member in family:
            with contextlib.suppress(psutil.NoSuchProcess):
                member.kill()
        process.wait()
        psutil.wait_procs(family[1:], timeout=STOP_TIMEOUT_S)

    def restart(self) -> None:
        """Stop and start on the same port and data."""
        self.stop()
        self.start()

    def pause(self) -> None:
        """Hang it (SIGSTOP): connections stay open and nobody answers."""
        for member in self._family():
            member.suspend()

    def resume(self) -> None:
        """Let it go on after `pause()`."""
        for member in self._family():
            with contextlib.suppress(psutil.NoSuchProcess):
                member.resume()

    def close(self) -> None:
        """Stop it if it runs and throw its folder away."""
        if self._process is not None:
            self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)
        atexit.unregister(self.close)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def log_tail(self) -> str:
        """The end of what it wrote to its standard streams."""
        log = self.folder / "server.log"
        return log.read_bytes()[-LOG_TAIL_BYTES:].decode(errors="replace") if log.exists() else ""

    def run_tool(self, *command: str) -> None:
        """Run one of the server's own tools to its end, as the server's account."""
        process = self._spawn(command)
        code = process.wait(60)
        if code:
            raise ServerError(f"{command[0]} ended with {code}:\n{self.log_tail()}")

    def _spawn(self, command: Sequence[str]) -> subprocess.Popen[bytes]:
        program = find_program(command[0])
        if program is None:
            raise ServerError(f"{command[0]} is not installed (Debian package {self.package})")
        account = unprivileged(self.account)
        if account:
            os.chown(self.folder, account.pw_uid, account.pw_gid)
        with (self.folder / "server.log").open("ab") as log:
            return subprocess.Popen(
                [str(program), *command[1:]],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd=self.folder,
                start_new_session=True,
                user=account.pw_uid if account else None,
                group=account.pw_gid if account else None,
                extra_groups=[] if account else None,
            )

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is None:
            raise ServerError(f"{self.program} is not running")
        return self._process

    def _family(self) -> list[psutil.Process]:
        parent = psutil.Process(self._running().pid)
        return [parent, *parent.children(recursive=True)]


def unprivileged(account: str | None) -> pwd.struct_passwd | None:
    """The account a server that refuses root is given: `account`, else nobody; None where we are not root anyway."""
    if account is None or os.geteuid() != 0:
        return None
    try:
        return pwd.getpwnam(account)
    except KeyError:
        return pwd.getpwnam("nobody")
