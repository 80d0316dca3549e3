"""Diagnosis through the running system: simulated devices on Modbus and MQTT, gateway, broker, controller."""

import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

import pytest

from tests.system.world import ZONE
from tests.system.world_api import eventually
from tests.system.world_diagnosis import TRIPPED, WHY, Diagnosed

pytestmark = [pytest.mark.system, pytest.mark.timeout(420)]

CIRCUIT = "circuit-01-a"
OPEN = "open, 0 A; lock and test by hand"
TRIP = ("feeder_trip", "circuit", CIRCUIT)
POLL_S = 10.0
SLACK = 2  # machines that run tests do other things as well
LEARNS_S = 80.0
TOLD_S = 90.0
CLEARS_S = 90.0
NIGHT = datetime(2026, 1, 15, 19, 0, tzinfo=ZONE)
DAY_BEFORE = datetime(2026, 1, 15, 15, 30, tzinfo=ZONE)


@pytest.fixture(scope="module")
def street() -> Iterator[Diagnosed]:
    """Thirty lamps behind each breaker, lit, and known for a while."""
    with Diagnosed(NIGHT, rate=60, poll_s=POLL_S, lamps=3 * TRIPPED) as street:
        street.world.api.set_level(50, *street.lamps_of("circuit-01-c"), for_s=36_000)
        time.sleep(LEARNS_S)
        assert street.incidents() == []
        yield street


def test_a_breaker_trip_of_thirty_lamps_is_one_incident_and_clears_by_itself(
    street: Diagnosed, record_property: Callable[[str, object], None]
) -> None:
    """Two polls are 20 s; a quiet machine takes 13 to 15."""
    assert len(street.lamps_of(CIRCUIT)) == TRIPPED
    street.world.city.fault("breaker_trip", CIRCUIT)
    took_s = street.wait_told({TRIP}, TOLD_S)
    record_property("seconds until the trip was told", round(took_s, 1))
    assert took_s <= SLACK * 2 * POLL_S
    assert street.told() == {TRIP}
    street.world.city.mend()
    eventually(lambda: street.told("cleared") == {TRIP}, CLEARS_S, "the trip is over")
    assert street.told() == {TRIP}, "nothing of single lamps came of it"


def test_five_faults_are_told_apart_and_outlive_the_controller(street: Diagnosed) -> None:
    city, api = street.world.city, street.world.api
    dead, leaking, silent, *_ = street.lamps_of("circuit-01-b")
    dim, off = street.lamps_of("circuit-01-c")[:2]
    api.set_level(0, off, for_s=36_000)
    for kind, lamp in (
        ("dead_lamp", dead),
        ("leak", leaking),
        ("silent", silent),
        ("stuck_level", dim),
        ("stuck_relay", off),
    ):
        city.fault(kind, lamp, 40 if kind == "leak" else None)
    expected = {
        ("lamp_dead", "lamp", dead),
        ("leak", "lamp", leaking),
        ("node_comm", "lamp", silent),
        ("dim_fail", "lamp", dim),
        ("relay_stuck_on", "lamp", off),
    }
    street.wait_told(expected, 2 * TOLD_S)
    assert {one for one in street.told("raised") if one[1] == "lamp"} == expected
    before = {one["id"]: one["class"] for one in street.incidents("raised")}
    assert all(one["evidence"] and one["action"]["zh"] and one["part"]["en"] for one in street.incidents("raised"))
    street.restart_controller()
    time.sleep(3 * POLL_S)
    after = {one["id"]: one["class"] for one in street.incidents("raised")}
    assert after == before, "nothing is lost, and nothing is raised twice"


def test_a_leaking_circuit_is_opened_and_closed_again_only_by_the_person_on_site(street: Diagnosed) -> None:
    """Nothing is done without being asked; what is said is what contactor and current said."""
    api, circuit = street.world.api, "circuit-01-b"
    behind = street.lamps_of(circuit)
    street.world.city.fault("leak", behind[1], 60)
    eventually(lambda: street.isolation(circuit)[0] == "proposed", 2 * TOLD_S, "proposed where nobody allowed more")
    api.ask("POST", f"/incidents/{street.leak(circuit)['id']}/isolate", json=WHY)
    eventually(lambda: street.isolation(circuit) == ("open", OPEN), TOLD_S, "opened, read back")
    known = {(one["class"], one["element"]["id"]) for one in street.incidents("raised")}
    time.sleep(3 * POLL_S)
    assert {(one["class"], one["element"]["id"]) for one in street.incidents("raised")} <= known, "open is not silent"
    assert street.isolation(circuit) == ("open", OPEN), "the plan does not close it"
    confirmation = {"confirmation": "li: insulation measured, nobody at it"}
    request = api.command("supply.restore", circuit, args=confirmation)["request"]
    assert api.ended(request)["state"] == "verified"
    eventually(lambda: street.isolation(circuit)[0] == "closed", TOLD_S, "the contactor says that it is live")


def test_a_night_of_dimming_with_overrides_and_a_scene_raises_nothing() -> None:
    """Some lamps follow their program, some an override, some a scene that some of them play."""
    with Diagnosed(DAY_BEFORE, rate=480, poll_s=2, lamps=18) as street:
        api = street.world.api
        overridden, playing = (street.lamps_of(circuit) for circuit in ("circuit-01-b", "circuit-01-c"))
        street.pass_civil(4 * 60)
        api.set_level(55, *overridden, for_s=3 * 3600)
        cues = [{"after_s": 0, "level_percent": 60}, {"after_s": 2400, "level_percent": 90, "ramp_s": 300}]
        body = {"cues": [{**cue, "devices": playing} for cue in cues], "length_s": 5400, "name": "light show"}
        api.ask("PUT", "/scenes/show", json={**WHY, "body": body})
        api.ask("POST", "/scenes/show/start", json=WHY)
        levels: set[int] = set()
        end = DAY_BEFORE + timedelta(hours=16, minutes=30)
        while api.civil_ms() < end.timestamp() * 1000:
            levels |= {round(level) for level in street.world.city.levels().values()}
            time.sleep(1)
        assert {0, 55, 60, 90, 100} <= levels
        assert street.incidents("raised", "cleared", "closed") == []
