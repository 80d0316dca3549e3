"""Queries of waybills and of driver's cards."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Connection, Row, and_, case, desc, func, select, true, update

from lamplighter_controller.events import DeviceHappened
from lamplighter_controller.fleet.register.things import ObjectKind, WatchedObject
from lamplighter_controller.fleet.store import card_table, waybill_table
from lamplighter_controller.fleet.waybills.closure import By, Closure, Handled
from lamplighter_controller.fleet.waybills.told import Card
from lamplighter_controller.fleet.waybills.waybill import ENGINE, Source, Waybill
from lamplighter_controller.intake.store import gateway_event
from lamplighter_controller.ledger.tables import storable

TEXTS = ("number", "content", "driver_told", "closed_by")


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which waybills; all of them where None. `start_ms` and `end_ms`: loaded then (civil)."""

    start_ms: int
    end_ms: int
    truck: str | None = None
    company: str | None = None
    closed: bool | None = None


def put(connection: Connection, waybill: Waybill) -> bool:
    """Add or replace a waybill; True when it was added."""
    values: dict[str, Any] = {name: getattr(waybill, name) for name in Waybill.__slots__}
    values |= {name: storable(values[name]) for name in TEXTS if values[name] is not None}
    values["source"] = waybill.source.value
    changed = connection.execute(update(waybill_table).where(waybill_table.c.id == waybill.id).values(**values))
    if changed.rowcount:
        return False
    connection.execute(waybill_table.insert().values(**values))
    return True


def find(connection: Connection, name: str) -> Waybill | None:
    """One by its id."""
    row = connection.execute(select(waybill_table).where(waybill_table.c.id == name)).first()
    return _waybill(row) if row else None


def last_open(connection: Connection, truck: str) -> Waybill | None:
    """The latest of a truck whose load has not gone."""
    table = waybill_table
    where = (table.c.truck == truck) & table.c.unloaded_ms.is_(None)
    row = connection.execute(select(table).where(where).order_by(desc(table.c.loaded_ms))).first()
    return _waybill(row) if row else None


def of_number(connection: Connection, truck: str, number: str) -> Waybill | None:
    """The latest of a truck whose paper has that number."""
    table = waybill_table
    where = (table.c.truck == truck) & (table.c.number == storable(number))
    row = connection.execute(select(table).where(where).order_by(desc(table.c.loaded_ms)).limit(1)).first()
    return _waybill(row) if row else None


def has_content(connection: Connection, truck: str, content: str, time_ms: int, within_ms: int) -> bool:
    """True when a truck has a waybill of about that time (civil) with the same words of its terminal."""
    table = waybill_table.c
    near = table.loaded_ms.between(time_ms - within_ms, time_ms + within_ms)
    where = (table.truck == truck) & near & (table.content == storable(content))
    return bool(connection.scalar(select(func.count()).select_from(waybill_table).where(where)))


def told_since(connection: Connection, events: Iterable[str], since_ms: int) -> list[DeviceHappened]:
    """What gateways told of loads and cards since a time (civil), in the order in which it came."""
    table = gateway_event.c
    where = (table.time_ms >= since_ms) & table.event.in_(list(events)) & table.device.is_not(None)
    rows = connection.execute(select(gateway_event).where(where).order_by(table.number)).all()
    return [
        DeviceHappened(row.gateway, row.device, row.event, msgspec.json.decode(row.body).get("detail", {}), row.time_ms)
        for row in rows
    ]


def some(connection: Connection, wanted: Wanted, offset: int, limit: int) -> tuple[list[Waybill], int]:
    """A page of them, the newest first, and how many there are."""
    table, where = waybill_table, _where(wanted)
    query = select(table).where(where).order_by(desc(table.c.loaded_ms)).offset(offset).limit(limit)
    total = connection.scalar(select(func.count()).select_from(table).where(where)) or 0
    return [_waybill(row) for row in connection.execute(query)], total


def closure(connection: Connection, start_ms: int, end_ms: int, by: By = By.COMPANY) -> list[Closure]:
    """How many loops closed, of waybills loaded in a time (civil)."""
    table = waybill_table.c
    name = table[by.value]
    went = and_(table.unloaded_ms.is_not(None), table.closed_by.is_(None))
    counts = (func.count(), func.count(table.closed_by), _sum(table.closed_by == ENGINE), _sum(went))
    where = (table.loaded_ms >= start_ms) & (table.loaded_ms < end_ms)
    query = select(name, *counts, _sum(table.unloaded_ms.is_(None))).where(where).group_by(name).order_by(name)
    return [Closure(*row) for row in connection.execute(query)]


def handled(connection: Connection, thing: WatchedObject, since_ms: int) -> Handled:
    """What left a site, or was unloaded at a ground, since a time (civil)."""
    table = waybill_table.c
    site = thing.kind is ObjectKind.SITE
    where = (table.site == thing.id) if site else (table.ground == thing.id) & table.closed_by.is_not(None)
    where &= (table.loaded_ms if site else table.unloaded_ms) >= since_ms
    query = select(func.count(), func.coalesce(func.sum(table.volume_m3), 0.0)).where(where)
    loads, volume_m3 = connection.execute(query).one()
    return Handled(loads, round(float(volume_m3), 2))


def put_card(connection: Connection, card: Card) -> None:
    """Add what a reader told; a repeat changes nothing."""
    table = card_table
    here = (table.c.truck == card.truck) & (table.c.time_ms == card.time_ms)
    if connection.scalar(select(func.count()).select_from(table).where(here)):
        return
    values = {name: getattr(card, name) for name in Card.__slots__}
    texts = ("name", "licence", "agency", "valid_until")
    connection.execute(table.insert().values(**values | {name: storable(values[name]) for name in texts}))


def last_card(connection: Connection, truck: str, time_ms: int) -> Card | None:
    """The last word of a reader up to a time (civil)."""
    table = card_table
    where = (table.c.truck == truck) & (table.c.time_ms <= time_ms)
    row = connection.execute(select(table).where(where).order_by(desc(table.c.time_ms)).limit(1)).first()
    return Card(**row._asdict()) if row else None


def cards(connection: Connection, truck: str, start_ms: int, end_ms: int, limit: int) -> list[Card]:
    """What a truck's reader told in a time (civil), the newest first."""
    table = card_table
    where = (table.c.truck == truck) & (table.c.time_ms >= start_ms) & (table.c.time_ms < end_ms)
    rows: Iterable[Row[Any]] = connection.execute(
        select(table).where(where).order_by(desc(table.c.time_ms)).limit(limit)
    )
    return [Card(**row._asdict()) for row in rows]


def _where(wanted: Wanted) -> ColumnElement[bool]:
    table = waybill_table.c
    found = [table.loaded_ms >= wanted.start_ms, table.loaded_ms < wanted.end_ms]
    named = {"truck": wanted.truck, "company": wanted.company}
    found += [table[name] == value for name, value in named.items() if value is not None]
    if wanted.closed is not None:
        found.append(table.closed_by.is_not(None) if wanted.closed else table.closed_by.is_(None))
    return and_(true(), *found)


def _sum(condition: ColumnElement[bool]) -> ColumnElement[int]:
    return func.coalesce(func.sum(case((condition, 1), else_=0)), 0)


def _waybill(row: Row[Any]) -> Waybill:
    return Waybill(**{**row._asdict(), "source": Source(row.source)})
