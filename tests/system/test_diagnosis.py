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
POLL_S = 8.0
SLACK = 2  # machines that run tests do other things as well
TOLD_S = 90.0
CLEARS_S = 90.0
LEARNS_S = 10 * POLL_S  # a quarter of it until lamps count as settled at a level, the rest to be known at it
NIGHT = datetime(2026, 1, 15, 19, 0, tzinfo=ZONE)
DAY_BEFORE = datetime(2026, 1, 15, 15, 30, tzinfo=ZONE)


@pytest.fixture(scope="module")
def street() -> Iterator[Diagnosed]:
    """Thirty lamps behind each breaker, lit; a third of them dimmed by hand."""
    with Diagnosed(NIGHT, rate=75, poll_s=POLL_S, lamps=3 * TRIPPED) as street:
        street.world.api.set_level(50, *street.lamps_of("circuit-01-c"), for_s=36_000)
        street.begun_s = time.monotonic()
        yield street


@pytest.fixture(scope="module")
def broken(street: Diagnosed) -> dict[str, str]:
    """Four lamps of two circuits that go wrong while the street is being learned: fault by lamp."""
    dead, leaking, silent, *_ = street.lamps_of("circuit-01-b")
    relay = street.lamps_of("circuit-01-c")[1]
    street.world.api.set_level(0, relay, for_s=36_000)
    time.sleep(2 * POLL_S)
    assert street.incidents() == []
    for lamp, kind in ((dead, "dead_lamp"), (leaking, "leak"), (silent, "silent"), (relay, "stuck_relay")):
        street.world.city.fault(kind, lamp, 40 if kind == "leak" else None)
    return {dead: "lamp_dead", leaking: "leak", silent: "node_comm", relay: "relay_stuck_on"}


def test_a_breaker_trip_of_thirty_lamps_is_one_incident_and_clears_by_itself(
    street: Diagnosed, broken: dict[str, str], record_property: Callable[[str, object], None]
) -> None:
    """It stands beside what else is told of the street; a quiet machine takes less than two polls."""
    assert len(street.lamps_of(CIRCUIT)) == TRIPPED
    street.world.city.fault("breaker_trip", CIRCUIT)
    took_s = street.wait_told({TRIP}, TOLD_S)
    record_property("seconds until the trip was told", round(took_s, 1))
    assert took_s <= SLACK * 2 * POLL_S
    street.world.city.mend(CIRCUIT)
    eventually(lambda: TRIP in street.told("cleared"), CLEARS_S, "the trip is over")
    lamps = {element for _, _, element in street.told()}
    assert lamps <= {CIRCUIT, *broken}, "nothing of single lamps came of it"


def test_five_faults_are_told_apart_and_outlive_the_controller(street: Diagnosed, broken: dict[str, str]) -> None:
    street.wait_told({(class_id, "lamp", lamp) for lamp, class_id in broken.items()}, 2 * TOLD_S)
    street.known_for(LEARNS_S)
    dim = street.lamps_of("circuit-01-c")[0]
    street.world.city.fault("stuck_level", dim)
    expected = {(class_id, "lamp", lamp) for lamp, class_id in (broken | {dim: "dim_fail"}).items()}
    street.wait_told(expected, 2 * TOLD_S)
    assert {one for one in street.told("raised") if one[1] == "lamp"} == expected
    before = {one["id"]: one["class"] for one in street.incidents("raised")}
    assert all(one["evidence"] and one["action"]["zh"] and one["part"]["en"] for one in street.incidents("raised"))
    street.restart_controller()
    time.sleep(2 * POLL_S)
    after = {one["id"]: one["class"] for one in street.incidents("raised")}
    assert after == before, "nothing is lost, and nothing is raised twice"


def test_a_leaking_circuit_is_opened_and_closed_again_only_by_the_person_on_site(
    street: Diagnosed, broken: dict[str, str]
) -> None:
    """Nothing is done without being asked; what is said is what contactor and current said."""
    api, circuit = street.world.api, "circuit-01-b"
    assert set(broken) & set(street.lamps_of(circuit))
    eventually(lambda: street.isolation(circuit)[0] == "proposed", 2 * TOLD_S, "proposed where nobody allowed more")
    api.ask("POST", f"/incidents/{street.leak(circuit)['id']}/isolate", json=WHY)
    eventually(lambda: street.isolation(circuit) == ("open", OPEN), TOLD_S, "opened, read back")
    known = {(one["class"], one["element"]["id"]) for one in street.incidents("raised")}
    time.sleep(2 * POLL_S)
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
