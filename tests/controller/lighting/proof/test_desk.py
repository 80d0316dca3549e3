"""A night of a small city worked out from what is stored; again, late, and while it lasts."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import date, time, timedelta
from pathlib import Path

import numpy as np
import pytest

from lamplighter_contract.clock import ManualClock
from lamplighter_contract.commands.command import Operation
from lamplighter_contract.commands.states import CommandState
from lamplighter_contract.light.plans.calendars import Calendar
from lamplighter_contract.light.plans.plan import Assignment, Circuit, Plan, encode_plan
from lamplighter_contract.light.plans.programs import Levels, Program, RoadClass, Step
from lamplighter_contract.light.sky.moments import ClockMoment
from lamplighter_contract.quality import Quality
from lamplighter_contract.quantities import Kind
from lamplighter_contract.wire.documents import DeviceEntry
from lamplighter_controller.commands import store as commands
from lamplighter_controller.commands.model import Order, Part, Request
from lamplighter_controller.events import ElementReplaced, Events, ReadingsStored
from lamplighter_controller.intake.alarms import Alarms
from lamplighter_controller.intake.journal import Journal
from lamplighter_controller.ledger.engine import Ledger
from lamplighter_controller.lighting import inventory as things
from lamplighter_controller.lighting import records as plan_records
from lamplighter_controller.lighting import store as inventory_store
from lamplighter_controller.lighting.desk import NotTaken, Who
from lamplighter_controller.lighting.proof.burning import Source
from lamplighter_controller.lighting.proof.desk import ProofDesk
from lamplighter_controller.lighting.proof.engine import QUIET_S, SETTLE_MS, ProofKeeper
from lamplighter_controller.lighting.proof.light.evidence import Sighting
from lamplighter_controller.lighting.proof.light.tally import By, Proof
from lamplighter_controller.lighting.proof.night_work import NightWork
from lamplighter_controller.lighting.proof.power.energy import Baseline, split, sums
from lamplighter_controller.lighting.proof.power.tariff import Hours, Tariff
from lamplighter_controller.lighting.scenes import store as scenes
from lamplighter_controller.lighting.scenes.scene import Cue, Scene
from lamplighter_controller.lighting.scenes.store import Showing
from lamplighter_controller.series.duck.store import DuckSeries
from lamplighter_controller.series.port import Readings, Series, SeriesUnavailable
from lamplighter_controller.series.settings import SeriesSettings
from lamplighter_controller.twin.columns import Twin
from tests.controller.ledgers import open_in
from tests.controller.lighting.proof.city import HOUR_MS, NOON_MS, at

NIGHT = date(2025, 11, 20)
WHO = Who("wang", "a test")
SPEAKING = [f"lamp-{number}" for number in range(1, 5)]
MUTE = [f"mute-{number}" for number in range(1, 5)]

FULL_THEN_HALF = Program(
    "half",
    Levels(100.0),
    begins=ClockMoment(time(18)),
    ends=ClockMoment(time(6)),
    steps=(Step(ClockMoment(time(0)), Levels(50.0)),),
)
PLAN = Plan(
    "gw-1",
    1,
    0,
    "Asia/Shanghai",
    36.65,
    117.12,
    programs=(FULL_THEN_HALF,),
    calendars=(Calendar("all", "half"),),
    circuits=(Circuit("loop-1", "all"),),
    assignments=(Assignment("all", RoadClass.MAIN, devices=tuple(SPEAKING)),),
)


def inventory(connection):
    def lamp(name, device, cabinet, road, circuit=None):
        return things.Luminaire(
            name, 36.65, 117.12, device=device, road=road, cabinet=cabinet, circuit=circuit, model="led-100"
        )

    for thing in (
        things.District("east", "历下"),
        things.Road("oak", RoadClass.MAIN, "橡树路", "east"),
        things.Road("elm", RoadClass.ALLEY, "榆树巷", "east"),
        things.Cabinet("cab-1", "no. 1", "account-1", "street"),
        things.Cabinet("cab-2", "no. 2", "account-2", "street"),
        things.Circuit("loop-1", "cab-2", calendar="all"),
        things.Model("led-100", 100.0, curve=("50:45", "100:100")),
    ):
        inventory_store.put(connection, [thing])
    inventory_store.put(connection, [lamp(f"l-{device}", device, "cab-1", "oak") for device in SPEAKING])
    inventory_store.put(connection, [lamp(name, None, "cab-2", "elm", "loop-1") for name in MUTE])


def plans(connection):
    number = plan_records.draft(connection, who="wang", reason="", time_ms=1).number
    plan_records.published(connection, number, {"gw-1": (1, encode_plan(PLAN))}, "wang", NOON_MS - 24 * HOUR_MS)


def readings(kind, device, points):
    """(hour, values) of one device."""
    names = dict.fromkeys(name for _, values in points for name in values)
    return Readings(
        kind,
        [device] * len(points),
        np.array([at(hour) for hour, _ in points], np.int64),
        {name: np.array([values.get(name, np.nan) for _, values in points]) for name in names},
        np.zeros(len(points), np.uint8),
    )


def quarters(first, last):
    return [float(hour) for hour in np.arange(first, last, 0.25)]


def lit(hour):
    return 6 <= hour < 18


def watts(hour):
    """By plan."""
    return (100.0 if hour < 12 else 45.0) if lit(hour) else 0.0


def lamp(device, dark=(), silent=()):
    """A lamp's day, with stretches in which it is dark or says nothing."""

    def within(hour, stretches):
        return any(begin <= hour < end for begin, end in stretches)

    return readings(
        Kind.LAMP,
        device,
        [
            (
                hour,
                {
                    "power_w": 2.0 if within(hour, dark) else watts(hour),
                    "burning_h": 100 + min(max(hour - 6, 0), 12),
                    "starts": 7 + (hour >= 6),
                },
            )
            for hour in quarters(-0.5, 24)
            if not within(hour, silent)
        ],
    )


