"""A TCP proxy between a client and a server that a test can make slow, deaf or dead."""

import asyncio
import contextlib
import random
import socket
import struct
from dataclasses import dataclass, field
from typing import Self

CHUNK_BYTES = 65_536
CONNECT_TIMEOUT_S = 5.0
RESET = struct.pack("ii", 1, 0)


@dataclass(slots=True)
class Toxics:
    """What one direction suffers; read anew for every chunk, so it may change while connections are open."""

    latency_s: float = 0.0
    jitter_s: float = 0.0
    bytes_per_s: float = 0.0
    slice_bytes: int = 0
    swallow: bool = False

    def clear(self) -> None:
        """Let everything pass at once."""
        self.latency_s = self.jitter_s = self.bytes_per_s = 0.0
        self.slice_bytes = 0
        self.swallow = False


@dataclass(eq=False, slots=True)
class _Link:
    client: asyncio.StreamWriter
    server: asyncio.StreamWriter
    lost_bytes: bool = False

    def abort(self) -> None:
        for writer in (self.client, self.server):
            writer.transport.abort()

    def reset(self) -> None:
        raw = self.client.get_extra_info("socket")
        if raw is not None and raw.fileno() >= 0:
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        self.abort()


@dataclass(slots=True)
class Proxy:
    """Forward a loopback port to `upstream_port`; use as `async with Proxy(port) as proxy`, connect to `proxy.port`.

    `up` is what the client sends, `down` what the server sends.
    """

    upstream_port: int
    upstream_host: str = "127.0.0.1"
    port: int = 0
    up: Toxics = field(default_factory=Toxics)
    down: Toxics = field(default_factory=Toxics)
    _links: set[_Link] = field(default_factory=set)
    _handlers: set[asyncio.Task[None]] = field(default_factory=set)
    _listener: asyncio.Server | None = None

    async def __aenter__(self) -> Self:
        await self.restore()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.cut()
        if self._handlers:
            await asyncio.wait(self._handlers, timeout=CONNECT_TIMEOUT_S)

    @property
    def connections(self) -> int:
        """How many connections are open through the proxy."""
        return len(self._links)

    async def cut(self) -> None:
        """Close every connection and refuse new ones until `restore()`."""
        if self._listener is not None:
            self._listener.close()
            self._listener = None
        self.drop()

    async def restore(self) -> None:
        """Take connections again, on the same port."""
        if self._listener is None:
            self._listener = await asyncio.start_server(self._accept, "127.0.0.1", self.port)
            self.port = self._listener.sockets[0].getsockname()[1]

    def drop(self) -> None:
        """Close every connection now; new ones are taken."""
        for link in list(self._links):
            link.abort()

    def reset(self) -> None:
        """End every connection with RST; new ones are taken."""
        for link in list(self._links):
            link.reset()

    def swallow(self) -> None:
        """Half-open link: connections stay, new ones are taken, and every byte is lost in both directions."""
        self.up.swallow = self.down.swallow = True

    def heal(self) -> None:
        """End all toxics. A connection that lost bytes is reset: TCP would never have let it go on without them."""
        self.up.clear()
        self.down.clear()
        for link in list(self._links):
            if link.lost_bytes:
                link.reset()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._handlers.add(task)
        try:
            await self._serve(reader, writer)
        finally:
            self._handlers.discard(task)
            writer.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            connecting = asyncio.open_connection(self.upstream_host, self.upstream_port)
            server_reader, server_writer = await asyncio.wait_for(connecting, CONNECT_TIMEOUT_S)
        except (OSError, TimeoutError):
            return
        link = _Link(writer, server_writer)
        self._links.add(link)
        try:
            async with asyncio.TaskGroup() as pumps:
                pumps.create_task(self._pump(reader, link, server_writer, self.up), name="proxy-up")
                pumps.create_task(self._pump(server_reader, link, writer, self.down), name="proxy-down")
        finally:
            self._links.discard(link)
            server_writer.transport.abort()

    async def _pump(
        self, reader: asyncio.StreamReader, link: _Link, writer: asyncio.StreamWriter, toxics: Toxics
    ) -> None:
        with contextlib.suppress(OSError):
            while chunk := await reader.read(toxics.slice_bytes or CHUNK_BYTES):
                if toxics.latency_s or toxics.jitter_s:
                    await asyncio.sleep(max(0.0, toxics.latency_s + random.uniform(-1, 1) * toxics.jitter_s))
                if toxics.bytes_per_s:
                    await asyncio.sleep(len(chunk) / toxics.bytes_per_s)
                if toxics.swallow:
                    link.lost_bytes = True
                    continue
                writer.write(chunk)
                await writer.drain()
            if not link.lost_bytes:
                writer.write_eof()
                return
        link.abort()
