"""Register images of all devices, as the instruments in them measure. 0xFFFF stands for "not available"."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from lamplighter_contract.quantities import Kind
from lamplighter_firmware_sim.physics.lamps import Array
from lamplighter_firmware_sim.physics.plant import Plant

LAMP_REGISTERS: Final = 16
CABINET_REGISTERS: Final = 23
CIRCUIT_REGISTERS: Final = 4
NOT_AVAILABLE: Final = 0xFFFF

Registers = NDArray[np.uint16]
_WORD: Final = np.dtype(">u2")


def unsigned(value: Array) -> Registers:
    """Values as 16-bit numbers, held below the mark of "not available"."""
    return np.clip(np.rint(value), 0, NOT_AVAILABLE - 1).astype(np.uint16)


def signed(value: Array) -> Registers:
    """Values as two's complement; -1 would read as "not available" and becomes 0."""
    whole = np.clip(np.rint(value), -32_768, 32_767).astype(np.int64)
    return (np.where(whole == -1, 0, whole) & 0xFFFF).astype(np.uint16)


def double(value: Array) -> tuple[Registers, Registers]:
    """Values as 32-bit numbers, high word first; they wrap like a real counter."""
    whole = np.rint(value).astype(np.int64)
    return ((whole >> 16) & 0xFFFF).astype(np.uint16), (whole & 0xFFFF).astype(np.uint16)


class RegisterBank:
    """The registers of every device, renewed after each step; rows are in column order, big-endian."""

    def __init__(self, plant: Plant, seed: int, *, noise: bool) -> None:
        """Take the plant's first image; without `noise` equal states read equal."""
        self._plant = plant
        self._random = np.random.default_rng([seed, 3])
        self._noise = 1.0 if noise else 0.0
        self.lamps = np.zeros((len(plant.city.lamps), LAMP_REGISTERS), dtype=_WORD)
        self.cabinets = np.zeros((len(plant.city.cabinets), CABINET_REGISTERS), dtype=_WORD)
        self.circuits = np.zeros((len(plant.city.circuits), CIRCUIT_REGISTERS), dtype=_WORD)
        self.lamp_power_w = np.zeros(len(plant.city.lamps))
        self.lamp_voltage_v = np.zeros(len(plant.city.lamps))
        self.lamp_current_a = np.zeros(len(plant.city.lamps))
        self.lamp_power_factor = np.zeros(len(plant.city.lamps))
        self.lamp_energy_wh = plant.lamps.energy_wh.copy()
        self.refresh()

    def refresh(self) -> None:
        """Measure everything again."""
        self._measure_lamps()
        self._measure_cabinets()
        circuits = self._plant.circuits
        self.circuits[:, 0] = circuits.closed
        self.circuits[:, 1] = unsigned(circuits.current_a * 100)
        self.circuits[:, 2] = circuits.tripped
        self.circuits[:, 3] = unsigned(circuits.leakage_ma)

    def show_level(self, lamp: int) -> None:
        """Let a written level be read back at once, before the next measurement."""
        level = self._plant.lamps.level_percent[lamp]
        self.lamps[lamp, 0] = level > 0
        self.lamps[lamp, 1] = round(level)

    def _spread(self, deviation: float, size: int | tuple[int, ...]) -> Array:
        return self._random.normal(0, deviation * self._noise, size)

    def _measure_lamps(self) -> None:
        lamps, image = self._plant.lamps, self.lamps
        board, count = self._plant.board, len(image)
        wrong = 1 + board.strength("wrong_meter", Kind.LAMP) / 100
        measured = {
            "lamp_power_w": lamps.power_w * lamps.meter_gain * wrong * (1 + self._spread(0.002, count)),
            "lamp_voltage_v": lamps.voltage_v + self._spread(0.15, count),
            "lamp_current_a": lamps.current_a * lamps.meter_gain,
            "lamp_power_factor": lamps.power_factor,
            "lamp_energy_wh": lamps.energy_wh,
        }
        dead, frozen = (board.strength(kind, Kind.LAMP) > 0 for kind in ("dead_meter", "frozen_meter"))
        for name, value in measured.items():
            told = np.where(dead, 0.0, value) if name != "lamp_energy_wh" else value
            setattr(self, name, np.where(frozen, getattr(self, name), told))
        image[:, 0] = lamps.level_percent > 0
        image[:, 1] = unsigned(lamps.level_percent)
        image[:, 2] = unsigned(self.lamp_voltage_v * 10)
        image[:, 3] = unsigned(self.lamp_current_a * 1000)
        image[:, 4] = unsigned(self.lamp_power_w * 10)
        image[:, 5] = signed(self.lamp_power_factor * 1000)
        image[:, 6], image[:, 7] = double(self.lamp_energy_wh)
        image[:, 8] = signed(lamps.temperature_c * 10)
        image[:, 9] = unsigned(lamps.leakage_ma * 10)
        image[:, 10], image[:, 11] = double(lamps.burning_h * 10)
        image[:, 12] = lamps.starts % NOT_AVAILABLE
        image[:, 13] = lamps.fault_bits
        image[:, 14] = lamps.supply_losses % NOT_AVAILABLE
        # Controllers of the older HPS heads have no tilt sensor.
        image[:, 15] = np.where(lamps.is_hps, NOT_AVAILABLE, signed((lamps.tilt_deg + self._plant.ails.tilt_deg) * 10))

    def _measure_cabinets(self) -> None:
        cabinets, board = self._plant.cabinets, self._plant.board
        frozen = board.strength("frozen_meter", Kind.CABINET) > 0
        image, before = self.cabinets, self.cabinets[frozen, :17].copy()
        power = cabinets.power_w * (1 + self._spread(0.001, cabinets.power_w.shape))
        for phase in range(3):
            image[:, phase] = unsigned(cabinets.voltage_v[:, phase] * 10)
            image[:, 3 + phase] = unsigned(cabinets.current_a[:, phase] * 100)
            image[:, 6 + 2 * phase], image[:, 7 + 2 * phase] = double(power[:, phase] * 10)
            image[:, 12 + phase] = signed(cabinets.power_factor[:, phase] * 1000)
        image[:, 15], image[:, 16] = double(cabinets.energy_wh / 10)
        image[:, 17] = unsigned(cabinets.frequency_hz * 100 + self._spread(1, len(image)))
        image[:, 18] = unsigned(cabinets.leakage_ma)
        image[:, 19] = signed(cabinets.temperature_c * 10)
        image[:, 20] = board.strength("open_door", Kind.CABINET) > 0
        image[:, 21] = 0  # no water
        image[board.strength("dead_meter", Kind.CABINET) > 0, :15] = 0
        image[frozen, :17] = before
        image[:, 22] = min(round(cabinets.lux), NOT_AVAILABLE - 1)