def meter(device, power_w, standby_w=0.0):
    """A meter's register through the day, by what its lamps draw at each hour."""
    kwh, points = 5_000.0, []
    for hour in quarters(-1, 25.25):
        points.append((hour, {"energy_kwh": kwh, "power_w": power_w(hour) + standby_w}))
        kwh += (power_w(hour) + standby_w) * 0.25 / 1000
    return readings(Kind.CABINET, device, points)


@dataclass
class Town:
    ledger: Ledger
    series: Series
    clock: ManualClock
    desk: ProofDesk
    keeper: ProofKeeper
    alarms: Alarms
    events: Events

    async def figures(self, by=By.CITY):
        return {one.key: one for one in await self.desk.tallies(NIGHT, by)}

    async def everything(self):
        """All that is kept of the night."""
        listed = await self.desk.lamps(NIGHT, {}, None, 0, 100)
        tallies = [await self.desk.tallies(NIGHT, by) for by in By]
        return tallies, listed, await self.desk.energy(NIGHT, NIGHT), await self.desk.hours(None, 0, 100)

    def pass_to(self, hour):
        self.clock.advance((at(hour) - self.clock.civil_ms()) / 1000)


@pytest.fixture
async def ledger(tmp_path: Path) -> AsyncIterator[Ledger]:
    """One kind of ledger is enough here; `test_store` has both."""
    opened = await open_in(tmp_path)
    yield opened
    await opened.close()


@pytest.fixture
async def town(ledger, tmp_path: Path) -> AsyncIterator[Town]:
    """Four lamps that speak and four on a loop that do not, each four behind a meter; it is noon after the night."""
    series = await DuckSeries.open(tmp_path / "series.duckdb", SeriesSettings())
    twin, events = Twin(), Events()
    twin.adopt(
        "gw-1",
        [
            *(DeviceEntry(name, Kind.LAMP, "lamp-single", name) for name in SPEAKING),
            DeviceEntry("loop-1", Kind.CIRCUIT, "circuit-contactor", "loop-1"),
            *(DeviceEntry(name, Kind.CABINET, "cabinet-meter", name) for name in ("cab-1", "cab-2")),
        ],
    )
    await ledger.write(inventory)
    await ledger.write(plans)
    clock = ManualClock(at(25))
    alarms = Alarms(clock, events, Journal(ledger))
    desk = ProofDesk(NightWork(ledger, series, twin, clock, "Asia/Shanghai"))
    yield Town(ledger, series, clock, desk, ProofKeeper(desk, events, alarms), alarms, events)
    await series.close()


