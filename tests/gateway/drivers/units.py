"""Small Modbus units that misbehave on command, served over TCP or one end of a pty."""

import asyncio
import os
import pty
import struct
import tty
from collections.abc import Callable

from pymodbus.framer.rtu import FramerRTU

LAMP = (1, 60, 2312, 250, 571, 970, 0, 5000, 250, 3, 0, 100, 3, 0, 0, 5)
ILLEGAL_FUNCTION, ILLEGAL_ADDRESS = 1, 2


class Units:
    """Registers by unit and address; `answer` gives the PDU for a request's, or None for silence."""

    def __init__(self, units=range(1, 5), registers=LAMP):
        self.registers = {unit: dict(enumerate(registers)) for unit in units}
        self.dead = set()
        self.holes = set()
        self.requests = []
        self.on_request: Callable[[int], None] = lambda _: None

    def answer(self, unit, pdu):
        function, address, count = struct.unpack(">BHH", pdu[:5])
        self.requests.append((unit, function, address, count))
        self.on_request(unit)
        if unit in self.dead or unit not in self.registers:
            if unit == 0:
                for one in self.registers.values():
                    self._write(one, address, count)
            return None
        own = self.registers[unit]
        if function == 6:
            self._write(own, address, count)
            return pdu[:5]
        wanted = range(address, address + count)
        if function != 3 or any(at in self.holes or at not in own for at in wanted):
            return struct.pack(">BB", function | 0x80, ILLEGAL_FUNCTION if function != 3 else ILLEGAL_ADDRESS)
        return struct.pack(f">BB{count}H", 3, 2 * count, *(own[at] for at in wanted))

    @staticmethod
    def _write(own, address, value):
        if address == 32:
            own[1] = value
        elif address in own:
            own[address] = value


class TcpServer:
    """Serves units over Modbus TCP; `stalled` connections accept and say nothing."""

    def __init__(self, units):
        self.units = units
        self.stalled = False
        self.connections = set()
        self.accepted = 0

    async def __aenter__(self):
        self.server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self.server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_):
        self.server.close()
        self.drop()
        await self.server.wait_closed()

    def drop(self):
        for writer in list(self.connections):
            writer.transport.abort()

    async def _serve(self, reader, writer):
        self.connections.add(writer)
        self.accepted += 1
        try:
            while True:
                head = await reader.readexactly(7)
                transaction, _, length, unit = struct.unpack(">HHHB", head)
                pdu = await reader.readexactly(length - 1)
                answer = None if self.stalled else self.units.answer(unit, pdu)
                if answer is not None:
                    writer.write(struct.pack(">HHHB", transaction, 0, len(answer) + 1, unit) + answer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            self.connections.discard(writer)
            writer.close()


class SerialUnits:
    """Serves units on a pty; `delay` gives for each answer how many seconds it takes, `spoil` may change its bytes."""

    def __init__(self, units, delay=lambda _: 0.0, spoil=lambda frame: frame):
        self.units = units
        self.delay = delay
        self.spoil = spoil
        self._buffer = b""

    async def __aenter__(self):
        self._ours, self._theirs = pty.openpty()
        tty.setraw(self._theirs)
        self.device = os.ttyname(self._theirs)
        os.set_blocking(self._ours, False)
        asyncio.get_running_loop().add_reader(self._ours, self._read)
        return self

    async def __aexit__(self, *_):
        self.unplug()
        os.close(self._theirs)

    def unplug(self):
        """The adapter is gone: whoever has the port open loses it."""
        if self._ours >= 0:
            asyncio.get_running_loop().remove_reader(self._ours)
            os.close(self._ours)
            self._ours = -1

    def say(self, body):
        """A sound frame that nobody asked for."""
        self._write(body + FramerRTU.compute_CRC(body).to_bytes(2, "big"))

    def _read(self):
        self._take(os.read(self._ours, 1024))

    def _take(self, data):
        self._buffer += data
        while len(self._buffer) >= 8:
            frame, self._buffer = self._buffer[:8], self._buffer[8:]
            answer = self.units.answer(frame[0], frame[1:6])
            if answer is None:
                continue
            body = frame[:1] + answer
            whole = self.spoil(body + FramerRTU.compute_CRC(body).to_bytes(2, "big"))
            asyncio.get_running_loop().call_later(self.delay(len(self.units.requests)), self._write, whole)

    def _write(self, frame):
        try:
            os.write(self._ours, frame)
        except OSError:
            return
