"""What arrives at the centre, as columns in order of arrival."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

Index = NDArray[np.int64]
Array = NDArray[np.float64]

DECIMALS: Final = {
    "voltage_v": 1,
    "current_a": 3,
    "power_w": 1,
    "power_factor": 3,
    "energy_kwh": 3,
    "temperature_c": 1,
    "leakage_ma": 1,
    "burning_h": 1,
    "tilt_deg": 1,
}


@dataclass(frozen=True)
class Readings:
    """Rows of one kind, sorted by `arrival_ms`; `device` counts lamps, feeders or cabinets. NaN = not read."""

    device: Index
    time_ms: Index
    arrival_ms: Index
    values: dict[str, NDArray[np.float32]]

    def __len__(self) -> int:
        """How many rows there are."""
        return len(self.device)


class Book:
    """Collects the rows of every step."""

    def __init__(self) -> None:
        """Empty."""
        self._device: list[Index] = []
        self._time: list[Index] = []
        self._arrival: list[Index] = []
        self._values: dict[str, list[NDArray[np.float32]]] = {}

    def write(self, device: Index, time_ms: Index, arrival_ms: Index, values: dict[str, Array]) -> None:
        """Note the rows of one step; every step tells the same quantities."""
        self._device.append(device)
        self._time.append(time_ms)
        self._arrival.append(arrival_ms)
        for name, column in values.items():
            self._values.setdefault(name, []).append(column.astype(np.float32))

    def close(self) -> Readings:
        """All rows in order of arrival."""
        arrival = np.concatenate(self._arrival)
        order = np.argsort(arrival, kind="stable")
        return Readings(
            np.concatenate(self._device)[order],
            np.concatenate(self._time)[order],
            arrival[order],
            {name: np.concatenate(parts)[order] for name, parts in self._values.items()},
        )
