"""From what is true to what instruments say: classes, steps, noise, and chips that lie."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from lamplighter_firmware_sim.campaign.network import PHASES, Network
from lamplighter_firmware_sim.campaign.plant import Looked, Plant
from lamplighter_firmware_sim.campaign.readings import DECIMALS

Array = NDArray[np.float64]
Index = NDArray[np.int64]
Mask = NDArray[np.bool_]

_NOISE: Final = 0.0022
_SPIKES: Final = 4e-6  # readings that no instrument should tell
_ABSURD_W: Final = 6553.5
_LOSS: Final = 0.025  # in cables, of the load
_CABINET_W: Final = 14.0


class LampInstruments:
    """The measuring chips of all lamps."""

    def __init__(self, random: np.random.Generator, plant: Plant) -> None:
        """Nothing was told yet."""
        self._random, self._plant = random, plant
        self._frozen: dict[str, Array] = {}

    def read(self, seen: Looked) -> dict[str, Array]:
        """All quantities of all lamps, whether heard or not."""
        lamps, on, random = self._plant.lamps, seen.effects, self._random
        count = len(seen.power_w)
        measured = seen.power_w * lamps.meter_gain * (1 + random.normal(0, _NOISE, count))
        values = {
            "voltage_v": seen.voltage_v + random.normal(0, 0.2, count),
            "current_a": seen.current_a * lamps.meter_gain * (1 + random.normal(0, 0.002, count)),
            "power_w": measured * on.meter_gain,
            "power_factor": np.where(
                seen.power_w > 0, np.clip(seen.power_factor + random.normal(0, 0.004, count), 0, 1), np.nan
            ),
            "energy_kwh": lamps.energy_wh / 1000,
        }
        dead = on.meter_zero
        for name in ("voltage_v", "current_a", "power_w", "power_factor"):
            values[name] = np.where(dead, 0.0, values[name])
        values = self._hold(values, on.meter_frozen)
        values["power_w"] = np.where(random.random(count) < _SPIKES, _ABSURD_W, values["power_w"])
        values |= {
            "switched_on": (seen.level > 0).astype(np.float64),
            "level_percent": np.round(
                100 * np.where(np.isnan(on.held_level) | (seen.told == 0), seen.level, seen.told)
            ),
            "temperature_c": seen.body_c + random.normal(0, 0.4, count),
            "leakage_ma": np.maximum(seen.leak_ma + random.normal(0, 0.05, count), 0),
            "burning_h": lamps.hours,
            "starts": lamps.starts,
            "rssi_dbm": np.round(lamps.rssi_dbm + random.normal(0, 2, count)),
            "fault_bits": on.bits.astype(np.float64),
            "supply_loss_count": lamps.losses,
            "tilt_deg": lamps.tilt_deg + on.tilt_deg + random.normal(0, 0.15, count),
        }
        return {name: np.round(column, DECIMALS.get(name, 0)) for name, column in values.items()}

    def _hold(self, values: dict[str, Array], frozen: Mask) -> dict[str, Array]:
        """A frozen chip goes on telling its last values."""
        held = {name: np.where(frozen, self._frozen.get(name, column), column) for name, column in values.items()}
        self._frozen = held
        return held


class CabinetInstruments:
    """Meters of supply points and contactors of feeders."""

    def __init__(self, random: np.random.Generator, plant: Plant) -> None:
        """A meter is of class 0.5; its error wanders slowly."""
        self._random, self._plant = random, plant
        cabinets = plant.network.size.cabinets
        self._gain = 1 + random.normal(0, 0.003, (cabinets, 3))
        self._wander = np.zeros((cabinets, 3))
        self._energy_wh = random.uniform(1e6, 5e7, cabinets)
        self._contacts = random.random(plant.network.feeders) < 0.5  # breakers with an auxiliary contact

    def read_cabinets(self, step: int, seen: Looked, lux: float) -> dict[str, Array]:
        """One row per cabinet."""
        network, on = self._plant.network, seen.effects
        power, reactive = _phase_sums(network, seen)
        voltage = self._plant.outside.cabinet_v[step] * on.phase_v
        alive = voltage > 50
        self._wander = 0.75 * self._wander + self._random.normal(0, 0.0012, power.shape)
        power = np.where(alive, power, 0.0)
        apparent = np.hypot(power, np.where(alive, reactive, 0.0))
        told = power * self._gain * (1 + self._wander)
        self._energy_wh += power.sum(axis=1) * self._plant.interval_ms / 3_600_000
        values: dict[str, Array] = {}
        for phase, letter in enumerate(PHASES):
            values[f"voltage_{letter}_v"] = np.round(
                voltage[:, phase] + self._random.normal(0, 0.1, len(voltage)) * alive[:, phase], 1
            )
            values[f"current_{letter}_a"] = np.round(apparent[:, phase] / np.maximum(voltage[:, phase], 50), 2)
            values[f"power_{letter}_w"] = np.round(told[:, phase], 1)
            values[f"power_factor_{letter}"] = np.round(power[:, phase] / np.maximum(apparent[:, phase], 1e-6), 3)
        cables = np.bincount(network.feeder_cabinet, on.feeder_leak_ma, network.size.cabinets)
        leak = np.bincount(network.cabinet, seen.leak_ma, network.size.cabinets) + cables
        return values | {
            "power_w": np.round(told.sum(axis=1), 1),
            "energy_kwh": np.round(self._energy_wh / 1000, 2),
            "leakage_ma": np.round(leak),
            "door_open": on.door.astype(np.float64),
            "water": np.zeros(len(leak)),
            "lux": np.full(len(leak), lux),
        }

    def read_feeders(self, seen: Looked) -> dict[str, Array]:
        """One row per feeder."""
        network, on = self._plant.network, seen.effects
        current = np.bincount(network.feeder, seen.current_a, network.feeders) + on.stolen_w / 225
        told_on = np.bincount(network.feeder, seen.told > 0, network.feeders) > 0
        closed = ~network.switched[network.feeder_cabinet] | told_on | on.welded
        leak = np.bincount(network.feeder, seen.leak_ma, network.feeders) + on.feeder_leak_ma
        return {
            "contactor_closed": closed.astype(np.float64),
            "circuit_current_a": np.round(current + self._random.normal(0, 0.01, len(current)) * (current > 0), 2).clip(
                0
            ),
            "breaker_bits": np.where(self._contacts, on.tripped.astype(np.float64), np.nan),
            "leakage_ma": np.round(leak, 1),
        }


def _phase_sums(network: Network, seen: Looked) -> tuple[Array, Array]:
    """Active and reactive power of each cabinet's phases, losses and what nobody booked included."""
    place, size = network.cabinet * 3 + network.phase, network.size.cabinets * 3
    sine = np.sqrt(1 - seen.power_factor**2) / seen.power_factor
    power: Array = np.bincount(place, seen.power_w, size).astype(np.float64)
    reactive: Array = np.bincount(place, seen.power_w * sine, size).astype(np.float64)
    power *= 1 + _LOSS * power / max(float(power.max()), 1.0)
    feeder_place = network.feeder_cabinet * 3 + network.feeder_phase
    power += np.bincount(feeder_place, seen.effects.stolen_w, size)
    power[::3] += _CABINET_W
    return power.reshape(-1, 3), reactive.reshape(-1, 3)
