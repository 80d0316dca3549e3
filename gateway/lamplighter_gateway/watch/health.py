"""The health document: buses, spool, disk, memory, clock, counters."""

import os
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

from lamplighter_contract.wire.documents import BusHealth, ClockState, Health, SpoolHealth
from lamplighter_gateway.drivers.port import BusStatus
from lamplighter_gateway.spool.frames import SpoolStatus

_STATM: Final = Path("/proc/self/statm")
_IO: Final = Path("/proc/self/io")


def health(
    boot: str,
    time_ms: int,
    buses: Iterable[BusStatus],
    spool: SpoolStatus,
    clock: ClockState,
    counters: Mapping[str, int],
    data: Path,
) -> Health:
    """How the gateway fares now."""
    return Health(
        boot=boot,
        time=time_ms,
        buses=tuple(_bus(status) for status in buses),
        spool=SpoolHealth(spool.waiting, spool.bytes, spool.oldest_ms, spool.dropped, spool.state),
        disk_free_bytes=shutil.disk_usage(data).free,
        rss_bytes=rss_bytes(),
        clock=clock,
        counters=dict(counters),
    )


def rss_bytes() -> int | None:
    """Resident memory of this process, where the system tells."""
    try:
        return int(_STATM.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError, IndexError):
        return None


def written_bytes() -> int | None:
    """What this process has caused to be written to storage since its start, where the system tells."""
    try:
        found = dict(line.split(": ") for line in _IO.read_text().splitlines())
        return int(found["write_bytes"])
    except (OSError, ValueError, KeyError):
        return None


def _bus(status: BusStatus) -> BusHealth:
    return BusHealth(
        bus=status.bus,
        wire=status.wire,
        connected=status.connected,
        devices=status.devices,
        silent=len(status.silent),
        cycle_s=round(status.cycle_s, 3),
        utilisation=round(status.utilisation, 3),
        requests=status.requests,
        timeouts=status.timeouts,
        crc_errors=status.crc_errors,
        exceptions=status.exceptions,
        refused=status.refused,
        refusals=dict(status.refusals),
    )
