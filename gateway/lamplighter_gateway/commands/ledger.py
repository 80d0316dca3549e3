"""The gateway's memory of commands and of what they want, on disk. Runs in the ledger's own thread."""

import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

import msgspec

from lamplighter_contract.commands.command import Command
from lamplighter_contract.commands.results import Result
from lamplighter_contract.level import Override
from lamplighter_contract.wire.limits import SEQUENCE_WINDOW
from lamplighter_gateway.commands import limit_rows
from lamplighter_gateway.disk import is_full, transaction
from lamplighter_gateway.safety.holds import Hold, HoldKey, HoldKind
from lamplighter_gateway.trucks.limits import Limit, LimitKey

APPLICATION_ID: Final = 0x4C43_4D44
SCHEMA: Final = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE command (
    id TEXT PRIMARY KEY, seq INTEGER NOT NULL, expires INTEGER NOT NULL, open INTEGER NOT NULL, body BLOB NOT NULL);
CREATE INDEX command_seq ON command (seq);
CREATE TABLE result (
    id TEXT NOT NULL, n INTEGER NOT NULL, spooled INTEGER NOT NULL, body BLOB NOT NULL, PRIMARY KEY (id, n))
    WITHOUT ROWID;
CREATE INDEX result_due ON result (spooled) WHERE spooled = 0;
CREATE TABLE last_of (device TEXT PRIMARY KEY, seq INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE override (
    id TEXT NOT NULL, device TEXT NOT NULL, seq INTEGER NOT NULL, issued INTEGER NOT NULL, level REAL NOT NULL,
    until INTEGER NOT NULL, PRIMARY KEY (id, device)) WITHOUT ROWID;
CREATE TABLE held (device TEXT PRIMARY KEY) WITHOUT ROWID
"""
# Each brings a file one version on (`PRAGMA user_version`); a new file begins with SCHEMA and takes them all.
UPGRADES: Final = (
    """
ALTER TABLE override ADD COLUMN emergency INTEGER NOT NULL DEFAULT 0;
CREATE TABLE resumed (device TEXT PRIMARY KEY, seq INTEGER NOT NULL) WITHOUT ROWID
""",
    """
CREATE TABLE truck_limit (
    device TEXT NOT NULL, what TEXT NOT NULL, target REAL NOT NULL, until INTEGER NOT NULL, expires INTEGER NOT NULL,
    command TEXT NOT NULL, seq INTEGER NOT NULL, released INTEGER NOT NULL, PRIMARY KEY (device, what)) WITHOUT ROWID
""",
    """
CREATE TABLE hold (
    device TEXT NOT NULL, kind TEXT NOT NULL, holder TEXT NOT NULL, command TEXT NOT NULL, seq INTEGER NOT NULL,
    since INTEGER NOT NULL, PRIMARY KEY (device, kind)) WITHOUT ROWID
""",
    """
CREATE TABLE switched (device TEXT NOT NULL, at INTEGER NOT NULL, PRIMARY KEY (device, at)) WITHOUT ROWID;
CREATE INDEX switched_at ON switched (at)
""",
    # Whether a limit of before was sent is not known, so each leaves a debt.
    """
ALTER TABLE truck_limit ADD COLUMN sent REAL;
ALTER TABLE truck_limit ADD COLUMN confirmed REAL;
UPDATE truck_limit SET sent = target
""",
    """
ALTER TABLE truck_limit ADD COLUMN closed TEXT NOT NULL DEFAULT '[]'
""",
)
KEEP_MS: Final = 48 * 3_600_000  # twice the longest life of a command
PRUNE_EVERY: Final = 64
RESERVE: Final = "reserve"
RESERVED_BYTES: Final = 512 * 1024
PAGE_BYTES: Final = 4096


@dataclass(frozen=True, slots=True)
class OpenCommand:
    """A command that was accepted and never finished, with the results it has given."""

    command: Command
    results: tuple[Result, ...]


@dataclass(frozen=True, slots=True)
class Memory:
    """What the ledger holds at start."""

    seen: set[str]
    used: set[int]
    highest_seq: int
    last_of: dict[str, int]
    overrides: list[Override]
    held: set[str]
    resumed: dict[str, int]
    limits: dict[LimitKey, Limit] = field(default_factory=dict)
    holds: list[Hold] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Change:
    """What an accepted command changes: overrides that begin, devices whose overrides up to `seq` end.

    For trucks: limits that begin, and kinds of limits by truck that are to be over. For people at work: isolations
    and locks that begin, and those that the person on site has ended.
    """

    devices: tuple[str, ...] = ()
    overrides: tuple[Override, ...] = ()
    resumed: tuple[str, ...] = ()
    limits: tuple[Limit, ...] = ()
    released: tuple[LimitKey, ...] = ()
    holds: tuple[Hold, ...] = ()
    ended: tuple[HoldKey, ...] = ()


class Ledger:
    """Commands, their results, overrides and held lamps."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        """Take an open database."""
        self._db = connection
        self._accepted = 0

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    def reserve(self) -> None:
        """Have room for commands while the disk is full: free pages in the file, and a log that need not grow."""
        self._db.execute(f"PRAGMA wal_autocheckpoint = {RESERVED_BYTES // PAGE_BYTES // 2}")
        try:
            self.put(RESERVE, bytes(RESERVED_BYTES))
            with transaction(self._db):
                self._db.execute("DELETE FROM meta WHERE key = ?", (RESERVE,))
        except sqlite3.Error as error:
            if not is_full(error):
                raise

    def get(self, key: str) -> bytes | None:
        """A note by name."""
        row = self._db.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
        return row[0] if row else None

    def put(self, key: str, value: bytes) -> None:
        """Keep a note."""
        with transaction(self._db):
            self._db.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (key, value))

    def memory(self) -> Memory:
        """Everything the gateway has to know in order to judge and to act."""
        highest = self._db.execute("SELECT coalesce(max(seq), 0) FROM command").fetchone()[0]
        used = self._db.execute("SELECT seq FROM command WHERE seq > ?", (highest - SEQUENCE_WINDOW,))
        overrides = self._db.execute(
            "SELECT id, seq, issued, device, level, until, emergency FROM override ORDER BY issued"
        )
        return Memory(
            seen={row[0] for row in self._db.execute("SELECT id FROM command")},
            used={row[0] for row in used},
            highest_seq=highest,
            last_of=dict(self._db.execute("SELECT device, seq FROM last_of")),
            overrides=[_override(*row) for row in overrides],
            held={row[0] for row in self._db.execute("SELECT device FROM held")},
            resumed=dict(self._db.execute("SELECT device, seq FROM resumed")),
            holds=[
                _hold(row) for row in self._db.execute("SELECT device, kind, holder, command, seq, since FROM hold")
            ],
            limits=limit_rows.read_limits(self._db),
        )

    def accept(self, command: Command, change: Change, results: Sequence[Result], *, final: bool) -> None:
        """One transaction: id, seq, desired state and the first results. Durable when it returns."""
        with transaction(self._db):
            self._db.execute(
                "INSERT INTO command VALUES (?, ?, ?, ?, ?)",
                (command.id, command.seq, command.expires, not final, msgspec.json.encode(command)),
            )
            self._db.executemany(
                "INSERT OR REPLACE INTO last_of VALUES (?, ?)", [(device, command.seq) for device in change.devices]
            )
            self._want(change, command.seq)
            self._note(results)
        self._accepted += 1
        if self._accepted % PRUNE_EVERY == 0:
            self._prune(command.issued)

    def hand_over(self, key: str, generation: int, change: Change) -> None:
        """One transaction: what a handover brings, and that it was taken."""
        with transaction(self._db):
            self._db.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (key, b"%d" % generation))
            self._want(change, 0)

    def want(self, change: Change, seq: int) -> None:
        """Desired state that no command of the centre brought."""
        with transaction(self._db):
            self._want(change, seq)

    def keep_plan(self, key: str, body: bytes, overrides: Iterable[Override]) -> None:
        """One transaction: the plan that is to be in force, and the overrides in force under it."""
        with transaction(self._db):
            self._db.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (key, body))
            self._db.execute("DELETE FROM override")
            self._insert(overrides)

    def tell(self, result: Result, *, final: bool) -> None:
        """One more result of an accepted command."""
        with transaction(self._db):
            self._note([result])
            if final:
                self._db.execute("UPDATE command SET open = 0 WHERE id = ?", (result.id,))

    def results(self, identity: str) -> list[Result]:
        """All results of a command, in order."""
        rows = self._db.execute("SELECT body FROM result WHERE id = ? ORDER BY n", (identity,))
        return [_result(row[0]) for row in rows]

    def due(self) -> list[Result]:
        """Results that may not have reached the spool."""
        return [_result(row[0]) for row in self._db.execute("SELECT body FROM result WHERE spooled = 0 ORDER BY id, n")]

    def spooled(self, results: Iterable[Result]) -> None:
        """These results are in the spool."""
        with transaction(self._db):
            self._db.executemany(
                "UPDATE result SET spooled = 1 WHERE id = ? AND n = ?", [(result.id, result.n) for result in results]
            )

    def unfinished(self) -> list[OpenCommand]:
        """Commands that were accepted and have no final result."""
        bodies = self._db.execute("SELECT body FROM command WHERE open = 1 ORDER BY seq").fetchall()
        commands = [msgspec.json.decode(body, type=Command) for (body,) in bodies]
        return [OpenCommand(command, tuple(self.results(command.id))) for command in commands]

    def forget(self, ended: Iterable[Override], handed_back: Iterable[str]) -> None:
        """Overrides whose end has passed, and lamps that follow their own schedule again."""
        with transaction(self._db):
            self._db.executemany(
                "DELETE FROM override WHERE id = ? AND device = ?", [(record.id, record.device) for record in ended]
            )
            self._db.executemany("DELETE FROM held WHERE device = ?", [(device,) for device in handed_back])

    def switched(self, devices: Iterable[str], at_ms: int, forget_before_ms: int) -> None:
        """These have gone on or off at a real time; what is older than another is forgotten."""
        with transaction(self._db):
            self._db.executemany("INSERT OR REPLACE INTO switched VALUES (?, ?)", [(one, at_ms) for one in devices])
            self._db.execute("DELETE FROM switched WHERE at < ?", (forget_before_ms,))

    def switchings(self) -> list[tuple[str, int]]:
        """Device and real time of switchings, the oldest first."""
        return list(self._db.execute("SELECT device, at FROM switched ORDER BY at"))

    def forget_limit(self, limit: Limit) -> None:
        """This limit is over; a newer one in its place stays."""
        with transaction(self._db):
            limit_rows.forget_limit(self._db, limit)

    def note_limit(self, limit: Limit) -> None:
        """Keep what was sent for a limit and what is confirmed of it; a newer one in its place stays."""
        with transaction(self._db):
            limit_rows.note_limit(self._db, limit)

    def release_limits(self, keys: Iterable[LimitKey]) -> None:
        """These limits are to be over now."""
        with transaction(self._db):
            limit_rows.release_limits(self._db, keys)

    def _want(self, change: Change, seq: int) -> None:
        limit_rows.release_limits(self._db, change.released)
        self._db.executemany("DELETE FROM hold WHERE device = ? AND kind = ?", list(change.ended))
        self._db.executemany(
            "INSERT OR IGNORE INTO hold (device, kind, holder, command, seq, since) VALUES (?, ?, ?, ?, ?, ?)",
            [(hold.device, hold.kind, hold.holder, hold.command, hold.seq, hold.since_ms) for hold in change.holds],
        )
        limit_rows.write_limits(self._db, change.limits)
        # An older override that ends no later can never decide again, unless it is an emergency and the newer is not.
        self._db.executemany(
            "DELETE FROM override WHERE device = ? AND issued <= ? AND until <= ? AND emergency <= ?",
            [(o.device, o.issued_ms, o.until_ms, o.emergency) for o in change.overrides],
        )
        self._insert(change.overrides)
        self._db.executemany(
            "DELETE FROM override WHERE device = ? AND seq <= ?", [(device, seq) for device in change.resumed]
        )
        self._db.executemany(
            "INSERT INTO resumed VALUES (?, ?) ON CONFLICT (device) DO UPDATE SET seq = max(seq, excluded.seq)",
            [(device, seq) for device in change.resumed],
        )
        held = {*(override.device for override in change.overrides), *change.resumed}
        self._db.executemany("INSERT OR IGNORE INTO held VALUES (?)", [(device,) for device in held])

    def _insert(self, overrides: Iterable[Override]) -> None:
        self._db.executemany(
            "INSERT OR REPLACE INTO override (id, device, seq, issued, level, until, emergency)"
            " VALUES (?, ?, ?, ?, ?, ?, ?)",
            [(o.id, o.device, o.seq, o.issued_ms, o.level_percent, o.until_ms, o.emergency) for o in overrides],
        )

    def _note(self, results: Iterable[Result]) -> None:
        self._db.executemany(
            "INSERT OR REPLACE INTO result VALUES (?, ?, 0, ?)",
            [(result.id, result.n, msgspec.json.encode(result)) for result in results],
        )

    def _prune(self, now_ms: int) -> None:
        """Forget finished commands that can no longer pass: expired for long, and out of the sequence window."""
        with transaction(self._db):
            self._db.execute(
                "DELETE FROM command WHERE open = 0 AND expires < ? AND seq <= (SELECT max(seq) FROM command) - ?",
                (now_ms - KEEP_MS, SEQUENCE_WINDOW),
            )
            self._db.execute("DELETE FROM result WHERE spooled = 1 AND id NOT IN (SELECT id FROM command)")


def _override(
    identity: str, seq: int, issued_ms: int, device: str, level: float, until_ms: int, emergency: int
) -> Override:
    return Override(identity, seq, issued_ms, device, level, until_ms, bool(emergency))


def _hold(row: tuple[str, str, str, str, int, int]) -> Hold:
    device, kind, holder, command, seq, since_ms = row
    return Hold(device, HoldKind(kind), holder, command, seq, since_ms)


def _result(body: bytes) -> Result:
    return msgspec.json.decode(body, type=Result)
