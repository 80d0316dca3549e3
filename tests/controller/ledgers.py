"""Ledgers of tests, copied from one that was migrated once in this process: to migrate takes a fifth of a second."""

import asyncio
import shutil
import tempfile
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path

from lamplighter_controller.ledger.engine import Ledger, open_ledger
from tests.system.servers import PostgreSql


async def open_in(folder: Path) -> Ledger:
    """The ledger in the folder, which is empty when it is opened first."""
    return await open_ledger(sqlite_in(folder))


def sqlite_in(folder: Path) -> str:
    """URL of the ledger in the folder, which has its tables."""
    file = folder / "ledger.sqlite"
    if not file.exists():
        shutil.copy(_migrated_file().name, file)
    return f"sqlite:///{file}"


@cache
def migrated_database(postgres: PostgreSql) -> str:
    """Name of a database that has its tables and is to be copied."""
    url = postgres.create_database()
    _migrate(url)
    return url.rpartition("/")[2].partition("?")[0]


@cache
def _migrated_file() -> "tempfile._TemporaryFileWrapper[bytes]":
    file = tempfile.NamedTemporaryFile(suffix=".sqlite")  # noqa: SIM115 - it lives as long as the process
    _migrate(f"sqlite:///{file.name}")
    return file


def _migrate(url: str) -> None:
    async def migrate() -> None:
        ledger = await open_ledger(url)
        await ledger.close()

    with ThreadPoolExecutor(1) as thread:  # a test's own loop may be running in this one
        thread.submit(asyncio.run, migrate()).result(60)
