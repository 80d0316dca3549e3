"""Why bytes are not a JT/T 808 message."""

from dataclasses import dataclass
from enum import StrEnum

from lamplighter_gateway.errors import GatewayError


class Fault(StrEnum):
    """Kinds of refusal; they are counted by kind and shown to people."""

    HEX = "hex"  # the line of a file is no hexadecimal text
    FLAG = "flag"  # no 0x7e at an end
    ESCAPE = "escape"  # 0x7d is followed by neither 0x01 nor 0x02
    CHECKSUM = "checksum"
    SHORT = "short"  # too few bytes for a header
    LENGTH = "length"  # the body is not as long as its header says
    OVERSIZE = "oversize"  # longer than any frame may be
    BCD = "bcd"  # a digit above nine
    ENCRYPTED = "encrypted"  # no key was agreed
    FRAGMENT = "fragment"  # an impossible place in its message, or one that contradicts the others
    CROWDED = "crowded"  # too much is unfinished at once, here or in all connections together
    BODY = "body"  # the body does not fit the layout of its message
    TIME = "time"  # no such date or time


@dataclass(frozen=True, slots=True)
class Refused:
    """Bytes that were not understood, and what was wrong with them."""

    fault: Fault
    detail: str


class Malformed(GatewayError, ValueError):
    """A value inside a message is not what its layout wants."""

    def __init__(self, fault: Fault, detail: str) -> None:
        """Keep what `Refused` will say."""
        super().__init__(detail)
        self.refused = Refused(fault, detail)
