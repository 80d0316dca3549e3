"""The loop that keeps every held lamp where it should be, and gives it back when nothing is wanted of it any more."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import Final, NoReturn

from lamplighter_contract.clock import Clock
from lamplighter_contract.level import Override
from lamplighter_gateway.commands.journal import Journal
from lamplighter_gateway.disk import DiskFullError
from lamplighter_gateway.drivers.port import Outcome, Point, Reading, Written
from lamplighter_gateway.light.actuator import Actuator
from lamplighter_gateway.light.reconcile import Action, fits, reconcile
from lamplighter_gateway.watch.counters import Counters

log = logging.getLogger(__name__)

TICK_S: Final = 1.0

Reached = Callable[[str, str], Awaitable[None]]


class Autonomy:
    """Asks every second what should be true now; a missed tick or a restart heals itself."""

    def __init__(
        self, journal: Journal, actuator: Actuator, clock: Clock, counters: Counters, on_reached: Reached
    ) -> None:
        """`on_reached` is told a device and the override whose level it now shows."""
        self._journal = journal
        self._actuator = actuator
        self._clock = clock
        self._counters = counters
        self._on_reached = on_reached
        self._reached: dict[str, str] = {}
        self._levels: dict[str, float | None] = {}

    def observe(self, readings: Sequence[Reading]) -> None:
        """Take note of readings as they come."""
        if self._journal.desired.held:
            self._actuator.observe(readings, self._journal.desired.held)

    def with_desired(self, readings: Sequence[Reading]) -> Sequence[Reading]:
        """The readings, those of lamps that are or were wanted at a level with that level (None: no longer)."""
        if not self._levels:
            return readings
        return [
            replace(reading, values={**reading.values, "desired_percent": self._levels[reading.device]})
            if reading.device in self._levels
            else reading
            for reading in readings
        ]

    def refresh(self) -> None:
        """Desired state changed: what readings carry as desired follows at once."""
        wanted = self._journal.desired.levels(self._clock.civil_ms())
        self._levels = {**dict.fromkeys(self._levels), **wanted}

    async def run(self) -> NoReturn:
        """Reconcile until cancelled."""
        async with asyncio.TaskGroup() as writes:
            while True:
                await self.step(writes)
                await asyncio.sleep(TICK_S)
        raise AssertionError("unreachable")

    async def step(self, writes: asyncio.TaskGroup) -> None:
        """One look at every held lamp; writes go on by themselves."""
        await self._end_overrides()
        self.refresh()
        levels: dict[str, float] = {}
        returns: dict[str, float] = {}
        for device in self._journal.desired.held - self._actuator.busy:
            action = await self._look(device)
            if action is not None:
                (levels if action.point is Point.LEVEL else returns)[device] = action.value
        for point, values in ((Point.LEVEL, levels), (Point.RESUME, returns)):
            if values:
                # Busy from now on, not from when the task begins: the next step must not write the same again.
                self._actuator.busy.update(values)
                writes.create_task(self._write(point, values), name=f"autonomy-{point}")

    async def _look(self, device: str) -> Action | None:
        wanted = self._journal.desired.level(device, self._clock.civil_ms())
        shown = self._actuator.shown.get(device)
        if shown is not None and fits(wanted, shown) and self._reached.get(device) != wanted.why.source:
            self._reached[device] = wanted.why.source
            await self._on_reached(device, wanted.why.source)
        return reconcile(wanted, shown, self._actuator.tried.get(device), self._clock.monotonic_s())

    async def _write(self, point: Point, values: dict[str, float]) -> None:
        self._counters.add("autonomy_writes", len(values))
        written: list[Written] = []
        await self._actuator.write(point, values, lambda _device: None, written.extend)
        failed = [part for part in written if part.outcome in (Outcome.FAILED, Outcome.UNCONFIRMED)]
        if failed:
            self._counters.add("autonomy_failures", len(failed))
            log.info("%s of %s not taken (%s); tried again when it answers", point, failed[0].device, failed[0].reason)
        if point is Point.RESUME:
            await self.handed_back([part.device for part in written if part not in failed])

    async def handed_back(self, devices: Sequence[str]) -> None:
        """These lamps took the resume: those nobody wants anything of are no longer held."""
        now_ms = self._clock.civil_ms()
        free = [device for device in devices if self._journal.desired.level(device, now_ms).level_percent is None]
        for device in free:
            self._actuator.shown.pop(device, None)
            self._actuator.tried.pop(device, None)
            self._reached.pop(device, None)
        await self._forget([], free)

    async def _end_overrides(self) -> None:
        ended = self._journal.desired.drop_ended(self._clock.civil_ms())
        if ended:
            self._counters.add("overrides_ended", len(ended))
            await self._forget(ended, [])

    async def _forget(self, ended: Sequence[Override], free: Sequence[str]) -> None:
        try:
            await self._journal.forget(ended, free)
        except DiskFullError:
            log.warning("no room to note that overrides ended; the note is made again after the next start")
