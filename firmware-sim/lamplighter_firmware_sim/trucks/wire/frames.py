"""JT/T 808 frames as a terminal writes and reads them (JT/T 808-2013 and -2019, chapter 4). Pure.

Written apart from the platform's own codec on purpose: two readings of the standard find each other's mistakes.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import reduce
from operator import xor
from typing import Final

FLAG: Final = 0x7E
MOST_BODY: Final = 1023
MOST_BUFFER: Final = 65_536
_FRAGMENTED: Final = 1 << 13
_VERSIONED: Final = 1 << 14
_OLD_HEADER: Final = 12
_NEW_HEADER: Final = 17


@dataclass(frozen=True, slots=True)
class Message:
    """One message from the platform."""

    id: int
    serial: int
    body: bytes


@dataclass(slots=True)
class Writer:
    """Writes the frames of one terminal; 2019 numbers have twenty digits, older ones twelve."""

    phone: str
    new: bool
    serial: int = -1

    def frames(self, message: int, body: bytes, most_bytes: int = MOST_BODY) -> list[bytes]:
        """A message as frames, more than one where it is long; the last frame's serial is kept in `serial`."""
        parts = [body[at : at + most_bytes] for at in range(0, len(body), most_bytes)] or [b""]
        return [self._frame(message, part, number, len(parts)) for number, part in enumerate(parts, 1)]

    def _frame(self, message: int, part: bytes, number: int, total: int) -> bytes:
        self.serial = (self.serial + 1) & 0xFFFF
        attributes = len(part) | (_FRAGMENTED if total > 1 else 0) | (_VERSIONED if self.new else 0)
        phone = bytes.fromhex(self.phone.rjust(20 if self.new else 12, "0"))
        fragment = total.to_bytes(2) + number.to_bytes(2) if total > 1 else b""
        version = b"\x01" if self.new else b""
        header = message.to_bytes(2) + attributes.to_bytes(2) + version + phone + self.serial.to_bytes(2) + fragment
        return _wrapped(header + part)


@dataclass(slots=True)
class Reader:
    """Cuts what arrives into messages; what is torn or wrong is counted and left."""

    wrong: int = 0
    _rest: bytearray = field(default_factory=bytearray)

    def feed(self, data: bytes) -> Iterator[Message]:
        """The messages that are whole by now."""
        self._rest += data
        *whole, rest = bytes(self._rest).split(bytes((FLAG,)))
        self._rest = bytearray(rest[-MOST_BUFFER:])
        for between in whole:
            message = _message(between) if between else None
            self.wrong += bool(between) and message is None
            if message is not None:
                yield message


def _wrapped(plain: bytes) -> bytes:
    checked = plain + bytes((reduce(xor, plain),))
    return b"\x7e" + checked.replace(b"\x7d", b"\x7d\x01").replace(b"\x7e", b"\x7d\x02") + b"\x7e"


def _message(between: bytes) -> Message | None:
    plain = between.replace(b"\x7d\x02", b"\x7e").replace(b"\x7d\x01", b"\x7d")
    if len(plain) <= _OLD_HEADER or reduce(xor, plain):
        return None
    attributes = int.from_bytes(plain[2:4])
    size = _NEW_HEADER if attributes & _VERSIONED else _OLD_HEADER
    start = size + (4 if attributes & _FRAGMENTED else 0)
    body = plain[start:-1]
    if len(body) != attributes & MOST_BODY:
        return None
    return Message(int.from_bytes(plain[0:2]), int.from_bytes(plain[size - 2 : size]), body)
