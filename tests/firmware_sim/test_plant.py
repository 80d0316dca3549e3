import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lamplighter_contract.quantities import Kind
from lamplighter_firmware_sim.physics import supply
from lamplighter_firmware_sim.physics.plant import LAMP_FAILED, Plant
from lamplighter_firmware_sim.scenario import Scenario
from lamplighter_firmware_sim.simulation import Simulation
from tests.firmware_sim.conftest import SMALL, civil_ms, scenario_of

NIGHT = civil_ms("2025-11-20 22:00")
DAY = civil_ms("2025-11-20 12:00")
HOUR = 3_600_000


@pytest.fixture
def night_city(small: Scenario) -> Simulation:
    return Simulation(small, NIGHT)


@pytest.fixture
def day_city(small: Scenario) -> Simulation:
    return Simulation(small, DAY)


def settle(simulation: Simulation, civil: int = NIGHT, steps: int = 8) -> None:
    """Voltage and current find each other within a few steps of no time."""
    for _ in range(steps):
        simulation.step(civil, 0)


def cable_losses_w(plant: Plant, circuit: int) -> float:
    """Losses of one circuit, span by span, from what its lamps measure: volts lost times amperes."""
    lamps, head = plant.lamps, plant.cabinets.voltage_v
    of = plant.city.circuits[circuit]
    members = [i for i, lamp in enumerate(plant.city.lamps) if lamp.circuit == circuit]
    return float(sum((head[of.cabinet, of.phase] - lamps.voltage_v[i]) * lamps.current_a[i] for i in members))


def test_the_meter_sees_its_lamps_and_what_the_cables_lose(night_city: Simulation) -> None:
    settle(night_city)
    plant = night_city.plant
    for index, circuit in enumerate(plant.city.circuits):
        own = supply.CABINET_OWN_W if circuit.phase == 0 else 0.0
        lamps = sum(plant.lamps.power_w[i] for i, lamp in enumerate(plant.city.lamps) if lamp.circuit == index)
        metered = plant.cabinets.power_w[circuit.cabinet, circuit.phase]
        assert metered == pytest.approx(lamps + cable_losses_w(plant, index) + own, rel=1e-5)


def test_metered_energy_is_lamps_and_losses_over_a_night(night_city: Simulation) -> None:
    plant = night_city.plant
    lamps_before, meters_before = plant.lamps.energy_wh.sum(), plant.cabinets.energy_wh.sum()
    losses_wh = 0.0
    for minute in range(1, 121):
        night_city.step(NIGHT + minute * 60_000, minute)
        losses_wh += (plant.losses_w.sum() + len(plant.city.cabinets) * supply.CABINET_OWN_W) / 60
    used = plant.lamps.energy_wh.sum() - lamps_before
    assert used > 0
    assert plant.cabinets.energy_wh.sum() - meters_before == pytest.approx(used + losses_wh, rel=1e-9)


def test_voltage_falls_along_the_feeder(night_city: Simulation) -> None:
    settle(night_city)
    rows = [
        (lamp.order, night_city.plant.lamps.voltage_v[i])
        for i, lamp in enumerate(night_city.city.lamps)
        if lamp.circuit == 0 and lamp.branch == 0
    ]
    voltages = [voltage for _, voltage in sorted(rows)]
    assert len(voltages) == 5
    assert voltages == sorted(voltages, reverse=True)
    assert voltages[0] < night_city.plant.cabinets.voltage_v[0, 0]


def test_circuit_current_is_the_phase_current_of_its_cabinet(night_city: Simulation) -> None:
    settle(night_city)
    plant = night_city.plant
    for index, circuit in enumerate(plant.city.circuits):
        if circuit.phase:
            phase_a = plant.cabinets.current_a[circuit.cabinet, circuit.phase]
            assert plant.circuits.current_a[index] == pytest.approx(phase_a)


