"""Photos as they are handed in: known by their own bytes, whatever was said of them. Pure."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from lamplighter_contract.errors import Reason, Refusal

MOST_PHOTO_BYTES: Final = 16 * 1_048_576
MOST_NOTE: Final = 500
SOURCES: Final = ("phone", "drone", "camera", "scan")
TERMINAL: Final = "terminal"
MAGIC: Final[Mapping[str, Callable[[bytes], bool]]] = {
    "image/jpeg": lambda head: head.startswith(b"\xff\xd8\xff"),
    "image/png": lambda head: head.startswith(b"\x89PNG\r\n\x1a\n"),
    "image/webp": lambda head: head[:4] == b"RIFF" and head[8:12] == b"WEBP",
}


@dataclass(frozen=True, slots=True)
class Photo:
    """An image that somebody hands in; `taken_ms` civil."""

    content: bytes
    source: str
    taken_ms: int | None = None
    note: str = ""


def image_type(photo: Photo) -> str | Refusal:
    """The media type by the bytes themselves, whatever was said of it."""
    if not 0 < len(photo.content) <= MOST_PHOTO_BYTES:
        return Refusal(Reason.TOO_LARGE, f"a photo has 1 to {MOST_PHOTO_BYTES} bytes, this one {len(photo.content)}")
    if photo.source not in (*SOURCES, TERMINAL):
        return Refusal(Reason.ARGUMENT, f"source is {photo.source[:40]!r}, expected one of {', '.join(SOURCES)}")
    if len(photo.note) > MOST_NOTE:
        return Refusal(Reason.TOO_LARGE, f"a note has at most {MOST_NOTE} characters")
    for media_type, fits in MAGIC.items():
        if fits(photo.content[:16]):
            return media_type
    return Refusal(Reason.MALFORMED, f"it is no image; taken are {', '.join(MAGIC)}")
