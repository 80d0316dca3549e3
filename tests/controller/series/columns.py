"""Short ways to write down readings and read them back."""

from collections.abc import Mapping, Sequence

import numpy as np

from lamplighter_contract.quantities import Kind
from lamplighter_controller.series.port import Readings

DAY_MS = 86_400_000
QUARTER_HOUR_MS = 900_000
# 2025-11-20T00:00:00Z
MIDNIGHT_MS = 1_763_596_800_000
NOT_READ = float("nan")


def readings(
    device: Sequence[str],
    time_ms: Sequence[int],
    quality: Sequence[int] | int = 0,
    kind: Kind = Kind.LAMP,
    **values: Sequence[float],
) -> Readings:
    """Readings from plain lists."""
    return Readings(
        kind=kind,
        device=list(device),
        time_ms=np.array(time_ms, np.int64),
        values={name: np.array(column, np.float64) for name, column in values.items()},
        quality=np.broadcast_to(np.array(quality, np.uint8), len(device)).copy(),
    )


def rows(result: Readings) -> list[tuple[str, int, int, Mapping[str, float]]]:
    """Device, time, quality and what was read, row by row."""
    return [
        (
            device,
            int(result.time_ms[row]),
            int(result.quality[row]),
            {name: float(column[row]) for name, column in result.values.items() if not np.isnan(column[row])},
        )
        for row, device in enumerate(result.device)
    ]
