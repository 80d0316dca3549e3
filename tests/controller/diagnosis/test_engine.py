"""The running engine: readings in, incidents kept; restarts lose none and raise none twice; acts follow their rules."""

import asyncio
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from lamplighter_contract.clock import ManualClock
from lamplighter_contract.commands.command import Operation
from lamplighter_contract.commands.states import CommandState
from lamplighter_contract.quantities import Kind
from lamplighter_controller.commands.model import CommandRequest
from lamplighter_controller.diagnosis.assembling import Places, assemble
from lamplighter_controller.diagnosis.desk import Who
from lamplighter_controller.diagnosis.diagnoser import Diagnoser
from lamplighter_controller.diagnosis.explain import explain
from lamplighter_controller.diagnosis.findings import Element, ElementKind
from lamplighter_controller.diagnosis.incidents.incident import State
from lamplighter_controller.diagnosis.leakage.protectors import TripTest
from lamplighter_controller.diagnosis.live.collector import Collector, Sight
from lamplighter_controller.diagnosis.settings import Settings
from lamplighter_controller.events import (
    CommandChanged,
    ElementReplaced,
    IncidentChanged,
    InventoryChanged,
    ReadingsStored,
)
from lamplighter_controller.series.port import Readings
from tests.controller.diagnosis.centre import LAMPS, STEP_MS, Centre, open_centre, supply

CIRCUIT_B = {name for name in LAMPS if name.startswith("l-b")}
BY = Who("user:li", "test")
SETTLING = 30


@pytest.fixture
async def centre(tmp_path: Path):
    async with open_centre(tmp_path) as opened:
        await opened.step(SETTLING)
        assert opened.classes() == []
        yield opened


async def until(condition, timeout_s: float = 10.0) -> None:
    async with asyncio.timeout(timeout_s):
        while not condition():
            await asyncio.sleep(0.01)


async def test_a_trip_is_one_incident_in_two_steps_kept_told_and_cleared_by_itself(centre: Centre) -> None:
    with centre.events.subscribe(IncidentChanged) as news:
        centre.unpowered = set(CIRCUIT_B)
        await centre.step(2)
        assert centre.classes() == [("feeder_trip", "k-b")]
        assert [(one.class_id, one.state) for one in await centre.kept()] == [("feeder_trip", State.RAISED)]
        centre.unpowered = set()
        await centre.step(3)
        assert centre.classes() == []
        told = [news.queue.get_nowait() for _ in range(news.queue.qsize())]
    assert [(one.class_id, one.state) for one in told if isinstance(one, IncidentChanged)] == [
        ("feeder_trip", "raised"),
        ("feeder_trip", "cleared"),
    ]


async def test_a_restart_in_the_middle_loses_nothing_and_raises_nothing_twice(tmp_path: Path) -> None:
    clock = ManualClock()
    async with open_centre(tmp_path, clock=clock) as centre:
        await centre.step(SETTLING)
        centre.unpowered = set(CIRCUIT_B)
        await centre.step(3)
        first = centre.of("feeder_trip")
    async with open_centre(tmp_path, clock=clock) as centre:
        assert [one.id for one in centre.open()] == [first.id]
        centre.unpowered = set(CIRCUIT_B)
        await centre.step(4)
        assert [one.id for one in await centre.kept()] == [first.id]
        centre.unpowered = set()
        await centre.step(3)
        assert centre.of("feeder_trip").state is State.CLEARED


async def test_what_was_stored_while_nobody_judged_is_judged_at_the_start(tmp_path: Path) -> None:
    clock = ManualClock()
    async with open_centre(tmp_path, clock=clock) as centre:
        await centre.step(SETTLING)
    async with open_centre(tmp_path, clock=clock) as centre:
        centre.unpowered, centre.storing = set(CIRCUIT_B), True
        for _ in range(4):
            clock.advance(STEP_MS / 1000)
            await centre.report(heard=False)
        clock.advance(STEP_MS / 1000)
        checkpoint = centre.engine
        checkpoint.keep = _nothing  # type: ignore[method-assign]  # killed: no checkpoint of this run
    async with open_centre(tmp_path, clock=clock) as centre:
        assert centre.classes() == [("feeder_trip", "k-b")]


async def _nothing() -> None:
    return