def test_lamps_without_a_written_level_follow_the_daylight(day_city: Simulation) -> None:
    lit = []
    for quarter in range(96):
        day_city.step(DAY + quarter * HOUR // 4, quarter)
        lit.append(int(day_city.plant.lamps.lit.sum()))
    assert set(lit) == {0, len(day_city.city.lamps)} | set(lit[20:24])
    assert lit[0] == 0
    assert lit[32] == len(day_city.city.lamps)
    assert lit[95] == 0


def test_a_written_level_holds_over_dusk_and_dawn_until_it_is_handed_back(day_city: Simulation) -> None:
    day_city.write_level(3, 60)
    day_city.step(DAY, 1)
    assert day_city.lamp("lamp-01-004").lit
    day_city.step(DAY + 10 * HOUR, 2)
    assert day_city.lamp("lamp-01-004").level_percent == 60
    day_city.resume(3)
    day_city.step(DAY + 10 * HOUR + 1000, 3)
    assert day_city.lamp("lamp-01-004").level_percent == 100
    assert day_city.lamp("lamp-01-004").written_percent is None


@given(level=st.integers(0, 100), lamp=st.integers(0, 53))
@settings(max_examples=25, deadline=None)
def test_a_lamp_never_draws_more_dimmed_than_at_full_light(level: int, lamp: int) -> None:
    simulation = Simulation(scenario_of(SMALL), NIGHT)
    full_w = simulation.plant.lamps.power_w[lamp]
    simulation.write_level(lamp, level)
    simulation.step(NIGHT, 1)
    assert simulation.plant.lamps.power_w[lamp] <= full_w * 1.02


def test_an_open_contactor_takes_the_supply_and_the_written_level(night_city: Simulation) -> None:
    lamp = next(i for i, one in enumerate(night_city.city.lamps) if one.circuit == 1)
    device = night_city.city.lamps[lamp].id
    losses = int(night_city.plant.lamps.supply_losses[lamp])
    night_city.write_level(lamp, 40)
    night_city.switch(1, closed=False)
    assert not night_city.lamp(device).powered
    assert not night_city.lamp_answers(lamp)
    night_city.step(NIGHT, 1)
    assert night_city.lamp(device).power_w == 0
    assert night_city.plant.circuits.current_a[1] == 0
    night_city.switch(1, closed=True)
    night_city.step(NIGHT, 2)
    assert night_city.lamp(device).level_percent == 100
    assert night_city.lamp(device).written_percent is None
    assert int(night_city.plant.lamps.supply_losses[lamp]) == losses + 1


def test_loops_draw_while_their_contactors_are_closed() -> None:
    city = Simulation(scenario_of(SMALL.replace("lamps_each: 30", "lamps_each: 30, loop_lamps_each: 4")), NIGHT)
    settle(city)
    plant = city.plant
    loops = [index for index, circuit in enumerate(plant.city.circuits) if circuit.loop]
    assert [plant.city.circuits[loop].id for loop in loops] == ["circuit-01-all-night", "circuit-01-half-night"]
    before = plant.cabinets.power_w.copy()
    assert not plant.circuits.current_a[loops].any()
    city.switch(loops[1], closed=True)
    settle(city)
    added = plant.cabinets.power_w - before
    assert added[0] == pytest.approx([0, 400, 0], abs=4)
    assert added[1:] == pytest.approx(0, abs=1)
    assert plant.circuits.current_a[loops] == pytest.approx([0, 400 / 230], rel=0.05)
    city.faults.add("breaker_trip", "circuit-01-half-night")
    settle(city)
    assert plant.cabinets.power_w[0] == pytest.approx(before[0], abs=2)


def test_hps_lamps_restrike_late_after_a_supply_loss_and_led_lamps_at_once(night_city: Simulation) -> None:
    night_city.switch(0, closed=False)
    night_city.step(NIGHT + 1000, 1)
    night_city.switch(0, closed=True)
    night_city.step(NIGHT + 11_000, 2)
    lamps = night_city.plant.lamps
    members = night_city.plant.tree.lamp_circuit == 0
    assert lamps.is_hps[members].any()
    assert (lamps.lit == ~lamps.is_hps)[members].all()
    for second in range(30, 211, 30):
        night_city.step(NIGHT + second * 1000, second)
    assert lamps.lit[members].all()


def test_a_dead_lamp_draws_a_watt_and_says_so(night_city: Simulation) -> None:
    night_city.faults.add("dead_lamp", "lamp-01-005")
    night_city.step(NIGHT, 1)
    state = night_city.lamp("lamp-01-005")
    assert not state.lit
    assert state.level_percent == 100
    assert 0.3 < state.power_w < 3
    assert night_city.bank.lamps[4, 13] == LAMP_FAILED


def test_a_stuck_relay_burns_on_when_told_to_go_off(night_city: Simulation) -> None:
    night_city.faults.add("stuck_relay", "lamp-01-005")
    night_city.write_level(4, 0)
    night_city.step(NIGHT, 1)
    state = night_city.lamp("lamp-01-005")
    assert state.level_percent == 0
    assert state.lit
    assert state.power_w > 50
    assert list(night_city.bank.lamps[4, :2]) == [0, 0]


def test_a_tripped_breaker_darkens_its_circuit_and_shows_in_its_bits(night_city: Simulation) -> None:
    night_city.faults.add("breaker_trip", "circuit-01-b", seconds=60)
    night_city.step(NIGHT, 1)
    members = night_city.plant.tree.lamp_circuit == 1
    assert not night_city.plant.lamps.lit[members].any()
    assert list(night_city.bank.circuits[1, :3]) == [1, 0, 1]
    night_city.step(NIGHT, 62)
    assert night_city.plant.lamps.supplied.all()
    assert night_city.bank.circuits[1, 2] == 0


def test_identify_blinks_and_ends(night_city: Simulation) -> None:
    led = int(np.flatnonzero(~night_city.plant.lamps.is_hps)[0])
    night_city.identify(led, 4)
    powers = []
    for second in range(1, 8):
        night_city.step(NIGHT, second)
        powers.append(round(float(night_city.plant.lamps.power_w[led])))
    assert len(set(powers[:4])) > 1
    assert powers[4:] == [powers[4]] * 3
    assert night_city.plant.lamps.level_percent[led] == 100


def test_equal_scenarios_and_steps_give_equal_cities(small: Scenario) -> None:
    images = []
    for _ in range(2):
        simulation = Simulation(small, NIGHT)
        for minute in range(5):
            simulation.step(NIGHT + minute * 60_000, minute)
        images.append(simulation.bank.lamps.tobytes() + simulation.bank.cabinets.tobytes())
    assert images[0] == images[1]


def test_a_clock_that_jumps_back_moves_no_counter(night_city: Simulation) -> None:
    before = night_city.plant.lamps.energy_wh.copy()
    night_city.step(NIGHT - HOUR, 1)
    assert (night_city.plant.lamps.energy_wh == before).all()


def test_a_static_city_stands_still_but_obeys() -> None:
    simulation = Simulation(scenario_of(SMALL.replace("seed: 7", "seed: 7\nphysics: static")), NIGHT)
    settle(simulation)
    before = simulation.bank.lamps.copy()
    simulation.step(NIGHT + HOUR, 60)
    assert (simulation.bank.lamps == before).all()
    simulation.write_level(0, 30)
    simulation.step(NIGHT + HOUR, 61)
    assert simulation.bank.lamps[0, 1] == 30
    assert simulation.bank.lamps[0, 4] < before[0, 4]


def test_a_step_of_the_sample_city_costs_next_to_nothing(sample: Scenario) -> None:
    simulation = Simulation(sample, NIGHT)
    began = time.process_time()
    for step in range(1, 51):
        simulation.step(NIGHT + step * 30_000, step / 2)
    assert (time.process_time() - began) / 50 < 0.010  # 2 % of a core at two steps a second


def test_faults_clear_and_globs_hit_many(night_city: Simulation) -> None:
    fault = night_city.faults.add("silent", "lamp-01-00*")
    assert len(fault.devices) == 9
    assert night_city.faults.strength("silent", Kind.LAMP).sum() == 9
    assert night_city.faults.clear(fault.number) == 1
    assert night_city.faults.strength("silent", Kind.LAMP).sum() == 0
