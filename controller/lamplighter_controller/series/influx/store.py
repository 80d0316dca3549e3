"""InfluxDB behind the series port: a measurement per kind, the device as the only tag, every quantity a float."""

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Final

import numpy as np

from lamplighter_contract.ids import is_id
from lamplighter_contract.quantities import Kind, quantity
from lamplighter_controller.series.gather import gather
from lamplighter_controller.series.influx import influxql
from lamplighter_controller.series.influx.combine import NEEDED, combine
from lamplighter_controller.series.influx.http import Influx, LinesRefused
from lamplighter_controller.series.influx.influxql import Table
from lamplighter_controller.series.influx.line import encode_readings
from lamplighter_controller.series.influx.maintenance import maintain_kind
from lamplighter_controller.series.influx.refused import store_all_but
from lamplighter_controller.series.influx.session import InfluxSession
from lamplighter_controller.series.influx.state import KindState, encode_due
from lamplighter_controller.series.port import Aggregate, Readings, Rejection, SeriesRejected, Windows
from lamplighter_controller.series.rollup import DAY_MS, QUARTER_HOUR_MS, horizons, late_windows
from lamplighter_controller.series.settings import Retention

DEVICES_AT_ONCE: Final = 200


class InfluxSeries:
    """A series store in one InfluxDB database or bucket."""

    def __init__(self, influx: Influx, retention: Retention, timeout_s: float) -> None:
        self._session = InfluxSession(influx, timeout_s)
        self._influx = influx
        self._retention = retention
        self._known: set[str] = set()

    async def write(self, batches: Sequence[Readings]) -> None:
        """Store durably; on return every row is committed."""
        rows, rejected = gather(batches, self._known)
        for readings in rows:
            self._known.update(readings.device)
        async with self._session.turn():
            await self._mark_late(rows)
            for readings in rows:
                rejected += await self._send(readings)
        if rejected:
            raise SeriesRejected(rejected)

    async def range(
        self, kind: Kind, devices: Sequence[str], quantities: Sequence[str], start_ms: int, end_ms: int, limit: int
    ) -> Readings:
        """Raw readings with start_ms <= time < end_ms, ordered by device, then time; at most `limit` rows."""
        stored = [name for name in quantities if quantity(kind, name)]
        tables: list[Table] = []
        for some in _chunks(devices):
            missing = limit - sum(len(table.rows) for table in tables)
            if missing <= 0:
                break
            statement = influxql.readings(kind, ["quality", *stored], some, start_ms, end_ms, missing)
            tables += await self._session.query(statement)
        return _readings(kind, quantities, tables, limit)

    async def windows(
        self,
        kind: Kind,
        devices: Sequence[str],
        quantity: str,
        start_ms: int,
        end_ms: int,
        window_ms: int,
        aggregate: Aggregate,
    ) -> Windows:
        """Aggregates per epoch-aligned window; where only summaries are left, windows are no finer than those."""
        if not _is_quantity(kind, quantity):
            return combine([], aggregate)
        state = (await self._session.states())[kind]
        needed = NEEDED[aggregate]
        sources: list[list[Table]] = []
        for step_ms, since_ms, until_ms in _sources(state):
            span_ms = (max(start_ms, since_ms), min(end_ms, until_ms))
            if span_ms[0] >= span_ms[1]:
                continue
            source: list[Table] = []
            for some in _chunks(devices):
                if step_ms:
                    ask = influxql.of_summaries(kind, step_ms, quantity, needed, span_ms, window_ms, some)
                else:
                    ask = influxql.of_readings(kind, quantity, needed, span_ms, window_ms, some)
                source += await self._session.query(ask)
            sources.append(source)
        return combine(sources, aggregate)

    async def last(self, kind: Kind, since_ms: int) -> Readings:
        """One row per device measured at or after `since_ms`, ordered by device."""
        quality = influxql.of_devices(await self._session.query(influxql.newest(kind, ["quality"], since_ms)))
        names = [name for name in await self._fields(kind) if _is_quantity(kind, name)]
        values = await self._session.query(influxql.newest(kind, names, since_ms)) if names else []
        newest = {table.device: table.numbers() for table in values}
        empty = {name: np.full(1, np.nan) for name in names}
        rows = [(table.device, table.numbers(), newest.get(table.device, empty)) for table in quality]
        return Readings(
            kind=kind,
            device=[device for device, *_ in rows],
            time_ms=np.array([point["time"][0] for _, point, _ in rows]).astype(np.int64),
            values={name: np.array([value[name][0] for *_, value in rows], np.float64) for name in names},
            quality=np.array([point["quality"][0] for _, point, _ in rows]).astype(np.uint8),
        )

    async def maintain(self, now_ms: int) -> None:
        """Summarise and retire, kind by kind; writes go on in between."""
        limits = horizons(now_ms, self._retention)
        for kind in Kind:
            names = await self._ever_stored(kind)
            await maintain_kind(kind, names, now_ms, limits, self._session)

    async def close(self) -> None:
        """Give the connections back."""
        await self._session.close()

    async def _ever_stored(self, kind: Kind) -> list[str]:
        measurements = (kind, *(influxql.summary_measurement(kind, step_ms) for step_ms in (QUARTER_HOUR_MS, DAY_MS)))
        fields = {field.partition(".")[0] for each in measurements for field in await self._fields(each)}
        return sorted(name for name in fields if _is_quantity(kind, name))

    async def _fields(self, measurement: str) -> list[str]:
        tables = await self._session.query(influxql.field_keys(measurement))
        return sorted(str(row[0]) for table in tables for row in table.rows if row[1] == "float")

    async def _mark_late(self, rows: Sequence[Readings]) -> None:
        states = await self._session.states()
        for readings in rows:
            due = states[readings.kind].due
            late = set(late_windows(readings.time_ms, states[readings.kind].rolled_ms)) - due
            if late:
                marks = encode_due(readings.kind, late, is_open=True)
                await self._session.write(partial(self._influx.write, marks))
                due |= late

    async def _send(self, readings: Readings) -> list[Rejection]:
        try:
            await self._session.write(partial(_write_all, self._influx, readings))
        except LinesRefused:
            lines = b"".join(encode_readings(readings)).splitlines(keepends=True)
            settle = partial(store_all_but, self._influx.write, lines)
            refused = await self._session.write(settle, long_work=True)
        else:
            return []
        return [
            Rejection(readings.kind, readings.device[row], int(readings.time_ms[row]), refused[row])
            for row in sorted(refused)
        ]


