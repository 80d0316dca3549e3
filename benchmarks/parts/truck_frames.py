"""Frames of 250 trucks that drive in small circles, ready but for their times and their envelope."""

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import orjson

from benchmarks.parts.frames import ROWS, Press
from lamplighter_contract.quantities import Kind
from lamplighter_contract.wire.documents import DeviceEntry, DevicesDocument, encode

PHASES: Final = 16
_RADIUS_M: Final = 150.0
_M_PER_DEGREE: Final = 111_195.0
_ABLE: Final = ("truck.limit_speed", "truck.release", "truck.speak", "truck.locate")


def truck_ids(gateway: int, block: int, blocks: int) -> list[str]:
    """Ids of the terminals of one frame; the fleet's are numbered from 1."""
    first = (gateway * blocks + block) * ROWS + 1
    return [f"truck-{first + row}" for row in range(ROWS)]


def truck_devices(gateway: int, blocks: int) -> bytes:
    """The document of what one gateway serves."""
    entries = (
        DeviceEntry(truck, Kind.TRUCK, "zt-8f", f"trackers/{truck}", _ABLE)
        for block in range(blocks)
        for truck in truck_ids(gateway, block, blocks)
    )
    return encode(DevicesDocument(tuple(entries)))


class TruckPress(Press):
    """Prints the frames of many gateways; each truck stays within `_RADIUS_M` of a point of its own."""

    def __init__(self, gateways: Sequence[int], blocks: int) -> None:
        self._heads = {
            (gateway, block): b'{"kind":"truck","device":'
            + orjson.dumps(truck_ids(gateway, block, blocks))
            + b',"time":['
            for gateway in gateways
            for block in range(blocks)
        }
        self._tails = [b"]," + orjson.dumps({**_values(phase), "quality": [0] * ROWS})[1:] for phase in range(PHASES)]


def _values(phase: int) -> dict[str, Any]:
    rng = np.random.default_rng(808)
    angle = 2 * np.pi * (phase / PHASES + rng.random(ROWS))
    latitude = rng.uniform(36.52, 36.78, ROWS) + _RADIUS_M / _M_PER_DEGREE * np.sin(angle)
    longitude = rng.uniform(117.02, 117.28, ROWS) + _RADIUS_M / _M_PER_DEGREE * np.cos(angle)
    return {
        "latitude": latitude.round(6).tolist(),
        "longitude": longitude.round(6).tolist(),
        "speed_kmh": rng.uniform(20, 45, ROWS).round(1).tolist(),
        "heading_deg": np.degrees(angle % (2 * np.pi)).round(0).tolist(),
        "satellites": [12] * ROWS,
        "fix": [True] * ROWS,
        "ignition": [True] * ROWS,
        "lift": ["flat"] * ROWS,
        "cover": ["closed"] * ROWS,
        "load": ["full"] * ROWS,
        "speed_limited": [False] * ROWS,
        "lift_limited": [False] * ROWS,
        "odometer_km": (20_000 + rng.uniform(0, 999, ROWS) + phase * 0.06).round(1).tolist(),
    }
