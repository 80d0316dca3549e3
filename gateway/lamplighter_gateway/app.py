"""Where the gateway's parts are put together and run; the only supervisor."""

import asyncio
import logging
import secrets
from collections.abc import Callable, Coroutine, Mapping, Sequence
from contextlib import AsyncExitStack
from enum import Enum
from functools import partial
from typing import Any

from lamplighter_contract.clock import Clock
from lamplighter_contract.ids import uuid7
from lamplighter_contract.light.carrying import Bus, buses_of
from lamplighter_contract.quantities import Kind
from lamplighter_contract.wire.documents import DeviceEntry
from lamplighter_contract.wire.topics import Down
from lamplighter_gateway import control
from lamplighter_gateway.about import VERSION, About
from lamplighter_gateway.buses import Buses, Served
from lamplighter_gateway.change.trial import Answers as Answering
from lamplighter_gateway.commands.answers import Answers
from lamplighter_gateway.commands.desk import CommandDesk
from lamplighter_gateway.commands.execution import Execution
from lamplighter_gateway.commands.journal import Journal
from lamplighter_gateway.commands.keys import Keys
from lamplighter_gateway.commands.own_work import OwnWork
from lamplighter_gateway.drivers.port import Driver, Reading, Sink
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
from lamplighter_gateway.readings import Readings, Reports
from lamplighter_gateway.safety.handover import HandoverDesk
from lamplighter_gateway.safety.work import SafetyWork
from lamplighter_gateway.settings import InForce, Settings
from lamplighter_gateway.spool.frames import SpoolState
from lamplighter_gateway.spool.spool import Spool
from lamplighter_gateway.trucks.room import TruckRoom
from lamplighter_gateway.uplink.uplink import Identity, Presence, Uplink
from lamplighter_gateway.watch import metrics
from lamplighter_gateway.watch.clock_trust import TimeSense
from lamplighter_gateway.watch.counters import Counters
from lamplighter_gateway.watch.patrol import Patrol
from lamplighter_gateway.watch.service_manager import ServiceManager

log = logging.getLogger(__name__)


