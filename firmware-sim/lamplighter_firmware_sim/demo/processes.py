"""Child processes of the launcher: started with a log each, watched, started again when they die, ended in order."""

import asyncio
import logging
import os
import signal
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Final, TypeVar

from lamplighter_firmware_sim.errors import SimError

log = logging.getLogger(__name__)

STOP_S: Final = 8.0
RESTART_S: Final = (1.0, 2.0, 5.0, 10.0)
TAIL_LINES: Final = 12
LOG_BYTES: Final = 5_000_000
T = TypeVar("T")


class ProgramFailed(SimError):
    """A part of the demo did not come up; the message holds the end of its log."""


@dataclass(slots=True)
class Program:
    """One child process."""

    name: str
    command: Sequence[str]
    log_file: Path
    environment: Mapping[str, str] = field(default_factory=dict)
    pid_file: Path | None = None
    said_before: int = 0  # bytes of the log that earlier starts wrote
    process: asyncio.subprocess.Process | None = None
    stopping: bool = False

    async def start(self) -> None:
        """Start it in a session of its own, so that Ctrl-C reaches only the launcher, which ends all parts in order."""
        with _open_log(self.log_file) as output:
            self.said_before = output.tell()
            self.process = await asyncio.create_subprocess_exec(
                *self.command,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env={**os.environ, **self.environment},
                start_new_session=True,
            )
        if self.pid_file is not None:
            self.pid_file.write_text(f"{self.process.pid}\n")

    async def _ended_on_purpose(self, process: asyncio.subprocess.Process) -> bool:
        await process.wait()
        return self.stopping

    @property
    def running(self) -> bool:
        """True while the process lives."""
        return self.process is not None and self.process.returncode is None

    async def stop(self) -> None:
        """Ask it to end, and end it when it does not."""
        self.stopping = True
        process = self.process
        if process is None or process.returncode is not None:
            return
        process.send_signal(signal.SIGTERM)
        try:
            async with asyncio.timeout(STOP_S):
                await process.wait()
        except TimeoutError:
            log.warning("%s did not stop within %.0f s and was ended", self.name, STOP_S)
            process.kill()
            await process.wait()

    async def watch(self) -> None:
        """Start it again whenever it dies, with growing pauses, until `stop`."""
        deaths = 0
        while not self.stopping and self.process is not None:
            process = self.process
            if await self._ended_on_purpose(process):
                return
            pause = RESTART_S[min(deaths, len(RESTART_S) - 1)]
            deaths += 1
            log.warning(
                "%s ended with code %s; starting it again in %.0f s (log: %s)",
                self.name,
                process.returncode,
                pause,
                self.log_file,
            )
            await asyncio.sleep(pause)
            if not self.stopping:
                await self.start()

    def said(self) -> list[str]:
        """The lines of its log since its last start."""
        if not self.log_file.exists():
            return []
        return self.log_file.read_bytes()[self.said_before :].decode(errors="replace").splitlines()

    def tail(self) -> str:
        """The end of what it said."""
        return "\n".join(self.said()[-TAIL_LINES:]) or "(it said nothing)"


async def until(program: Program, what: Callable[[], Awaitable[T | None]], timeout_s: float = 30.0) -> T:
    """Ask again and again until there is an answer.

    Raises:
        ProgramFailed: the program ended, or the time is over.
    """
    try:
        async with asyncio.timeout(timeout_s):
            while program.running:
                answer = await what()
                if answer is not None:
                    return answer
                await asyncio.sleep(0.05)
    except TimeoutError:
        pass
    raise ProgramFailed(f"{program.name} did not come up. The end of {program.log_file}:\n{program.tail()}")


async def until_port(program: Program, port: int) -> None:
    """Wait until something listens on a loopback port."""

    async def listening() -> bool | None:
        return await _listens(port) or None

    await until(program, listening)


async def until_line(program: Program, begins: str) -> str:
    """Wait for a line of the program's log that begins so; returns the rest of it."""

    async def line() -> str | None:
        return next((line[len(begins) :].strip() for line in program.said() if line.startswith(begins)), None)

    return await until(program, line)


def _open_log(log_file: Path) -> IO[bytes]:
    """The log, to be written on; one former log is kept, of a size a person can still open."""
    if log_file.exists() and log_file.stat().st_size > LOG_BYTES:
        log_file.replace(log_file.with_suffix(".log.1"))
    return open(log_file, "ab", opener=_private)


def _private(path: str, flags: int) -> int:
    """Open for the owner alone: the controller's log shows the demo's token."""
    return os.open(path, flags, 0o600)


async def _listens(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    writer.close()
    return True
