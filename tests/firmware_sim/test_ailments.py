import numpy as np
import pytest

from lamplighter_firmware_sim.faults.kinds import KINDS
from lamplighter_firmware_sim.scenario import Scenario
from lamplighter_firmware_sim.simulation import LampState, Simulation
from tests.firmware_sim.conftest import civil_ms

NIGHT = civil_ms("2025-11-20 22:00")
MINUTE = 60_000
HOUR = 60 * MINUTE


@pytest.fixture
def city(small: Scenario) -> Simulation:
    simulation = Simulation(small, NIGHT)
    simulation.step(NIGHT + MINUTE, 60)
    return simulation


def first(city: Simulation, technology: str) -> str:
    return next(lamp.id for lamp in city.city.lamps if lamp.model.technology == technology and lamp.cabinet == 0)


def ails(city: Simulation, kind: str, target: str, value: float | None = None, minutes: float = 5) -> None:
    city.faults.add(kind, target, value=value)
    city.step(NIGHT + MINUTE + round(minutes * MINUTE), 60 + minutes * 60)


def registers(city: Simulation, lamp: str) -> list[int]:
    return [int(one) for one in city.bank.lamps[city.city.places[lamp][1]]]


def before_and_after(city: Simulation, kind: str, lamp: str, value: float | None = None) -> tuple[LampState, LampState]:
    before = city.lamp(lamp)
    ails(city, kind, lamp, value)
    return before, city.lamp(lamp)


@pytest.mark.parametrize(
    ("kind", "technology", "value", "low", "high"),
    [
        ("strings_open", "led", 30, 0.69, 0.71),
        ("strings_shorted", "led", 8, 0.91, 0.93),
        ("open_relay", "led", None, 0, 0),
        ("dead_driver", "led", None, 0.005, 0.02),
        ("bad_gear", "hps", 12, 0.03, 0.06),
        ("dead_capacitor", "hps", None, 0.98, 1.02),
        ("hot", "led", None, 0.86, 0.9),
    ],
)
def test_what_the_lamp_draws(city, kind, technology, value, low, high):
    before, after = before_and_after(city, kind, first(city, technology), value)
    assert low <= after.power_w / before.power_w <= high


def test_without_its_capacitor_a_lamp_draws_idle_current(city):
    before, after = before_and_after(city, "dead_capacitor", first(city, "hps"))
    assert after.current_a > 1.6 * before.current_a


def test_a_dead_dim_line_keeps_full_level_while_its_controller_says_half(city):
    lamp = first(city, "led")
    city.write_level(city.city.places[lamp][1], 50)
    before, after = before_and_after(city, "stuck_level", lamp)
    assert after.level_percent == 50
    assert after.power_w == pytest.approx(before.power_w, rel=0.02)


def test_drift_takes_its_share_each_day(city):
    lamp = first(city, "led")
    before = city.lamp(lamp)
    city.faults.add("drift", lamp, value=5)
    city.step(NIGHT + MINUTE + 4 * HOUR, 14_460)
    assert city.lamp(lamp).power_w / before.power_w == pytest.approx(1 - 0.05 * 4 / 24, abs=0.006)


def test_a_cycling_lamp_goes_out_and_comes_back(city):
    lamp = first(city, "hps")
    city.faults.add("cycling", lamp, value=6)
    lit = []
    for minute in range(1, 26):
        city.step(NIGHT + MINUTE + minute * MINUTE, 60 + minute * 60)
        lit.append(city.lamp(lamp).lit)
    edges = int(np.abs(np.diff(np.array(lit, dtype=int))).sum())
    assert edges >= 3


def test_a_cut_takes_the_lamp_and_all_behind_it(city):
    lamps = [lamp for lamp in city.city.lamps if lamp.circuit == 0 and lamp.branch == 0]
    lamps.sort(key=lambda lamp: lamp.order)
    ails(city, "cable_cut", lamps[2].id)
    powered = [city.lamp(lamp.id).powered for lamp in lamps]
    assert powered == [True, True] + [False] * (len(lamps) - 2)
    others = [city.lamp(lamp.id).powered for lamp in city.city.lamps if lamp not in lamps]
    assert all(others)


