"""The HTTP server inside the program's own task group: it neither takes signals nor ends the process."""

import asyncio
import contextlib
import logging
import socket
from collections.abc import Generator
from typing import Final

import uvicorn
from fastapi import FastAPI

from lamplighter_controller.config import HttpConfig
from lamplighter_controller.errors import ControllerError

log = logging.getLogger(__name__)

GRACE_S: Final = 1  # open live streams would hold a stop up for ever
BACKLOG: Final = 128
MOST_CONNECTIONS: Final = 800  # every live listener there may be, 300 others, and still room in the usual 1,024 files
LONGEST_CLOSE_S: Final = GRACE_S + 1.0


class PortTaken(ControllerError):
    """The HTTP port cannot be listened on."""


class ServerEnded(ControllerError):
    """The HTTP server ended although nobody asked it to; its own log lines say why."""


class _Uvicorn(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None]:
        yield


class HttpServer:
    """One listening socket and the server on it."""

    def __init__(self, config: HttpConfig) -> None:
        """Listen; port 0 takes a free one.

        Raises:
            PortTaken: somebody else listens there, or the address is not ours.
        """
        self._config = config
        family = socket.AF_INET6 if ":" in config.host else socket.AF_INET
        try:
            self._socket = socket.create_server((config.host, config.port), family=family, backlog=BACKLOG)
        except OSError as error:
            raise PortTaken(f"cannot listen on {config.host}:{config.port}: {error}") from error
        self._server: uvicorn.Server | None = None
        self._ended = asyncio.Event()

    @property
    def url(self) -> str:
        """Where the console opens."""
        host = f"[{self._config.host}]" if ":" in self._config.host else self._config.host
        scheme = "https" if self._config.certificate else "http"
        return f"{scheme}://{host}:{self._socket.getsockname()[1]}"

    async def run(self, app: FastAPI) -> None:
        """Serve until `stop`.

        Raises:
            ServerEnded: it ended by itself.
        """
        certificate, key = self._config.certificate, self._config.key
        config = uvicorn.Config(
            app,
            log_config=None,
            access_log=False,
            server_header=False,
            ws_per_message_deflate=False,
            timeout_graceful_shutdown=GRACE_S,
            limit_concurrency=MOST_CONNECTIONS,
            ssl_certfile=str(certificate) if certificate else None,
            ssl_keyfile=str(key) if key else None,
        )
        self._server = _Uvicorn(config)
        try:
            await self._server.serve(sockets=[self._socket])
        finally:
            self._ended.set()
        if not self._server.should_exit:
            raise ServerEnded("the HTTP server ended by itself")

    async def stop(self) -> None:
        """Take no more, let what runs finish within the grace, then return."""
        if self._server is not None:
            self._server.should_exit = True
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._ended.wait(), LONGEST_CLOSE_S)
        self._socket.close()
