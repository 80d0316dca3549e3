"""Where the gateway's parts are put together and run; the only supervisor."""

import asyncio
import logging
import secrets
from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from enum import Enum
from functools import partial
from typing import Final, Protocol

from lamplighter_contract.clock import Clock
from lamplighter_contract.ids import uuid7
from lamplighter_contract.light.carrying import buses_of
from lamplighter_contract.quality import Quality
from lamplighter_contract.quantities import Kind
from lamplighter_contract.wire.documents import ClockState, DeviceEntry
from lamplighter_contract.wire.topics import Down
from lamplighter_gateway import control
from lamplighter_gateway.about import VERSION, About
from lamplighter_gateway.batch import Batch
from lamplighter_gateway.commands.answers import Answers
from lamplighter_gateway.commands.desk import CommandDesk
from lamplighter_gateway.commands.execution import Execution
from lamplighter_gateway.commands.journal import Journal
from lamplighter_gateway.commands.keys import Keys
from lamplighter_gateway.commands.own_work import OwnWork
from lamplighter_gateway.drivers.port import Driver, Reading, Sink, Trackers
from lamplighter_gateway.events import Events
from lamplighter_gateway.faults import FaultHook, no_fault
from lamplighter_gateway.light.actuator import Actuator
from lamplighter_gateway.light.autonomy import Autonomy
from lamplighter_gateway.light.photocell import Photocell
from lamplighter_gateway.light.plan_desk import PlanDesk
from lamplighter_gateway.light.registry import Registry
from lamplighter_gateway.light.shows import Shows
from lamplighter_gateway.light.switch_notes import SwitchNotes
from lamplighter_gateway.light.wanted import Wanted
from lamplighter_gateway.link.port import Link
from lamplighter_gateway.local import LocalRequests
from lamplighter_gateway.safety.work import SafetyWork
from lamplighter_gateway.settings import Settings
from lamplighter_gateway.spool.frames import Class, SpoolState
from lamplighter_gateway.spool.spool import Spool
from lamplighter_gateway.trucks.evidence.recorder import Recorder
from lamplighter_gateway.trucks.evidence.work import EvidenceWork
from lamplighter_gateway.trucks.keeper import LimitKeeper
from lamplighter_gateway.trucks.positions import PHOTOS, Positions
from lamplighter_gateway.trucks.work import TruckWork
from lamplighter_gateway.uplink.uplink import Identity, Presence, Uplink
from lamplighter_gateway.watch import metrics
from lamplighter_gateway.watch.clock_trust import clock_state, trusted
from lamplighter_gateway.watch.counters import Counters
from lamplighter_gateway.watch.patrol import Patrol

log = logging.getLogger(__name__)

FLUSH_S: Final = 1.0


class Reports(Protocol):
    """What of all the readings is told; times in monotonic seconds."""

    def offer(self, readings: Sequence[Reading], now_s: float) -> Sequence[Reading]:
        """Take readings; those to be told now."""

    def overdue(self, now_s: float) -> Sequence[Reading]:
        """Readings that had to wait and whose wait is over."""


class Ending(Enum):
    """Why `run` returned."""

    STOPPED = "stopped"
    RESTART = "restart"


