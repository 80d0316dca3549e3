"""The registers mean what the device profiles say: both are read here and must agree with the plant."""

import struct

import numpy as np
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from lamplighter_firmware_sim.scenario import Scenario
from lamplighter_firmware_sim.simulation import Simulation
from lamplighter_firmware_sim.wires.registers import double, signed, unsigned
from tests.firmware_sim.conftest import CONFIG, civil_ms

NIGHT = civil_ms("2025-11-20 22:00")


def decoded(profile: str, image: bytes) -> dict[str, float | None]:
    """Values by quantity, read as the profile says."""
    document = yaml.safe_load((CONFIG / "profiles" / f"{profile}.yaml").read_text("utf-8"))
    values: dict[str, float | None] = {}
    for row in document["modbus"]["read"]:
        form = {"uint16": ">H", "int16": ">h", "uint32": ">I", "flag": ">H"}[row["type"]]
        raw = image[row["register"] * 2 :][: struct.calcsize(form)]
        absent = raw == b"\xff" * len(raw)
        values[row["quantity"]] = None if absent else struct.unpack(form, raw)[0] * row.get("scale", 1)
    return values


def test_a_lamp_reads_as_its_profile_says(small: Scenario) -> None:
    simulation = Simulation(small, NIGHT)
    lamps = simulation.plant.lamps
    led = int(np.flatnonzero(~lamps.is_hps)[0])
    values = decoded("lamp-single", simulation.bank.lamps[led].tobytes())
    assert values["switched_on"] == 1
    assert values["level_percent"] == 100
    assert values["voltage_v"] == pytest.approx(lamps.voltage_v[led], abs=1)
    assert values["current_a"] == pytest.approx(lamps.current_a[led], rel=0.02)
    assert values["power_w"] == pytest.approx(lamps.power_w[led], rel=0.02)
    assert values["power_factor"] == pytest.approx(lamps.power_factor[led], abs=0.001)
    assert values["energy_kwh"] == pytest.approx(lamps.energy_wh[led] / 1000, abs=0.001)
    assert values["temperature_c"] == pytest.approx(lamps.temperature_c[led], abs=0.1)
    assert values["leakage_ma"] == pytest.approx(0.5)
    assert values["burning_h"] == pytest.approx(lamps.burning_h[led], abs=0.1)
    assert values["starts"] == lamps.starts[led]
    assert values["supply_loss_count"] == lamps.supply_losses[led]
    assert values["tilt_deg"] == pytest.approx(lamps.tilt_deg[led], abs=0.01)


def test_an_old_head_has_no_tilt(small: Scenario) -> None:
    simulation = Simulation(small, NIGHT)
    hps = int(np.flatnonzero(simulation.plant.lamps.is_hps)[0])
    assert decoded("lamp-single", simulation.bank.lamps[hps].tobytes())["tilt_deg"] is None


def test_a_cabinet_reads_as_its_profile_says(small: Scenario) -> None:
    simulation = Simulation(small, NIGHT)
    cabinets = simulation.plant.cabinets
    values = decoded("cabinet-meter", simulation.bank.cabinets[0].tobytes())
    for phase, letter in enumerate("abc"):
        assert values[f"voltage_{letter}_v"] == pytest.approx(cabinets.voltage_v[0, phase], abs=0.1)
        assert values[f"current_{letter}_a"] == pytest.approx(cabinets.current_a[0, phase], abs=0.01)
        assert values[f"power_{letter}_w"] == pytest.approx(cabinets.power_w[0, phase], rel=0.01)
        assert values[f"power_factor_{letter}"] == pytest.approx(cabinets.power_factor[0, phase], abs=0.001)
    assert values["energy_kwh"] == pytest.approx(cabinets.energy_wh[0] / 1000, abs=0.01)
    assert values["frequency_hz"] == pytest.approx(50, abs=0.1)
    assert (values["door_open"], values["water"], values["lux"]) == (0, 0, 0)


def test_a_circuit_reads_as_its_profile_says(small: Scenario) -> None:
    simulation = Simulation(small, NIGHT)
    values = decoded("circuit-contactor", simulation.bank.circuits[0].tobytes())
    assert values["contactor_closed"] == 1
    assert values["circuit_current_a"] == pytest.approx(simulation.plant.circuits.current_a[0], abs=0.01)
    assert values["breaker_bits"] == 0


@settings(deadline=None)
@given(st.floats(-1e6, 1e6))
def test_no_measured_value_reads_as_not_available(value: float) -> None:
    array = np.array([value])
    assert unsigned(array)[0] != 0xFFFF
    assert signed(array)[0] != 0xFFFF


@settings(deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_a_double_register_keeps_its_value(value: int) -> None:
    high, low = double(np.array([float(value)]))
    assert (int(high[0]) << 16 | int(low[0])) == value


@settings(deadline=None)
@given(st.integers(-32_768, 32_767).filter(lambda value: value != -1))
def test_a_signed_register_keeps_its_value(value: int) -> None:
    assert int(signed(np.array([float(value)])).astype(np.int16)[0]) == value
