"""Readings on their way from the drivers to the spool: what is worth telling, in batches."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Final, NoReturn, Protocol

from lamplighter_contract.clock import Clock
from lamplighter_gateway.batch import Batch
from lamplighter_gateway.drivers.port import Reading
from lamplighter_gateway.spool.frames import Class
from lamplighter_gateway.spool.spool import Spool

FLUSH_S: Final = 1.0


class Reports(Protocol):
    """What of all the readings is told; times in monotonic seconds."""

    def offer(self, readings: Sequence[Reading], now_s: float) -> Sequence[Reading]:
        """Take readings; those to be told now."""

    def overdue(self, now_s: float) -> Sequence[Reading]:
        """Readings that had to wait and whose wait is over."""

    def presses(self, now_s: float) -> bool:
        """True when what was told since the last True is not to wait for more."""


class Readings:
    """Tells the centre of readings; `reports` may be exchanged."""

    def __init__(self, reports: Reports, spool: Spool, clock: Clock, doubts: Callable[[], int]) -> None:
        """`doubts` gives quality bits that hold for all readings now."""
        self.reports, self._clock = reports, clock
        self._batch = Batch(lambda body: spool.offer(Class.READING, body), doubts)

    def tell(self, readings: Sequence[Reading]) -> None:
        """These were just read."""
        self._batch.add(self.reports.offer(readings, self._clock.monotonic_s()))

    def flush(self) -> None:
        """Hand over what there is."""
        self._batch.flush()

    async def run(self) -> NoReturn:
        """Hand over what there is, and what had to wait, when it presses or enough is gathered; until cancelled."""
        while True:
            await asyncio.sleep(FLUSH_S)
            now_s = self._clock.monotonic_s()
            self._batch.add(self.reports.overdue(now_s))
            if self.reports.presses(now_s):
                self._batch.flush()
