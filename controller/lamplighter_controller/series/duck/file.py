"""The database file: opened, and set aside when it cannot be read. Nothing is ever deleted here."""

import glob
import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Generic, TypeVar

import duckdb

from lamplighter_controller.series.port import SeriesUnavailable

logger = logging.getLogger(__name__)

T = TypeVar("T")

# DuckDB raises the same types for "the disk does not answer" and "the bytes make no sense"; its words tell them apart.
# What is not known to be damage is not: a file kept away from us for a while comes back, one that was renamed does not.
DAMAGE_WORDS: Final = (
    "not a valid DuckDB database file",
    "orrupt",  # every checksum and every range check
    "Could not read enough bytes",
    "does not match the database file",
    "Invalid WAL entry",
    "Serialization Error",
)


@dataclass(frozen=True, slots=True)
class Opened(Generic[T]):
    """An open database, what was loaded from it, and the files that could not be read and were renamed."""

    connection: duckdb.DuckDBPyConnection
    loaded: T
    set_aside: tuple[Path, ...]


def open_file(path: Path, memory_mib: int, load: Callable[[duckdb.DuckDBPyConnection], T]) -> Opened[T]:
    """Open or create the database; what is damaged is renamed beside it, first the log, then the file.

    Raises:
        SeriesUnavailable: another process owns the file, or the folder cannot be used.
    """
    set_aside: list[Path] = []
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        while True:
            try:
                connection, loaded = _connect(path, memory_mib, load)
            except duckdb.Error as error:
                if not _is_damage(path, error):
                    raise SeriesUnavailable(f"{path} cannot be opened: {error}") from error
                set_aside.append(_set_aside(path, error))
            else:
                return Opened(connection, loaded, tuple(set_aside))
    except OSError as error:
        raise SeriesUnavailable(f"{path} cannot be opened: {error}") from error


def _connect(
    path: Path, memory_mib: int, load: Callable[[duckdb.DuckDBPyConnection], T]
) -> tuple[duckdb.DuckDBPyConnection, T]:
    connection = duckdb.connect(str(path), config={"memory_limit": f"{memory_mib}MiB"})
    try:
        return connection, load(connection)
    except duckdb.Error:
        connection.close()
        raise


def set_aside_files(path: Path) -> tuple[Path, ...]:
    """Damaged files that lie beside the database, from this run or an earlier one."""
    return tuple(sorted(path.parent.glob(f"{glob.escape(path.name)}*.damaged-*")))


def _is_damage(path: Path, error: duckdb.Error) -> bool:
    told = str(error).replace(str(path), "")
    return any(word in told for word in DAMAGE_WORDS)


def _set_aside(path: Path, error: duckdb.Error) -> Path:
    wal = path.with_name(f"{path.name}.wal")
    damaged = wal if wal.exists() else path
    number = 1
    while (target := damaged.with_name(f"{damaged.name}.damaged-{number}")).exists():
        number += 1
    damaged.rename(target)
    logger.error("%s is damaged and was set aside as %s: %s", damaged, target.name, error)
    return target
