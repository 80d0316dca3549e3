"""The loop of diagnosis: what is stored is judged step by step, incidents follow, and acts follow them."""

import asyncio
import contextlib
import logging
import secrets
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from lamplighter_contract.clock import Clock
from lamplighter_contract.ids import uuid7
from lamplighter_contract.quantities import Kind
from lamplighter_controller.checkpoints import Checkpoints
from lamplighter_controller.diagnosis import store
from lamplighter_controller.diagnosis.desk import RULE, IncidentDesk, Who
from lamplighter_controller.diagnosis.findings import Element, ElementKind, Finding
from lamplighter_controller.diagnosis.incidents.incident import Incident, Isolation, State
from lamplighter_controller.diagnosis.incidents.windows import covered_lamps
from lamplighter_controller.diagnosis.leakage.protectors import overdue
from lamplighter_controller.diagnosis.live import history, isolating
from lamplighter_controller.diagnosis.live.city import FindSupply, Rules
from lamplighter_controller.diagnosis.live.collector import Collector, Sight
from lamplighter_controller.diagnosis.live.isolating import Commands
from lamplighter_controller.diagnosis.live.judge import Judge
from lamplighter_controller.diagnosis.live.late import Late, in_steps
from lamplighter_controller.diagnosis.live.levels import Levels
from lamplighter_controller.diagnosis.live.rain import Rain
from lamplighter_controller.diagnosis.live.testing import Tester
from lamplighter_controller.diagnosis.samples import Flags, Samples
from lamplighter_controller.diagnosis.settings import Settings
from lamplighter_controller.events import (
    CommandChanged,
    DevicesChanged,
    ElementReplaced,
    Events,
    IncidentChanged,
    InventoryChanged,
    ReadingsStored,
    Subscription,
)
from lamplighter_controller.ledger.engine import Ledger
from lamplighter_controller.ledger.errors import LedgerUnavailable
from lamplighter_controller.series.port import Readings, Series, SeriesUnavailable
from lamplighter_controller.twin.columns import Twin

log = logging.getLogger(__name__)

RETRY_S: Final = 2.0
LOOK_AROUND_S: Final = 900.0  # another controller on the same ledger tells nobody here that the inventory changed
DAY_MS: Final = 86_400_000
BY_RULE: Final = Who(RULE, "leakage: somebody may be in danger")


@dataclass(frozen=True, slots=True)
class Around:
    """What the engine stands on; `rain_told` is what is said of the weather in force, NaN = nothing."""

    ledger: Ledger
    series: Series
    twin: Twin
    events: Events
    commands: Commands
    clock: Clock
    find_supply: FindSupply
    sight: Callable[[str], Sight]
    rain_told: Callable[[], Awaitable[float]]


