"""A Modbus TCP endpoint for probing."""

import asyncio
import struct
from typing import Final

from lamplighter_contract.clock import Clock
from lamplighter_gateway.commissioning.wire.frames import MBAP
from lamplighter_gateway.commissioning.wire.port import Heard, NotOpened, Setting, Trouble

CONNECT_S: Final = 5.0
LONGEST: Final = 254  # unit and PDU: Modbus messaging on TCP/IP 1.0b, 3.1.3


class TcpLine:
    """One endpoint. Requests are numbered, so that a late answer is never taken for another's."""

    is_serial = False

    def __init__(self, host: str, port: int, clock: Clock) -> None:
        """Nothing is opened yet."""
        self.name = f"{host}:{port}"
        self._host, self._port, self._clock = host, port, clock
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None
        self._number = 0

    async def open(self, setting: Setting | None) -> NotOpened | None:  # noqa: ARG002 - TCP has no setting
        """Connect anew."""
        self.close()
        try:
            async with asyncio.timeout(CONNECT_S):
                self._streams = await asyncio.open_connection(self._host, self._port)
        except ConnectionRefusedError as error:
            return NotOpened(Trouble.REFUSED, str(error))
        except (OSError, TimeoutError) as error:
            return NotOpened(Trouble.UNREACHABLE, str(error) or f"no connection within {CONNECT_S:g} s")
        return None

    async def ask(self, unit: int, pdu: bytes, timeout_s: float) -> Heard:
        """Send a request and wait for the answer of its number."""
        if self._streams is None and await self.open(None) is not None:
            return Heard(b"", closed=True)
        assert self._streams is not None, "open said that it is"
        reader, writer = self._streams
        self._number = self._number % 0xFFFF + 1
        began_s = self._clock.monotonic_s()
        try:
            writer.write(MBAP.pack(self._number, 0, len(pdu) + 1, unit) + pdu)
            async with asyncio.timeout(timeout_s):
                frame = await self._answer(reader)
        except TimeoutError:
            return Heard(b"")
        except (OSError, asyncio.IncompleteReadError) as error:
            self.close()
            return Heard(getattr(error, "partial", b""), closed=True)
        return Heard(frame, self._clock.monotonic_s() - began_s)

    async def listen(self, seconds: float) -> bytes:
        """Nobody speaks unasked on TCP."""
        await asyncio.sleep(seconds)
        return b""

    def close(self) -> None:
        """Hang up."""
        if self._streams is not None:
            self._streams[1].close()
            self._streams = None

    async def _answer(self, reader: asyncio.StreamReader) -> bytes:
        while True:
            head = await reader.readexactly(6)
            number, _, length = struct.unpack(">HHH", head)
            if not 2 <= length <= LONGEST:
                return head  # no Modbus at all
            frame = head + await reader.readexactly(length)
            if number == self._number:
                return frame
