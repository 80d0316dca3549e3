"""One midsummer night at 240 civil seconds a second, without its centre, on real brokers and wires.

The night takes as long as it takes; what needs the centre happens beside it, in a city of its own.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta

import pytest

from lamplighter_contract.commands.states import CommandState
from tests.system.world_api import eventually
from tests.system.world_night import Night, Watch, Watcher, at, ms
from tests.system.world_programs import Gateway

pytestmark = [pytest.mark.system, pytest.mark.timeout(420)]

SLACK = 3  # machines that run tests do other things as well
FOLLOWS_S = 3.0
BACK_S = 10.0
NEWS_S = 60.0

DAY = "2026-06-20"
NEXT = "2026-06-21"
BEGINS = at(f"{DAY} 14:50")
CENTRE_DIES = at(f"{DAY} 16:00")
DUSK = at(f"{DAY} 19:24")
BOX_DIES = at(f"{DAY} 21:00")
SAVING_BEGINS = at(f"{DAY} 23:30")
SHOW_BEGINS = at(f"{NEXT} 00:10")
SHOW_LENGTH_S = 3_000
MORNING = at(f"{NEXT} 02:35")  # lamps go off at 02:32
MINUTE_MS = 60_000
STALE = [*range(61, 81)]  # percent, each an override of its own; none below a floor, that would need a second person


Record = Callable[[str, object], None]


@dataclass(frozen=True, slots=True)
class Alone:
    """A night whose centre is gone, and who watches it."""

    night: Night
    watcher: Watcher


@pytest.fixture(scope="module", autouse=True)
def alone() -> Iterator[Alone]:
    """Two gateways under a plan, one with a show ahead and its contactors planned; nobody above them since 16:00."""
    with Night(BEGINS) as night:
        ramp = {"after_s": 1500, "level_percent": 80, "ramp_s": 120}  # between two levels of their program
        night.show("gw-1", SHOW_BEGINS, SHOW_LENGTH_S, {"after_s": 0, "level_percent": 30}, ramp)
        night.add_circuits("gw-1")
        night.wait_until(CENTRE_DIES)
        night.kill_the_centre()
        with night.watched() as watcher:
            yield Alone(night, watcher)


def followed(seen: Watch) -> None:
    """Every lamp was where its plan wanted it, but for moments."""
    assert seen.late_s <= SLACK * FOLLOWS_S, seen.latest


def test_stale_overrides_never_act_on_a_lamp_that_was_away_for_two_hours(record_property: Record) -> None:
    with Night(at(f"{DAY} 21:15"), gateways=1) as city:
        world = city.world
        away = [f"lamp-{number}-001" for number in ("01", "02", "03")]  # one on each wire
        assert [world.city.lamp(lamp).level_percent for lamp in away] == [100.0] * 3
        for lamp in away:
            world.city.fault("silent", lamp)
        back = city.now + timedelta(hours=2)
        requests = [world.api.set_level(percent, *away, for_s=60 * percent) for percent in STALE]
        newest = world.api.ended(requests[-1])
        assert newest["state"] == CommandState.UNCONFIRMED, newest
        city.wait_until(back)
        assert city.now > SAVING_BEGINS
        before = len(world.city.writes())
        world.city.mend()
        begun_s = time.monotonic()
        eventually(
            lambda: all(world.city.lamp(lamp).level_percent == 50 for lamp in away), SLACK * BACK_S, "the plan's level"
        )
        took_s = time.monotonic() - begun_s
        record_property("back_s", round(took_s, 1))
        assert took_s <= BACK_S
        taken = {(write.device, write.value) for write in world.city.writes()[before:] if write.device in away}
        assert taken == {(lamp, 50) for lamp in away}


def test_a_gateway_killed_in_the_night_changes_no_level(alone: Alone) -> None:
    night, box = alone.night, alone.night.world.gateway(2)
    lamps = set(night.world.city.lamps("gw-2"))
    if night.now_ms < ms(BOX_DIES):
        night.wait_until(BOX_DIES)
    before = night.world.city.levels()
    assert {before[lamp] for lamp in lamps} <= {100.0, 50.0}
    written = len(night.world.city.writes())
    box.kill()
    box.start()
    eventually(lambda: _reads_all(box), NEWS_S, "every bus is read again")
    night.wait_until(night.now + timedelta(minutes=20))  # five looks of the loop at the least
    assert not box.ask("status")["uplink"]
    assert {write.device for write in night.world.city.writes()[written:]}.isdisjoint(lamps)
    assert {lamp: before[lamp] for lamp in lamps} == {lamp: night.world.city.levels()[lamp] for lamp in lamps}


def _reads_all(box: Gateway) -> bool:
    buses = box.ask("status")["buses"]
    return all(bus["connected"] and not bus["silent"] and (bus["cycle_s"] or bus["wire"] == "mqtt") for bus in buses)


def test_by_day_contactors_are_open_and_close_before_dusk(alone: Alone) -> None:
    circuits = {circuit.id for circuit in alone.night.circuits("gw-1")}
    moves = [write for write in alone.night.world.city.writes() if write.what == "contactor_closed"]
    assert {(write.device, write.value) for write in moves if write.civil_ms < ms(DUSK) - MINUTE_MS * 30} == {
        (circuit, 0.0) for circuit in circuits
    }
    closed = [write for write in moves if write.value]
    assert {write.device for write in closed} == circuits
    assert all(ms(DUSK) - 20 * MINUTE_MS < write.civil_ms < ms(DUSK) for write in closed)


def test_every_lamp_follows_its_plan_and_its_show_all_night(alone: Alone, record_property: Record) -> None:
    night, seen = alone.night, alone.watcher.seen
    night.wait_until(MORNING)
    city = night.world.city
    eventually(lambda: set(city.levels().values()) == {0.0}, SLACK * FOLLOWS_S, "every lamp is off")
    assert alone.watcher.is_alive()
    assert seen.looks > 300
    record_property("late_s", round(seen.late_s, 2))
    followed(seen)
    assert all({0, 30, 50, 80, 100} <= seen.levels[lamp] for lamp in city.lamps("gw-1"))
    assert all({0, 50, 100} <= seen.levels[lamp] for lamp in city.lamps("gw-2"))
    assert not any({30, 80} & seen.levels[lamp] for lamp in city.lamps("gw-2")), "the show was not theirs"


def test_no_lamp_moves_when_the_centre_comes_back(alone: Alone) -> None:
    night = alone.night
    written = len(night.world.city.writes())
    night.bring_back_the_centre()
    night.world.meet_controller()
    night.world.wait_for_news(["gw-2"], within_s=NEWS_S)
    online = "the other gateway, whose lamps have no power by day, is there"
    eventually(lambda: night.world.api.get("/gateways/gw-1")["online"], NEWS_S, online)
    moved = [write for write in night.world.city.writes()[written:] if write.what != "contactor_closed"]
    assert moved == [], "contactors open after dawn, centre or not"
    followed(alone.watcher.seen)
    told = night.world.api.get("/gateways/gw-1/events", limit=200)["items"]
    assert not [one for one in told if one["event"] == "device.silent"], "dead by plan is off, not silent"


def test_a_gateway_that_lost_its_plan_and_sees_no_sky_gives_full_light(alone: Alone) -> None:
    world, box = alone.night.world, alone.night.world.gateway(2)
    lamps = world.city.lamps("gw-2")
    for cabinet in world.city.plan.cabinets:
        world.city.fault("silent", cabinet.id)
    world.broker.kill()
    box.kill()
    for file in box.data.glob("desired.db*"):
        file.unlink()
    box.start()
    eventually(lambda: {world.city.levels()[lamp] for lamp in lamps} == {100.0}, NEWS_S, "full light")
