"""The second pass: reports that came late are judged with all that is stored around them, and correct the record.

It never limits anybody: what it finds is marked as late, and policies leave it alone.
"""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final
from zoneinfo import ZoneInfo

from lamplighter_controller.fleet.judging.bounds import Bounds
from lamplighter_controller.fleet.judging.judge import Judge
from lamplighter_controller.fleet.judging.violations import Class, Finding
from lamplighter_controller.fleet.live import history
from lamplighter_controller.fleet.live.city import City
from lamplighter_controller.fleet.live.collector import fixes_of
from lamplighter_controller.fleet.violations import records
from lamplighter_controller.fleet.violations.desk import ViolationDesk
from lamplighter_controller.fleet.violations.violation import State
from lamplighter_controller.series.port import Readings, Series

log = logging.getLogger(__name__)

QUIET_S: Final = 20.0  # a truck that sends its store sends for a while
BEFORE_MS: Final = 3_600_000
AFTER_MS: Final = 900_000
LONGEST_MS: Final = 24 * 3_600_000
CLOSED_GAP: Final = "reports that came late close the gap"


@dataclass(slots=True)
class SecondPass:
    """What came late, by terminal: from when to when (civil ms)."""

    series: Series
    violations: ViolationDesk
    zone: ZoneInfo
    bounds: Bounds
    _spans: dict[str, tuple[int, int]] = field(default_factory=dict)
    _last_s: float = 0.0

    def take(self, readings: Readings, now_s: float) -> None:
        """Late reports, that are stored."""
        self._last_s = now_s
        for device, time_ms in zip(readings.device, readings.time_ms.tolist(), strict=True):
            first_ms, last_ms = self._spans.get(device, (time_ms, time_ms))
            self._spans[device] = min(first_ms, time_ms), max(last_ms, time_ms)

    def due(self, now_s: float) -> bool:
        """True once nothing more has come for a while."""
        return bool(self._spans) and now_s - self._last_s >= QUIET_S

    async def run(self, city: City, suspended: Callable[[], bool]) -> int:
        """Judge what came late; how many violations were found or corrected.

        Raises:
            LedgerUnavailable, SeriesUnavailable: it is tried again the next time.
        """
        spans = {device: span for device, span in self._spans.items() if device in city.row_of_device}
        changed = 0
        for device, (first_ms, last_ms) in spans.items():
            start_ms = max(first_ms, last_ms - LONGEST_MS)
            stored = await history.between(self.series, [device], start_ms - BEFORE_MS, last_ms + AFTER_MS)
            fixes = fixes_of(stored, {device: 0})
            row = city.row_of_device[device]
            judge = Judge(1, city.places, self.zone, self.bounds)
            found = [one for one in judge.judge(fixes) if (one.last_ms or one.first_ms) >= start_ms]
            changed += await self._compare(city, row, found, (start_ms, last_ms), suspended=suspended())
        self._spans = {device: span for device, span in self._spans.items() if spans.get(device) != span}
        if changed:
            log.info("%d violations were found or corrected by reports that came late", changed)
        return changed

    async def _compare(
        self, city: City, row: int, found: Sequence[Finding], span: tuple[int, int], *, suspended: bool
    ) -> int:
        """Hold what a whole record shows against what was known of it."""
        truck = city.rows[row].truck
        known = await self.violations.ledger.read(
            lambda connection: records.within(connection, [truck], span[0] - BEFORE_MS, span[1] + AFTER_MS)
        )
        changed = 0
        gaps = [one for one in found if one.kind is Class.POSITION_GAP]
        for one in known:
            last_ms = one.last_ms or 0
            candidate = one.kind == Class.POSITION_GAP and one.state is State.CANDIDATE
            touched = span[0] < last_ms and span[1] > one.first_ms
            stays = any(gap.first_ms < last_ms and (gap.last_ms or 0) > one.first_ms for gap in gaps)
            if candidate and touched and not stays:
                await self.violations.corrected(one, CLOSED_GAP)
                changed += 1
        desk = self.violations
        past = ViolationDesk(desk.ledger, desk.events, desk.clock, self.zone, desk.new_id)
        told = [(one.kind, one.first_ms, one.last_ms) for one in known]
        fresh = [one for one in _whole(found, row, span[1]) if not _is_known(one, told)]
        return changed + len(await past.take(fresh, city, span[1], suspended=suspended, late=True))


def _whole(found: Sequence[Finding], row: int, end_ms: int) -> list[Finding]:
    """Episodes with both their ends, of this row of the fleet."""
    begun: dict[Class, Finding] = {}
    whole: list[Finding] = []
    for one in found:
        if one.first_ms and one.last_ms is None:
            begun.setdefault(one.kind, one)
        elif one.first_ms:
            whole.append(_placed(one, row, one.last_ms or one.first_ms))
        elif one.kind in begun:
            whole.append(_placed(begun.pop(one.kind), row, one.last_ms or end_ms))
    return whole + [_placed(one, row, end_ms) for one in begun.values()]


def _placed(one: Finding, row: int, last_ms: int) -> Finding:
    return Finding(
        row,
        one.kind,
        one.score,
        one.first_ms,
        max(last_ms, one.first_ms),
        one.place,
        one.latitude,
        one.longitude,
        one.evidence,
        one.rules,
    )


def _is_known(one: Finding, known: Sequence[tuple[str, int, int | None]]) -> bool:
    last_ms = one.last_ms or one.first_ms
    return any(
        kind == one.kind and first_ms <= last_ms and (end_ms is None or end_ms >= one.first_ms)
        for kind, first_ms, end_ms in known
    )
