"""Modbus TCP slaves: one listening socket per bus. Requests may be pipelined; a late unit holds up nobody else."""

import asyncio
import logging
import struct
from typing import Final, cast

from lamplighter_firmware_sim.wires.bus import Bus

_LOG: Final = logging.getLogger(__name__)
_HEADER: Final = struct.Struct(">HHHB")
_MOST_MASTERS: Final = 64  # of one bus
_LONGEST: Final = 254  # unit id and the longest PDU


class _Connection(asyncio.Protocol):
    """One master. A frame that is no Modbus TCP ends the connection: the stream cannot be trusted any more."""

    def __init__(self, bus: Bus, open_connections: set["_Connection"]) -> None:
        self._bus = bus
        self._open = open_connections
        self._buffer = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._open.add(self)
        if len(self._open) > _MOST_MASTERS:
            self.close()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - both ends of a life are alike here
        self._open.discard(self)
        self._transport = None

    def pause_writing(self) -> None:
        """A master that does not read is not heard either."""
        if self._transport is not None:
            self._transport.pause_reading()

    def resume_writing(self) -> None:
        if self._transport is not None:
            self._transport.resume_reading()

    def close(self) -> None:
        if self._transport is not None:
            self._transport.abort()

    def data_received(self, data: bytes) -> None:
        if self._bus.strength("stalled"):
            return
        buffer, position, answers = self._buffer + data, 0, []
        while len(buffer) - position >= _HEADER.size + 1:
            transaction, protocol, length, unit_id = _HEADER.unpack_from(buffer, position)
            if protocol != 0 or not 2 <= length <= _LONGEST:
                self._refuse()
                return
            end = position + 6 + length
            if end > len(buffer):
                break
            answers.append(self._answer(transaction, unit_id, buffer[position + _HEADER.size : end]))
            position = end
        self._buffer = buffer[position:]
        self._send(b"".join(answers))

    def _answer(self, transaction: int, unit_id: int, pdu: bytes) -> bytes:
        """The frame to send now; a late one is sent later and leaves nothing here."""
        answer = self._bus.ask(unit_id, pdu)
        if answer is None:
            return b""
        frame = _HEADER.pack(transaction, 0, len(answer.pdu) + 1, answer.unit) + answer.pdu
        if answer.late_s <= 0:
            return frame
        asyncio.get_running_loop().call_later(answer.late_s, self._send, frame)
        return b""

    def _send(self, frames: bytes) -> None:
        if frames and self._transport is not None:
            self._transport.write(frames)

    def _refuse(self) -> None:
        self._bus.corrupt += 1
        _LOG.info("a master on Modbus TCP sent something else than Modbus; connection closed")
        self.close()


class TcpBus:
    """A bus behind a listening socket."""

    def __init__(self, bus: Bus, host: str, port: int) -> None:
        """Nothing is opened yet; port 0 takes a free one."""
        self.bus, self.host, self.port = bus, host, port
        self._connections: set[_Connection] = set()
        self._server: asyncio.Server | None = None

    async def open(self) -> None:
        """Listen."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: _Connection(self.bus, self._connections), self.host, self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    def close(self) -> None:
        """Stop listening and drop every master."""
        if self._server is not None:
            self._server.close()
        for connection in list(self._connections):
            connection.close()
