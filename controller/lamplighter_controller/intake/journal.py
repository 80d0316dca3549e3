"""Small things that must last but that nobody waits for: the newest of each name is written to the ledger."""

import asyncio
import logging
from collections.abc import Callable
from typing import Final

from sqlalchemy import Connection

from lamplighter_controller.ledger.engine import Ledger
from lamplighter_controller.ledger.errors import LedgerRejected, LedgerUnavailable

log = logging.getLogger(__name__)

Work = Callable[[Connection], None]
RETRY_S: Final = 2.0
AT_ONCE: Final = 5  # a list of devices may be thousands of rows, and a command waits for the ledger meanwhile


class Journal:
    """Writes by name: a newer write of a name replaces one that has not been made yet, so the backlog is bounded."""

    def __init__(self, ledger: Ledger) -> None:
        """Write into `ledger`."""
        self._ledger = ledger
        self._waiting: dict[str, Work] = {}
        self._filled = asyncio.Event()

    def put(self, name: str, work: Work) -> None:
        """Have `work` done soon, in some transaction; an older one of the same name is dropped."""
        self._waiting.pop(name, None)
        self._waiting[name] = work
        self._filled.set()

    async def run(self) -> None:
        """Write as things come; for ever."""
        while True:
            await self._filled.wait()
            while self._waiting:
                await self._write_some()
            self._filled.clear()

    async def flush(self) -> None:
        """Write what is waiting now, once.

        Raises:
            LedgerUnavailable: it could not be written.
        """
        while self._waiting:
            some = self._take()
            await self._write(some)

    async def _write_some(self) -> None:
        some = self._take()
        try:
            await self._write(some)
        except LedgerUnavailable:
            self._waiting = some | self._waiting
            await asyncio.sleep(RETRY_S)

    async def _write(self, some: dict[str, Work]) -> None:
        """Write these together; when the ledger will never take one of them, the others without it."""
        try:
            await self._ledger.write(lambda connection: _do_all(connection, some))
        except LedgerRejected as error:
            if len(some) == 1:
                log.error("%s is not kept, the ledger cannot hold it: %s", *some, error)  # noqa: TRY400 - its text says all
                return
            for name, work in some.items():
                await self._write({name: work})

    def _take(self) -> dict[str, Work]:
        names = list(self._waiting)[:AT_ONCE]
        return {name: self._waiting.pop(name) for name in names}


def _do_all(connection: Connection, works: dict[str, Work]) -> None:
    for work in works.values():
        work(connection)
