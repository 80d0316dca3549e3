"""The control socket: how the command line talks to the running controller. One JSON line asks, one answers.

It lies in the data folder and only its owner may use it, so whoever asks is who may read the data anyway.
"""

import asyncio
import json
import logging
import socket
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any, Final

from lamplighter_controller.errors import ControllerError

log = logging.getLogger(__name__)

LINE_BYTES: Final = 65_536
ASK_TIMEOUT_S: Final = 600.0  # a backup of a big city takes its time
READ_TIMEOUT_S: Final = 5.0

Answer = Mapping[str, Any]
Handler = Callable[[Mapping[str, Any]], Awaitable[Answer]]


class ControlError(ControllerError):
    """The running controller refused, or what came is not what the socket speaks."""


class NotRunning(ControllerError):
    """No controller listens on the socket."""


async def serve(path: Path, handlers: Mapping[str, Handler]) -> asyncio.Server:
    """Listen; the caller closes the server."""
    path.unlink(missing_ok=True)  # noqa: ASYNC240 - at start, nothing waits

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(READ_TIMEOUT_S):
                line = await reader.readline()
            writer.write(json.dumps(await _answer(line, handlers)).encode() + b"\n")
            await writer.drain()
        except (TimeoutError, OSError, ValueError) as error:
            log.info("a caller on the control socket was not answered: %s", error)
        finally:
            writer.close()

    server = await asyncio.start_unix_server(answer, path, limit=LINE_BYTES)
    path.chmod(0o600)  # noqa: ASYNC240 - at start, nothing waits
    return server


async def _answer(line: bytes, handlers: Mapping[str, Handler]) -> Answer:
    try:
        wanted = json.loads(line)
    except json.JSONDecodeError:
        return {"error": "expected one line of JSON"}
    handler = handlers.get(str(wanted.get("do"))) if isinstance(wanted, dict) else None
    if handler is None:
        return {"error": f"expected do to be one of {', '.join(handlers)}"}
    try:
        return await handler(wanted)
    except ControllerError as error:
        return {"error": str(error)}


def ask(path: Path, wanted: Mapping[str, Any]) -> Answer:
    """Ask the running controller and wait for its answer.

    Raises:
        NotRunning: nobody listens.
        ControlError: it refused; the message says why.
    """
    try:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(ASK_TIMEOUT_S)
            connection.connect(str(path))
            connection.sendall(json.dumps(wanted).encode() + b"\n")
            line = connection.makefile("rb").readline(LINE_BYTES)
    except (FileNotFoundError, ConnectionRefusedError) as error:
        raise NotRunning(f"no controller listens on {path}") from error
    except OSError as error:
        raise ControlError(f"{path}: {error}") from error
    answer = json.loads(line or b"{}")
    if "error" in answer or not line:
        raise ControlError(answer.get("error", "the controller hung up"))
    return dict(answer)
