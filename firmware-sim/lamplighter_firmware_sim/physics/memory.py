"""What real devices remember over a restart of the simulator: counters, written levels, contactors, warmth."""

import hashlib
import io
import zipfile
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from lamplighter_firmware_sim.city.inventory import City
from lamplighter_firmware_sim.physics.plant import Plant

MEMORY_NAME: Final = "memory.npz"
_REMEMBERED: Final = {
    "lamps": (
        "written_percent",
        "level_percent",
        "dark",
        "lit",
        "supplied",
        "arc_min",
        "temperature_c",
        "energy_wh",
        "burning_h",
        "starts",
        "supply_losses",
    ),
    "circuits": ("closed",),
    "cabinets": ("energy_wh",),
}

Memory = dict[str, NDArray[Any]]


def remember(plant: Plant) -> Memory:
    """The plant's memory now."""
    memory: Memory = {
        f"{part}.{name}": getattr(getattr(plant, part), name).copy()
        for part, names in _REMEMBERED.items()
        for name in names
    }
    memory["civil_ms"] = np.array(plant.civil_ms)
    memory["inventory"] = np.array(_fingerprint(plant.city))
    return memory


def recall(plant: Plant, memory: Memory) -> bool:
    """Give the plant its memory back, at the time it had then; False if it is of another city."""
    if str(memory["inventory"]) != _fingerprint(plant.city):
        return False
    for part, names in _REMEMBERED.items():
        for name in names:
            setattr(getattr(plant, part), name, memory[f"{part}.{name}"].copy())
    plant.civil_ms = int(memory["civil_ms"])
    return True


def _fingerprint(city: City) -> str:
    return hashlib.sha256(repr((city.cabinets, city.circuits, city.lamps)).encode()).hexdigest()


def store_memory(path: Path, memory: Memory) -> None:
    """Replace the file as a whole.

    Raises:
        OSError: it cannot be written.
    """
    fresh = path.with_suffix(".new")
    with fresh.open("wb") as file:
        np.savez(file, allow_pickle=False, **memory)
    fresh.replace(path)


def load_memory(path: Path) -> Memory | None:
    """The file's memory; None if there is none, or it is not readable any more."""
    try:
        with np.load(io.BytesIO(path.read_bytes()), allow_pickle=False) as file:
            memory = {name: file[name] for name in file.files}
    except (OSError, ValueError, EOFError, zipfile.BadZipFile):
        return None
    complete = {f"{part}.{name}" for part, names in _REMEMBERED.items() for name in names} | {"civil_ms", "inventory"}
    return memory if complete == set(memory) else None