async def usual(town):
    """One lamp fails at midnight, one falls silent at 21:00; on the loop two of four are dark, and standby is 10 W."""
    cabinet = lambda hour: 3 * watts(hour) + (watts(hour) if hour < 12 else 0)  # noqa: E731 - reads best in place
    await town.series.write(
        [
            lamp("lamp-1"),
            lamp("lamp-2", dark=[(12, 18)]),
            lamp("lamp-3", silent=[(9, 24)]),
            lamp("lamp-4"),
            meter("cab-1", cabinet, standby_w=10.0),
            meter("cab-2", lambda hour: 200.0 if lit(hour) else 0.0),
        ]
    )


async def test_a_night_by_its_three_figures_and_the_list_behind_them(town: Town):
    await usual(town)
    night = await town.desk.work_out(NIGHT)
    assert night is not None
    assert night.over
    roads = await town.figures(By.ROAD)
    oak = roads["oak"]
    assert oak.required_ms == 48 * HOUR_MS
    silent_from = 8.75 + 1 / 3  # its last word holds for 20 minutes
    assert oak.own_ms == pytest.approx((12 + 12 + (silent_from - 6) + 12) * HOUR_MS)
    # Until midnight the meter shows that the silent lamp is lit; then one is known to be dark, and all is as expected.
    assert oak.lit_ms == pytest.approx((12 + 6 + 12 + 6) * HOUR_MS, abs=HOUR_MS / 4)
    assert oak.meter_ms == pytest.approx((12 - silent_from) * HOUR_MS, abs=HOUR_MS / 4)
    assert oak.dark_ms == 6 * HOUR_MS
    assert (oak.dark_lamps, oak.unknown_lamps) == (1, 1)
    assert oak.worst_percent < oak.reported_percent < oak.best_percent
    listed, total = await town.desk.lamps(NIGHT, {"road": "oak"}, None, 0, 10)
    assert (total, {one.lamp for one in listed}) == (2, {"l-lamp-2", "l-lamp-3"})
    failed = next(one for one in listed if one.lamp == "l-lamp-2")
    assert (failed.since_ms, failed.dark_ms, failed.proof) == (at(12), 6 * HOUR_MS, Proof.OWN_POWER)
    (dark,), _ = await town.desk.lamps(NIGHT, {"road": "oak"}, "dark_ms", 0, 10)
    assert dark == failed


def asked(number, op, device, hour, state=CommandState.VERIFIED, **args):
    """A level by hand that a gateway took at an hour."""
    request = Request(f"r-{number}", op, args, "WO-7", (), "wang", None, "", at(hour), at(hour) + 60_000)
    parts = {device: Part(device, state)}
    return request, Order(f"c-{number}", request, "gw-1", number, state, accepted=True, parts=parts)


async def test_what_was_put_out_by_hand_or_by_a_show_is_not_required(town: Town):
    """Dark from midnight to dawn: until 1:00 by a show, from 2:00 by an override that is ended at 5:00."""
    cues = (Cue(after_s=0, level_percent=0, devices=("lamp-2",)),)
    show = Showing("s-1", Scene("dark", cues, 7_200), at(12), at(14), "wang", "", 1, stopped_ms=at(13))
    off = asked(1, Operation.LIGHT_SET, "lamp-2", 14, level_percent=0, until=at(18))
    refused = asked(2, Operation.LIGHT_SET, "lamp-2", 13, CommandState.REJECTED, level_percent=0, until=at(18))
    resumed = asked(3, Operation.LIGHT_RESUME, "lamp-2", 17)

    def work(connection):
        scenes.add(connection, show)
        scenes.stop(connection, show.id, at(13))
        for request, order in (off, refused, resumed):
            commands.add(connection, request, [order])

    await town.ledger.write(work)
    await usual(town)
    await town.desk.work_out(NIGHT)
    oak = (await town.figures(By.ROAD))["oak"]
    assert oak.required_ms == pytest.approx((48 - 1 - 3) * HOUR_MS)
    assert oak.dark_ms == pytest.approx((6 - 1 - 3) * HOUR_MS)


