"""What may be said of each device now: on, off, faulty, or not known. Pure; one array expression per rule."""

from collections.abc import Set as AbstractSet
from dataclasses import replace
from enum import IntEnum
from typing import Final

import numpy as np
from numpy.typing import NDArray

from lamplighter_contract.quality import Quality
from lamplighter_contract.quantities import Kind
from lamplighter_controller.series.port import Floats
from lamplighter_controller.twin.kind import NOBODY, Snapshot

STALE_AFTER_S: Final = 1_830.0  # two heartbeats of a gateway's report by exception
LIT_FROM_W: Final = 2.0  # a controller alone takes less, the weakest dimmed luminaire more

Conditions = NDArray[np.uint8]


class Condition(IntEnum):
    """Unknown is never shown as off."""

    UNKNOWN = 0
    OFF = 1
    ON = 2
    FAULT = 3
    GONE = 4  # no gateway serves it any more


WORDS: Final = tuple(condition.name.lower() for condition in Condition)


def conditions(
    columns: Snapshot, lost: AbstractSet[str], *, civil_ms: int, monotonic_s: float, rate: float
) -> Conditions:
    """The condition of every row. `lost`: gateways gone or out of sight; what they said may no longer be so."""
    found = _said(columns)
    found[_age_s(columns, civil_ms=civil_ms, monotonic_s=monotonic_s, rate=rate) > STALE_AFTER_S] = Condition.UNKNOWN
    found[(columns.quality & Quality.STALE) != 0] = Condition.UNKNOWN
    silent = [index for index, gateway in enumerate(columns.gateways) if gateway in lost]
    found[np.isin(columns.gateway, silent)] = Condition.UNKNOWN
    found[columns.gateway == NOBODY] = Condition.GONE
    return found


def row_of(columns: Snapshot, row: int) -> Snapshot:
    """One row as columns of length one: what is asked of one device must not cost what all of them would."""
    one = slice(row, row + 1)
    return replace(
        columns,
        ids=columns.ids[one],
        gateway=columns.gateway[one],
        time_ms=columns.time_ms[one],
        received_s=columns.received_s[one],
        quality=columns.quality[one],
        values={name: column[one] for name, column in columns.values.items()},
    )


def _said(columns: Snapshot) -> Conditions:
    """What the newest values say, whatever their age."""
    if columns.kind is Kind.LAMP:
        return _lamps(columns)
    evidence = {Kind.CABINET: "voltage_a_v", Kind.CIRCUIT: "contactor_closed", Kind.TRUCK: "ignition"}.get(columns.kind)
    return _above_zero(_column(columns, evidence or ""))


def _lamps(columns: Snapshot) -> Conditions:
    level, power = _column(columns, "level_percent"), _column(columns, "power_w")
    found = _above_zero(level)
    found[power < LIT_FROM_W] = Condition.OFF
    found[power >= LIT_FROM_W] = Condition.ON
    found[(level > 0) & (power < LIT_FROM_W)] = Condition.FAULT
    found[_column(columns, "fault_bits") > 0] = Condition.FAULT
    return found


def _above_zero(column: Floats) -> Conditions:
    found = np.full(len(column), Condition.UNKNOWN, np.uint8)
    found[column > 0] = Condition.ON
    found[column <= 0] = Condition.OFF
    return found


def _column(columns: Snapshot, name: str) -> Floats:
    known = columns.values.get(name)
    return np.full(len(columns.ids), np.nan) if known is None else known


def _age_s(columns: Snapshot, *, civil_ms: int, monotonic_s: float, rate: float) -> Floats:
    """Real seconds since each row was read: by our own clock, else (from before this start) by the reading's date."""
    by_date: Floats = (civil_ms - columns.time_ms) / 1000 / rate
    heard = monotonic_s - columns.received_s
    return np.where(np.isnan(heard), by_date, heard)