class Ending(Enum):
    """Why `run` returned."""

    STOPPED = "stopped"
    RESTART = "restart"
    SWITCH = "switch"  # the launcher is to start another version


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
        self.clock = clock
        self.boot = uuid7(clock.wall_ms(), secrets.token_bytes(10))
        self.services: dict[str, Callable[[], Coroutine[Any, Any, None]]] = {}
        self.requests: dict[str, control.Handle] = {}
        self.shown: dict[str, Callable[[], object]] = {}
        self._ending = asyncio.get_running_loop().create_future()
        self._counters = Counters()
        self._time = TimeSense(clock)
        named = {entry.device: entry for entry in entries}
        self.registry = Registry(named, bus_of, make_drivers(self.sink), settings.buses)
        self.buses = Buses(self.registry)
        self.spool = Spool(settings.data, settings.limits, clock)
        self.journal = Journal(settings.data, clock)
        self.events = Events(self.spool, clock)
        self._readings = Readings(reports, self.spool, clock, self._time.doubts)
        self._trucks = TruckRoom(settings, self.registry, self.journal, self.spool, self.events, clock, self._time)
        self._trucks.attach(self.registry.drivers.values())
        self._answers = Answers(self.journal, self.spool)
        self.actuator = Actuator(self.registry, clock, settings.switching)
        self._switchings = SwitchNotes(self.journal, clock, settings.switching.day_s, self.actuator.switched_s)
        self.actuator.remember = self._switchings.keep
        self._about = About(
            settings,
            self.boot,
            self.registry,
            self.journal,
            self.spool,
            self._counters,
            clock,
            self._time.state,
            lambda: self._plans.version,
        )
        self.uplink = self._make_uplink(link)
        own = OwnWork(
            self.registry, self.actuator, self.spool, self.uplink.look_again, lambda: self.stop(Ending.RESTART)
        )
        self.operations = dict(own.operations())
        photocell = Photocell(settings.dusk)
        self._wanted = Wanted(self.registry.entries, self.journal, clock, self._time.trusted, photocell)
        self._execution = Execution(
            self.journal,
            self._answers,
            self.actuator,
            self._wanted.level,
            clock,
            self.operations,
            fault,
            self._trucks.work,
            self._make_safety(),
        )
        self._autonomy = Autonomy(
            self._wanted,
            self.journal,
            self.registry,
            self.actuator,
            clock,
            self._counters,
            self._execution.reached,
        )
        self._execution.autonomy = self._autonomy
        self.keys = Keys(settings.root_key, self.journal, self.events, self._counters, clock)
        self._desk = CommandDesk(
            settings.gateway,
            self.keys,
            self.registry.entries,
            self.journal,
            self._answers,
            self.events,
            self._counters,
            clock,
            self._execution.begin,
            clock_trusted=self._time.trusted,
            fault=fault,
        )
        self._plans = PlanDesk(
            settings.gateway,
            self.registry.entries,
            self.keys,
            self.journal,
            self._wanted,
            self.events,
            self._counters,
            self._plan_changed,
            Shows(self._carrying, clock, settings.rate).unfit,
        )
        handover = HandoverDesk(settings.gateway, self.keys, self.journal, self.events, self._handed_over)
        self.uplink.handlers |= {
            Down.HANDOVER: handover.take,
            Down.COMMAND: self._desk.take,
            Down.KEYS: self.keys.take,
            Down.PLAN: self._plans.take_plan,
            Down.SIGNAL: self._plans.take_signals,
        }
        self.local = LocalRequests(
            self.registry,
            self.journal,
            self.actuator,
            self._wanted.level,
            self.events,
            self.clock,
            self.status,
            self.requests,
        )

    def stop(self, ending: Ending = Ending.STOPPED) -> None:
        """Have `run` return soon."""
        if not self._ending.done():
            self._ending.set_result(ending)

    async def run(self, manager: ServiceManager | None = None) -> Ending:
        """Serve until `stop`, telling the service manager; polling and local requests need no uplink.

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
            closing.push_async_callback(self._trucks.close)
            await self._open_recorder()
            await self._serve_local(closing)
            return await self._run_services(manager or ServiceManager({}))

    async def _run_services(self, manager: ServiceManager) -> Ending:
        self._autonomy.came_round = manager.alive
        patrol = Patrol(
            self.registry,
            self.events,
            self.clock,
            self._autonomy.expected_silent,
            self._readings.tell,
            self.uplink.say_health,
        )
        async with asyncio.TaskGroup() as group:
            services = [
                group.create_task(work, name=name)
                for name, work in (
                    ("spool", self.spool.run()),
                    ("ledger", self.journal.run()),
                    ("events", self.events.run()),
                    ("keys", self.keys.run()),
                    ("results", self._answers.run()),
                    ("commands", self._execution.run()),
                    ("autonomy", self._autonomy.run()),
                    ("readings", self._readings.run()),
                    ("watch", patrol.run()),
                    ("buses", self.buses.run()),
                    ("uplink", self.uplink.run()),
                    *((name, work()) for name, work in {**self._trucks.services(), **self.services}.items()),
                )
            ]
            manager.ready()
            ending: Ending = await self._ending
            manager.stopping()
            for service in services:
                service.cancel()
        return ending

    async def _open_spool(self) -> None:
        aside = await self.spool.open()
        self._time.latest_known_ms = self.spool.newest_ms
        self.spool.on_state = self._spool_changed
        if aside is not None:
            self.events.say("spool.set_aside", file=aside.name)
        status = self.spool.status()
        log.info("%d frames wait in the spool, the next number is %d", status.waiting, status.next_seq)

    async def _open_journal(self) -> None:
        aside = await self.journal.open(clock_trusted=self._time.trusted())
        if aside is not None:
            self.events.say("ledger.set_aside", file=aside.name)
        await self.keys.open()
        await self._plans.open()
        await self._switchings.open()
        self._autonomy.refresh()
        self.events.say("gateway.started", boot=self.boot, version=VERSION)

    async def _open_recorder(self) -> None:
        aside = await self._trucks.open()
        if aside is not None:
            self.events.say("frames.set_aside", file=aside.name)

    async def _serve_local(self, closing: AsyncExitStack) -> None:
        await closing.enter_async_context(control.serve(self._settings.data, self.local.handle))
        if self._settings.metrics is None:
            return
        host, port = self._settings.metrics
        try:
            server = await metrics.serve(host, port, partial(self._about.metrics, self.uplink))
        except OSError as error:
            log.error("no metrics: %s:%d cannot be opened (%s)", host, port, error)  # noqa: TRY400 - a person's mistake, no trace wanted
        else:
            closing.callback(server.close)

    async def status(self) -> control.Answer:
        """Everything a person beside it, or far away, wants to see."""
        return await self._about.status(self.uplink) | {name: show() for name, show in self.shown.items()}

    def _make_safety(self) -> SafetyWork:
        holds = self.journal.holds
        holds.lamps_on = self._wanted.lamps_on
        self.actuator.forbids = holds.forbids
        return SafetyWork(holds, self.actuator, self._wanted.circuit_percent, self.clock)

    def _make_uplink(self, link: Link) -> Uplink:
        identity = Identity(self._settings.gateway, self.boot, self._settings.compress)
        presence = Presence(self._about.birth, self._about.devices, self._about.health_bytes)
        return Uplink(
            identity,
            link,
            self.spool,
            presence,
            self.clock,
            jitter=lambda: secrets.randbelow(1 << 20) / (1 << 20),
            counters=self._counters,
            timing=self._settings.timing,
        )

    async def serve(self, served: Served, reports: Reports, in_force: InForce) -> None:
        """Serve other devices from now on; buses that stay as they are notice nothing."""
        self._trucks.attach(served.new.values())
        await self.buses.serve(served)
        self._readings.reports = reports
        self._settings.config.number, self._settings.config.source = in_force.number, in_force.source
        self._wanted.refit()
        self._autonomy.refresh()
        self.uplink.say_birth(devices=True)

    @property
    def counters(self) -> Counters:
        """Things counted since the start."""
        return self._counters

    def answering(self, since_s: float) -> Answering:
        """What has answered since then."""
        return Answering(self.buses.answering(since_s), self.uplink.heard_s >= since_s)

    def _carrying(self) -> Sequence[Bus]:
        lamps = [entry for entry in self.registry.entries.values() if entry.kind is Kind.LAMP]
        return buses_of(self._settings.gateway, lamps, self.registry.buses)

    def sink(self, readings: Sequence[Reading]) -> None:
        """Where drivers bring their readings."""
        self.buses.hear(readings, self.clock.monotonic_s())
        self._autonomy.observe(readings)
        self._readings.tell(self._autonomy.with_desired(readings))

    async def _handed_over(self) -> None:
        self._autonomy.refresh()
        await self._plans.try_again()
        self.uplink.say_birth()

    def _plan_changed(self) -> None:
        self._autonomy.refresh()
        self.uplink.say_birth()

    def _flush(self) -> None:
        self._readings.flush()
        self.events.flush()

    def _spool_changed(self, state: SpoolState) -> None:
        self.events.say(f"spool.{state}")
        self.uplink.say_health()
