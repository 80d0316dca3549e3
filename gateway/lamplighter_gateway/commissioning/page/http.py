"""HTTP/1.1 over TLS, one request per connection: parsed by h11, bounded in size, time and number."""

import asyncio
import logging
import ssl
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import parse_qsl, urlsplit

import h11

log = logging.getLogger(__name__)

REQUEST_S: Final = 10.0
ANSWER_S: Final = 30.0
HEAD_BYTES: Final = 16_384
BODY_BYTES: Final = 8_192
MOST_CONNECTIONS: Final = 32
_READ: Final = 16_384
_ALWAYS: Final = (
    ("Connection", "close"),
    ("Cache-Control", "no-store"),
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "no-referrer"),
    ("X-Frame-Options", "DENY"),
    ("Content-Security-Policy", "default-src 'none'; style-src 'self'; form-action 'self'; frame-ancestors 'none'"),
)


@dataclass(frozen=True, slots=True)
class Asked:
    """One request: `fields` of its form, `query` of its address."""

    method: str
    path: str
    query: Mapping[str, str]
    cookies: Mapping[str, str]
    fields: Mapping[str, str]
    peer: str


@dataclass(frozen=True, slots=True)
class Reply:
    """One answer; `to` sends the browser elsewhere."""

    status: int = 200
    body: str = ""
    kind: str = "text/html; charset=utf-8"
    to: str = ""
    cookie: str = ""
    headers: tuple[tuple[str, str], ...] = field(default=())


Answer = Callable[[Asked], Awaitable[Reply]]


async def serve(host: str, port: int, context: ssl.SSLContext, answer: Answer) -> asyncio.Server:
    """Answer requests until the server is closed.

    Raises:
        OSError: the port is taken or the address is none of this machine's.
    """
    busy = 0

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal busy
        busy += 1
        try:
            if busy <= MOST_CONNECTIONS:
                await _converse(reader, writer, answer)
        except (TimeoutError, OSError, h11.ProtocolError) as error:
            log.debug("a visitor of the page was not answered: %s", error)
        finally:
            busy -= 1
            writer.close()

    return await asyncio.start_server(
        connected, host, port, ssl=context, limit=HEAD_BYTES, ssl_handshake_timeout=REQUEST_S, ssl_shutdown_timeout=1
    )


async def _converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, answer: Answer) -> None:
    connection = h11.Connection(h11.SERVER, max_incomplete_event_size=HEAD_BYTES)
    peer = str((writer.get_extra_info("peername") or ("?",))[0])
    try:
        async with asyncio.timeout(REQUEST_S):
            asked = await _request(connection, reader, peer)
    except h11.RemoteProtocolError as error:
        reply: Reply | None = Reply(error.error_status_hint, "", "text/plain")
    else:
        async with asyncio.timeout(ANSWER_S):
            reply = await answer(asked) if isinstance(asked, Asked) else asked
    if reply is not None and connection.our_state in (h11.IDLE, h11.SEND_RESPONSE):
        async with asyncio.timeout(REQUEST_S):
            _write(connection, writer, reply)
            await writer.drain()


async def _request(connection: h11.Connection, reader: asyncio.StreamReader, peer: str) -> Asked | Reply | None:
    head: h11.Request | None = None
    body = bytearray()
    while True:
        event = connection.next_event()
        if event is h11.NEED_DATA:
            connection.receive_data(await reader.read(_READ))
        elif isinstance(event, h11.Request):
            head = event
        elif isinstance(event, h11.Data):
            body += event.data
            if len(body) > BODY_BYTES:
                return Reply(413, "", "text/plain")
        elif isinstance(event, h11.EndOfMessage) and head is not None:
            return _asked(head, bytes(body), peer)
        else:
            return None


def _asked(head: h11.Request, body: bytes, peer: str) -> Asked | Reply:
    try:
        address = urlsplit(head.target.decode("ascii"))
        fields = dict(parse_qsl(body.decode("utf-8"), keep_blank_values=True, max_num_fields=20))
        query = dict(parse_qsl(address.query, max_num_fields=20))
    except ValueError:
        return Reply(400, "", "text/plain")
    headers = {name.lower(): value.decode("latin-1") for name, value in head.headers}
    pairs = (part.strip().partition("=") for part in headers.get(b"cookie", "").split(";"))
    cookies = {name: value for name, _, value in pairs}
    return Asked(head.method.decode("ascii"), address.path, query, cookies, fields, peer)


def _write(connection: h11.Connection, writer: asyncio.StreamWriter, reply: Reply) -> None:
    body = reply.body.encode()
    headers = [*_ALWAYS, *reply.headers, ("Content-Type", reply.kind), ("Content-Length", str(len(body)))]
    if reply.to:
        headers.append(("Location", reply.to))
    if reply.cookie:
        headers.append(("Set-Cookie", f"{reply.cookie}; Path=/; Secure; HttpOnly; SameSite=Strict"))
    writer.write(connection.send(h11.Response(status_code=reply.status, headers=headers)) or b"")
    writer.write(connection.send(h11.Data(data=body)) or b"")
    writer.write(connection.send(h11.EndOfMessage()) or b"")
