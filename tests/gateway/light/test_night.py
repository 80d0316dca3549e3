"""Whole nights of a gateway that is left alone, on a clock moved by hand."""

import asyncio
from datetime import date

import pytest

from lamplighter_contract.clock import ManualClock
from lamplighter_contract.light.level import level
from lamplighter_contract.light.plans.plan import Circuit
from lamplighter_contract.light.preview import preview
from lamplighter_contract.light.view import View
from lamplighter_contract.quantities import Kind
from lamplighter_contract.wire.documents import DeviceEntry
from lamplighter_gateway.commands.journal import Journal
from lamplighter_gateway.drivers.port import BusStatus, Driver, Outcome, Point, ReadFailed, Reading, Written
from lamplighter_gateway.light.actuator import Actuator
from lamplighter_gateway.light.autonomy import Autonomy
from lamplighter_gateway.light.photocell import Dusk, Photocell
from lamplighter_gateway.light.reconcile import TOLERANCE_PERCENT
from lamplighter_gateway.light.registry import Registry
from lamplighter_gateway.light.switching import STEP_PERCENT, Switching
from lamplighter_gateway.light.wanted import Wanted
from lamplighter_gateway.watch.counters import Counters
from tests.gateway.fakes import MemoryBus, lamp_entry
from tests.gateway.plans import nights

LAMPS = tuple(f"lamp-{n}" for n in range(1, 5))
CIRCUIT = "circuit-1"
DAY = date(2026, 1, 15)
PASS_S = 1.0


class Street:
    """Lamps on one bus and a contactor on another, the loop over them, no uplink at all."""

    def __init__(self, folder, plan, limits=None):
        self.view = View(plan)
        self.clock = ManualClock(self.view.night(DAY).start_ms)
        self.bus = MemoryBus("bus-1", LAMPS, lambda _: None, self.clock)
        self.bus.levels.update(dict.fromkeys(LAMPS, 0.0))
        self.cabinet = Cabinet(self.clock)
        entries = {lamp: lamp_entry(lamp) for lamp in LAMPS}
        entries[CIRCUIT] = DeviceEntry(CIRCUIT, Kind.CIRCUIT, "circuit-contactor", "cab/240")
        bus_of = {**dict.fromkeys(LAMPS, "bus-1"), CIRCUIT: "cab"}
        drivers: dict[str, Driver] = {"bus-1": self.bus, "cab": self.cabinet}
        self.registry = Registry(entries, bus_of, drivers)
        self.journal = Journal(folder, self.clock)
        self.actuator = Actuator(self.registry, self.clock, limits or Switching(60))
        self.wanted = Wanted(entries, self.journal, self.clock, lambda: True, Photocell(Dusk()))
        self.wanted.follow(self.view)
        self.loop = Autonomy(
            self.wanted,
            self.journal,
            self.registry,
            self.actuator,
            self.clock,
            Counters(),
            self._reached,
        )

    async def _reached(self, device, source):
        pass

    async def look(self):
        """One poll of everything, and one pass of the loop."""
        lamps = [self.bus._reading(lamp) for lamp in LAMPS if lamp not in self.bus.silent]
        self.loop.observe([*lamps, self.cabinet.reading()])
        async with asyncio.TaskGroup() as writes:
            await self.loop.step(writes)

    async def at(self, time_ms):
        """Let the clock come to a moment, and look."""
        self.clock.advance((time_ms - self.clock.civil_ms()) / 1000)
        await self.look()


class Cabinet:
    """One contactor."""

    def __init__(self, clock):
        self.clock = clock
        self.closed = False
        self.writes = []

    def reading(self) -> Reading:
        return Reading(CIRCUIT, Kind.CIRCUIT, self.clock.civil_ms(), {"contactor_closed": self.closed})

    async def run(self):
        raise NotImplementedError

    async def read(self, device: str, timeout_s: float) -> Reading | ReadFailed:
        return self.reading()

    def status(self) -> BusStatus:
        raise NotImplementedError

    async def write(self, writes, applied, *, broadcast):
        self.writes += writes
        self.closed = bool(writes[-1].value)
        return [Written(CIRCUIT, Outcome.VERIFIED, "", self.reading())]


@pytest.fixture
async def street(tmp_path):
    made = Street(tmp_path, nights(*LAMPS, circuits=(Circuit(CIRCUIT, lamps=LAMPS),)))
    await made.journal.open()
    yield made
    await made.journal.close()


