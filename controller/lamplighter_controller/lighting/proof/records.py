"""Queries of burning hours, patrols, and of tariffs and baselines as people have set them."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, Final, TypeVar

import msgspec
from sqlalchemy import Connection, Row, delete, func, insert, or_, select

from lamplighter_controller.ledger.tables import storable
from lamplighter_controller.lighting.proof.burning import Burning, Source
from lamplighter_controller.lighting.proof.light.evidence import PATROL_HOLD_MS, Sighting
from lamplighter_controller.lighting.proof.power.energy import Baseline
from lamplighter_controller.lighting.proof.power.tariff import Tariff
from lamplighter_controller.lighting.proof.store import burned_table, burning_table, patrol_table, setting_table

IDS_AT_ONCE: Final = 500
TARIFF: Final = "tariff"
BASELINE: Final = "baseline"

T = TypeVar("T")


def burning(connection: Connection, lamps: Sequence[str]) -> dict[str, Burning]:
    """What is counted of these lamps."""
    found: dict[str, Burning] = {}
    for some in _pieces(lamps):
        rows = connection.execute(select(burning_table).where(burning_table.c.lamp.in_(some)))
        found |= {row.lamp: _burning(row) for row in rows}
    return found


def burning_page(connection: Connection, lamp: str | None, offset: int, limit: int) -> tuple[list[Burning], int]:
    """A page by lamp, or one lamp by its own id or its device's."""
    table = burning_table
    wanted = [] if lamp is None else [or_(table.c.lamp == lamp, table.c.device == lamp)]
    total = connection.scalar(select(func.count()).select_from(table).where(*wanted)) or 0
    rows = connection.execute(select(table).where(*wanted).order_by(table.c.lamp).offset(offset).limit(limit))
    return [_burning(row) for row in rows], total


def put_burning(connection: Connection, those: Sequence[Burning]) -> None:
    """Keep what is counted now."""
    for some in _pieces([one.lamp for one in those]):
        connection.execute(delete(burning_table).where(burning_table.c.lamp.in_(some)))
    if those:
        rows = [
            {name: getattr(one, name) for name in Burning.__slots__} | {"source": one.source.value} for one in those
        ]
        connection.execute(insert(burning_table), rows)


def burned(connection: Connection, day: date, lamps: Sequence[str]) -> dict[str, tuple[float, float]]:
    """What an earlier pass over a night has added by lamp: hours, starts."""
    table, found = burned_table, dict[str, tuple[float, float]]()
    for some in _pieces(lamps):
        query = select(table).where(table.c.night == day.isoformat(), table.c.lamp.in_(some))
        found |= {row.lamp: (row.burned_ms / 3_600_000, float(row.starts)) for row in connection.execute(query)}
    return found


def put_burned(connection: Connection, day: date, added: Mapping[str, tuple[float, float]]) -> None:
    """Keep what a night has added by lamp: hours, starts."""
    table = burned_table
    for some in _pieces(list(added)):
        connection.execute(delete(table).where(table.c.night == day.isoformat(), table.c.lamp.in_(some)))
    rows = [
        {"night": day.isoformat(), "lamp": lamp, "burned_ms": hours * 3_600_000, "starts": round(starts)}
        for lamp, (hours, starts) in added.items()
    ]
    if rows:
        connection.execute(insert(table), rows)


def put_sightings(connection: Connection, those: Sequence[Sighting], who: str) -> None:
    """Keep what a patrol saw; a lamp seen twice at one instant is as it was said last."""
    table = patrol_table
    latest = {(one.lamp, one.time_ms): one.lit for one in those}
    for lamp, time_ms in latest:
        connection.execute(delete(table).where(table.c.lamp == lamp, table.c.time_ms == time_ms))
    rows = [
        {"lamp": lamp, "time_ms": time_ms, "lit": lit, "seen_by": storable(who)}
        for (lamp, time_ms), lit in latest.items()
    ]
    connection.execute(insert(table), rows)


def sightings(connection: Connection, start_ms: int, end_ms: int) -> list[Sighting]:
    """What patrols saw that says something of a stretch of time."""
    table = patrol_table
    query = select(table).where(table.c.time_ms > start_ms - PATROL_HOLD_MS, table.c.time_ms < end_ms)
    rows = connection.execute(query.order_by(table.c.lamp, table.c.time_ms))
    return [Sighting(row.lamp, row.time_ms, row.lit) for row in rows]


def put_setting(connection: Connection, setting: Tariff | Baseline, who: str, time_ms: int) -> None:
    """Keep a version of a tariff or of the baseline; `time_ms` is real."""
    kind, name = _key(setting)
    remove_setting(connection, kind, name, setting.valid_from)
    values = {
        "body": storable(msgspec.json.encode(setting, order="deterministic").decode()),
        "changed_ms": time_ms,
        "changed_by": storable(who),
    }
    connection.execute(insert(setting_table).values(kind=kind, id=name, valid_from=setting.valid_from, **values))


def remove_setting(connection: Connection, kind: str, name: str, valid_from: str) -> bool:
    """Take a version away; False when there is none."""
    table = setting_table
    wanted = (table.c.kind == kind, table.c.id == name, table.c.valid_from == valid_from)
    return connection.execute(delete(table).where(*wanted)).rowcount > 0


def tariffs(connection: Connection) -> list[Tariff]:
    """Every version of every tariff."""
    return _settings(connection, TARIFF, Tariff)


def baseline(connection: Connection, day: date) -> Baseline:
    """The baseline in force on a day; before any was stated, and before the first, the one that needs no statement."""
    stated = [one for one in _settings(connection, BASELINE, Baseline) if one.valid_from <= day.isoformat()]
    return stated[-1] if stated else Baseline()


def _settings(connection: Connection, kind: str, shape: type[T]) -> list[T]:
    table = setting_table
    rows = connection.execute(select(table).where(table.c.kind == kind).order_by(table.c.id, table.c.valid_from))
    return [msgspec.json.decode(row.body, type=shape) for row in rows]


def _key(setting: Tariff | Baseline) -> tuple[str, str]:
    return (TARIFF, setting.id) if isinstance(setting, Tariff) else (BASELINE, "")


def _burning(row: Row[Any]) -> Burning:
    values = {name: getattr(row, name) for name in Burning.__slots__}
    return Burning(**values | {"source": Source(row.source)})


def _pieces(names: Sequence[str]) -> list[Sequence[str]]:
    return [names[start : start + IDS_AT_ONCE] for start in range(0, len(names), IDS_AT_ONCE)]
