"""A serial port for probing: every byte counts, also those that no Modbus library would show."""

import asyncio
import errno
import logging
import os
import termios

import serial  # type: ignore[import-untyped]  # pyserial brings no types

from lamplighter_contract.clock import Clock
from lamplighter_gateway.commissioning.wire.frames import rtu_frame, understood_rtu
from lamplighter_gateway.commissioning.wire.port import Heard, NotOpened, Setting, Trouble

log = logging.getLogger(__name__)

QUIET_S = 0.03  # silence that ends an answer: adapters hand over frames in pieces
_TROUBLES = {
    errno.ENOENT: Trouble.MISSING,
    errno.ENXIO: Trouble.MISSING,
    errno.ENODEV: Trouble.MISSING,
    errno.EACCES: Trouble.DENIED,
    errno.EPERM: Trouble.DENIED,
    errno.EBUSY: Trouble.BUSY,
    errno.EAGAIN: Trouble.BUSY,  # another program holds its lock
    errno.EINVAL: Trouble.UNSUPPORTED,
}


class SerialLine:
    """One serial port, locked while it is open."""

    is_serial = True

    def __init__(self, device: str, clock: Clock) -> None:
        """Nothing is opened yet."""
        self.name = device
        self._clock = clock
        self._port: serial.Serial | None = None
        self._setting: Setting | None = None
        self._buffer = bytearray()
        self._arrived = asyncio.Event()
        self._gone = False

    async def open(self, setting: Setting | None) -> NotOpened | None:
        """Open the port, or open it anew with another setting."""
        assert setting is not None, "a serial line has a setting"
        self.close()
        try:
            port = serial.Serial(
                self.name,
                setting.baud,
                parity=setting.parity.value,
                stopbits=setting.stop_bits,
                timeout=0,
                exclusive=True,
            )
        except (OSError, ValueError, termios.error) as error:  # pyserial's own is an OSError
            return _why(error)
        self._port, self._setting, self._gone = port, setting, False
        os.set_blocking(port.fileno(), False)
        asyncio.get_running_loop().add_reader(port.fileno(), self._readable)
        return None

    async def ask(self, unit: int, pdu: bytes, timeout_s: float) -> Heard:
        """Send a request and listen; the time-out begins when its last character is out."""
        port, setting = self._port, self._setting
        if port is None or setting is None or self._gone:
            return Heard(b"", closed=True)
        await self.listen(max(3.5 * setting.character_s, 0.002))
        self._buffer.clear()
        frame = rtu_frame(unit, pdu)
        began_s = self._clock.monotonic_s()
        try:
            port.write(frame)
        except OSError as error:
            log.info("%s: %s", self.name, error)
            return Heard(b"", closed=True)
        sent_s = len(frame) * setting.character_s
        after_s = await self._first(timeout_s + sent_s, began_s + sent_s)
        while after_s is not None and not self._complete(unit, pdu) and await self._more():
            pass
        return Heard(bytes(self._buffer), after_s, self._gone)

    async def listen(self, seconds: float) -> bytes:
        """What comes within a time."""
        before = len(self._buffer)
        await asyncio.sleep(seconds)
        return bytes(self._buffer[before:])

    def close(self) -> None:
        """Let go of the port."""
        if self._port is not None:
            asyncio.get_running_loop().remove_reader(self._port.fileno())
            self._port.close()
            self._port = None
        self._buffer.clear()

    async def _first(self, timeout_s: float, sent_at_s: float) -> float | None:
        try:
            async with asyncio.timeout(timeout_s):
                while not self._buffer and not self._gone:
                    self._arrived.clear()
                    await self._arrived.wait()
        except TimeoutError:
            return None
        return max(self._clock.monotonic_s() - sent_at_s, 0.0) if self._buffer else None

    async def _more(self) -> bool:
        """Wait for one more piece; False when the line has fallen quiet or what comes is endless."""
        self._arrived.clear()
        setting = self._setting
        wait_s = max(QUIET_S, 20 * setting.character_s if setting else 0.0)
        try:
            async with asyncio.timeout(wait_s):
                await self._arrived.wait()
        except TimeoutError:
            return False
        return len(self._buffer) <= 600 and not self._gone

    def _complete(self, unit: int, pdu: bytes) -> bool:
        return understood_rtu(unit, pdu, bytes(self._buffer)).alive

    def _readable(self) -> None:
        if self._port is None:
            return
        try:
            data = os.read(self._port.fileno(), 4096)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:  # the adapter was unplugged
            asyncio.get_running_loop().remove_reader(self._port.fileno())
            self._gone = True
        if len(self._buffer) < 4096:
            self._buffer += data
        self._arrived.set()


def _why(error: Exception) -> NotOpened:
    number = getattr(error, "errno", None)
    if number is None and error.args and isinstance(error.args[0], int):
        number = error.args[0]
    if isinstance(error, ValueError):
        return NotOpened(Trouble.UNSUPPORTED, str(error))
    known = _TROUBLES.get(number or 0)
    if known is None and "lock" in str(error):
        known = Trouble.BUSY
    return NotOpened(known or Trouble.FAILED, str(error))