async def test_a_gateway_out_of_our_sight_is_no_fault_and_one_that_is_gone_is(centre: Centre) -> None:
    centre.sight = Sight.UNSEEN
    for _ in range(5):
        centre.clock.advance(STEP_MS / 1000)
        await centre.engine.step()
    assert centre.classes() == []
    centre.sight = Sight.GONE
    for _ in range(8):
        centre.clock.advance(STEP_MS / 1000)
        await centre.engine.step()
    assert centre.classes() == [("gw_down", "gw")]


async def test_a_gateway_that_tells_changes_only_makes_nobody_silent(tmp_path: Path) -> None:
    async with open_centre(tmp_path, settings=Settings(period_s=60)) as centre:
        await centre.step(SETTLING)
        centre.silent = {"l-a-01", "l-a-03", "l-a-06"}
        centre.clock.advance(60)
        await centre.report()
        for _ in range(14):  # three lamps of a feeder are silent, and nobody else has anything new to tell
            centre.clock.advance(60)
            await centre.engine.step()
        assert centre.classes() == [("node_comm", name) for name in sorted(centre.silent)]


async def test_what_comes_late_opens_an_incident_and_moves_no_lamp(tmp_path: Path) -> None:
    """A gateway that was away for a night tells of it in the morning."""
    async with open_centre(tmp_path, tests_all_day=True) as centre:
        await centre.step(SETTLING)
        begun_ms = centre.clock.civil_ms()
        centre.share = {"l-a-03": 0.03}
        nights = []
        for _ in range(8):
            centre.clock.advance(STEP_MS / 1000)
            nights.append(centre.readings())
        centre.share, centre.level = {}, 0.0
        await centre.step(2)
        assert centre.classes() == []
        for night in nights:
            for readings in night:
                centre.events.publish(ReadingsStored("gw", readings, live=False))
        await centre.step(3)
        (only,) = centre.open()
        assert (only.element.id, only.class_id) == ("l-a-03", "lamp_dead")
        assert begun_ms < only.onset_ms < begun_ms + 3 * STEP_MS
        assert centre.commands.taken == []


@pytest.mark.parametrize(("gauge", "told", "expected"), [(None, math.nan, None), (3.5, math.nan, 3.5), (0.0, 1.0, 1.0)])
async def test_a_leak_says_what_is_known_of_the_rain(
    tmp_path: Path, gauge: float | None, told: float, expected: float | None
) -> None:
    async with open_centre(tmp_path) as centre:
        centre.rain_told = told
        if gauge is not None:
            values = {"rain_mm_h": np.array([gauge])}
            now = np.array([centre.clock.civil_ms()])
            readings = Readings(Kind.SENSOR, ["gauge"], now, values, np.zeros(1, np.uint8))
            centre.events.publish(ReadingsStored("gw-1", readings, live=True))
        centre.leakage = {"l-c-04": 60.0}
        await centre.step(2)
        rain = next((one.value for one in centre.of("leak").evidence if one.name == "rain"), None)
        assert rain == expected


@pytest.mark.parametrize("isolates", [False, True])
async def test_a_leak_is_told_at_once_and_opened_by_itself_only_where_that_is_allowed(
    tmp_path: Path, isolates: bool
) -> None:
    async with open_centre(tmp_path, isolates=isolates) as centre:
        await centre.step(SETTLING)
        centre.leakage = {"l-c-04": 60.0}
        await centre.step(1)
        leak = centre.of("leak")
        assert (leak.element.id, leak.severity, leak.trip_ms > 0) == ("l-c-04", 5, True)
        assert leak.isolation is not None
        assert leak.isolation.circuits == ("k-c",)
        assert [one.op for one in centre.commands.taken] == ([Operation.SUPPLY_ISOLATE] if isolates else [])
        assert leak.isolation.state == ("sent" if isolates else "proposed")
        if isolates:
            centre.events.publish(CommandChanged("r-1", "c-1", "gw", CommandState.VERIFIED, ()))
            await until(lambda: getattr(centre.of("leak").isolation, "state", "") == "open")
            assert getattr(centre.of("leak").isolation, "text", "") == "open, 0 A; lock and test by hand"
            await centre.step()  # its contactor is read, and is closed
            await until(lambda: getattr(centre.of("leak").isolation, "state", "") == "closed")
            assert "live" in explain(centre.of("leak"), "en", "Asia/Shanghai")[-4]


async def test_an_isolation_that_is_refused_says_so(centre: Centre) -> None:
    centre.commands.refusing = True
    centre.leakage = {"l-c-04": 60.0}
    await centre.step(1)
    await centre.engine.isolate(centre.of("leak").id, BY)
    isolation = centre.of("leak").isolation
    assert isolation is not None
    assert isolation.state == "refused"
    assert "interlock" in isolation.text


