"""The ledger as the rooms see it: reads, and writes that are durable when they return."""

import logging
from collections.abc import Callable
from functools import partial
from typing import Final, TypeVar

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DataError, DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from lamplighter_controller.ledger import databases
from lamplighter_controller.ledger.errors import LedgerRejected, LedgerUnavailable, LedgerUnusable
from lamplighter_controller.ledger.migrate import upgrade
from lamplighter_controller.ledger.threads import Threads
from lamplighter_controller.ledger.transaction import OUR_MISTAKES, serve

log = logging.getLogger(__name__)

T = TypeVar("T")
READERS: Final = 4
TIMEOUT_S: Final = 10.0
MIGRATION_TIMEOUT_S: Final = 600.0
MOST_WAITING: Final = 2_000
COMMITTED_TOGETHER: Final = 64
UNSTORABLE: Final = (DataError, OverflowError, UnicodeEncodeError)


class Ledger:
    """One database with one writer thread and a few readers; the event loop never waits on either."""

    def __init__(self, writer: Engine, reader: Engine, timeout_s: float = TIMEOUT_S) -> None:
        """Take opened engines; `open_ledger` is the usual way in."""
        self._writer, self._reader = writer, reader
        self._timeout_s = timeout_s
        self._writing = Threads("ledger-writer", 1, partial(serve, writer), COMMITTED_TOGETHER, MOST_WAITING)
        self._reading = Threads("ledger-reader", READERS, partial(serve, reader), 1, MOST_WAITING)
        self._writing.start()
        self._reading.start()
        self._available = True

    async def read(self, work: Callable[[Connection], T]) -> T:
        """What `work` reads from one consistent state.

        Raises:
            LedgerUnavailable: the database does not answer.
        """
        return await self._run(self._reading, work, self._timeout_s)

    async def write(self, work: Callable[[Connection], T], timeout_s: float | None = None) -> T:
        """Run `work` in a transaction that is durably committed on return; whatever it raises rolls all of it back.

        `timeout_s` for work that is known to be long, such as a whole city's inventory.

        Raises:
            LedgerUnavailable: the database does not answer or does not take it.
            LedgerRejected: it will never take these data.
        """
        return await self._run(self._writing, work, timeout_s or self._timeout_s)

    async def migrate(self) -> None:
        """Bring the tables of every room up to date.

        Raises:
            LedgerUnavailable: the database does not answer.
            LedgerUnusable: a newer version of this program wrote it, or it is damaged.
        """
        try:
            await self._run(self._writing, upgrade, MIGRATION_TIMEOUT_S)
        except LedgerUnavailable as error:
            if databases.is_damaged(error.__cause__):
                raise LedgerUnusable(f"the ledger is damaged or no ledger, restore a backup: {error}") from error
            raise

    async def close(self) -> None:
        """Finish what is under way and give the database back."""
        for threads, engine in ((self._writing, self._writer), (self._reading, self._reader)):
            if await threads.stop():
                engine.dispose()
            else:
                log.warning("the ledger is closed while the database still owes an answer")

    async def _run(self, threads: Threads, work: Callable[[Connection], T], timeout_s: float) -> T:
        try:
            result = await threads.run(work, timeout_s)
        except UNSTORABLE as error:
            raise LedgerRejected(str(getattr(error, "orig", None) or error).strip()) from error
        except OUR_MISTAKES:
            raise
        except (DBAPIError, PoolTimeout, TimeoutError) as error:
            raise self._unavailable(error) from error
        self._answered()
        return result

    def _unavailable(self, error: Exception) -> LedgerUnavailable:
        cause = str(getattr(error, "orig", None) or error).strip() or f"no answer in {self._timeout_s:g} s"
        if self._available:
            log.error("the ledger is not available: %s", cause)
        self._available = False
        return LedgerUnavailable(cause)

    def _answered(self) -> None:
        if not self._available:
            log.warning("the ledger is available again")
        self._available = True


async def open_ledger(url: str) -> Ledger:
    """Open a ledger and bring its tables up to date: `sqlite:///<file>` or `postgresql://<user>@<host>/<database>`.

    Raises:
        LedgerUnusable: the URL names no database, a newer version of this program wrote it, or it is damaged.
        LedgerUnavailable: the database does not answer.
    """
    parsed = databases.parse_url(url)
    ledger = Ledger(databases.writer(parsed), databases.reader(parsed, READERS))
    try:
        await ledger.migrate()
    except (LedgerUnavailable, LedgerUnusable):
        await ledger.close()
        raise
    return ledger
