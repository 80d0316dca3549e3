"""Bodies of all messages: bytes to plain values by the layout of their id and edition, and back."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final

from lamplighter_gateway.drivers.jt808.codec.faults import Fault, Malformed, Refused
from lamplighter_gateway.drivers.jt808.codec.fields import Edition, Field, Group, Raw, Reader
from lamplighter_gateway.drivers.jt808.codec.frame import Frame, Header
from lamplighter_gateway.drivers.jt808.codec.layouts.areas import area_layouts
from lamplighter_gateway.drivers.jt808.codec.layouts.journey import journey_layouts
from lamplighter_gateway.drivers.jt808.codec.layouts.media import media_layouts
from lamplighter_gateway.drivers.jt808.codec.layouts.muck import muck_layouts
from lamplighter_gateway.drivers.jt808.codec.layouts.terminal import Fields, terminal_layouts
from lamplighter_gateway.drivers.jt808.codec.layouts.video import video_layouts
from lamplighter_gateway.drivers.jt808.codec.position import Position, Positions

LOCATION: Final = 0x0200
BATCH: Final = 0x0704
REGISTER: Final = 0x0100
AUTHENTICATE: Final = 0x0102

_OLD_REGISTER_BYTES: Final = 37  # a registration of 2013 is never shorter
_UNKNOWN: Final = (Field("hex", Raw()),)


def edition_of(frame: Frame) -> Edition:
    """The edition a frame keeps to, as far as it shows: 2011 tells itself by its short registration only."""
    if frame.header.protocol:
        return Edition.V2019
    if frame.header.message == REGISTER and len(frame.body) < _OLD_REGISTER_BYTES:
        return Edition.V2011
    return Edition.V2013


def read_body(frame: Frame, edition: Edition | None = None) -> Mapping[str, Any] | Refused:
    """The body's values by name, plain JSON; a message without a layout gives its bytes as `hex`.

    Bytes that its layout does not know, as newer editions may add, are given as `rest`.
    """
    header, body = frame
    if header.encryption:
        return Refused(Fault.ENCRYPTED, f"encrypted in way {header.encryption}, no key was agreed")
    edition = edition or edition_of(frame)
    reader = Reader(body)
    try:
        found = _read(header.message, edition, reader)
    except Malformed as malformed:
        bare = _bare_code(frame)
        return malformed.refused if bare is None else bare
    return found | {"rest": body[reader.at :].hex()} if reader.left() else found


def write_body(message: int, values: Mapping[str, Any], edition: Edition) -> bytes:
    """The bytes of a body.

    Raises:
        KeyError, ValueError, TypeError, OverflowError: a value is missing, of another type, or does not fit.
    """
    whole = _WHOLE.get(message)
    written = whole.write(values) if whole is not None else layout(message, edition).write(values)
    return (
        written + bytes.fromhex(values["rest"]) if "rest" in values and not _keeps_rest(message, edition) else written
    )


@lru_cache(maxsize=1024)
def layout(message: int, edition: Edition) -> Group:
    """The fields of a body; unknown messages have one that takes all."""
    return Group(_tables(edition).get(message, _UNKNOWN), edition)


def known(message: int) -> bool:
    """True when a body has more than `hex`."""
    return message in _WHOLE or message in _tables(Edition.V2019)


_WHOLE: Final[Mapping[int, Position | Positions]] = {LOCATION: Position(items=True), BATCH: Positions()}


@lru_cache(maxsize=3)
def _tables(edition: Edition) -> Mapping[int, Fields]:
    return {
        **terminal_layouts(edition),
        **journey_layouts(edition),
        **area_layouts(edition),
        **media_layouts(edition),
        **video_layouts(edition),
        **muck_layouts(edition),
    }


def _read(message: int, edition: Edition, reader: Reader) -> dict[str, Any]:
    whole = _WHOLE.get(message)
    return whole.read(reader) if whole is not None else layout(message, edition).read(reader)


def _keeps_rest(message: int, edition: Edition) -> bool:
    return any(field.name == "rest" for field in layout(message, edition).fields)


def _bare_code(frame: Frame) -> Mapping[str, Any] | None:
    """Some terminals of 2019 log in as those of 2013 do: with the code and nothing else."""
    if frame.header.message != AUTHENTICATE or not frame.header.protocol:
        return None
    return layout(AUTHENTICATE, Edition.V2013).read(Reader(frame.body))


def answer_header(header: Header, message: int, serial: int) -> Header:
    """The header of what goes back to the terminal that sent `header`."""
    return Header(message, header.phone, serial, header.protocol)
