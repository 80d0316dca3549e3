"""One frame: its header and its body, still as bytes (JT/T 808-2013 4.4.3, JT/T 808-2019 4.4.3)."""

from collections.abc import Iterator
from struct import Struct
from typing import Final, NamedTuple

from lamplighter_gateway.drivers.jt808.codec.faults import Fault, Refused
from lamplighter_gateway.drivers.jt808.codec.framing import open_seal, seal

MOST_BODY: Final = 1023
MOST_SERIAL: Final = 0xFFFF
NO_PROTOCOL: Final = 0  # the header of 2011 and 2013 names no version

_BODY_BITS: Final = 0x03FF
_ENCRYPTION_BITS: Final = 0x1C00
_ENCRYPTION_SHIFT: Final = 10
_FRAGMENTED: Final = 0x2000
_VERSION_FLAG: Final = 0x4000
_OLD: Final = Struct(">HH6sH")
_NEW: Final = Struct(">HHB10sH")
_PLACE: Final = Struct(">HH")
_SHORTEST: Final = _OLD.size


class Header(NamedTuple):
    """Who sent what. `phone` has 12 digits, 20 with a protocol version; `protocol` is 0 without one (2011, 2013)."""

    message: int
    phone: str
    serial: int
    protocol: int = NO_PROTOCOL
    encryption: int = 0
    total: int = 0  # fragments of the message, 0 when it is whole
    number: int = 0  # this fragment's place, from 1


class Frame(NamedTuple):
    """A header and the bytes of its body."""

    header: Header
    body: bytes


def read_frame(between: bytes) -> Frame | Refused:
    """A frame from what stood between two flags."""
    content = open_seal(between)
    return content if isinstance(content, Refused) else parse(content)


def parse(content: bytes) -> Frame | Refused:
    """A frame from its content, unescaped and without its checksum."""
    if len(content) < _SHORTEST:
        return Refused(Fault.SHORT, f"{len(content)} bytes, a header has {_SHORTEST}")
    attributes = content[2] << 8 | content[3]
    if not attributes & ~_BODY_BITS:  # nearly all frames: of 2013, whole, plain
        message, _, digits, serial = _OLD.unpack_from(content)
        return _checked(content, _OLD.size, attributes, Header(message, digits.hex(), serial))
    return _special(content, attributes)


def _special(content: bytes, attributes: int) -> Frame | Refused:
    size = _NEW.size if attributes & _VERSION_FLAG else _OLD.size
    fragmented = bool(attributes & _FRAGMENTED)
    if len(content) < size + fragmented * _PLACE.size:
        return Refused(Fault.SHORT, f"{len(content)} bytes end within the header")
    if attributes & _VERSION_FLAG:
        message, _, protocol, digits, serial = _NEW.unpack_from(content)
    else:
        message, _, digits, serial = _OLD.unpack_from(content)
        protocol = NO_PROTOCOL
    total = number = 0
    if fragmented:
        total, number = _PLACE.unpack_from(content, size)
        size += _PLACE.size
        if not 1 <= number <= total:
            return Refused(Fault.FRAGMENT, f"fragment {number} of {total}")
    encryption = (attributes & _ENCRYPTION_BITS) >> _ENCRYPTION_SHIFT
    return _checked(
        content, size, attributes, Header(message, digits.hex(), serial, protocol, encryption, total, number)
    )


def _checked(content: bytes, at: int, attributes: int, header: Header) -> Frame | Refused:
    body = content[at:]
    if len(body) != attributes & _BODY_BITS:
        return Refused(Fault.LENGTH, f"the body has {len(body)} bytes, its header says {attributes & _BODY_BITS}")
    if not header.phone.isdecimal():
        return Refused(Fault.BCD, f"phone number {header.phone} has a digit above nine")
    return Frame(header, body)


def attributes_of(header: Header, body_bytes: int) -> int:
    """The word that describes a body."""
    return (
        body_bytes
        | header.encryption << _ENCRYPTION_SHIFT
        | (_FRAGMENTED if header.total else 0)
        | (_VERSION_FLAG if header.protocol else 0)
    )


def write_frame(header: Header, body: bytes) -> bytes:
    """A whole frame, flags and all.

    Raises:
        ValueError: the body is too long for one frame, or the phone number has other than 12 or 20 digits.
    """
    if len(body) > MOST_BODY:
        raise ValueError(f"{len(body)} bytes of body, a frame takes {MOST_BODY}")
    digits = bytes.fromhex(header.phone)
    attributes = attributes_of(header, len(body))
    if header.protocol:
        if len(digits) != 10:
            raise ValueError(f"phone number {header.phone}, expected 20 digits")
        head = _NEW.pack(header.message, attributes, header.protocol, digits, header.serial)
    else:
        if len(digits) != 6:
            raise ValueError(f"phone number {header.phone}, expected 12 digits")
        head = _OLD.pack(header.message, attributes, digits, header.serial)
    place = _PLACE.pack(header.total, header.number) if header.total else b""
    return seal(head + place + body)


def write_message(header: Header, body: bytes, most_bytes: int = MOST_BODY) -> Iterator[bytes]:
    """A message as one frame, or as fragments with consecutive serial numbers from the header's on."""
    if len(body) <= most_bytes:
        yield write_frame(header, body)
        return
    pieces = [body[at : at + most_bytes] for at in range(0, len(body), most_bytes)]
    for number, piece in enumerate(pieces, start=1):
        serial = (header.serial + number - 1) & MOST_SERIAL
        yield write_frame(header._replace(serial=serial, total=len(pieces), number=number), piece)