def test_a_bad_joint_takes_voltage_from_what_is_behind_it(city):
    lamps = sorted((lamp for lamp in city.city.lamps if lamp.circuit == 0 and lamp.branch == 0), key=lambda x: x.order)
    before = [city.lamp(lamp.id).voltage_v for lamp in lamps]
    city.faults.add("bad_joint", lamps[1].id, value=3)
    for minute in range(3):
        city.step(NIGHT + (2 + minute) * MINUTE, 120 + 60 * minute)
    drop = [old - city.lamp(lamp.id).voltage_v for old, lamp in zip(before, lamps, strict=True)]
    assert min(drop[1:]) > drop[0] + 2


@pytest.mark.parametrize(("kind", "phases"), [("supply_loss", {0, 1, 2}), ("phase_loss", {1})])
def test_without_voltage_lamps_are_silent_and_the_meter_says_so(city, kind, phases):
    ails(city, kind, "cab-01", 2 if kind == "phase_loss" else None)
    for phase in range(3):
        lamp = next(i for i, one in enumerate(city.city.lamps) if one.circuit == phase)
        assert city.lamp_answers(lamp) is (phase not in phases)
        assert (city.bank.cabinets[0, phase] < 50) is np.bool_(phase in phases)


def test_a_broken_neutral_moves_two_phases_apart(city):
    ails(city, "neutral_loss", "cab-01")
    a, b, c = (int(one) / 10 for one in city.bank.cabinets[0, :3])
    assert a > 255
    assert 220 < c < 240
    assert b < 205


def test_meters_that_lie_leave_the_lamp_as_it_is(city):
    lamp = first(city, "led")
    honest, before = city.lamp(lamp), registers(city, lamp)
    ails(city, "frozen_meter", lamp)
    assert registers(city, lamp)[2:8] == before[2:8]
    city.faults.clear()
    ails(city, "dead_meter", lamp, minutes=10)
    assert registers(city, lamp)[2:6] == [0, 0, 0, 0]
    city.faults.clear()
    ails(city, "wrong_meter", lamp, 20, minutes=15)
    assert registers(city, lamp)[4] / before[4] == pytest.approx(1.2, rel=0.02)
    assert city.lamp(lamp).power_w == pytest.approx(honest.power_w, rel=0.02)


def test_leaks_tilts_and_doors_are_told(city):
    lamp = first(city, "led")
    place = city.city.places[lamp][1]
    circuit = city.city.lamps[place].circuit
    ails(city, "leak", lamp, 30)
    ails(city, "tilt", lamp, 20, minutes=10)
    ails(city, "open_door", "cab-01", minutes=15)
    assert registers(city, lamp)[9] > 300
    assert registers(city, lamp)[15] > 150
    assert int(city.bank.circuits[circuit, 3]) >= 30
    assert int(city.bank.cabinets[0, 20]) == 1


def test_a_welded_contactor_does_not_open(city):
    ails(city, "welded_contactor", "circuit-01-a")
    city.switch(0, closed=False)
    city.step(NIGHT + 10 * MINUTE, 600)
    assert int(city.bank.circuits[0, 0]) == 1


def test_stolen_power_shows_at_the_meter_only(city):
    before = city.plant.cabinets.power_w[0].sum()
    ails(city, "stolen_power", "circuit-01-b", 800)
    assert city.plant.cabinets.power_w[0].sum() - before == pytest.approx(800, rel=0.1)


def test_every_kind_can_be_added_and_passes(city):
    for kind, row in KINDS.items():
        of = min(row.targets)
        target = next(name for name, (found, _) in city.city.places.items() if found is of)
        city.faults.add(kind, target)
        city.step(NIGHT + 2 * MINUTE, 120)
        city.faults.clear()
    city.step(NIGHT + 3 * MINUTE, 180)
    assert all(city.lamp(lamp.id).powered for lamp in city.city.lamps)
