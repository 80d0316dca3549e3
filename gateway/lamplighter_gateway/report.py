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

from lamplighter_gateway.config.model import Device, Reporting
from lamplighter_gateway.drivers.port import Reading, Value

_PROMPT_S: Final = 1.0  # a change that is told at once is still told at most this often


class Change(IntEnum):
    """How much a reading differs from the last one reported."""

    NONE = 0
    BEYOND_DEADBAND = 1
    PROMPT = 2


@dataclass(frozen=True, slots=True)
class _Pace:
    """How often a device may and must be told of."""

    interval_s: float
    heartbeat_s: float

    @property
    def prompt_s(self) -> float:
        """The same for a change that does not wait."""
        return min(_PROMPT_S, self.interval_s)


@dataclass(slots=True)
class _Told:
    """What the controller was last told of one device, and what waits."""

    deadbands: Mapping[str, float | None]
    values: Mapping[str, Value] | None = None
    quality: int = 0
    at_s: float = 0.0
    waiting: Reading | None = None
    due_s: float = 0.0


class Reporter:
    """Decides for every reading; times are monotonic seconds handed in."""

    def __init__(self, devices: Iterable[Device], reporting: Reporting) -> None:
        self._lit = _Pace(reporting.interval_s, reporting.heartbeat_s)
        day_s, day_heartbeat_s = reporting.day_interval_s, reporting.day_heartbeat_s
        self._dark = self._lit if day_s is None or day_heartbeat_s is None else _Pace(day_s, day_heartbeat_s)
        self._gather_s = reporting.gather_s
        self._flushed_s = float("-inf")
        self._pressing = False
        self._told = {device.id: _Told(device.profile.deadbands) for device in devices}
        self._waiting: list[tuple[float, str]] = []

    def offer(self, readings: Sequence[Reading], now_s: float) -> list[Reading]:
        """Readings as they come from a driver; those that are to be told now."""
        return [reading for reading in readings if self._worth_telling(reading, now_s)]

    def overdue(self, now_s: float) -> list[Reading]:
        """Readings that had to wait and whose wait is over; to be asked for about once a second."""
        ready: list[Reading] = []
        while self._waiting and self._waiting[0][0] <= now_s:
            _, device = heappop(self._waiting)
            told = self._told[device]
            if told.waiting is not None and told.due_s <= now_s:
                ready.append(told.waiting)
                self._tell(told, told.waiting, now_s)
        return ready

    def presses(self, now_s: float) -> bool:
        """True when a change that does not wait was told, or gathering has taken long enough."""
        if not self._pressing and now_s - self._flushed_s < self._gather_s:
            return False
        self._pressing, self._flushed_s = False, now_s
        return True

    def _pace(self, reading: Reading) -> "_Pace":
        return self._dark if reading.values.get("level_percent") == 0 else self._lit

    def _worth_telling(self, reading: Reading, now_s: float) -> bool:
        told = self._told.get(reading.device)
        if told is None:
            return False
        pace = self._pace(reading)
        if told.values is None or now_s - told.at_s >= pace.heartbeat_s:
            return self._tell(told, reading, now_s)
        found = change(told.values, reading.values, told.deadbands)
        if found is Change.NONE and reading.quality != told.quality:
            found = Change.BEYOND_DEADBAND
        if found is not Change.NONE:
            due_s = told.at_s + (pace.prompt_s if found is Change.PROMPT else pace.interval_s)
            self._pressing = self._pressing or found is Change.PROMPT
            if due_s <= now_s:
                return self._tell(told, reading, now_s)
            if told.waiting is None or due_s < told.due_s:
                told.due_s = due_s
                heappush(self._waiting, (due_s, reading.device))
            told.waiting = reading
        elif told.waiting is not None:
            told.waiting = reading
        return False

    def _tell(self, told: _Told, reading: Reading, now_s: float) -> bool:
        before = told.values or {}
        partial = 0 < len(reading.values) < len(before)  # a level read back alone; none at all says nobody answered
        known = {**before, **reading.values} if partial else reading.values
        told.values, told.quality, told.at_s, told.waiting = known, reading.quality, now_s, None
        return True


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