async def test_lamps_without_controllers_are_bounded_by_their_meter(town: Town):
    await usual(town)
    await town.desk.work_out(NIGHT)
    elm = (await town.figures(By.ROAD))["elm"]
    assert elm.own_ms == 0
    assert elm.required_ms == 48 * HOUR_MS
    assert 0 < elm.lit_ms <= 24 * HOUR_MS  # two of four are lit; what the tolerances leave open is unknown
    assert 0 < elm.dark_ms <= 24 * HOUR_MS
    assert elm.meter_ms == pytest.approx(elm.lit_ms + elm.dark_ms)


@pytest.mark.parametrize("told_open", [True, False])
async def test_a_loop_that_is_told_open_leaves_the_meter_to_the_others(town: Town, told_open: bool):
    """Two lamps on an all-night loop, two on one that opens at midnight; what the meter proves of the first then."""
    twin = town.desk.work.twin
    loop = DeviceEntry("loop-2", Kind.CIRCUIT, "circuit-contactor", "loop-2")
    twin.adopt("gw-1", [*(entry for name in twin.served("gw-1") if (entry := twin.entry(name))), loop])
    await town.ledger.write(half_night_loop)
    await town.series.write([meter("cab-2", lambda hour: (400.0 if hour < 12 else 200.0) if lit(hour) else 0.0)])
    if told_open:
        closed = [(hour, {"contactor_closed": float(6 <= hour < 12)}) for hour in quarters(0, 24)]
        await town.series.write([readings(Kind.CIRCUIT, "loop-2", closed)])
    await town.desk.work_out(NIGHT)
    elm = (await town.figures(By.ROAD))["elm"]
    assert elm.required_ms == pytest.approx((2 * 12 + 2 * 6) * HOUR_MS)
    assert elm.lit_ms == pytest.approx((24 + (12 if told_open else 0)) * HOUR_MS)


def half_night_loop(connection):
    half = things.Circuit("loop-2", "cab-2", calendar="until-midnight")
    inventory_store.put(connection, [half])
    inventory_store.put(connection, [mute(name, "loop-2") for name in MUTE[2:]])
    until_midnight = Program("early", Levels(100.0), begins=ClockMoment(time(18)), ends=ClockMoment(time(0)))
    plan = Plan(
        "gw-1",
        2,
        0,
        "Asia/Shanghai",
        36.65,
        117.12,
        programs=(FULL_THEN_HALF, until_midnight),
        calendars=(Calendar("all", "half"), Calendar("until-midnight", "early")),
        circuits=(Circuit("loop-1", "all"), Circuit("loop-2", "until-midnight")),
        assignments=(Assignment("all", RoadClass.MAIN, devices=tuple(SPEAKING)),),
    )
    number = plan_records.draft(connection, who="wang", reason="", time_ms=1).number
    plan_records.published(connection, number, {"gw-1": (2, encode_plan(plan))}, "wang", NOON_MS - HOUR_MS)


def mute(name, circuit):
    return things.Luminaire(name, 36.65, 117.12, road="elm", cabinet="cab-2", circuit=circuit, model="led-100")


async def test_metered_energy_bill_and_saving(town: Town):
    await usual(town)
    tariff = Tariff("street", "2025-01-01", "CNY", {"day": 0.6}, (Hours("day", "00:00", "24:00"),))
    await town.desk.put_tariff(tariff, WHO)
    await town.desk.put_baseline(Baseline("HPS", dusk_deg=-0.833, dawn_deg=-0.833, former_w={"led-100": 250.0}), WHO)
    await town.desk.work_out(NIGHT)
    nights, missing, (one, two) = await town.desk.energy(NIGHT, NIGHT + timedelta(days=1))
    assert (nights, missing) == (1, [NIGHT + timedelta(days=1)])
    assert (one.account, two.account) == ("account-1", "account-2")
    assert one.metered == pytest.approx((4 * 600 + 3 * 6 * 45 + 24 * 10) / 1000)
    assert sum(used.kwh for used in one.bands) == pytest.approx(one.metered)
    assert one.gap_ms == 0
    assert one.planned == pytest.approx(4 * (600 + 270) / 1000)
    assert one.dark == pytest.approx(270 / 1000)
    assert one.standby == pytest.approx(12 * 10 / 1000)
    assert one.hours == pytest.approx(4.8)
    parts = split([one])
    assert parts.led == pytest.approx(one.base * 0.6)
    assert parts.unexplained == pytest.approx(12 * 10 / 1000)  # the drivers' standby while the others are lit
    assert two.planned == pytest.approx(4.8)  # a lamp without a controller is at full power whenever its loop is closed