async def test_a_doubtful_lamp_is_taken_through_its_levels_and_the_outcome_stands_in_the_incident(
    centre: Centre,
) -> None:
    centre.share = {"l-a-05": 0.02}
    await centre.step(6)
    (dead,) = centre.open()
    loop = asyncio.get_running_loop()

    def follow(wanted: CommandRequest) -> None:
        centre.level = float(wanted.args.get("level_percent", 100.0))
        centre.clock.advance(1)
        loop.call_soon(lambda: tasks.append(loop.create_task(centre.report())))

    tasks: list[asyncio.Task[None]] = []
    centre.commands.on_taken = follow
    await centre.engine.tester.approve(dead.id, BY)
    await until(lambda: centre.engine.desk.incident(dead.id).trials[-1].state != "running")  # type: ignore[union-attr]
    await asyncio.gather(*tasks)
    tested = centre.engine.desk.incident(dead.id)
    assert tested is not None
    assert (tested.trials[-1].state, len(tested.trials[-1].readings), tested.trip_ms > 0) == ("failed", 3, True)
    assert "test_power" in {line.name for line in tested.evidence}
    assert [one.op for one in centre.commands.taken][-1] is Operation.LIGHT_RESUME


async def test_a_test_that_is_refused_says_why_and_changes_nothing(centre: Centre) -> None:
    centre.share = {"l-a-05": 0.02}
    await centre.step(6)
    (dead,) = centre.open()
    centre.commands.refusing = True
    await centre.engine.tester.approve(dead.id, BY)
    await until(lambda: centre.engine.desk.incident(dead.id).trials[-1].state == "refused")  # type: ignore[union-attr]
    assert centre.classes() == [(dead.class_id, "l-a-05")]


async def test_a_replaced_part_ends_its_incident_and_is_learned_anew(centre: Centre) -> None:
    centre.share = {"l-a-05": 0.02}
    await centre.step(6)
    (dead,) = centre.open()
    centre.share = {"l-a-05": 0.7}  # another lamp of less power
    centre.events.publish(ElementReplaced((("lamp", "l-a-05"),), centre.clock.civil_ms()))
    await until(lambda: centre.open() == [])
    await centre.step(20)
    assert centre.classes() == []
    assert dead.id in {one.id for one in await centre.kept()}


async def test_lamps_in_a_window_raise_nothing(centre: Centre) -> None:
    now_ms = centre.clock.civil_ms()
    await centre.engine.desk.open_window([Element(ElementKind.CABINET, "cab")], now_ms, now_ms + 20 * STEP_MS, BY)
    centre.unpowered = set(CIRCUIT_B)
    await centre.step(5)
    assert centre.classes() == []
    centre.unpowered = set()
    await centre.step(25)
    assert centre.classes() == []


async def test_what_is_entered_in_the_inventory_counts_from_the_next_step_on(centre: Centre) -> None:
    places = centre.known.places
    moved = [replace(one, circuit="k-c", phase="c", feeder="f2") if one.id == "l-b-05" else one for one in places.lamps]
    centre.known = replace(centre.known, places=replace(places, lamps=moved))
    centre.events.publish(InventoryChanged("luminaires"))
    await centre.step()
    tree = centre.engine.desk.topology
    circuit = tree.feeder_circuit[tree.lamp_feeder[tree.row_of_lamp["l-b-05"]]]
    assert tree.circuits[circuit] == "k-c"


def test_what_was_learned_of_an_empty_city_is_no_obstacle() -> None:
    known = supply()
    diagnoser = Diagnoser(assemble(known.places), known.models)
    diagnoser.restore(Diagnoser(assemble(Places()), {}).export())
    assert len(diagnoser.silent) == len(LAMPS)


async def test_trip_tests_fall_due(centre: Centre) -> None:
    centre.clock.advance(91 * 24 * 3600)
    await centre.engine.step()
    assert centre.classes() == [("protector_bad", "rcd")]
    await centre.engine.desk.trip_tested("rcd", TripTest(centre.clock.civil_ms(), tripped=True), BY)
    centre.clock.advance(24 * 3600)
    await centre.engine.step()
    assert centre.classes() == []


def test_a_city_of_nothing_is_judged_too() -> None:
    topology = assemble(Places())
    assert Diagnoser(topology, {}).step(Collector(topology).drain(0.0, 1, {}), 1) == ()
