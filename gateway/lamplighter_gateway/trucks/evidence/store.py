"""Raw frames on disk, in the order they came. Runs in the recorder's own thread; every change is one transaction."""

import sqlite3
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from lamplighter_gateway.disk import transaction

APPLICATION_ID: Final = 0x4C53_4652
SCHEMA: Final = """
CREATE TABLE frame (id INTEGER PRIMARY KEY, device TEXT NOT NULL, received INTEGER NOT NULL, content BLOB NOT NULL);
CREATE INDEX of_device ON frame (device, received);
CREATE INDEX by_time ON frame (received)
"""
ROW_BYTES: Final = 96  # a row's own cost on disk, with its two index entries
CHUNK: Final = 512


class RawFrame(NamedTuple):
    """A frame with its flags, escaped as it came; `received_ms` in civil epoch ms by the gateway's clock."""

    device: str
    received_ms: int
    content: bytes


@dataclass(frozen=True, slots=True)
class FrameLimits:
    """How long frames are kept, and how much room they may take."""

    keep_ms: int = 72 * 3_600_000
    max_bytes: int = 256 * 1024 * 1024


class FrameStore:
    """Frames of all trucks, with a running total for each."""

    def __init__(self, connection: sqlite3.Connection, limits: FrameLimits) -> None:
        """Take an open database."""
        self._db, self._limits = connection, limits
        rows = connection.execute("SELECT device, sum(length(content)), count(*) FROM frame GROUP BY device")
        self._bytes = Counter({device: size + number * ROW_BYTES for device, size, number in rows})

    @property
    def bytes(self) -> int:
        """The room that all of them take."""
        return self._bytes.total()

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    def add(self, frames: Sequence[RawFrame], oldest_ms: int | None) -> None:
        """Keep these, and hold the limits: what came before `oldest_ms` goes, then the most talkative truck's oldest.

        `oldest_ms` is None while the clock cannot be trusted: it must not make evidence old at once.
        """
        with transaction(self._db):
            self._db.executemany("INSERT INTO frame (device, received, content) VALUES (?, ?, ?)", frames)
        for frame in frames:
            self._bytes[frame.device] += len(frame.content) + ROW_BYTES
        if oldest_ms is not None:
            self._forget("received < ?", (oldest_ms,))
        while self.bytes > self._limits.max_bytes:
            loudest = self._bytes.most_common(1)[0][0]
            self._forget("id IN (SELECT id FROM frame WHERE device = ? ORDER BY received LIMIT ?)", (loudest, CHUNK))

    def find(self, device: str, start_ms: int, end_ms: int) -> list[RawFrame]:
        """Frames of one truck received from `start_ms` to before `end_ms`, in the order they came."""
        rows = self._db.execute(
            "SELECT device, received, content FROM frame WHERE device = ? AND received >= ? AND received < ?"
            " ORDER BY received, id",
            (device, start_ms, end_ms),
        )
        return [RawFrame(*row) for row in rows]

    def _forget(self, where: str, values: tuple[object, ...]) -> None:
        with transaction(self._db):
            gone = self._db.execute(f"DELETE FROM frame WHERE {where} RETURNING device, length(content)", values)  # noqa: S608 - both conditions stand above
            for device, size in gone.fetchall():
                self._bytes[device] -= size + ROW_BYTES
        self._bytes = +self._bytes
