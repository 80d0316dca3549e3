"""Identities: what a device or gateway may be called, and time-ordered unique ids."""

import re
from collections.abc import Sequence
from typing import Final, cast
from uuid import UUID

ID_PATTERN: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")


def is_id(text: object) -> bool:
    """True for lower-case letters, digits and hyphens, at most 64, as topics and tags carry them unescaped."""
    return isinstance(text, str) and ID_PATTERN.fullmatch(text) is not None


def are_ids(texts: Sequence[object]) -> bool:
    """True when every one of them is an id."""
    return set(map(type, texts)) <= {str} and all(map(ID_PATTERN.fullmatch, cast("Sequence[str]", texts)))


def uuid7(time_ms: int, random: bytes) -> str:
    """Time-ordered UUID (RFC 9562 clause 5.7) from epoch ms and 10 random bytes, both handed in."""
    high = (time_ms & 0xFFFF_FFFF_FFFF) << 80
    low = int.from_bytes(random[:10], "big")
    value = (high | low) & ~(0xF << 76) & ~(0x3 << 62) | (0x7 << 76) | (0x2 << 62)
    return str(UUID(int=value))