class Gateway:
    """One gateway. Build it, then `run` it once."""

    def __init__(
        self,
        settings: Settings,
        entries: Sequence[DeviceEntry],
        bus_of: Mapping[str, str],
        make_drivers: Callable[[Sink], Mapping[str, Driver]],
        link: Link,
        clock: Clock,
        reports: Reports,
        fault: FaultHook = no_fault,
    ) -> None:
        """`make_drivers` builds every bus's driver around the sink."""
        self._settings = settings
        self._clock = clock
        self._reports = reports
        self.boot = uuid7(clock.wall_ms(), secrets.token_bytes(10))
        self._ending = asyncio.get_running_loop().create_future()
        self._counters = Counters()
        self._latest_known_ms = 0
        self.registry = Registry({entry.device: entry for entry in entries}, bus_of, make_drivers(self._sink))
        self.spool = Spool(settings.data, settings.limits, clock)
        self.journal = Journal(settings.data, clock)
        self.events = Events(self.spool, clock)
        self._batch = Batch(self._hand_over, self._doubts)
        self._positions = Positions(self.spool, settings.data, clock, self._doubts)
        self._recorder = Recorder(settings.data, settings.frames, clock, self._clock_trusted)
        for trackers in self.registry.drivers.values():
            if isinstance(trackers, Trackers):
                trackers.attach(self._positions.store, self._positions.keep, self._truck_called)
                trackers.record_to(self._recorder.record)
        self._answers = Answers(self.journal, self.spool)
        self._actuator = Actuator(self.registry, clock, settings.switching)
        self._switchings = SwitchNotes(self.journal, clock, settings.switching.day_s, self._actuator.switched_s)
        self._actuator.remember = self._switchings.keep
        self._about = About(
            settings,
            self.boot,
            self.registry,
            self.journal,
            self.spool,
            self._counters,
            clock,
            self._clock_state,
            lambda: self._plans.version,
        )
        self.uplink = self._make_uplink(link)
        own = OwnWork(
            self.registry, self._actuator, self.spool, self.uplink.look_again, lambda: self.stop(Ending.RESTART)
        )
        photocell = Photocell(settings.dusk)
        self._wanted = Wanted(self.registry.entries, self.journal, clock, self._clock_trusted, photocell)
        self._limits = LimitKeeper(self.journal, self.registry.trackers, clock, settings.rate, self.events.say)
        evidence = EvidenceWork(settings.gateway, self._recorder, settings.data / PHOTOS, self.spool)
        trucks = TruckWork(self._limits, lambda: self.journal.limits, self.registry.trackers, clock, evidence)
        self._execution = Execution(
            self.journal,
            self._answers,
            self._actuator,
            self._wanted.level,
            clock,
            own.operations(),
            fault,
            trucks,
            self._make_safety(),
        )
        self._autonomy = Autonomy(
            self._wanted,
            self.journal,
            self.registry,
            self._actuator,
            clock,
            self._counters,
            self._execution.reached,
        )
        self._execution.autonomy = self._autonomy
        self._keys = Keys(settings.root_key, self.journal, self.events, self._counters, clock)
        self._desk = CommandDesk(
            settings.gateway,
            self._keys,
            self.registry.entries,
            self.journal,
            self._answers,
            self.events,
            self._counters,
            clock,
            self._execution.begin,
            clock_trusted=self._clock_trusted,
            fault=fault,
        )
        lamps = [entry for entry in entries if entry.kind is Kind.LAMP]
        self._plans = PlanDesk(
            settings.gateway,
            self.registry.entries,
            self._keys,
            self.journal,
            self._wanted,
            self.events,
            self._counters,
            self._plan_changed,
            Shows(buses_of(settings.gateway, lamps, settings.buses), clock, settings.rate).unfit,
        )
        self.uplink.handlers |= {
            Down.COMMAND: self._desk.take,
            Down.KEYS: self._keys.take,
            Down.PLAN: self._plans.take_plan,
            Down.SIGNAL: self._plans.take_signals,
        }

    def stop(self, ending: Ending = Ending.STOPPED) -> None:
        """Have `run` return soon."""
        if not self._ending.done():
            self._ending.set_result(ending)

    async def run(self) -> Ending:
        """Serve until `stop`; polling and local requests need no uplink.

        Raises:
            DataInUseError: another gateway works on the data folder.
            StorageFailedError: the disk failed, at the start or later.
        """
        self._settings.data.mkdir(mode=0o700, parents=True, exist_ok=True)
        async with AsyncExitStack() as closing:
            closing.push_async_callback(self.spool.close)
            closing.callback(self._flush)
            await self._open_spool()
            closing.push_async_callback(self.journal.close)
            await self._open_journal()
            closing.push_async_callback(self._recorder.close)
            await self._open_recorder()
            await self._serve_local(closing)
            return await self._run_services()

    async def _run_services(self) -> Ending:
        patrol = Patrol(
            self.registry,
            self.events,
            self._clock,
            self._autonomy.expected_silent,
            self._tell,
            self.uplink.say_health,
        )
        async with asyncio.TaskGroup() as group:
            services = [
                group.create_task(work, name=name)
                for name, work in (
                    ("spool", self.spool.run()),
                    ("ledger", self.journal.run()),
                    ("events", self.events.run()),
                    ("keys", self._keys.run()),
                    ("results", self._answers.run()),
                    ("commands", self._execution.run()),
                    ("autonomy", self._autonomy.run()),
                    ("readings", self._flush_often()),
                    ("positions", self._positions.run()),
                    ("frames", self._recorder.run()),
                    ("limits", self._limits.run()),
                    ("watch", patrol.run()),
                    *((f"bus-{bus}", driver.run()) for bus, driver in self.registry.drivers.items()),
                    ("uplink", self.uplink.run()),
                )
            ]
            ending: Ending = await self._ending
            for service in services:
                service.cancel()
        return ending

    async def _open_spool(self) -> None:
        aside = await self.spool.open()
        self._latest_known_ms = self.spool.newest_ms
        self.spool.on_state = self._spool_changed
        if aside is not None:
            self.events.say("spool.set_aside", file=aside.name)
        status = self.spool.status()
        log.info("%d frames wait in the spool, the next number is %d", status.waiting, status.next_seq)

    async def _open_journal(self) -> None:
        aside = await self.journal.open(clock_trusted=self._clock_trusted())
        if aside is not None:
            self.events.say("ledger.set_aside", file=aside.name)
        await self._keys.open()
        await self._plans.open()
        await self._switchings.open()
        self._autonomy.refresh()
        self.events.say("gateway.started", boot=self.boot, version=VERSION)

    async def _open_recorder(self) -> None:
        aside = await self._recorder.open()
        if aside is not None:
            self.events.say("frames.set_aside", file=aside.name)

    async def _serve_local(self, closing: AsyncExitStack) -> None:
        status = partial(self._about.status, self.uplink)
        local = LocalRequests(
            self.registry, self.journal, self._actuator, self._wanted.level, self.events, self._clock, status
        )
        await closing.enter_async_context(control.serve(self._settings.data, local.handle))
        if self._settings.metrics is None:
            return
        host, port = self._settings.metrics
        try:
            server = await metrics.serve(host, port, partial(self._about.metrics, self.uplink))
        except OSError as error:
            log.error("no metrics: %s:%d cannot be opened (%s)", host, port, error)  # noqa: TRY400 - a person's mistake, no trace wanted
        else:
            closing.callback(server.close)

    def _make_safety(self) -> SafetyWork:
        holds = self.journal.holds
        holds.lamps_on = self._wanted.lamps_on
        self._actuator.forbids = holds.forbids
        return SafetyWork(holds, self._actuator, self._wanted.circuit_percent, self._clock)

    def _make_uplink(self, link: Link) -> Uplink:
        identity = Identity(self._settings.gateway, self.boot, self._settings.compress)
        presence = Presence(self._about.birth, self._about.devices, self._about.health_bytes)
        return Uplink(
            identity,
            link,
            self.spool,
            presence,
            self._clock,
            jitter=lambda: secrets.randbelow(1 << 20) / (1 << 20),
            counters=self._counters,
            timing=self._settings.timing,
        )

    def _sink(self, readings: Sequence[Reading]) -> None:
        self._autonomy.observe(readings)
        self._tell(self._autonomy.with_desired(readings))

    def _truck_called(self, device: str) -> None:
        self._limits.look_again(device)

    def _hand_over(self, body: bytes) -> None:
        self.spool.offer(Class.READING, body)

    def _plan_changed(self) -> None:
        self._autonomy.refresh()
        self.uplink.say_birth()

    def _clock_trusted(self) -> bool:
        return trusted(self._clock_state())

    def _doubts(self) -> int:
        return Quality.GOOD if self._clock_trusted() else Quality.CLOCK_UNTRUSTED

    def _flush(self) -> None:
        self._batch.flush()
        self.events.flush()

    async def _flush_often(self) -> None:
        while True:
            await asyncio.sleep(FLUSH_S)
            self._batch.add(self._reports.overdue(self._clock.monotonic_s()))
            self._batch.flush()

    def _tell(self, readings: Sequence[Reading]) -> None:
        self._batch.add(self._reports.offer(readings, self._clock.monotonic_s()))

    def _spool_changed(self, state: SpoolState) -> None:
        self.events.say(f"spool.{state}")
        self.uplink.say_health()

    def _clock_state(self) -> ClockState:
        return clock_state(self._clock.wall_ms(), self._latest_known_ms)
