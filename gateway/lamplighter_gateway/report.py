"""Report by exception: what of all the readings is worth telling the controller, and when. Pure.

A quantity with a deadband is worth a report when it moved beyond it since the last one, at most once per interval; one
without (a flag, a level, a counter) is told at once. Every device is told at least once per heartbeat. A change that
has to wait is not lost: the device's newest reading goes out when its interval is over.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from heapq import heappop, heappush
from typing import Final

from lamplighter_contract.quantities import Kind
from lamplighter_gateway.config.model import Device, Reporting
from lamplighter_gateway.drivers.port import Reading, Value

BATCH_ROWS: Final = 250
BATCH_S: Final = 1.0
_PROMPT_S: Final = 1.0  # a change that is told at once is still told at most this often


@dataclass(frozen=True, slots=True)
class Batch:
    """Readings of one kind as columns of equal length; None = not read. `time_ms` is civil."""

    kind: Kind
    device: list[str]
    time_ms: list[int]
    columns: Mapping[str, list[Value]]
    quality: list[int]


class Change(IntEnum):
    """How much a reading differs from the last one reported."""

    NONE = 0
    BEYOND_DEADBAND = 1
    PROMPT = 2


@dataclass(slots=True)
class _Told:
    """What the controller was last told of one device, and what waits."""

    deadbands: Mapping[str, float | None]
    values: Mapping[str, Value] | None = None
    quality: int = 0
    at_s: float = 0.0
    waiting: Reading | None = None


@dataclass(slots=True)
class _Open:
    """A batch that is being filled."""

    since_s: float
    rows: list[Reading]


class Reporter:
    """Decides for every reading; times are monotonic seconds handed in."""

    def __init__(self, devices: Iterable[Device], reporting: Reporting) -> None:
        self._interval_s = reporting.interval_s
        self._prompt_s = min(_PROMPT_S, reporting.interval_s)
        self._heartbeat_s = reporting.heartbeat_s
        self._told = {device.id: _Told(device.profile.deadbands) for device in devices}
        self._waiting: list[tuple[float, str]] = []
        self._open: dict[Kind, _Open] = {}
        self._full: list[Batch] = []

    def offer(self, readings: Sequence[Reading], now_s: float) -> None:
        """Take readings as they come from a driver."""
        for reading in readings:
            told = self._told.get(reading.device)
            if told is not None:
                self._consider(told, reading, now_s)

    def batches(self, now_s: float, *, flush: bool = False) -> list[Batch]:
        """What is ready to be sent: full batches, and those that have waited long enough (or all of them)."""
        while self._waiting and self._waiting[0][0] <= now_s:
            _, device = heappop(self._waiting)
            told = self._told[device]
            if told.waiting is not None:
                self._tell(told, told.waiting, now_s)
        for kind in [kind for kind, batch in self._open.items() if flush or now_s - batch.since_s >= BATCH_S]:
            self._close(kind)
        ready, self._full = self._full, []
        return ready

    def next_s(self) -> float | None:
        """When `batches` will next have something, as far as is known; None when nothing waits."""
        times = [batch.since_s + BATCH_S for batch in self._open.values()]
        if self._full:
            return 0.0
        if self._waiting:
            times.append(self._waiting[0][0])
        return min(times, default=None)

    def _consider(self, told: _Told, reading: Reading, now_s: float) -> None:
        if told.values is None or now_s - told.at_s >= self._heartbeat_s:
            self._tell(told, reading, now_s)
            return
        if told.waiting is not None:
            told.waiting = reading
        found = change(told.values, reading.values, told.deadbands)
        if found is Change.NONE and reading.quality == told.quality:
            return
        due_s = told.at_s + (self._prompt_s if found is Change.PROMPT else self._interval_s)
        if due_s <= now_s:
            self._tell(told, reading, now_s)
        elif told.waiting is None or found is Change.PROMPT:
            told.waiting = reading
            heappush(self._waiting, (due_s, reading.device))

    def _tell(self, told: _Told, reading: Reading, now_s: float) -> None:
        told.values, told.quality, told.at_s, told.waiting = reading.values, reading.quality, now_s, None
        batch = self._open.get(reading.kind)
        if batch is None:
            batch = self._open[reading.kind] = _Open(now_s, [])
        batch.rows.append(reading)
        if len(batch.rows) >= BATCH_ROWS:
            self._close(reading.kind)

    def _close(self, kind: Kind) -> None:
        self._full.append(columnar(kind, self._open.pop(kind).rows))


def change(old: Mapping[str, Value], new: Mapping[str, Value], deadbands: Mapping[str, float | None]) -> Change:
    """The greatest change between two sets of values; read against not read is a change."""
    if old is new:
        return Change.NONE
    found = Change.NONE
    for name, value in new.items():
        before = old.get(name)
        if value == before:
            continue
        deadband = deadbands.get(name)
        if deadband is None:
            return Change.PROMPT
        if not isinstance(value, int | float) or not isinstance(before, int | float) or abs(value - before) > deadband:
            found = Change.BEYOND_DEADBAND
    return found


def columnar(kind: Kind, rows: Sequence[Reading]) -> Batch:
    """Readings of one kind as columns, None where a device does not have a quantity."""
    names = dict.fromkeys(name for row in rows for name in row.values)
    return Batch(
        kind,
        [row.device for row in rows],
        [row.time_ms for row in rows],
        {name: [row.values.get(name) for row in rows] for name in names},
        [int(row.quality) for row in rows],
    )
