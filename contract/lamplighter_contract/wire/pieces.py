"""Pieces: files on their way up, cut so that each piece fits into a frame; they are joined by the digest of the whole.

A file is named by its content, so a piece that comes twice, or from two askings, does no harm.
"""

import base64
import binascii
import hashlib
import re
from collections.abc import Iterator
from typing import Any, Final

import msgspec

from lamplighter_contract.errors import Reason, Refusal
from lamplighter_contract.ids import is_id
from lamplighter_contract.wire.fields import Whole, is_plain
from lamplighter_contract.wire.limits import MAX_PARCEL_BYTES, MAX_PIECE_BYTES

DIGEST: Final = re.compile(r"[0-9a-f]{64}")
MOST_NAME: Final = 64
SUPPORT_NAME: Final = "support.tar.gz"  # brought for a command `gateway.support`, of the gateway itself


class Piece(msgspec.Struct, frozen=True):
    """Piece `number` (from 1) of `total` of a file of `size` bytes, base64 in `content`.

    `violation` is what it was brought for (a violation, or a command), `device` whom it is of, `name` what it is,
    `sha256` that of the whole file.
    """

    violation: str
    device: str
    name: str
    sha256: str
    size: Whole
    number: Whole
    total: Whole
    content: str

    def as_json(self) -> Any:
        """The piece as plain JSON values."""
        return msgspec.to_builtins(self)

    def read(self) -> bytes:
        """The bytes it carries."""
        return base64.b64decode(self.content)


def pieces_of(violation: str, device: str, name: str, file: bytes) -> Iterator[Piece]:
    """A file as pieces; an empty one is one piece."""
    digest = hashlib.sha256(file).hexdigest()
    total = count(len(file))
    for number in range(1, total + 1):
        part = file[(number - 1) * MAX_PIECE_BYTES : number * MAX_PIECE_BYTES]
        yield Piece(violation, device, name, digest, len(file), number, total, base64.b64encode(part).decode())


def count(file_bytes: int) -> int:
    """How many pieces a file of that size is cut into."""
    return max(1, -(-file_bytes // MAX_PIECE_BYTES))


def read_piece(value: object) -> Piece | Refusal:
    """One piece from plain JSON values."""
    try:
        piece = msgspec.convert(value, Piece)
    except msgspec.ValidationError as error:
        return Refusal(Reason.MALFORMED, f"piece: {error}")
    if not DIGEST.fullmatch(piece.sha256) or not is_id(piece.device) or not 0 < len(piece.violation) <= MOST_NAME:
        return Refusal(Reason.MALFORMED, "piece: sha256, device or violation")
    if not 0 < len(piece.name) <= MOST_NAME or not is_plain(piece.name) or not is_plain(piece.violation):
        return Refusal(Reason.MALFORMED, f"piece: name or violation, plain text of at most {MOST_NAME} characters")
    if piece.size > MAX_PARCEL_BYTES:
        return Refusal(Reason.TOO_LARGE, f"piece: a file of {piece.size} bytes, at most {MAX_PARCEL_BYTES} are taken")
    if piece.total != count(piece.size) or not 1 <= piece.number <= piece.total:
        return Refusal(Reason.OUT_OF_BOUNDS, f"piece: number {piece.number} of {piece.total}")
    return _content_refusal(piece) or piece


def _content_refusal(piece: Piece) -> Refusal | None:
    last = piece.number == piece.total
    wanted = piece.size - (piece.total - 1) * MAX_PIECE_BYTES if last else MAX_PIECE_BYTES
    try:
        found = len(base64.b64decode(piece.content, validate=True))
    except binascii.Error:
        return Refusal(Reason.MALFORMED, "piece: content is no base64")
    if found != wanted:
        return Refusal(Reason.LENGTH, f"piece: {found} bytes, expected {wanted}")
    return None