def near(percent, other, tolerance=TOLERANCE_PERCENT):
    return abs(percent - other) <= tolerance


async def test_every_lamp_follows_the_preview_within_one_pass(street):
    night = street.view.night(DAY)
    changes = {lamp: preview(street.view, lamp, DAY, {}, ()) for lamp in LAMPS}
    moments = sorted({change.start_ms for lamp in LAMPS for change in changes[lamp]})
    assert len(moments) >= 7, "on, dimmed by a ramp, full again by a ramp, off"
    for moment_ms in [*moments, night.end_ms - 1]:
        for time_ms in (moment_ms, moment_ms + 1_000, moment_ms + 10_000, moment_ms + 61_000):
            if time_ms <= street.clock.civil_ms():
                continue
            await street.at(time_ms)
            for lamp in LAMPS:
                wanted = level(street.view, lamp, time_ms, {}, ()).level_percent
                assert near(street.bus.levels[lamp], wanted, STEP_PERCENT), (lamp, time_ms)
    assert set(street.bus.levels.values()) == {0.0}


async def test_a_ramp_costs_few_writes_and_ends_where_it_should(street):
    changes = preview(street.view, LAMPS[0], DAY, {}, ())
    dims = next(change for change in changes if change.level.why.source == "step 1")
    await street.at(dims.start_ms - 1_000)
    await street.look()
    street.bus.writes.clear()
    for second in range(90):
        await street.at(dims.start_ms + 1_000 * second)
    assert near(street.bus.levels[LAMPS[0]], 60)
    assert len([write for write in street.bus.writes if write.device == LAMPS[0]]) <= 20


async def test_nothing_to_do_is_nothing_written(street):
    night = street.view.night(DAY)
    middle_ms = (night.start_ms + night.end_ms) // 2
    await street.at(middle_ms)
    assert len(street.bus.writes) == len(LAMPS)
    for second in range(1, 120):
        await street.at(middle_ms + 1_000 * second)
    assert len(street.bus.writes) == len(LAMPS)


async def test_a_contactor_closes_before_its_lamps_come_on_and_opens_after(street):
    on, off = (
        next(c for c in preview(street.view, LAMPS[0], DAY, {}, ()) if c.level.why.source == name).start_ms
        for name in ("begin", "after")
    )
    minute_ms = 60_000
    await street.at(on - 20 * minute_ms)
    assert not street.cabinet.closed
    await street.at(on - 10 * minute_ms)
    assert street.cabinet.closed
    assert [write.point for write in street.cabinet.writes] == [Point.CONTACTOR]
    assert street.bus.reads == [LAMPS[0]], "power is back: one lamp is asked at once, and the others found by it"
    assert set(street.loop.expected_silent()) == set()
    await street.at(off + 10 * minute_ms)
    assert street.cabinet.closed
    await street.at(off + 20 * minute_ms)
    assert not street.cabinet.closed
    assert set(street.loop.expected_silent()) == set(LAMPS)


@pytest.mark.parametrize("away_s", [15, 300, 7200])
async def test_lamps_that_were_away_at_dusk_get_their_level_when_they_are_back(street, away_s):
    dusk = next(c for c in preview(street.view, LAMPS[0], DAY, {}, ()) if c.level.why.source == "begin").start_ms
    await street.at(dusk - 10_000)
    street.bus.silent.update(LAMPS[:2])
    for second in range(away_s):
        await street.at(dusk + 1_000 * second)
    assert [street.bus.levels[lamp] > 0 for lamp in LAMPS] == [False, False, True, True]
    street.bus.silent.clear()
    for _ in range(10):
        await street.at(street.clock.civil_ms() + 1_000)
    assert all(street.bus.levels[lamp] >= 80 for lamp in LAMPS)


async def test_a_large_group_comes_on_one_after_the_other(tmp_path):
    street = Street(tmp_path, nights(*LAMPS), Switching(60, ons_per_s=1))
    await street.journal.open()
    dusk = next(c for c in preview(street.view, LAMPS[0], DAY, {}, ()) if c.level.why.source == "begin").start_ms
    lit = []
    for second in range(5):
        await street.at(dusk + 1_000 * second)
        lit.append(sum(percent > 0 for percent in street.bus.levels.values()))
    assert lit == [1, 2, 3, 4, 4]
    await street.journal.close()
