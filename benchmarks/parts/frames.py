"""Frames of 250 lamps, ready but for their times and their envelope."""

from collections.abc import Sequence
from typing import Final

import numpy as np
import orjson

from lamplighter_contract.quantities import Kind
from lamplighter_contract.wire.documents import DeviceEntry, DevicesDocument, encode
from lamplighter_contract.wire.frame import Envelope, seal

ROWS: Final = 250
_VARIANTS: Final = 16
_SPANS: Final = {  # lowest, highest, decimals: what a lamp-single profile says on an ordinary night
    "voltage_v": (221, 239, 1),
    "current_a": (0.1, 0.7, 3),
    "power_w": (20, 150, 1),
    "power_factor": (0.9, 0.99, 3),
    "energy_kwh": (100, 9000, 3),
    "temperature_c": (10, 60, 1),
    "leakage_ma": (0, 9, 1),
    "burning_h": (100, 20_000, 1),
    "tilt_deg": (-2, 2, 1),
}
_WHOLE: Final = {"level_percent": (10, 100), "starts": (1, 4000), "fault_bits": (0, 1), "supply_loss_count": (0, 20)}
QUANTITIES: Final = ("switched_on", *_WHOLE, *_SPANS)


def gateway_id(gateway: int) -> str:
    """Id of the n-th gateway."""
    return f"gw-{gateway:04}"


def lamp_ids(gateway: int, block: int) -> list[str]:
    """Ids of the lamps of one frame."""
    return [f"lamp-{gateway:04}-{block * ROWS + row:04}" for row in range(ROWS)]


def devices(gateway: int, blocks: int) -> bytes:
    """The document of what one gateway serves."""
    entries = (
        DeviceEntry(lamp, Kind.LAMP, "lamp-single", f"bus-{block + 1}/{row + 1}")
        for block in range(blocks)
        for row, lamp in enumerate(lamp_ids(gateway, block))
    )
    return encode(DevicesDocument(tuple(entries)))


def columns(seed: int) -> dict[str, list[float] | list[bool]]:
    """One frame's values by quantity."""
    random = np.random.default_rng(seed)
    drawn: dict[str, list[float] | list[bool]] = {"switched_on": [True] * ROWS}
    drawn |= {name: random.integers(low, high, ROWS).tolist() for name, (low, high) in _WHOLE.items()}
    drawn |= {
        name: random.uniform(low, high, ROWS).round(digits).tolist() for name, (low, high, digits) in _SPANS.items()
    }
    return drawn


class Press:
    """Prints the frames of many gateways."""

    def __init__(self, gateways: Sequence[int], blocks: int) -> None:
        self._heads = {
            (gateway, block): b'{"kind":"lamp","device":' + orjson.dumps(lamp_ids(gateway, block)) + b',"time":['
            for gateway in gateways
            for block in range(blocks)
        }
        self._tails = [b"]," + orjson.dumps({**columns(seed), "quality": [0] * ROWS})[1:] for seed in range(_VARIANTS)]

    def frame(self, gateway: int, block: int, seq: int, boot: str, now_ms: int) -> bytes:
        """The frame of one block of lamps, all read at `now_ms`."""
        times = (b"%d," % now_ms * ROWS)[:-1]
        body = b"".join((self._heads[gateway, block], times, self._tails[seq % _VARIANTS]))
        return seal(body, Envelope(seq, boot, now_ms))
