"""Photos of an order: known by their own bytes, kept as files under their digest. Pure but for the shelf's own work."""

from collections.abc import Callable, Mapping
from typing import Final

import msgspec

from lamplighter_controller.maintenance.refused import Refused

MOST_BYTES: Final = 16 * 1_048_576
LEAST_BYTES: Final = 64
MOST_PER_ORDER: Final = 50
MOST_NOTE: Final = 500
KNOWN_BY: Final[Mapping[str, Callable[[bytes], bool]]] = {
    "image/jpeg": lambda head: head.startswith(b"\xff\xd8\xff"),
    "image/png": lambda head: head.startswith(b"\x89PNG\r\n\x1a\n"),
    "image/webp": lambda head: head[:4] == b"RIFF" and head[8:12] == b"WEBP",
}


class Photo(msgspec.Struct, frozen=True, omit_defaults=True):
    """One photo of an order; `taken_ms` civil, 0 = not told."""

    sha256: str
    media_type: str
    bytes: int
    added_by: str
    added_ms: int
    taken_ms: int = 0
    latitude: float | None = None
    longitude: float | None = None
    note: str = ""


def media_type_of(content: bytes, note: str) -> str | Refused:
    """What an upload is by its own bytes, whatever it says of itself."""
    if len(content) > MOST_BYTES:
        return Refused("body", "too-large", f"a photo has at most {MOST_BYTES} bytes, this one has {len(content)}")
    if len(content) < LEAST_BYTES:
        return Refused("body", "too-small", f"{len(content)} bytes are no photo")
    if len(note) > MOST_NOTE:
        return Refused("query.note", "length", f"note has at most {MOST_NOTE} characters")
    found = next((name for name, fits in KNOWN_BY.items() if fits(content[:16])), None)
    return found or Refused("body", "media-type", "expected JPEG, PNG or WebP; the content is none of them")
