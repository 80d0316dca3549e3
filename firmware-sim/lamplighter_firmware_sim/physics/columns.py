"""The city's state: one numpy array per quantity, one element per device."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lamplighter_firmware_sim.city.inventory import City
from lamplighter_firmware_sim.physics.lamps import Array, Mask
from lamplighter_firmware_sim.scenario.model import Technology

_INSTALLED_MS = 1_600_000_000_000
_BURNING_SHARE = 4150 / 8766  # of a year that street lamps burn


@dataclass(slots=True)
class LampColumns:
    """All lamps. `written_percent` is NaN while the lamp follows its own photocell."""

    rated_w: Array
    is_hps: Mask
    gain: Array
    meter_gain: Array
    dusk_lux: Array
    tilt_deg: Array
    rssi_dbm: Array
    written_percent: Array
    identify_until_s: Array
    dark: Mask
    supplied: Mask
    level_percent: Array
    lit: Mask
    arc_min: Array
    voltage_v: Array
    current_a: Array
    power_w: Array
    power_factor: Array
    temperature_c: Array
    leakage_ma: Array
    energy_wh: Array
    burning_h: Array
    starts: NDArray[np.int64]
    supply_losses: NDArray[np.int64]
    fault_bits: NDArray[np.int64]


@dataclass(slots=True)
class CircuitColumns:
    """All circuits."""

    closed: Mask
    tripped: Mask
    current_a: Array
    leakage_ma: Array


@dataclass(slots=True)
class CabinetColumns:
    """All cabinets; per-phase arrays are (cabinet, 3)."""

    voltage_v: Array
    current_a: Array
    power_w: Array
    power_factor: Array
    wander_v: Array
    energy_wh: Array
    leakage_ma: Array
    temperature_c: Array
    frequency_hz: float
    lux: float


def lamp_columns(city: City, random: np.random.Generator, civil_ms: int) -> LampColumns:
    """Lamps as they hang there, off and cold, with the hours they have burnt since they were installed."""
    count = len(city.lamps)
    rated = np.array([lamp.model.rated_w for lamp in city.lamps], dtype=np.float64)
    hours = max(0.0, (civil_ms - _INSTALLED_MS) / 3_600_000) * _BURNING_SHARE * random.uniform(0.9, 1.0, count)
    return LampColumns(
        rated_w=rated,
        is_hps=np.array([lamp.model.technology is Technology.HPS for lamp in city.lamps]),
        gain=random.normal(1, 0.01, count),
        meter_gain=random.normal(1, 0.003, count),
        dusk_lux=random.uniform(17, 24, count),
        tilt_deg=np.round(random.normal(0, 0.6, count), 1),
        rssi_dbm=np.round(random.uniform(-95, -62, count)),
        written_percent=np.full(count, np.nan),
        identify_until_s=np.full(count, -1.0),
        dark=np.zeros(count, dtype=bool),
        supplied=np.ones(count, dtype=bool),
        level_percent=np.zeros(count),
        lit=np.zeros(count, dtype=bool),
        arc_min=np.zeros(count),
        voltage_v=np.full(count, 230.0),
        current_a=np.zeros(count),
        power_w=np.zeros(count),
        power_factor=np.ones(count),
        temperature_c=np.full(count, 15.0),
        leakage_ma=np.zeros(count),
        energy_wh=hours * rated * 0.8,
        burning_h=hours,
        starts=np.round(hours / 11).astype(np.int64),
        supply_losses=random.integers(0, 20, count),
        fault_bits=np.zeros(count, dtype=np.int64),
    )


def circuit_columns(city: City) -> CircuitColumns:
    """Circuits, all sound, and all closed but loops."""
    count, closed = len(city.circuits), np.array([not circuit.loop for circuit in city.circuits])
    return CircuitColumns(closed, np.zeros(count, dtype=bool), np.zeros(count), np.zeros(count))


def cabinet_columns(city: City, lamp_energy_wh: Array) -> CabinetColumns:
    """Cabinets, whose meters have counted what their lamps used and 3 % of losses."""
    count, energy = len(city.cabinets), np.zeros(len(city.cabinets))
    np.add.at(energy, [lamp.cabinet for lamp in city.lamps], lamp_energy_wh * 1.03)
    return CabinetColumns(
        voltage_v=np.full((count, 3), 230.0),
        current_a=np.zeros((count, 3)),
        power_w=np.zeros((count, 3)),
        power_factor=np.ones((count, 3)),
        wander_v=np.zeros((count, 3)),
        energy_wh=energy,
        leakage_ma=np.zeros(count),
        temperature_c=np.full(count, 15.0),
        frequency_hz=50.0,
        lux=0.0,
    )
