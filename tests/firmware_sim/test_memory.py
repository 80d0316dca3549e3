from pathlib import Path

import numpy as np
import pytest

from lamplighter_firmware_sim.physics.memory import load_memory, remember, store_memory
from lamplighter_firmware_sim.scenario import Scenario
from lamplighter_firmware_sim.simulation import Simulation
from tests.firmware_sim.conftest import SMALL, civil_ms, scenario_of

NIGHT = civil_ms("2025-11-20 22:00")
HOUR = 3_600_000


@pytest.fixture
def before(small: Scenario) -> Simulation:
    simulation = Simulation(small, NIGHT)
    simulation.write_level(0, 30)
    simulation.switch(1, closed=False)
    simulation.step(NIGHT + HOUR, 60)
    return simulation


def test_a_restart_changes_no_lamp_and_counters_go_on(before: Simulation, small: Scenario, tmp_path: Path) -> None:
    store_memory(tmp_path / "memory.npz", remember(before.plant))
    after = Simulation(small, NIGHT + 2 * HOUR, load_memory(tmp_path / "memory.npz"))
    assert after.lamp("lamp-01-001").written_percent == 30
    assert not after.plant.circuits.closed[1]
    lit = after.plant.lamps.lit
    assert (lit == before.plant.lamps.lit).all()
    hours = after.plant.lamps.burning_h - before.plant.lamps.burning_h
    assert hours[lit] == pytest.approx(1.0)
    assert (after.plant.lamps.starts == before.plant.lamps.starts).all()
    assert (after.plant.cabinets.energy_wh > before.plant.cabinets.energy_wh).all()


def test_the_memory_of_another_city_is_not_used(before: Simulation) -> None:
    other = Simulation(scenario_of(SMALL.replace("seed: 7", "seed: 8")), NIGHT + HOUR, remember(before.plant))
    assert other.lamp("lamp-01-001").written_percent is None


@pytest.mark.parametrize("cut", [0, 1, 100, 2000, -1])
def test_a_damaged_memory_is_forgotten(before: Simulation, tmp_path: Path, cut: int) -> None:
    path = tmp_path / "memory.npz"
    store_memory(path, remember(before.plant))
    path.write_bytes(path.read_bytes()[:cut])
    assert load_memory(path) is None


def test_a_memory_with_something_missing_is_forgotten(tmp_path: Path) -> None:
    path = tmp_path / "memory.npz"
    np.savez(path, civil_ms=np.array(1))
    assert load_memory(path) is None
    assert load_memory(tmp_path / "none.npz") is None
