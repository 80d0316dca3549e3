"""Trucks on the road graph: how they move, work and offend."""

import itertools
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lamplighter_firmware_sim.errors import UnknownTargetError
from lamplighter_firmware_sim.trucks.fleet import PlaceKind, Tracker, build_fleet
from lamplighter_firmware_sim.trucks.offences import Offence, script
from lamplighter_firmware_sim.trucks.roads import Roads, nearest
from lamplighter_firmware_sim.trucks.traffic import Traffic
from lamplighter_firmware_sim.trucks.vehicle import HIGHEST_DEG, ROLL_KMH_PER_S
from tests.firmware_sim.trucks.fleets import JINAN, MORNING_MS, fleet, on_the_road, run


def drive(traffic, minutes, each_s=10):
    """Let time pass; yields after each step."""
    for _ in range(round(minutes * 60 / each_s)):
        traffic.step(traffic.civil_ms + each_s * 1000)
        yield traffic


def test_the_sample_fleet_has_124_trucks_of_8_companies_and_is_the_same_each_time():
    found = build_fleet(JINAN, 1)
    assert (len(found.trucks), len(found.companies)) == (124, 8)
    assert found == build_fleet(JINAN, 1)
    assert len({truck.plate for truck in found.trucks}) == len({truck.phone for truck in found.trucks}) == 124
    assert {truck.tracker for truck in found.trucks} == set(Tracker)
    assert {truck.company for truck in found.trucks} == {company.id for company in found.companies}


@given(
    st.tuples(st.floats(-7000, 7000), st.floats(-7000, 7000)), st.tuples(st.floats(-7000, 7000), st.floats(-7000, 7000))
)
def test_a_way_leads_from_one_point_to_the_other_without_a_hole(start, end):
    legs = Roads().way(start, end)
    assert all(a.end == b.start for a, b in itertools.pairwise(legs))
    if legs:
        assert math.dist(legs[0].start, start) == 0
        assert math.dist(legs[-1].end, end) == 0


def test_honest_ways_go_round_what_is_closed():
    found = fleet()
    [old_town] = found.of(PlaceKind.NO_GO)
    closed = nearest(old_town.point)
    legs = found.roads().way((-600.0, 600.0), (1800.0, 600.0))
    assert closed not in {nearest(leg.end) for leg in legs}


@given(st.integers(10, 50), st.integers(1, 90))
def test_a_limit_takes_torque_and_never_brakes(limit_kmh, after_s):
    vehicle = run(on_the_road(), after_s)
    vehicle.limit_kmh = float(limit_kmh)
    for _ in range(60):
        before = vehicle.speed_kmh
        vehicle.step(1.0)
        assert before - vehicle.speed_kmh <= ROLL_KMH_PER_S + 1e-9
    assert vehicle.speed_kmh <= max(limit_kmh, before)


def test_a_lift_limit_keeps_a_flat_body_down_and_lets_a_raised_one_be_lowered():
    vehicle = on_the_road()
    vehicle.lift_limited = True
    vehicle.lever(HIGHEST_DEG)
    assert run(vehicle, 10).lift_deg == 0
    vehicle.lift_limited = False
    vehicle.lever(HIGHEST_DEG)
    run(vehicle, 10)
    vehicle.lift_limited = True
    vehicle.lever(0.0)
    assert run(vehicle, 30).lift_deg == 0


def test_loads_are_brought_to_grounds_and_nowhere_else():
    traffic = Traffic(fleet(trucks=12), MORNING_MS, per_truck_day=0.0)
    slid: set[PlaceKind | None] = set()
    before = [driver.vehicle.load for driver in traffic.drivers]
    for _ in drive(traffic, 180):
        for number, driver in enumerate(traffic.drivers):
            if driver.vehicle.load < before[number] and driver.vehicle.raised:
                inside = [spot.kind for spot in traffic.fleet.spots if spot.holds(driver.vehicle.point)]
                slid.update(inside or [None])
            before[number] = driver.vehicle.load
    assert slid == {PlaceKind.GROUND}
    assert sum(driver.trips for driver in traffic.drivers) >= 12


@pytest.mark.parametrize("offence", Offence)
def test_an_offence_that_is_ordered_happens(offence):
    traffic = Traffic(fleet(trucks=1), MORNING_MS, per_truck_day=0.0)
    traffic.offend("truck-001", offence)
    [driver] = traffic.drivers
    vehicle = driver.vehicle
    [old_town] = traffic.fleet.of(PlaceKind.NO_GO)
    seen = {
        Offence.OVERSPEED: lambda: vehicle.speed_kmh > 70,
        Offence.COVER_OPEN: lambda: vehicle.cover_open and vehicle.load > 0.5 and vehicle.speed_kmh > 20,
        Offence.LIFT_IN_MOTION: lambda: vehicle.raised and vehicle.speed_kmh > 20,
        Offence.DUMP_OUTSIDE: lambda: vehicle.raised and not any(s.holds(vehicle.point) for s in traffic.fleet.spots),
        Offence.NO_GO: lambda: old_town.holds(vehicle.point),
        Offence.OFF_ROUTE: lambda: driver.detour is None and vehicle.load > 0.5,
    }[offence]
    assert any(seen() for _ in drive(traffic, 240, each_s=2))


def test_the_script_is_the_same_each_time_and_as_dense_as_told():
    hour_ms = 3_600_000
    runs = [
        list(
            itertools.takewhile(lambda one: one.civil_ms < MORNING_MS + 240 * hour_ms, script(fleet(), MORNING_MS, 1.0))
        )
        for _ in range(2)
    ]
    assert runs[0] == runs[1]
    assert len(runs[0]) == pytest.approx(100, abs=35)
    traffic = Traffic(fleet(), MORNING_MS, per_truck_day=24.0)
    for _ in drive(traffic, 30):
        pass
    assert traffic.offended


def test_a_truck_that_is_not_there_is_named():
    with pytest.raises(UnknownTargetError, match="truck-999"):
        Traffic(fleet(), MORNING_MS).offend("truck-999", Offence.OVERSPEED)
