"""What the spool keeps."""

from dataclasses import dataclass
from enum import IntEnum, StrEnum


class Class(IntEnum):
    """What a frame carries; when room runs out, the highest number goes first."""

    RESULT = 0
    EVENT = 1
    READING = 2


URGENT = (Class.RESULT, Class.EVENT)


class SpoolState(StrEnum):
    """How the disk under the spool fares."""

    OK = "ok"
    FULL = "full"  # no room on the disk: new frames wait in bounded memory


@dataclass(frozen=True, slots=True)
class Frame:
    """A stored frame: its number, class, body and when it was stored (real epoch ms)."""

    seq: int
    of: Class
    body: bytes
    created_ms: int


@dataclass(frozen=True, slots=True)
class Limits:
    """How much the spool may take and how long it keeps what the centre has stored."""

    max_bytes: int = 512 * 1024 * 1024
    keep_ms: int = 24 * 3_600_000
    memory_bytes: int = 8 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class SpoolStatus:
    """The spool in numbers: frames and bytes not yet stored by the centre, all bytes, losses since start."""

    state: SpoolState
    waiting: int
    waiting_bytes: int
    bytes: int
    oldest_ms: int | None
    dropped: int
    in_memory: int
    next_seq: int