async def test_worked_out_again_it_is_the_same_and_late_readings_change_it(town: Town):
    await usual(town)
    await town.desk.work_out(NIGHT)
    once = await town.everything()
    again = await town.desk.work_out(NIGHT)
    assert again is not None
    assert again.passes == 2
    assert await town.everything() == once
    assert not await ask_due(town)
    late = lamp("lamp-3")
    await town.series.write([late])
    await town.keeper.look()
    town.keeper.late(int(late.time_ms.min()), int(late.time_ms.max()))
    await town.keeper.look()
    assert await town.everything() == once  # more may follow: it waits until it is quiet
    town.clock.advance(QUIET_S)
    await town.keeper.look()
    oak = (await town.figures(By.ROAD))["oak"]
    assert (oak.unknown_ms, oak.lit_ms) == (0, 42 * HOUR_MS)


async def test_what_came_late_is_not_forgotten_by_a_restart(town: Town):
    await usual(town)
    await town.keeper.look()
    await town.desk.now_due([NIGHT])
    again = ProofKeeper(ProofDesk(town.desk.work), town.events, town.alarms)
    await again.look()
    assert [(night.passes, night.due) for night in await town.desk.nights(5)] == [(2, False)]


async def test_a_doubted_reading_of_a_meter_counts_for_nothing(town: Town):
    good = meter("cab-1", lambda hour: 400.0 if lit(hour) else 0.0)
    wild = readings(Kind.CABINET, "cab-1", [(12.1, {"energy_kwh": 9e6, "power_w": 9e6})])
    doubted = Readings(wild.kind, wild.device, wild.time_ms, wild.values, np.full(1, Quality.OUT_OF_RANGE, np.uint8))
    await town.series.write([good, doubted])
    await town.desk.work_out(NIGHT)
    one = (await town.desk.energy(NIGHT, NIGHT))[2][0]
    assert one.metered == pytest.approx(4.8)


async def test_what_a_meter_counted_in_days_of_silence_is_not_lost(town: Town):
    long_ago = readings(Kind.CABINET, "cab-1", [(-100, {"energy_kwh": 4_900.0}), (-80, {"energy_kwh": 4_950.0})])
    back = readings(Kind.CABINET, "cab-1", [(6, {"energy_kwh": 5_000.0}), (18, {"energy_kwh": 5_004.0})])
    await town.series.write([long_ago, back])
    await town.desk.work_out(NIGHT)
    one = (await town.desk.energy(NIGHT, NIGHT))[2][0]
    assert (one.metered, one.undated, one.gap_ms) == (4, 50, 12 * HOUR_MS)
    await town.desk.work_out(NIGHT + timedelta(days=1), even_empty=True)
    (total,) = sums((await town.desk.energy(NIGHT, NIGHT + timedelta(days=1)))[2][:1], "city")
    assert total.metered + total.undated == 54


async def test_prices_and_baseline_that_come_later_are_taken_up(town: Town):
    await usual(town)
    await town.keeper.look()
    (before, _) = (await town.desk.energy(NIGHT, NIGHT))[2]
    assert {used.band for used in before.bands} == {""}
    await town.desk.put_tariff(
        Tariff("street", "2025-01-01", "CNY", {"day": 0.6}, (Hours("day", "00:00", "24:00"),)), WHO
    )
    await town.desk.put_baseline(Baseline("HPS", "2025-11-01", former_w={"led-100": 250.0}), WHO)
    await town.keeper.look()
    (after, _) = (await town.desk.energy(NIGHT, NIGHT))[2]
    assert {used.band for used in after.bands} == {"day"}
    assert after.base == pytest.approx(before.base * 2.5)
    assert not await ask_due(town)