class Diagnosis:
    """Judges for ever; a restart goes on from the checkpoint, and judges what was stored meanwhile."""

    def __init__(self, around: Around, desk: IncidentDesk, judge: Judge, tester: Tester, rules: Rules) -> None:
        """Begin with nothing; `run` loads what there is. `diagnosis` makes one."""
        self.desk, self.tester = desk, tester
        self._around, self._judge, self._rules = around, judge, rules
        self._collector = Collector(judge.topology)
        self._late = Late(rules.step_ms)
        self._rain = Rain()
        self._replaced: set[Element] = set()
        self._moved = False
        self._looked_s = self._kept_s = around.clock.monotonic_s()
        self._tested_day = 0
        self.began = asyncio.Event()  # what was stored before has been judged

    async def run(self) -> None:
        """Take up where the last run ended, then step by step, for ever."""
        kinds = (ReadingsStored, DevicesChanged, InventoryChanged, ElementReplaced, CommandChanged, IncidentChanged)
        with self._around.events.subscribe(*kinds) as news:
            await self._begin()
            self.began.set()
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._listen(news), name="diagnosis-listen")
                tasks.create_task(self.tester.run(), name="diagnosis-tests")
                tasks.create_task(self._work(), name="diagnosis-steps")

    async def keep(self) -> None:
        """Write the checkpoint, at the end of a run too."""
        if self.desk.is_stored:
            await self._judge.keep()

    async def _begin(self) -> None:
        """Both stores may still be on their way."""
        while True:
            try:
                await self.desk.load()
                judged_ms = await self._judge.begin(await self._around.find_supply())
                self._follow_topology()
                await self._expect_heard()
                await self._catch_up(judged_ms)
            except (LedgerUnavailable, SeriesUnavailable) as error:
                log.info("diagnosis waits for its stores: %s", error)
                await asyncio.sleep(RETRY_S)
            else:
                return

    async def _expect_heard(self) -> None:
        """Lamps are there until their gateway says otherwise, although it tells of changes alone."""
        clock = self._around.clock
        for kind in self._collector.kinds:
            devices = await history.heard(self._around.series, kind, clock.civil_ms())
            self._collector.expect(kind, devices, clock.monotonic_s())

    async def _catch_up(self, judged_ms: int | None) -> None:
        """What was stored while nobody judged, as if it came now."""
        now_ms, now_s = self._around.clock.civil_ms(), self._around.clock.monotonic_s()
        if judged_ms is None or judged_ms >= now_ms:
            return
        steps = 0
        async for readings in history.since(self._around.series, self._judge.topology, judged_ms, now_ms):
            for samples, end_ms in in_steps(self._collector, readings, self._rules.step_ms, now_s):
                await self._judged(replace(samples, excused=self._excused(end_ms)), min(end_ms, now_ms))
                steps += 1
        log.info("%d steps since the last run have been judged", steps)

    async def _listen(self, news: Subscription) -> None:
        async for event in news:
            match event:
                case ReadingsStored(live=True):
                    self._collector.take(event.readings, self._around.clock.monotonic_s())
                    self._rain.take(event.readings)
                    await self._circuits_read(event.readings)
                case ReadingsStored():
                    self._late.take(event.readings)
                case DevicesChanged() | InventoryChanged():
                    self._moved = True
                case ElementReplaced(elements, time_ms):
                    await self._parts_replaced([Element(ElementKind(kind), name) for kind, name in elements], time_ms)
                case IncidentChanged(class_id="leak", state=State.CLOSED.value):
                    self._judge.leak_closed(Element(ElementKind(event.element_kind), event.element))
                case CommandChanged():
                    await self._command_changed(event)

    async def _work(self) -> None:
        while True:
            await asyncio.sleep(self._rules.step_s)
            await self.step()
            now_s = self._around.clock.monotonic_s()
            if now_s - self._kept_s >= self._rules.checkpoint_s:
                self._kept_s = now_s
                await self.keep()

    async def step(self) -> None:
        """Judge what came since the last step, then what came late, in the city as it is now."""
        with contextlib.suppress(LedgerUnavailable):  # the ledger says so itself, once
            await self._look_around()
        clock = self._around.clock
        now_ms = clock.civil_ms()
        topology = self._judge.topology
        sight = {name: self._around.sight(name) for name in topology.gateways}
        samples = self._collector.drain(clock.monotonic_s(), now_ms, sight, self._excused(now_ms))
        replaced, self._replaced = self._replaced, set()
        rain_mm_h = self._rain.mm_h(now_ms, await self._around.rain_told())
        rows = self._judge.rows(sorted(replaced))
        await self._judged(replace(samples, replaced=rows, rain_mm_h=rain_mm_h), now_ms)
        for late, end_ms in self._late.steps(topology):
            await self._judged(replace(late, excused=self._excused(end_ms)), min(end_ms, now_ms))
        with contextlib.suppress(LedgerUnavailable):
            await self._protectors(now_ms)

    async def _judged(self, samples: Samples, now_ms: int) -> None:
        findings = await self._judge.step(samples, now_ms)
        if samples.late:  # what is long past moves no lamp
            await self.desk.take(list(findings), now_ms)
        else:
            await self.acted(findings, now_ms)

    async def acted(self, findings: Iterable[Finding], now_ms: int) -> None:
        """Let incidents follow findings, and acts follow incidents."""
        for incident in await self.desk.take(list(findings), now_ms):
            self.tester.consider(incident, now_ms)
        for incident in self.desk.open():
            if _wants_isolation(incident):
                with contextlib.suppress(LedgerUnavailable):  # it is looked at again in the next step
                    await self._propose(incident, now_ms)

    async def _propose(self, incident: Incident, now_ms: int) -> None:
        """Isolation of a leaking circuit: by itself only where the cabinet lets it be."""
        isolation = isolating.proposed(self.desk.topology, incident, now_ms)
        if isolation is None:
            return
        if isolation.automatic:
            isolation = await isolating.isolate(self._around.commands, incident, isolation, BY_RULE.who, now_ms)
        await self.desk.isolation(incident.id, isolation, BY_RULE)

    async def isolate(self, identity: str, by: Who) -> Isolation | None:
        """Ask for the circuits of a leak to be opened; None when nothing is proposed for it.

        Raises:
            LedgerUnavailable: it may have been asked for and is not noted.
        """
        incident = self.desk.incident(identity)
        if incident is None or incident.isolation is None:
            return None
        now_ms = self._around.clock.civil_ms()
        isolation = await isolating.isolate(self._around.commands, incident, incident.isolation, by.who, now_ms)
        await self.desk.isolation(identity, isolation, by)
        return isolation

    async def _command_changed(self, event: CommandChanged) -> None:
        why = next((reason for _, _, reason in event.devices if reason), "")
        now_ms = self._around.clock.civil_ms()
        for incident in self.desk.open():
            isolation = incident.isolation
            if isolation is not None and isolation.request and isolation.request == event.request:
                await self._isolation_told(incident, isolating.followed(isolation, event.state, why, now_ms))

    async def _circuits_read(self, readings: Readings) -> None:
        if readings.kind is not Kind.CIRCUIT:
            return
        now_ms = self._around.clock.civil_ms()
        for incident in self.desk.open():
            if incident.isolation is not None:
                await self._isolation_told(incident, isolating.live_again(incident.isolation, readings, now_ms))

    async def _isolation_told(self, incident: Incident, isolation: Isolation) -> None:
        if isolation is not incident.isolation:
            with contextlib.suppress(LedgerUnavailable):
                await self.desk.isolation(incident.id, isolation, BY_RULE)

    async def _parts_replaced(self, elements: list[Element], time_ms: int) -> None:
        self._replaced |= {one for one in elements if one.kind is ElementKind.LAMP}
        await self.desk.replaced(elements, time_ms)

    async def _look_around(self) -> None:
        now_s = self._around.clock.monotonic_s()
        if not self._moved and now_s - self._looked_s < LOOK_AROUND_S:
            return
        self._moved, self._looked_s = False, now_s
        if await self._judge.moved(await self._around.find_supply()):
            self._follow_topology()

    def _follow_topology(self) -> None:
        topology, twin = self._judge.topology, self._around.twin
        self.desk.topology = topology
        self._collector = Collector(topology)
        for kind in self._collector.kinds:
            columns = twin.snapshot(kind)
            heard = [name for name, time_ms in zip(columns.ids, columns.time_ms.tolist(), strict=True) if time_ms > 0]
            self._collector.expect(kind, heard, self._around.clock.monotonic_s())
        self._collector.still_silent(self._judge.silent)

    def _excused(self, now_ms: int) -> Flags | None:
        """Lamps under a window in force; those in work are judged all the same, or nobody would see them mended."""
        elements = {element for window in self.desk.windows if window.holds(now_ms) for element in window.elements}
        return covered_lamps(self._judge.topology, elements) if elements else None

    async def _protectors(self, now_ms: int) -> None:
        """Once a day: protectors that the inventory has listed, and trip tests that are due."""
        if now_ms // DAY_MS == self._tested_day:
            return
        places = self._judge.supply.places.protectors
        await self._around.ledger.write(lambda connection: store.put_protectors(connection, places, now_ms))
        known = await self.desk.protectors()
        listed = {one.place.id: one.listed_ms for one in known}
        tests = {one.place.id: one.test for one in known if one.test is not None}
        self._tested_day = now_ms // DAY_MS
        await self.desk.take(list(overdue(listed, tests, now_ms)), now_ms)


def _wants_isolation(incident: Incident) -> bool:
    return (
        incident.class_id == "leak"
        and incident.isolation is None
        and incident.state in {State.RAISED, State.ACKNOWLEDGED}
        and not incident.withheld
    )


def diagnosis(around: Around, folder: Path, rules: Rules, settings: Settings, rate: float) -> Diagnosis:
    """The engine with all its parts; its checkpoint is kept in `folder`, civil time runs `rate` times as fast."""
    clock = around.clock
    desk = IncidentDesk(
        around.ledger, around.events, clock, rules, lambda: uuid7(clock.wall_ms(), secrets.token_bytes(10))
    )
    judge = Judge(Checkpoints(folder, "diagnosis"), settings)
    levels = Levels(around.commands, around.events, clock, rules.dwell_s, rate)
    return Diagnosis(around, desk, judge, Tester(desk, judge, levels, clock, rules), rules)
