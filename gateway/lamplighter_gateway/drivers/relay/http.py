"""The little of HTTP/1.1 that a feed needs: bounded posts in, JSON out, on connections that may stay (RFC 9112)."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import h11
import orjson

READ_BYTES: Final = 65_536
HEAD_BYTES: Final = 8_192
REQUEST_S: Final = 30.0
IDLE_S: Final = 120.0
WRITE_S: Final = 10.0


@dataclass(frozen=True, slots=True)
class Posted:
    """A request as it came. `body` is None where it is longer than is taken."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes | None


@dataclass(frozen=True, slots=True)
class Reply:
    """What is answered; one that `ends` closes the connection."""

    status: int
    body: Mapping[str, Any]
    headers: tuple[tuple[str, str], ...] = ()
    ends: bool = False


Answer = Callable[[Posted], Awaitable[Reply]]


class Line:
    """One connection of a sender. What is no HTTP ends it."""

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, answer: Answer, most_bytes: int
    ) -> None:
        self._reader, self._writer, self._answer, self._most_bytes = reader, writer, answer, most_bytes
        self._state = h11.Connection(h11.SERVER, max_incomplete_event_size=HEAD_BYTES)

    async def serve(self) -> bool:
        """Answer one request after the other until the sender goes; False where it spoke no HTTP."""
        try:
            while True:
                posted = await self._next()
                if posted is None:
                    return True
                await self._say(await self._answer(posted), posted)
                if self._state.our_state is not h11.DONE or posted.body is None:
                    return True
                self._state.start_next_cycle()
        except h11.ProtocolError:
            return False
        except (OSError, TimeoutError):
            return True
        finally:
            self._writer.close()

    async def _next(self) -> Posted | None:
        head = await self._event(IDLE_S)
        if not isinstance(head, h11.Request):
            return None
        parts, size = [], 0
        async with asyncio.timeout(REQUEST_S):
            while isinstance(part := await self._event(REQUEST_S), h11.Data):
                size += len(part.data)
                if size > self._most_bytes:
                    return _posted(head, None)
                parts.append(bytes(part.data))
        return _posted(head, b"".join(parts)) if isinstance(part, h11.EndOfMessage) else None

    async def _event(self, timeout_s: float) -> object:
        while (event := self._state.next_event()) is h11.NEED_DATA:
            if self._state.they_are_waiting_for_100_continue:
                self._writer.write(self._bytes(h11.InformationalResponse(status_code=100, headers=[])))
            async with asyncio.timeout(timeout_s):
                self._state.receive_data(await self._reader.read(READ_BYTES))
        return event

    async def _say(self, reply: Reply, posted: Posted) -> None:
        body = orjson.dumps(reply.body)
        headers = [("content-type", "application/json"), ("content-length", str(len(body))), *reply.headers]
        if reply.ends or posted.body is None:
            headers.append(("connection", "close"))
        self._writer.write(
            self._bytes(h11.Response(status_code=reply.status, headers=headers))
            + self._bytes(h11.Data(data=body))
            + self._bytes(h11.EndOfMessage())
        )
        async with asyncio.timeout(WRITE_S):
            await self._writer.drain()

    def _bytes(self, event: h11.Event) -> bytes:
        return self._state.send(event) or b""


def _posted(head: h11.Request, body: bytes | None) -> Posted:
    headers = {name.decode("ascii").lower(): value.decode("latin-1") for name, value in head.headers}
    return Posted(head.method.decode("ascii"), head.target.decode("latin-1"), headers, body)
