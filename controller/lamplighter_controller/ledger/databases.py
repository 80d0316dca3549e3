"""The two databases: how each is opened so that a commit is durable and a lock is never waited for long."""

from pathlib import Path
from sqlite3 import Connection as SqliteConnection
from sqlite3 import DatabaseError as SqliteDatabaseError
from sqlite3 import OperationalError as SqliteOperationalError
from typing import Any, Final

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError

from lamplighter_controller.ledger.errors import LedgerUnusable

BUSY_TIMEOUT_S: Final = 5
STATEMENT_TIMEOUT_S: Final = 10
CONNECT_TIMEOUT_S: Final = 5


def parse_url(text: str) -> URL:
    """The URL of a ledger: `sqlite:///<file>` or `postgresql://…`.

    Raises:
        LedgerUnusable: it names no database we keep a ledger in.
    """
    try:
        url = make_url(text)
    except ArgumentError as error:
        raise LedgerUnusable(f"ledger is {text!r}, expected sqlite:///<file> or postgresql://…") from error
    if url.get_backend_name() == "postgresql":
        return url.set(drivername="postgresql+psycopg")
    if url.get_backend_name() == "sqlite" and url.database not in {None, "", ":memory:"}:
        return url
    hidden = url.render_as_string(hide_password=True)
    raise LedgerUnusable(f"ledger is {hidden!r}, expected sqlite:///<file> or postgresql://…")


def writer(url: URL) -> Engine:
    """An engine whose one connection takes the write lock when a transaction begins and is durable when it commits.

    Raises:
        LedgerUnusable: the folder of the file cannot be made.
    """
    if url.get_backend_name() == "sqlite":
        _make_folder(Path(str(url.database)).parent)
        return _sqlite(url, connections=1, begin="BEGIN IMMEDIATE", query_only=False)
    return _postgresql(url, connections=1, read_only=False)


def reader(url: URL, connections: int) -> Engine:
    """An engine whose connections only read, each transaction from one consistent state."""
    if url.get_backend_name() == "sqlite":
        return _sqlite(url, connections, begin="BEGIN", query_only=True)
    return _postgresql(url, connections, read_only=True)


def is_damaged(error: BaseException | None) -> bool:
    """True when SQLite says that the file is no database any more, or never was."""
    cause = getattr(error, "orig", None)
    return isinstance(cause, SqliteDatabaseError) and not isinstance(cause, SqliteOperationalError)


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise LedgerUnusable(f"the ledger's folder cannot be made: {error}") from error


def _sqlite(url: URL, connections: int, *, begin: str, query_only: bool) -> Engine:
    engine = create_engine(
        url, pool_size=connections, max_overflow=0, connect_args={"timeout": BUSY_TIMEOUT_S, "check_same_thread": False}
    )

    @event.listens_for(engine, "connect")
    def prepare(connection: SqliteConnection, _record: Any) -> None:
        connection.isolation_level = None  # the driver would begin transactions of its own, too late and too weak
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute(f"PRAGMA query_only = {int(query_only)}")

    @event.listens_for(engine, "begin")
    def begin_transaction(connection: Connection) -> None:
        connection.exec_driver_sql(begin)

    return engine


def _postgresql(url: URL, connections: int, *, read_only: bool) -> Engine:
    settings = {
        "synchronous_commit": "on",
        "statement_timeout": STATEMENT_TIMEOUT_S * 1000,
        "lock_timeout": BUSY_TIMEOUT_S * 1000,
        "default_transaction_isolation": "repeatable\\ read" if read_only else "read\\ committed",
        "default_transaction_read_only": "on" if read_only else "off",
    }
    return create_engine(
        url,
        pool_size=connections,
        max_overflow=0,
        pool_pre_ping=True,
        connect_args={
            "connect_timeout": CONNECT_TIMEOUT_S,
            "application_name": "lamplighter",
            "tcp_user_timeout": STATEMENT_TIMEOUT_S * 1000,
            "options": " ".join(f"-c {name}={value}" for name, value in settings.items()),
        },
    )
