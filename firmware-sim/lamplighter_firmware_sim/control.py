"""Faults by hand: a socket in the running simulator's directory; one JSON line in, one JSON line out."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any, Final, cast

import msgspec

from lamplighter_firmware_sim.errors import SimError, UnknownTargetError
from lamplighter_firmware_sim.faults.board import Fault
from lamplighter_firmware_sim.simulation import Simulation

SOCKET_NAME: Final = "sim.sock"
_LONGEST: Final = 4096
_TIMEOUT_S: Final = 5.0


class Request(msgspec.Struct, forbid_unknown_fields=True):
    """What a person asks for. `do`: add, list, clear, lamp."""

    do: str
    kind: str = ""
    target: str = ""
    seconds: float | None = None
    value: float | None = None
    number: int | None = None


class Control:
    """Answers requests about one simulation."""

    def __init__(self, simulation: Simulation, directory: Path) -> None:
        """The socket will be `sim.sock` in `directory`."""
        self._simulation = simulation
        self._path = directory / SOCKET_NAME
        self._does: dict[str, Callable[[Request], Any]] = {
            "add": self._add,
            "list": self._list,
            "clear": self._clear,
            "lamp": self._lamp,
        }

    @contextlib.asynccontextmanager
    async def listening(self) -> AsyncIterator[None]:
        """Serve until the block ends.

        Raises:
            SimError: another simulator is alive in this directory.
        """
        if await asyncio.to_thread(_alive, self._path):
            raise SimError(f"{self._path}: another simulator is running in this directory")
        async with LineSocket(self._path, self.answer).listening():
            yield

    def answer(self, line: bytes) -> bytes:
        """The answer to one request; what was wrong stands in `error`."""
        try:
            request = msgspec.json.decode(line, type=Request)
            if request.do not in self._does:
                raise UnknownTargetError(f"do {request.do!r}: expected one of {', '.join(self._does)}")
            return msgspec.json.encode({"answer": self._does[request.do](request)})
        except (msgspec.MsgspecError, SimError, ValueError) as error:
            return msgspec.json.encode({"error": str(error)})

    def _add(self, request: Request) -> Any:
        board = self._simulation.faults
        fault = board.add(request.kind, request.target, request.seconds, request.value)
        self._simulation.on_write()
        return self._row(fault)

    def _list(self, _: Request) -> Any:
        return [self._row(fault) for fault in self._simulation.faults.all()]

    def _clear(self, request: Request) -> Any:
        cleared = self._simulation.faults.clear(request.number)
        self._simulation.on_write()
        return cleared

    def _lamp(self, request: Request) -> Any:
        return self._simulation.lamp(request.target)

    def _row(self, fault: Fault) -> dict[str, Any]:
        holds = self._simulation.faults.holds(fault)
        return {
            "number": fault.number,
            "kind": fault.kind,
            "target": fault.target,
            "value": fault.value,
            "devices": len(fault.devices),
            "holds": holds,
        }


class LineSocket:
    """Answers lines at a socket of this user's own; a file of that name is replaced."""

    def __init__(self, path: Path, answer: Callable[[bytes], bytes]) -> None:
        """`answer` gives one line for one line."""
        self._path, self._answer = path, answer

    @contextlib.asynccontextmanager
    async def listening(self) -> AsyncIterator[None]:
        """Answer until the block ends."""
        self._path.unlink(missing_ok=True)
        server = await asyncio.get_running_loop().create_unix_server(lambda: _Caller(self._answer), str(self._path))
        self._path.chmod(0o600)
        try:
            yield
        finally:
            server.close()
            self._path.unlink(missing_ok=True)


class _Caller(asyncio.Protocol):
    """One caller; it says one line and gets one."""

    def __init__(self, answer: Callable[[bytes], bytes]) -> None:
        self._answer = answer
        self._line = b""
        self._transport: asyncio.Transport | None = None
        self._patience: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._patience = asyncio.get_running_loop().call_later(_TIMEOUT_S, self._transport.abort)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - both ends of a life are alike here
        if self._patience is not None:
            self._patience.cancel()

    def data_received(self, data: bytes) -> None:
        self._line += data
        if self._transport is None:
            return
        if b"\n" in self._line:
            self._transport.write(self._answer(self._line.partition(b"\n")[0]) + b"\n")
            self._transport.close()
        elif len(self._line) > _LONGEST:
            self._transport.abort()


def _alive(path: Path) -> bool:
    try:
        ask(path.parent, Request("list"))
    except SimError:
        return False
    return True


def ask(directory: Path, request: Request) -> Any:
    """Ask the simulator that runs in `directory`.

    Raises:
        SimError: none is running there, or it refused; the message says why.
    """
    with socket.socket(socket.AF_UNIX) as line:
        line.settimeout(_TIMEOUT_S)
        try:
            line.connect(str(directory / SOCKET_NAME))
            line.sendall(msgspec.json.encode(request) + b"\n")
            with line.makefile("rb") as answer:
                reply = msgspec.json.decode(answer.read())
        except (OSError, msgspec.MsgspecError) as error:
            raise SimError(f"{directory}: no simulator answers there ({error})") from error
    if "error" in reply:
        raise SimError(reply["error"])
    return reply["answer"]
