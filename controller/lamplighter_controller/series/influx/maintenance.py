"""Summaries and retirement of one kind in InfluxDB.

Progress is written down after the work it stands for, so every step may be repeated. A summary older than the kept
readings is replaced only by one of at least as many values: what arrives after its readings have been retired fills
windows that have no summary and never spoils one.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

import numpy as np
from numpy.typing import NDArray

from lamplighter_contract.quantities import Kind
from lamplighter_controller.series.influx import influxql
from lamplighter_controller.series.influx.influxql import Table, summary_measurement
from lamplighter_controller.series.influx.line import LINES_AT_ONCE, encode
from lamplighter_controller.series.influx.session import InfluxSession
from lamplighter_controller.series.influx.state import KindState, encode_due, encode_progress
from lamplighter_controller.series.port import Aggregate, Floats
from lamplighter_controller.series.rollup import DAY_MS, QUARTER_HOUR_MS, Horizons, floor, settled_ms, summary

# One answer is held in memory: device x window x 5 numbers.
QUARTER_HOURS_AT_ONCE: Final = 4
VALUES: Final = (Aggregate.MEAN, Aggregate.MINIMUM, Aggregate.MAXIMUM, Aggregate.LAST)


async def maintain_kind(
    kind: Kind, quantities: Sequence[str], now_ms: int, limits: Horizons, session: InfluxSession
) -> None:
    """Bring a kind's summaries up to `now_ms` and retire what is older than its retention."""
    if not quantities:
        return
    state = (await session.states())[kind]
    async with session.turn():
        since_ms, late = state.rolled_ms, frozenset(state.due)
        until_ms = max(since_ms, settled_ms(now_ms))
        state.rolled_ms, state.due = until_ms, set()
    try:
        work = _Summarising(kind, quantities, state, session)
        await work.run(late, since_ms, until_ms)
        if late or until_ms > since_ms:
            await _remember(kind, state, late, now_ms, session)
    except BaseException:
        state.rolled_ms = since_ms
        state.due |= late
        raise
    await _retire(kind, state, limits, now_ms, session)


@dataclass(frozen=True, slots=True)
class _Summarising:
    kind: Kind
    quantities: Sequence[str]
    state: KindState
    session: InfluxSession

    async def run(self, late: Collection[int], since_ms: int, until_ms: int) -> None:
        """Quarter hours with readings in the span and those that are due again, then the days they complete."""
        due = {*late, *await self._windows_with_data(since_ms, until_ms)}
        days = {floor(start_ms, DAY_MS) for start_ms in due}
        step_ms = QUARTER_HOURS_AT_ONCE * QUARTER_HOUR_MS
        for first_ms in sorted({floor(start_ms, step_ms) for start_ms in due}):
            await self._quarter_hours({start_ms for start_ms in due if floor(start_ms, step_ms) == first_ms})
        for day_ms in sorted({*days, floor(since_ms, DAY_MS)}):
            if day_ms + DAY_MS <= until_ms:
                await self._day(day_ms)

    async def _windows_with_data(self, since_ms: int, until_ms: int) -> list[int]:
        if not since_ms:
            oldest = await self.session.query(influxql.first_time(self.kind))
            since_ms = int(oldest[0].numbers()["time"][0]) if oldest else until_ms
        if since_ms >= until_ms:
            return []
        ask = influxql.windows_with_data(self.kind, since_ms, until_ms, QUARTER_HOUR_MS)
        return [int(start) for table in await self.session.query(ask) for start in table.numbers()["time"]]

    async def _quarter_hours(self, starts: Collection[int]) -> None:
        span_ms = (min(starts), max(starts) + QUARTER_HOUR_MS)
        for quantity in self.quantities:
            ask = influxql.of_readings(self.kind, quantity, Aggregate, span_ms, QUARTER_HOUR_MS, ())
            fresh = _Summaries.of(await self.session.query(ask)).among(starts)
            await self._write(QUARTER_HOUR_MS, quantity, fresh, span_ms, self.state.raw_from_ms)

    async def _day(self, day_ms: int) -> None:
        span_ms = (day_ms, day_ms + DAY_MS)
        for quantity in self.quantities:
            ask = influxql.of_summaries(self.kind, QUARTER_HOUR_MS, quantity, Aggregate, span_ms, DAY_MS, ())
            fresh = _Summaries.of(await self.session.query(ask))
            await self._write(DAY_MS, quantity, fresh, span_ms, self.state.quarter_hour_from_ms)

    async def _write(
        self, step_ms: int, quantity: str, fresh: "_Summaries", span_ms: tuple[int, int], complete_from_ms: int
    ) -> None:
        measurement, count = summary_measurement(self.kind, step_ms), summary(quantity, Aggregate.COUNT)
        if span_ms[0] < complete_from_ms:
            stored = await self.session.query(influxql.readings(measurement, [count], (), *span_ms, 0))
            fresh = fresh.not_poorer_than({table.device: table.numbers() for table in stored}, count)
        for some in fresh.chunks():
            values = {summary(quantity, each): some.columns[each] for each in VALUES}
            lines = encode(measurement, some.device, some.start_ms, (count, some.columns[Aggregate.COUNT]), values)
            await self.session.write(partial(self.session.influx.write, lines))


