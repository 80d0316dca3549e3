"""Everything of the gateway that is about trucks, put together."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from lamplighter_contract.clock import Clock
from lamplighter_contract.truck.interlock import DEFAULT
from lamplighter_gateway.commands.journal import Journal
from lamplighter_gateway.drivers.port import Driver, Trackers
from lamplighter_gateway.events import Events
from lamplighter_gateway.light.registry import Registry
from lamplighter_gateway.settings import Settings
from lamplighter_gateway.spool.spool import Spool
from lamplighter_gateway.trucks.evidence.recorder import Recorder
from lamplighter_gateway.trucks.evidence.work import EvidenceWork
from lamplighter_gateway.trucks.keeper import LimitKeeper
from lamplighter_gateway.trucks.positions import PHOTOS, Positions
from lamplighter_gateway.trucks.work import TruckWork
from lamplighter_gateway.watch.clock_trust import TimeSense


class TruckRoom:
    """Positions, raw frames, limits and what commands do to trucks."""

    def __init__(
        self,
        settings: Settings,
        registry: Registry,
        journal: Journal,
        spool: Spool,
        events: Events,
        clock: Clock,
        time: TimeSense,
    ) -> None:
        """Nothing is touched before `open`."""
        self._positions = Positions(spool, settings.data, clock, time.doubts)
        self._recorder = Recorder(settings.data, settings.frames, clock, time.trusted)
        bounds = replace(DEFAULT, lift_lock=settings.lift_lock)
        self._limits = LimitKeeper(journal, registry.trackers, clock, settings.rate, events.say, bounds)
        evidence = EvidenceWork(settings.gateway, self._recorder, settings.data / PHOTOS, spool)
        self.work = TruckWork(self._limits, lambda: journal.limits, registry.trackers, clock, evidence)

    def attach(self, drivers: Iterable[Driver]) -> None:
        """Before they run: where drivers of trackers bring what they hear."""
        for trackers in drivers:
            if isinstance(trackers, Trackers):
                trackers.attach(self._positions.store, self._positions.keep, self._limits.look_again)
                trackers.record_to(self._recorder.record)

    async def open(self) -> Path | None:
        """Open the store of raw frames; where a spoilt one was set aside, its new place."""
        return await self._recorder.open()

    async def close(self) -> None:
        """Close it."""
        await self._recorder.close()

    def services(self) -> Mapping[str, Callable[[], Any]]:
        """What has to run, by name."""
        return {"positions": self._positions.run, "frames": self._recorder.run, "limits": self._limits.run}