async def ask_due(town):
    night = await town.desk.night(NIGHT)
    return night is None or night.due


async def test_the_keeper_works_a_night_out_when_it_has_settled_and_again_when_meters_have_told_all(town: Town):
    town.clock.now_ms = at(24) + SETTLE_MS - 1
    await town.keeper.look()
    assert await town.desk.nights(5) == []
    town.clock.advance(1)
    await town.keeper.look()
    assert await town.desk.nights(5) == []  # nothing was ever read: nothing is told
    await usual(town)
    town.keeper.late(at(0), at(24))
    town.clock.advance(QUIET_S)
    await town.keeper.look()
    (night,) = await town.desk.nights(5)
    assert (night.day, night.passes, night.over) == (NIGHT, 1, True)
    await town.keeper.look()
    town.pass_to(48.6)
    await town.keeper.look()
    passes = {one.day: one.passes for one in await town.desk.nights(5)}
    assert passes[NIGHT] == 2
    await town.keeper.look()
    assert {one.day: one.passes for one in await town.desk.nights(5)} == passes


async def test_a_store_that_does_not_answer_is_told_once_and_made_good(town: Town, monkeypatch):
    await usual(town)

    async def fails(*_):
        raise SeriesUnavailable("made to fail")

    with monkeypatch.context() as patch:
        patch.setattr(town.series, "range", fails)
        await town.keeper.look()
        assert town.alarms.is_raised("proof")
    await town.keeper.look()
    assert not town.alarms.is_raised("proof")
    assert len(await town.desk.nights(5)) == 1


async def test_tonight_is_worked_out_as_far_as_it_has_come(town: Town):
    town.clock.now_ms = at(0.001)
    assert (await town.desk.night(NIGHT)) is not None  # a moment after noon there is nothing to say yet
    assert (await town.figures())["city"].worst_percent is None
    town.clock.now_ms = at(8)
    town.clock.advance(61)
    town.clock.now_ms -= 61_000
    early = [lamp(name) for name in SPEAKING]
    await town.series.write([select_before(one, at(8)) for one in early])
    night = await town.desk.night(NIGHT)
    assert night is not None
    assert not night.over
    oak = (await town.figures(By.ROAD))["oak"]
    assert (oak.required_ms, oak.lit_ms) == (8 * HOUR_MS, 8 * HOUR_MS)
    assert (await town.desk.energy(NIGHT, NIGHT))[2] == []
    assert await town.desk.night(NIGHT) == night
    town.clock.advance(61)
    assert await town.desk.night(NIGHT) != night


def select_before(one, time_ms):
    keep = one.time_ms < time_ms
    values = {name: column[keep] for name, column in one.values.items()}
    return Readings(one.kind, [one.device[0]] * int(keep.sum()), one.time_ms[keep], values, one.quality[keep])


async def test_hours_by_counter_and_summed_up(town: Town):
    await usual(town)
    plain = lamp("lamp-4")
    values = {"power_w": plain.values["power_w"]}
    await town.series.write([Readings(Kind.LAMP, ["lamp-9"] * len(plain.device), plain.time_ms, values, plain.quality)])
    town.desk.work.twin.adopt("gw-2", [DeviceEntry("lamp-9", Kind.LAMP, "lamp-single", "9", (), {}, 36.65, 117.12)])
    for _ in range(2):
        await town.desk.work_out(NIGHT)
    found, total = await town.desk.hours(None, 0, 100)
    by_lamp = {one.lamp: one for one in found}
    assert total == 5
    assert (by_lamp["l-lamp-1"].source, by_lamp["l-lamp-1"].shown_h, by_lamp["l-lamp-1"].shown_starts) == (
        Source.COUNTER,
        112,
        8,
    )
    assert (by_lamp["lamp-9"].source, by_lamp["lamp-9"].shown_h, by_lamp["lamp-9"].shown_starts) == (
        Source.INTEGRATED,
        12,
        1,
    )
    assert (await town.desk.hours("lamp-1", 0, 10))[0] == [by_lamp["l-lamp-1"]]


