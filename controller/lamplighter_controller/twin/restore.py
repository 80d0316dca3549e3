"""Bringing the twin back at start: who serves what from the ledger, what was read last from the series."""

import logging
from dataclasses import replace
from typing import Final

from lamplighter_contract.quantities import Kind
from lamplighter_controller.ledger.engine import Ledger
from lamplighter_controller.series.port import Series
from lamplighter_controller.twin import store
from lamplighter_controller.twin.columns import Twin
from lamplighter_controller.twin.kind import WISHES

log = logging.getLogger(__name__)

LOOK_BACK_MS: Final = 2 * 24 * 3_600_000  # what is older says nothing about now


async def restore_devices(twin: Twin, ledger: Ledger) -> None:
    """Adopt every device the ledger knows.

    Raises:
        LedgerUnavailable: the ledger does not answer.
    """
    for gateway, entries in (await ledger.read(store.every)).items():
        twin.adopt(gateway, entries)


async def restore_values(twin: Twin, series: Series, now_ms: int) -> None:
    """Take the newest stored reading of every device; it counts as received at no time since this start.

    Wishes stay out: the newest one on record may have ended long ago, and the gateway soon says what it wants now.

    Raises:
        SeriesUnavailable: the store does not answer.
    """
    for kind in Kind:
        if twin.snapshot(kind).ids:
            readings = await series.last(kind, now_ms - LOOK_BACK_MS)
            measured = {name: column for name, column in readings.values.items() if name not in WISHES}
            twin.apply(replace(readings, values=measured), float("nan"))
            log.info("the last readings of %d %ss are back", len(readings.device), kind)
