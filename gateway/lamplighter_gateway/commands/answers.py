"""Results on their way up, by ledger and spool; a crash only repeats them."""

import asyncio
import logging
from collections import deque
from collections.abc import Iterator, Sequence
from typing import Final, NoReturn

from lamplighter_contract.commands.results import Result
from lamplighter_contract.wire.frame import results_body
from lamplighter_gateway.commands.journal import Journal
from lamplighter_gateway.disk import DiskFullError
from lamplighter_gateway.spool.frames import Class
from lamplighter_gateway.spool.spool import Spool

log = logging.getLogger(__name__)

DEVICES_PER_RESULT: Final = 200
DEVICES_PER_FRAME: Final = 200
RESULTS_PER_FRAME: Final = 100
NOTE_AFTER_S: Final = 0.5
MOST_WAITING: Final = 10_000


class Answers:
    """The way of results from whoever has them to the spool."""

    def __init__(self, journal: Journal, spool: Spool) -> None:
        """Nothing moves before `run`."""
        self._journal = journal
        self._spool = spool
        self._waiting: deque[Result] = deque(maxlen=MOST_WAITING)
        self._left_out = False
        self._some = asyncio.Event()

    async def tell(self, result: Result, *, final: bool) -> None:
        """One more result of an accepted command; ledger and spool take it side by side, either alone is enough."""
        self.repeat([result])
        try:
            await self._journal.tell(result, final=final)
        except DiskFullError:
            log.warning("no room to note a result of command %s; it is told all the same", result.id)

    def repeat(self, results: Sequence[Result]) -> None:
        """Results that need no note: refusals, or noted before."""
        if len(self._waiting) + len(results) > MOST_WAITING and not self._left_out:
            self._left_out = True
            log.warning("more than %d results wait; the oldest are fetched again from the ledger", MOST_WAITING)
        self._waiting.extend(results)
        self._some.set()

    async def run(self) -> NoReturn:
        """Bring results to the spool until cancelled."""
        self.repeat(await self._journal.due())
        spooled: list[Result] = []
        while True:
            if await self._nothing_new(NOTE_AFTER_S if spooled else None):
                await self._note(spooled)
                spooled = []
                await self._fetch_left_out()
            for results in self._frames():
                if await self._spool.put(Class.RESULT, results_body(results)):
                    spooled += results

    async def _nothing_new(self, timeout_s: float | None) -> bool:
        """Wait for results; True when none came in time."""
        try:
            async with asyncio.timeout(timeout_s):
                await self._some.wait()
        except TimeoutError:
            return True
        self._some.clear()
        return False

    async def _note(self, spooled: Sequence[Result]) -> None:
        """Only now, in a quiet moment: a missing note costs a repeat, a note in the way costs time."""
        try:
            await self._journal.spooled(spooled)
        except DiskFullError:
            log.info("no room to note that results are on their way; they may be told twice")

    async def _fetch_left_out(self) -> None:
        if self._left_out:
            self._left_out = False
            self.repeat(await self._journal.due())

    def _frames(self) -> Iterator[list[Result]]:
        while self._waiting:
            frame: list[Result] = []
            room = DEVICES_PER_FRAME
            while (
                self._waiting
                and len(frame) < RESULTS_PER_FRAME
                and (not frame or room >= len(self._waiting[0].devices))
            ):
                result = self._waiting.popleft()
                frame.append(result)
                room -= len(result.devices)
            yield frame
