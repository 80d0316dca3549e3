"""A relay on loopback, in a process of its own, that counts what passes: bytes and chunks, each way."""

import asyncio
import contextlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from benchmarks.meter import wait_for
from benchmarks.parts.worker import Counter, counter, worker

_CHUNK: Final = 65_536


@dataclass(frozen=True, slots=True)
class Counted:
    """What has passed so far; a chunk is about a TCP segment."""

    port: Counter
    up_bytes: Counter
    up_chunks: Counter
    down_bytes: Counter
    down_chunks: Counter

    def now(self) -> tuple[int, int, int, int]:
        """Bytes and chunks up, bytes and chunks down."""
        return self.up_bytes.value, self.up_chunks.value, self.down_bytes.value, self.down_chunks.value


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, passed: Counter, chunks: Counter) -> None:
    with contextlib.suppress(OSError):
        while chunk := await reader.read(_CHUNK):
            passed.value += len(chunk)
            chunks.value += 1
            writer.write(chunk)
            await writer.drain()
    writer.transport.abort()


async def _serve(upstream: int, counted: Counted) -> None:
    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection("127.0.0.1", upstream)
        async with asyncio.TaskGroup() as pumps:
            pumps.create_task(_pump(reader, back, counted.up_bytes, counted.up_chunks), name="up")
            pumps.create_task(_pump(there, writer, counted.down_bytes, counted.down_chunks), name="down")

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    counted.port.value = server.sockets[0].getsockname()[1]
    await server.serve_forever()


def _run(upstream: int, counted: Counted) -> None:
    asyncio.run(_serve(upstream, counted))


@contextmanager
def relay(upstream: int) -> Iterator[Counted]:
    """Stand before the server on this port."""
    counted = Counted(counter(), counter(), counter(), counter(), counter())
    with worker(_run, upstream, counted):
        wait_for("the relay", lambda: counted.port.value > 0, 10)
        yield counted