def _write_all(influx: Influx, readings: Readings) -> None:
    for lines in encode_readings(readings):
        influx.write(lines)


def _sources(state: KindState) -> tuple[tuple[int, int, int], ...]:
    """Step (0 for readings), since, until; oldest first."""
    return (
        (DAY_MS, 0, state.quarter_hour_from_ms),
        (QUARTER_HOUR_MS, state.quarter_hour_from_ms, state.raw_from_ms),
        (0, state.raw_from_ms, 2**62),
    )


def _is_quantity(kind: Kind, name: str) -> bool:
    return quantity(kind, name) is not None


def _chunks(devices: Sequence[str]) -> Iterator[list[str]]:
    asked = sorted({device for device in devices if is_id(device)})
    for first in range(0, len(asked), DEVICES_AT_ONCE):
        yield asked[first : first + DEVICES_AT_ONCE]


def _readings(kind: Kind, quantities: Sequence[str], tables: Sequence[Table], limit: int) -> Readings:
    numbers = [table.numbers() for table in tables]
    lengths = [len(table.rows) for table in tables]
    devices = np.repeat([table.device for table in tables], lengths)[:limit] if tables else np.empty(0, np.str_)

    def column(name: str) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
        unread = (np.full(length, np.nan) for length in lengths)
        parts = [of.get(name, missing) for of, missing in zip(numbers, unread, strict=True)]
        return np.concatenate([*parts, np.empty(0)])[:limit]

    return Readings(
        kind=kind,
        device=devices.tolist(),
        time_ms=column("time").astype(np.int64),
        values={name: column(name) for name in quantities},
        quality=np.nan_to_num(column("quality")).astype(np.uint8),
    )
