"""The socket in the data folder through which the CLI talks to the running daemon: one JSON line each way."""

import asyncio
import contextlib
import json
import logging
import os
import pwd
import socket
import struct
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from lamplighter_contract.wire.limits import MAX_OVERRIDE_MS
from lamplighter_gateway.errors import GatewayError

log = logging.getLogger(__name__)

FILE_NAME: Final = "control.sock"
LINE_BYTES: Final = 65_536
ANSWER_BYTES: Final = 64 * 1024 * 1024
ANSWER_TIMEOUT_S: Final = 30.0
MS_PER_MIN: Final = 60_000
LONGEST_MIN: Final = MAX_OVERRIDE_MS // MS_PER_MIN  # of a level that a person beside the gateway asks for

Request = Mapping[str, Any]
Answer = dict[str, Any]
Handle = Callable[[Request, str], Awaitable[Answer]]


class NotRunningError(GatewayError):
    """No daemon answers in this data folder."""


@contextlib.asynccontextmanager
async def serve(folder: Path, handle: Handle) -> AsyncIterator[None]:
    """Answer requests of this machine's users who may open the socket: the daemon's own, and root."""
    with _in(folder) as path:
        path.unlink(missing_ok=True)
        before = os.umask(0o177)
        try:
            listening = socket.socket(socket.AF_UNIX)
            listening.bind(str(path))
        finally:
            os.umask(before)
    server = await asyncio.start_unix_server(lambda r, w: _answer(handle, r, w), sock=listening, limit=LINE_BYTES)
    try:
        yield
    finally:
        server.close()
        (folder / FILE_NAME).unlink(missing_ok=True)


async def ask(folder: Path, request: Request) -> Answer:
    """Ask the daemon of a data folder.

    Raises:
        NotRunningError: nobody answers there.
    """
    try:
        with _in(folder) as path:
            opening = asyncio.open_unix_connection(str(path), limit=ANSWER_BYTES)
            reader, writer = await asyncio.wait_for(opening, ANSWER_TIMEOUT_S)
        writer.write(json.dumps(request).encode() + b"\n")
        line = await asyncio.wait_for(reader.readline(), ANSWER_TIMEOUT_S)
        writer.close()
    except (OSError, TimeoutError) as error:
        raise NotRunningError(f"no gateway answers in {folder} ({error or 'no answer in time'})") from error
    if not line:
        raise NotRunningError(f"the gateway in {folder} closed the connection")
    answer: Answer = json.loads(line)
    return answer


async def _answer(handle: Handle, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        async with asyncio.timeout(ANSWER_TIMEOUT_S):
            line = await reader.readline()
            answer = await _understand(handle, line, _peer(writer))
            writer.write(json.dumps(answer).encode() + b"\n")
            await writer.drain()
    except (TimeoutError, OSError, ValueError) as error:
        log.info("a local request was not answered: %s", error)
    finally:
        writer.close()


async def _understand(handle: Handle, line: bytes, user: str) -> Answer:
    try:
        request = json.loads(line)
    except ValueError:
        return {"error": "not JSON"}
    if not isinstance(request, dict):
        return {"error": "a JSON object is expected"}
    return await handle(request, user)


def _peer(writer: asyncio.StreamWriter) -> str:
    raw = writer.get_extra_info("socket")
    _, uid, _ = struct.unpack("3i", raw.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i")))
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


@contextlib.contextmanager
def _in(folder: Path) -> Iterator[Path]:
    """The socket's path by way of an open folder: a socket's own path may have no more than 107 bytes."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield Path(f"/proc/self/fd/{handle}") / FILE_NAME
    finally:
        os.close(handle)
