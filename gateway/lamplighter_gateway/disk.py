"""SQLite files that outlive power cuts: opened exclusively, checked, and set aside when they are spoilt."""

import contextlib
import logging
import os
import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from lamplighter_gateway.errors import GatewayError

log = logging.getLogger(__name__)

SET_ASIDE_KEPT: Final = 2
LOCK_TIMEOUT_S: Final = 1.0
PRIVATE: Final = 0o600
_COMPANIONS: Final = ("", "-wal", "-shm", "-journal")
_SPOILT: Final = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_FORMAT})
_LOCKED: Final = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED})


class DataInUseError(GatewayError):
    """Another process works on the same data folder."""


class DiskFullError(GatewayError):
    """There is no room on the disk: nothing was kept. It may come back."""


class StorageFailedError(GatewayError):
    """The disk under the gateway's memory failed: nothing more may be promised, the process has to end."""


class _SpoiltError(GatewayError):
    """The file is a sound database, but not ours."""


@dataclass(frozen=True, slots=True)
class Opened:
    """An open database; `fresh`: it began empty; `set_aside`: where the spoilt one it replaces is kept."""

    connection: sqlite3.Connection
    fresh: bool
    set_aside: Path | None


def open_database(path: Path, application_id: int, schema: str, now_ms: int, upgrades: Sequence[str] = ()) -> Opened:
    """Open the file, or set it aside and begin a new one when it cannot be trusted or its layout is not known.

    `upgrades` each bring a file one version on (`PRAGMA user_version`); a new one begins with `schema`, version 0.

    Raises:
        DataInUseError: another process has it open.
        StorageFailedError: the folder cannot be written.
    """
    try:
        connection, fresh = _open(path, application_id, schema, upgrades)
    except (_SpoiltError, sqlite3.DatabaseError) as error:
        cause = str(error)
        if _code(error) in _LOCKED:
            raise DataInUseError(f"{path} is in use by another process") from error
        if not isinstance(error, _SpoiltError) and _code(error) not in _SPOILT:
            raise StorageFailedError(f"{path} cannot be opened: {error}") from error
    else:
        return Opened(connection, fresh, None)
    aside = _set_aside(path, now_ms)
    log.error("%s is spoilt (%s); kept as %s, a new one begins", path.name, cause, aside.name)
    connection, _ = _open(path, application_id, schema, upgrades)
    return Opened(connection, fresh=True, set_aside=aside)


def is_full(error: sqlite3.Error) -> bool:
    """True when there was no room: it may come back."""
    return _code(error) == sqlite3.SQLITE_FULL


@contextlib.contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[sqlite3.Connection]:
    """All or nothing; durable when the block has ended."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield connection
        connection.execute("COMMIT")
    finally:
        if connection.in_transaction:
            with contextlib.suppress(sqlite3.Error):
                connection.execute("ROLLBACK")


def write_durably(path: Path, content: bytes) -> None:
    """Replace a small file, whole or not at all, whatever becomes of the power.

    Raises:
        OSError: the disk does not take it; what was there before is still there.
    """
    partial = path.with_name(f"{path.name}.partial")
    with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, PRIVATE), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    partial.replace(path)
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _open(path: Path, application_id: int, schema: str, upgrades: Sequence[str]) -> tuple[sqlite3.Connection, bool]:
    known = any(Path(f"{path}{companion}").exists() for companion in _COMPANIONS)
    _keep_private(path)
    connection = sqlite3.connect(path, timeout=LOCK_TIMEOUT_S, isolation_level=None, check_same_thread=False)
    try:
        # Exclusive: no second process, and no shared-memory file that a full disk could tear.
        connection.execute("PRAGMA locking_mode = EXCLUSIVE")
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA cache_size = -1024")
        fresh = _begin(connection, application_id, schema, known=known)
        _bring_on(connection, schema, upgrades)
    except BaseException:
        connection.close()
        raise
    return connection, fresh


def _keep_private(path: Path) -> None:
    """Nobody else may read it; its companions take over the mode of the file. What cannot be done, SQLite tells."""
    with contextlib.suppress(OSError):
        path.touch(PRIVATE)
        path.chmod(PRIVATE)


def _begin(connection: sqlite3.Connection, application_id: int, schema: str, *, known: bool) -> bool:
    # Not quick_check: it believes an index that has lost rows, and what waits is found by an index.
    verdict = connection.execute("PRAGMA integrity_check(1)").fetchone()[0]
    if verdict != "ok":
        raise _SpoiltError(verdict)
    if connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0]:
        if connection.execute("PRAGMA application_id").fetchone()[0] != application_id:
            raise _SpoiltError("not written by this program")
        return False
    if known:
        raise _SpoiltError("nothing in it can be read")
    with transaction(connection):
        connection.execute(f"PRAGMA application_id = {application_id}")
        _execute(connection, schema)
    return True


def _bring_on(connection: sqlite3.Connection, schema: str, upgrades: Sequence[str]) -> None:
    """Bring a file of an older version on; all of a step or nothing of it."""
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    if version > len(upgrades) or _columns(connection) != _columns_of(schema, upgrades[:version]):
        raise _SpoiltError(f"its layout is not that of version {version}")
    for number, statements in enumerate(upgrades[version:], start=version + 1):
        with transaction(connection):
            _execute(connection, statements)
            connection.execute(f"PRAGMA user_version = {number}")


def _columns_of(schema: str, upgrades: Sequence[str]) -> set[tuple[str, str]]:
    with contextlib.closing(sqlite3.connect(":memory:")) as model:
        for statements in (schema, *upgrades):
            _execute(model, statements)
        return _columns(model)


def _columns(connection: sqlite3.Connection) -> set[tuple[str, str]]:
    """Every column with its table."""
    rows = connection.execute(
        "SELECT tables.name, columns.name FROM sqlite_schema AS tables, pragma_table_info(tables.name) AS columns"
        " WHERE tables.type = 'table'"
    )
    return {(table, column) for table, column in rows}


def _execute(connection: sqlite3.Connection, statements: str) -> None:
    for statement in statements.split(";"):
        connection.execute(statement)


def _set_aside(path: Path, now_ms: int) -> Path:
    aside = path.with_name(f"{path.name}.bad-{now_ms}")
    for companion in _COMPANIONS:
        with contextlib.suppress(FileNotFoundError):
            Path(f"{path}{companion}").rename(f"{aside}{companion}")
    kept = sorted({found.name.split("-")[1] for found in path.parent.glob(f"{path.name}.bad-*")}, reverse=True)
    for old in kept[SET_ASIDE_KEPT:]:
        for companion in _COMPANIONS:
            Path(f"{path}.bad-{old}{companion}").unlink(missing_ok=True)
    return aside


def _code(error: Exception) -> int:
    return getattr(error, "sqlite_errorcode", 0) & 0xFF