async def test_hours_of_a_replaced_part_are_counted_anew_whoever_told_of_it(town: Town):
    await usual(town)
    await town.desk.work_out(NIGHT)
    running = asyncio.create_task(town.keeper.run(), name="proof")

    async def hours() -> dict[str, float]:
        return {one.lamp: one.shown_h for one in (await town.desk.hours(None, 0, 100))[0]}

    before = await hours()
    assert before["l-lamp-1"] == 112
    try:
        async with asyncio.timeout(20):
            while await hours() == before:
                town.events.publish(
                    ElementReplaced((("lamp", "lamp-1"), ("circuit", "loop-1"), ("lamp", "no")), at(25))
                )
                await asyncio.sleep(0.01)
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
    assert await hours() == before | {"l-lamp-1": 0}
    burned = (await town.ledger.read(inventory_store.inventory)).burned["lamp-1"]
    assert (burned.hours, burned.since_ms, burned.whole_life) == (0, at(25), True), "so constant light begins anew, too"


async def test_a_lamp_no_plan_knows_is_due_while_nobody_sees_by_daylight(town: Town):
    town.desk.work.twin.adopt("gw-2", [DeviceEntry("lamp-9", Kind.LAMP, "lamp-single", "9", (), {}, 36.65, 117.12)])
    await town.desk.work_out(NIGHT, even_empty=True)
    nameless = (await town.figures(By.ROAD))[""]
    assert nameless.lamps == 1
    assert 12.5 < nameless.required_ms / HOUR_MS < 13.2  # below -6 degrees on that night
    assert nameless.unknown_ms == nameless.required_ms


async def test_a_plan_given_in_the_night_counts_from_then_on(town: Town):
    def later(connection):
        number = plan_records.draft(connection, who="wang", reason="", time_ms=1).number
        dark = Plan(
            "gw-1",
            2,
            0,
            "Asia/Shanghai",
            36.65,
            117.12,
            programs=(Program("off", Levels(0.0), dark_allowed=True),),
            calendars=(Calendar("all", "off"),),
            circuits=(Circuit("loop-1", "all"),),
            assignments=(Assignment("all", RoadClass.MAIN, devices=tuple(SPEAKING)),),
        )
        plan_records.published(connection, number, {"gw-1": (2, encode_plan(dark))}, "wang", at(10))

    await town.ledger.write(later)
    await town.desk.work_out(NIGHT, even_empty=True)
    assert (await town.figures(By.ROAD))["oak"].required_ms == 4 * 4 * HOUR_MS


async def test_what_a_patrol_saw(town: Town):
    await usual(town)
    await town.desk.work_out(NIGHT)
    before = (await town.figures(By.ROAD))["elm"]
    assert await town.desk.saw([Sighting("mute-1", at(8), lit=True), Sighting("nobody", at(8), lit=True)], WHO) == [
        (1, "nobody")
    ]
    assert await town.desk.saw([Sighting("mute-1", at(8), lit=True)], WHO) == []
    assert await ask_due(town)
    await town.keeper.look()
    after = (await town.figures(By.ROAD))["elm"]
    assert (before.patrol_ms, after.patrol_ms) == (0, HOUR_MS / 2)


async def test_only_nights_whose_readings_are_there_are_worked_out_by_hand(town: Town):
    with pytest.raises(NotTaken, match="only nights from 2025-11-07 to 2025-11-21"):
        await town.desk.again(date(2025, 11, 1), WHO)
    assert (await town.desk.again(NIGHT, WHO)).day == NIGHT


async def test_backlog_makes_a_night_due_and_live_readings_do_not(town: Town):
    one = lamp("lamp-1")
    with town.events.subscribe(ReadingsStored) as stored:
        town.events.publish(ReadingsStored("gw-1", one, live=True))
        town.events.publish(ReadingsStored("gw-1", one, live=False))
        assert stored.queue.qsize() == 2
    await usual(town)
    await town.keeper.look()
    town.keeper.late(int(one.time_ms.min()), int(one.time_ms.max()))
    town.clock.advance(QUIET_S)
    await town.keeper.look()
    assert [night.passes for night in await town.desk.nights(5)] == [2]
