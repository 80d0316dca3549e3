"""The spool's table. Runs in the spool's own thread; every change is one transaction."""

import sqlite3
from collections.abc import Collection, Sequence
from typing import Final

from lamplighter_gateway.disk import is_full, transaction
from lamplighter_gateway.spool.frames import Class, Frame, Limits

APPLICATION_ID: Final = 0x4C53_504C
# AUTOINCREMENT keeps the highest number ever given, also when all rows are gone.
SCHEMA: Final = """
CREATE TABLE frame (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, class INTEGER NOT NULL, stored INTEGER, created INTEGER NOT NULL,
    bytes INTEGER NOT NULL, body BLOB NOT NULL);
CREATE INDEX waiting ON frame (class, seq) WHERE stored IS NULL;
CREATE INDEX kept ON frame (stored) WHERE stored IS NOT NULL
"""
ROW_BYTES: Final = 64  # a row's own cost on disk, beside its body
LOW_WATER: Final = 0.95
CHUNK: Final = 256
_THINNING: Final = (2, 4, 8)

Draft = tuple[Class, bytes]
Range = tuple[int, int]


class Store:
    """Numbered frames on disk with running totals."""

    def __init__(self, connection: sqlite3.Connection, limits: Limits, first_seq: int | None) -> None:
        """Take an open database; a new one begins with `first_seq`."""
        self._db = connection
        self._limits = limits
        self.dropped = 0
        self.waiting = dict.fromkeys(Class, 0)
        self.waiting_bytes = dict.fromkeys(Class, 0)
        self.bytes = 0
        if first_seq is not None:
            with transaction(connection):
                connection.execute("INSERT INTO sqlite_sequence VALUES ('frame', ?)", (first_seq - 1,))
        found = connection.execute("SELECT seq FROM sqlite_sequence WHERE name = 'frame'").fetchone()
        self.last_seq: int = found[0] if found else 0
        # What the centre has grows old only by the time that really passes: no clock can make it old at once.
        self._age_ms: int = connection.execute("SELECT coalesce(max(stored), 0) FROM frame").fetchone()[0]
        newest = connection.execute("SELECT created FROM frame ORDER BY seq DESC LIMIT 1").fetchone()
        self.newest_ms: int = newest[0] if newest else 0
        self._count()

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    def pass_time(self, elapsed_ms: int) -> None:
        """So much real time has passed since the last call; what is kept grows older."""
        self._age_ms += elapsed_ms

    def commit(self, drafts: Sequence[Draft], stored: Sequence[int], now_ms: int) -> list[Frame]:
        """Number and keep the drafts, mark frames as stored by the centre, hold the limits: all in one transaction."""
        frames = [Frame(self.last_seq + 1 + i, of, body, now_ms) for i, (of, body) in enumerate(drafts)]
        with transaction(self._db):
            self._db.executemany(
                "INSERT INTO frame (seq, class, created, bytes, body) VALUES (?, ?, ?, ?, ?)",
                [(frame.seq, frame.of, now_ms, len(frame.body) + ROW_BYTES, frame.body) for frame in frames],
            )
            marked = self._mark(stored)
        self.last_seq += len(frames)
        for frame in frames:
            self._add(frame.of, len(frame.body) + ROW_BYTES, 1)
            self.bytes += len(frame.body) + ROW_BYTES
        for of, size in marked:
            self._add(of, -size, -1)
        self._hold_limits()
        return frames

    def waiting_frames(self, classes: Sequence[Class], exclude: Collection[int], limit: int) -> list[Frame]:
        """The oldest frames not yet stored by the centre, without those named."""
        marks = ",".join("?" * len(classes))
        seqs = [
            row[0]
            for row in self._db.execute(
                f"SELECT seq FROM frame WHERE stored IS NULL AND class IN ({marks}) ORDER BY seq LIMIT ?",  # noqa: S608 - only question marks go in
                (*classes, limit + len(exclude)),
            )
            if row[0] not in exclude
        ][:limit]
        found = self._db.execute(
            f"SELECT seq, class, body, created FROM frame WHERE seq IN ({','.join('?' * len(seqs))}) ORDER BY seq",  # noqa: S608 - only question marks go in
            seqs,
        )
        return [Frame(seq, Class(of), body, created) for seq, of, body, created in found]

    def resend(self, first: int, last: int) -> int:
        """Make kept frames of these numbers wait again; how many."""
        with transaction(self._db):
            changed = self._db.execute(
                "UPDATE frame SET stored = NULL WHERE seq BETWEEN ? AND ? AND stored IS NOT NULL", (first, last)
            ).rowcount
        self._count()
        return changed

    def oldest_ms(self) -> int | None:
        """When the oldest waiting frame was made (real epoch ms)."""
        oldest: int | None = self._db.execute(
            "SELECT min(created) FROM frame WHERE seq IN"
            " (SELECT min(seq) FROM frame WHERE stored IS NULL GROUP BY class)"
        ).fetchone()[0]
        return oldest

    def forget_kept(self) -> None:
        """Let go of everything the centre has stored: room is worth more now."""
        with transaction(self._db):
            freed = self._delete("stored IS NOT NULL")
        self._settle(freed, waiting=False)

    def _mark(self, stored: Sequence[int]) -> list[tuple[Class, int]]:
        marked = []
        for seq in stored:
            row = self._db.execute(
                "UPDATE frame SET stored = ? WHERE seq = ? AND stored IS NULL RETURNING class, bytes",
                (self._age_ms, seq),
            ).fetchone()
            if row:
                marked.append((Class(row[0]), row[1]))
        return marked

    def _hold_limits(self) -> None:
        try:
            self._let_go()
        except sqlite3.Error as error:
            if not is_full(error):  # without room even to delete, the next commit tries again
                raise

    def _let_go(self) -> None:
        due = self._age_ms - self._limits.keep_ms
        with transaction(self._db):
            freed = self._delete("stored <= ?", (due,), CHUNK)
        self._settle(freed, waiting=False)
        if self.bytes > self._limits.max_bytes:
            self._make_room(int(self._limits.max_bytes * LOW_WATER))

    def _make_room(self, target: int) -> None:
        self._shrink(target, "stored IS NOT NULL", waiting=False, order="stored")
        for divisor in _THINNING:
            if self.bytes > target:
                self._thin(divisor)
        for of in (Class.READING, Class.EVENT, Class.RESULT):
            self._shrink(target, f"class = {int(of)} AND stored IS NULL", waiting=True)

    def _thin(self, divisor: int) -> None:
        """Of the older half of waiting readings keep one minute in `divisor`: every lamp loses resolution alike."""
        middle = self._db.execute(
            "SELECT seq FROM frame WHERE class = ? AND stored IS NULL ORDER BY seq LIMIT 1 OFFSET ?",
            (Class.READING, self.waiting[Class.READING] // 2),
        ).fetchone()
        if middle:
            with transaction(self._db):
                freed = self._delete(
                    "class = ? AND stored IS NULL AND seq < ? AND created / 60000 % ? != 0",
                    (Class.READING, middle[0], divisor),
                )
            self._settle(freed, waiting=True)

    def _shrink(self, target: int, where: str, *, waiting: bool, order: str = "seq") -> None:
        while self.bytes > target:
            with transaction(self._db):
                freed = self._delete(where, (), self._rows_for(self.bytes - target), order)
            self._settle(freed, waiting=waiting)
            if not freed:
                return

    def _rows_for(self, excess: int) -> int:
        """About as many rows as free that many bytes, at most a chunk."""
        rows = sum(self.waiting.values()) + 1
        return max(1, min(CHUNK, excess * rows // (sum(self.waiting_bytes.values()) + 1)))

    def _delete(
        self, where: str, values: tuple[int, ...] = (), limit: int = -1, order: str = "seq"
    ) -> list[tuple[Class, int]]:
        rows = self._db.execute(
            f"DELETE FROM frame WHERE seq IN (SELECT seq FROM frame WHERE {where} ORDER BY {order} LIMIT {limit})"  # noqa: S608 - conditions are literals of this module
            " RETURNING class, bytes",
            values,
        )
        return [(Class(of), size) for of, size in rows]

    def _settle(self, freed: Sequence[tuple[Class, int]], *, waiting: bool) -> None:
        for of, size in freed:
            self.bytes -= size
            if waiting:
                self._add(of, -size, -1)
                self.dropped += 1

    def _add(self, of: Class, size: int, frames: int) -> None:
        self.waiting[of] += frames
        self.waiting_bytes[of] += size

    def _count(self) -> None:
        self.bytes = self._db.execute("SELECT coalesce(sum(bytes), 0) FROM frame").fetchone()[0]
        self.waiting = dict.fromkeys(Class, 0)
        self.waiting_bytes = dict.fromkeys(Class, 0)
        rows = self._db.execute("SELECT class, count(*), sum(bytes) FROM frame WHERE stored IS NULL GROUP BY class")
        for of, count, size in rows:
            self._add(Class(of), size, count)
