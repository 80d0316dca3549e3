"""Brings the tables of every room up to date, in one transaction."""

from pathlib import Path
from typing import Final

from alembic import command
from alembic.config import Config
from alembic.util import CommandError
from sqlalchemy import Connection, text

from lamplighter_controller.ledger.errors import LedgerUnusable

MIGRATIONS: Final = Path(__file__).parent / "migrations"
LOCK: Final = 0x6C616D70  # any number will do, as long as every controller takes the same


def upgrade(connection: Connection) -> None:
    """Upgrade to the newest migration of every room; the caller commits.

    Raises:
        LedgerUnusable: the ledger holds a revision this version does not know.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(text("SET LOCAL statement_timeout = 0"))
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": LOCK})
    try:
        command.upgrade(configuration(connection), "heads")
    except CommandError as error:
        raise LedgerUnusable(f"the ledger was written by another version: {error}") from error


def configuration(connection: Connection) -> Config:
    """Alembic's view of our migrations, on an open connection."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.set_main_option("recursive_version_locations", "true")
    config.attributes["connection"] = connection
    return config
