"""Files on their way down: a gateway asks for pieces of a file by its digest, the centre brings them as they are.

Asking again is how a lost piece, a cut link or a restart is made good. A piece is no JSON: a bundle of 30 MB in base64
would cost a third more of somebody's 4G.
"""

import re
import struct
from dataclasses import dataclass
from typing import Annotated, Final

import msgspec

from lamplighter_contract.errors import Reason, Refusal
from lamplighter_contract.wire.limits import MAX_PIECE_BYTES
from lamplighter_contract.wire.pieces import DIGEST
from lamplighter_contract.wire.version import WIRE_VERSION

MOST_BYTES: Final = 256 * 1024 * 1024
MOST_PIECES: Final = 4  # of one asking
_NAME: Final = re.compile(r"([0-9a-f]{64}):(\d{1,9})")
_HEAD: Final = struct.Struct(">32sI")


@dataclass(frozen=True, slots=True)
class FileName:
    """A file by its content: SHA-256 in hexadecimal, and how many bytes."""

    sha256: str
    size: int

    def __str__(self) -> str:
        """As it stands in a command."""
        return f"{self.sha256}:{self.size}"

    @property
    def pieces(self) -> int:
        """How many it is brought in."""
        return -(-self.size // MAX_PIECE_BYTES)


def file_name(text: object) -> FileName | None:
    """The file that a command names, None when it names none that could be brought."""
    found = _NAME.fullmatch(text) if isinstance(text, str) else None
    if found is None or not 0 < int(found[2]) <= MOST_BYTES:
        return None
    return FileName(found[1], int(found[2]))


class Wants(msgspec.Struct, frozen=True):
    """The content of `up/<gateway>/wants`: pieces `first` (from 0) to `first + count - 1` of a file."""

    sha256: str
    first: Annotated[int, msgspec.Meta(ge=0, lt=2**31)]
    count: Annotated[int, msgspec.Meta(ge=1, le=MOST_PIECES)]
    v: int = WIRE_VERSION

    def encode(self) -> bytes:
        """As it is sent."""
        return msgspec.json.encode(self)


def decode_wants(payload: bytes) -> Wants | Refusal:
    """Read an asking."""
    try:
        wants = msgspec.json.decode(payload, type=Wants)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        return Refusal(Reason.MALFORMED, f"wants: {error}")
    if wants.v != WIRE_VERSION:
        return Refusal(Reason.VERSION, f"v is {wants.v}")
    return wants if DIGEST.fullmatch(wants.sha256) else Refusal(Reason.MALFORMED, "wants: sha256 is no digest")


def encode_part(sha256: str, number: int, content: bytes) -> bytes:
    """The content of `down/<gateway>/file`: digest, number, bytes."""
    return _HEAD.pack(bytes.fromhex(sha256), number) + content


def decode_part(payload: bytes) -> tuple[str, int, bytes] | Refusal:
    """Digest, number and bytes of a piece."""
    if not _HEAD.size < len(payload) <= _HEAD.size + MAX_PIECE_BYTES:
        return Refusal(Reason.LENGTH, f"a piece of {len(payload)} bytes")
    digest, number = _HEAD.unpack_from(payload)
    return digest.hex(), number, payload[_HEAD.size :]
