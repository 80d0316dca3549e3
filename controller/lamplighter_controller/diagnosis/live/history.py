"""What was stored since the checkpoint, read back from the series store to be judged as if it came now."""

import logging
from collections.abc import AsyncIterator, Sequence
from typing import Final

from lamplighter_contract.quantities import Kind
from lamplighter_controller.diagnosis.topology import Topology
from lamplighter_controller.series.port import Readings, Series

log = logging.getLogger(__name__)

SLICE_MS: Final = 3_600_000
DEVICES_AT_ONCE: Final = 1_000
ROWS_AT_ONCE: Final = 500_000
LOOK_BACK_MS: Final = 2 * 24 * 3_600_000
FARTHEST_MS: Final = 24 * 3_600_000  # what is older changes no incident that somebody could still act on
PHASES: Final = ("a", "b", "c")
QUANTITIES: Final[dict[Kind, tuple[str, ...]]] = {
    Kind.LAMP: (
        "switched_on",
        "level_percent",
        "desired_percent",
        "voltage_v",
        "current_a",
        "power_w",
        "power_factor",
        "energy_kwh",
        "temperature_c",
        "leakage_ma",
        "burning_h",
        "starts",
        "rssi_dbm",
        "fault_bits",
        "supply_loss_count",
        "tilt_deg",
    ),
    Kind.CABINET: (
        *(
            f"{name}_{phase}_{unit}"
            for name, unit in (("voltage", "v"), ("current", "a"), ("power", "w"))
            for phase in PHASES
        ),
        "power_w",
        "energy_kwh",
        "leakage_ma",
        "door_open",
        "water",
        "lux",
    ),
    Kind.CIRCUIT: ("contactor_closed", "circuit_current_a", "breaker_bits", "leakage_ma"),
}


async def heard(series: Series, kind: Kind, now_ms: int) -> Sequence[str]:
    """Devices of a kind that were heard not long ago.

    Raises:
        SeriesUnavailable: the store does not answer.
    """
    return (await series.last(kind, now_ms - LOOK_BACK_MS)).device


async def since(series: Series, topology: Topology, start_ms: int, end_ms: int) -> AsyncIterator[list[Readings]]:
    """Stored readings of the topology's devices, an hour at a time.

    Raises:
        SeriesUnavailable: the store does not answer.
    """
    start_ms = max(start_ms, end_ms - FARTHEST_MS)
    devices = {
        Kind.LAMP: list(topology.row_of_lamp),
        Kind.CABINET: list(topology.row_of_cabinet),
        Kind.CIRCUIT: list(topology.circuits),
    }
    for slice_ms in range(start_ms, end_ms, SLICE_MS):
        until_ms = min(slice_ms + SLICE_MS, end_ms)
        found = [
            await series.range(kind, chunk, QUANTITIES[kind], slice_ms, until_ms, ROWS_AT_ONCE)
            for kind, names in devices.items()
            for chunk in _chunks(names)
        ]
        yield [readings for readings in found if len(readings.device)]


def _chunks(names: Sequence[str]) -> list[Sequence[str]]:
    return [names[start : start + DEVICES_AT_ONCE] for start in range(0, len(names), DEVICES_AT_ONCE)]
