"""Frames in a stream of bytes: flags, escapes and the checksum (JT/T 808-2013, 4.4.2)."""

import re
from collections.abc import Iterator
from typing import Final

from lamplighter_gateway.drivers.jt808.codec.faults import Fault, Refused

FLAG: Final = 0x7E
MOST_BYTES: Final = 2 * (21 + 1023 + 1)  # header, body and checksum, each byte escaped

_FLAG: Final = b"\x7e"
_UNROLLED_BITS: Final = 1024
_UNROLLED_MASK: Final = (1 << _UNROLLED_BITS) - 1
_ESCAPE: Final = 0x7D
_WRONG_ESCAPE: Final = re.compile(rb"\x7d(?![\x01\x02])")


def checksum(data: bytes) -> int:
    """All bytes joined by exclusive or, a half over the other at a time; what stays above a half is garbage."""
    folded = int.from_bytes(data, "big")
    while folded.bit_length() > _UNROLLED_BITS:
        folded = (folded >> _UNROLLED_BITS) ^ (folded & _UNROLLED_MASK)
    folded ^= folded >> 512
    folded ^= folded >> 256
    folded ^= folded >> 128
    folded ^= folded >> 64
    folded ^= folded >> 32
    folded ^= folded >> 16
    return (folded ^ folded >> 8) & 0xFF


def escape(data: bytes) -> bytes:
    """Content as it stands between two flags."""
    return data.replace(b"\x7d", b"\x7d\x01").replace(b"\x7e", b"\x7d\x02")


def unescape(data: bytes) -> bytes | Refused:
    """Content from what stood between two flags."""
    if _ESCAPE not in data:
        return data
    wrong = _WRONG_ESCAPE.search(data)
    if wrong is not None:
        return Refused(Fault.ESCAPE, f"0x7d at {wrong.start()} is followed by neither 0x01 nor 0x02")
    return data.replace(b"\x7d\x02", b"\x7e").replace(b"\x7d\x01", b"\x7d")


def seal(content: bytes) -> bytes:
    """A whole frame around a header and its body."""
    return _FLAG + escape(content + bytes((checksum(content),))) + _FLAG


def open_seal(between: bytes) -> bytes | Refused:
    """Header and body from what stood between two flags."""
    content = unescape(between)
    if isinstance(content, Refused):
        return content
    if checksum(content) != 0:
        found, wanted = content[-1], checksum(content[:-1])
        return Refused(Fault.CHECKSUM, f"checksum is 0x{found:02x}, expected 0x{wanted:02x}")
    return content[:-1]


class Deframer:
    """Cuts a stream into frames; what is no frame is told once and never holds up the next one.

    A flag both ends a frame and may begin the next, as some terminals send only one between two.
    """

    def __init__(self) -> None:
        """Wait for a first flag."""
        self._kept = b""
        self._inside = False
        self._skipping = False

    def feed(self, data: bytes) -> Iterator[bytes | Refused]:
        """What stood between two flags, in order; `data` may end anywhere."""
        *whole, rest = data.split(_FLAG)
        for piece in whole:
            ended = self._ended(piece)
            if ended is not None:
                yield ended
        if self._skipping:
            return
        self._kept += rest
        if len(self._kept) > MOST_BYTES:
            self._skipping, self._kept = True, b""
            yield Refused(Fault.OVERSIZE, f"more than {MOST_BYTES} bytes without a flag")

    def _ended(self, piece: bytes) -> bytes | Refused | None:
        content = self._kept + piece if self._kept else piece
        self._kept = b""
        inside, self._inside = self._inside, True
        skipped, self._skipping = self._skipping, False
        if skipped or not content:
            return None
        if not inside:
            return Refused(Fault.FLAG, f"{len(content)} bytes before the first flag")
        if len(content) > MOST_BYTES:
            return Refused(Fault.OVERSIZE, f"{len(content)} bytes, at most {MOST_BYTES} may stand between two flags")
        return content
