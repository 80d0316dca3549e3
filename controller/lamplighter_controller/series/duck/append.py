"""Writing readings: rows newer than all their device has are appended, only the others are merged by key."""

# ruff: noqa: S608 - statements are put together from enumerations, checked quantity names and numbers only

from collections.abc import Sequence
from itertools import chain, filterfalse

import numpy as np
from numpy.typing import NDArray

from lamplighter_controller.series.duck import tables
from lamplighter_controller.series.duck.session import Session
from lamplighter_controller.series.gather import select
from lamplighter_controller.series.port import Readings
from lamplighter_controller.series.rollup import QUARTER_HOUR_MS, late_windows

Codes = NDArray[np.int32]


def store(kinds: Sequence[Readings], session: Session) -> None:
    """Commit rows with unique keys, one `Readings` per kind."""
    _number_devices(kinds, session)
    for readings in kinds:
        _add_missing(readings, session)
    codes = session.catalogue.codes
    coded = [np.fromiter(map(codes.__getitem__, each.device), np.int32, len(each.device)) for each in kinds]
    with session.transaction():
        for readings, code in zip(kinds, coded, strict=True):
            _insert(readings, code, session)
    for readings, code in zip(kinds, coded, strict=True):
        np.maximum.at(session.catalogue.newest(readings.kind), code, readings.time_ms)


def _number_devices(kinds: Sequence[Readings], session: Session) -> None:
    codes = session.catalogue.codes
    every = chain.from_iterable(each.device for each in kinds)
    new = list(dict.fromkeys(filterfalse(codes.__contains__, every)))
    if not new:
        return
    numbers = range(len(codes), len(codes) + len(new))
    columns = {"code": np.array(numbers, np.int32), "id": np.array(new, dtype=np.object_)}
    session.execute_with(columns, f"INSERT INTO device SELECT code, id FROM {tables.INCOMING}")
    codes.update(zip(new, numbers, strict=True))


def _add_missing(readings: Readings, session: Session) -> None:
    columns = session.catalogue.columns
    if readings.kind not in columns:
        with session.transaction():
            session.connection.execute(tables.create_kind(readings.kind))
        columns[readings.kind] = []
        session.catalogue.rolled_ms[readings.kind] = tables.BEFORE_EVERYTHING
    for name, column in readings.values.items():
        if name not in columns[readings.kind] and not np.isnan(column).all():
            with session.transaction():
                session.connection.execute(tables.add_quantity(readings.kind, name))
            columns[readings.kind].append(name)


def _insert(readings: Readings, code: Codes, session: Session) -> None:
    new = readings.time_ms > session.catalogue.newest(readings.kind)[code]
    if new.any():
        _append(select(readings, new), code[new], session)
    if not new.all():
        _merge(select(readings, ~new), code[~new], session)
    _note_late(readings, session)


def _append(readings: Readings, code: Codes, session: Session) -> None:
    gaps = {name: np.isnan(column) for name, column in readings.values.items()}
    names = [name for name, gap in gaps.items() if not gap.all()]
    statement = tables.append(readings.kind, names, [name for name in names if gaps[name].any()])
    session.execute_with(_incoming(readings, names, code), statement)


def _merge(readings: Readings, code: Codes, session: Session) -> None:
    names = [name for name, column in readings.values.items() if not np.isnan(column).all()]
    first_ms, last_ms = int(readings.time_ms.min()), int(readings.time_ms.max())
    statement = tables.merge(readings.kind, names, first_ms, last_ms)
    session.execute_with(_incoming(readings, names, code), statement)


def _incoming(readings: Readings, names: Sequence[str], code: Codes) -> dict[str, NDArray[np.generic]]:
    columns: dict[str, NDArray[np.generic]] = {"code": code, "time_ms": readings.time_ms, "quality": readings.quality}
    return columns | {name: readings.values[name] for name in names}


def _note_late(readings: Readings, session: Session) -> None:
    for start_ms in late_windows(readings.time_ms, session.catalogue.rolled_ms[readings.kind]):
        session.connection.execute("INSERT INTO due VALUES (?, ?, ?)", [readings.kind.value, QUARTER_HOUR_MS, start_ms])