@dataclass(frozen=True, slots=True)
class _Summaries:
    device: Sequence[str]
    start_ms: NDArray[np.int64]
    columns: dict[str, Floats]

    @classmethod
    def of(cls, answer: Sequence[Table]) -> "_Summaries":
        tables = influxql.of_devices(answer)
        numbers = [table.numbers() for table in tables]
        columns = {
            name: np.concatenate([np.empty(0), *(each[name] for each in numbers)]) for name in ("time", *Aggregate)
        }
        devices = [table.device for table in tables for _ in table.rows]
        return cls(devices, columns["time"].astype(np.int64), columns)

    def among(self, starts: Collection[int]) -> "_Summaries":
        return self._where(np.isin(self.start_ms, np.array(sorted(starts), np.int64)))

    def not_poorer_than(self, stored: dict[str, dict[str, Floats]], count: str) -> "_Summaries":
        counts = {
            (device, int(start)): number
            for device, of in stored.items()
            for start, number in zip(of["time"], of[count], strict=True)
        }
        keys = zip(self.device, self.start_ms.tolist(), strict=True)
        before = np.array([counts.get(key, 0.0) for key in keys], np.float64)
        return self._where(self.columns[Aggregate.COUNT] >= before)

    def chunks(self) -> "list[_Summaries]":
        starts = range(0, len(self.device), LINES_AT_ONCE)
        return [self._where(np.arange(len(self.device)) // LINES_AT_ONCE == first // LINES_AT_ONCE) for first in starts]

    def _where(self, rows: NDArray[np.bool_]) -> "_Summaries":
        device = [self.device[row] for row in np.flatnonzero(rows).tolist()]
        return _Summaries(device, self.start_ms[rows], {name: column[rows] for name, column in self.columns.items()})


async def _remember(kind: Kind, state: KindState, done: Collection[int], now_ms: int, session: InfluxSession) -> None:
    async with session.turn():
        await session.write(partial(session.influx.write, encode_progress(kind, state, now_ms)))
        settled = set(done) - state.due
        if settled:
            await session.write(partial(session.influx.write, encode_due(kind, settled, is_open=False)))


async def _retire(kind: Kind, state: KindState, limits: Horizons, now_ms: int, session: InfluxSession) -> None:
    """Once a day, and not while late readings wait to be summarised."""
    if limits.raw_ms <= state.raw_from_ms:
        return
    async with session.turn():
        if any(start_ms < limits.raw_ms for start_ms in state.due):
            return
        for measurement, until_ms in (
            (str(kind), limits.raw_ms),
            (summary_measurement(kind, QUARTER_HOUR_MS), limits.quarter_hour_ms),
            (summary_measurement(kind, DAY_MS), limits.day_ms),
        ):
            await session.write(partial(session.influx.delete_before, measurement, until_ms), long_work=True)
        state.raw_from_ms, state.quarter_hour_from_ms = limits.raw_ms, limits.quarter_hour_ms
        await session.write(partial(session.influx.write, encode_progress(kind, state, now_ms)))
