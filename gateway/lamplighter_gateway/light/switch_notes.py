"""Which relays switched when, on disk: neither their rest nor their count of a day begins anew with the program."""

import logging
from collections.abc import Collection, Mapping, MutableSequence
from typing import Final

from lamplighter_contract.clock import Clock
from lamplighter_gateway.commands.journal import Journal
from lamplighter_gateway.disk import DiskFullError

log = logging.getLogger(__name__)

SECOND_MS: Final = 1000


class SwitchNotes:
    """Kept for a day by real time; one that seems to be to come, after a clock was set back, counts as just now."""

    def __init__(
        self, journal: Journal, clock: Clock, day_s: float, switched_s: Mapping[str, MutableSequence[float]]
    ) -> None:
        """`switched_s`: monotonic times by device, as the loop goes by them; a device of its own accord has none."""
        self._journal = journal
        self._clock = clock
        self._day_ms = round(day_s * SECOND_MS)
        self._switched_s = switched_s
        self._full = False

    async def open(self) -> None:
        """Take up what was kept."""
        now_ms, now_s = self._clock.wall_ms(), self._clock.monotonic_s()
        for device, at_ms in await self._journal.switchings():
            ago_ms = max(now_ms - at_ms, 0)
            if ago_ms < self._day_ms:
                self._switched_s[device].append(now_s - ago_ms / SECOND_MS)

    async def keep(self, devices: Collection[str]) -> None:
        """These have gone on or off now."""
        try:
            await self._journal.switched(devices, self._clock.wall_ms() - self._day_ms)
        except DiskFullError:
            if not self._full:
                log.warning("no room to note which relays switched; after a restart their rest may be cut short")
            self._full = True
        else:
            self._full = False
