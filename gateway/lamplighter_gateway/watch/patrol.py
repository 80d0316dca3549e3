"""Looks at the buses every other moment and tells what changed: events, and rows for devices that stopped answering."""

import asyncio
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from typing import Final, NoReturn

from lamplighter_contract.clock import Clock
from lamplighter_contract.quality import Quality
from lamplighter_gateway.drivers.port import BusStatus, Reading
from lamplighter_gateway.events import Events
from lamplighter_gateway.light.registry import Registry
from lamplighter_gateway.watch.buses import BUS_DOWN, DEVICE_SILENT, BusWatch, Change

WATCH_S: Final = 2.0


class Patrol:
    """Watches every bus of the gateway."""

    def __init__(
        self,
        registry: Registry,
        events: Events,
        clock: Clock,
        expected_silent: Callable[[], Collection[str]],
        tell: Callable[[Sequence[Reading]], None],
        say_health: Callable[[], None],
    ) -> None:
        """`expected_silent`: devices whose silence is no news; `tell` takes rows for the centre."""
        self._registry = registry
        self._events = events
        self._clock = clock
        self._expected_silent = expected_silent
        self._tell = tell
        self._say_health = say_health
        self._buses = BusWatch()
        self._silent: Mapping[str, frozenset[str]] = {}

    async def run(self) -> NoReturn:
        """Look until cancelled."""
        while True:
            self.look()
            await asyncio.sleep(WATCH_S)

    def look(self) -> None:
        """One look at every bus."""
        for change in self._buses.look(self._found()):
            detail = {"error": change.error} if change.error else {}
            self._events.say(change.event, change.device, "" if change.device else change.bus, **detail)
            self._tell(self._unanswered(change))
            self._say_health()

    def _found(self) -> dict[str, BusStatus]:
        """Every bus as it is, without those whose silence is expected; who was silent before then still is."""
        statuses = {bus: driver.status() for bus, driver in self._registry.drivers.items()}
        expected = self._expected_silent()
        silent = {
            bus: frozenset(
                device for device in its.silent if device not in expected or device in self._silent.get(bus, ())
            )
            for bus, its in statuses.items()
        }
        self._silent = silent
        return {bus: replace(its, silent=tuple(sorted(silent[bus]))) for bus, its in statuses.items()}

    def _unanswered(self, change: Change) -> list[Reading]:
        """Rows that say nothing was read: what was last known of these devices is no longer so."""
        lost = [
            device for device, bus in self._registry.bus_of.items() if bus == change.bus and change.event == BUS_DOWN
        ]
        if change.event == DEVICE_SILENT and change.device:
            lost = [change.device]
        now_ms, entries = self._clock.civil_ms(), self._registry.entries
        return [Reading(device, entries[device].kind, now_ms, {}, Quality.STALE) for device in lost]
