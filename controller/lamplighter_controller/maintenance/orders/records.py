"""Queries of orders and of what belongs to each: steps, sources, photos, signatures, locks, trips, crews."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import msgspec
from sqlalchemy import Connection, Select, and_, delete, desc, func, or_, select, true, update

from lamplighter_controller.diagnosis.findings import Element
from lamplighter_controller.ledger.tables import storable
from lamplighter_controller.maintenance import store
from lamplighter_controller.maintenance.orders.crews import Crew
from lamplighter_controller.maintenance.orders.locks import IN_FORCE, Lock
from lamplighter_controller.maintenance.orders.order import OPEN, Order, Source, SourceKind, State, Step
from lamplighter_controller.maintenance.orders.photos import Photo
from lamplighter_controller.maintenance.orders.safety import Signature
from lamplighter_controller.maintenance.orders.trips import Trip

NUMBERED: Final = "WO-{:06d}"
IDS_AT_ONCE: Final = 500


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which orders are asked for; None = any, times civil epoch ms."""

    states: Collection[State] | None = None
    crew: str | None = None
    road: str | None = None
    element: str | None = None
    trip: str | None = None
    source: tuple[SourceKind, str] | None = None
    overdue_at_ms: int | None = None
    within: Select[Any] | None = None  # a query of ids
    by_due: bool = False


def next_id(connection: Connection) -> tuple[str, int]:
    """The id and number of the next order."""
    number = (connection.scalar(select(func.max(store.order_table.c.number))) or 0) + 1
    return NUMBERED.format(number), number


def add(connection: Connection, order: Order, number: int) -> None:
    """A new order."""
    connection.execute(store.order_table.insert().values(number=number, **_row(order)))


def save(connection: Connection, order: Order) -> None:
    """An order that went on."""
    table = store.order_table
    values = {name: value for name, value in _row(order).items() if name != "id"}
    connection.execute(update(table).where(table.c.id == order.id).values(**values))


def find(connection: Connection, identity: str) -> Order | None:
    """The one with that id."""
    row = connection.execute(_orders().where(store.order_table.c.id == identity)).first()
    return _order(row) if row else None


def some(connection: Connection, wanted: Wanted, offset: int, limit: int) -> tuple[list[Order], int]:
    """A page of orders, the newest first or the first due first, and how many there are."""
    table, where = store.order_table, _where(wanted)
    soonest = (table.c.due_ms == 0, table.c.due_ms, desc(table.c.priority), table.c.number)
    by = soonest if wanted.by_due else (desc(table.c.number),)
    rows = connection.execute(_orders().where(where).order_by(*by).offset(offset).limit(limit))
    total = connection.scalar(select(func.count()).select_from(table).where(where)) or 0
    return [_order(row) for row in rows], total


def by_ids(connection: Connection, ids: Collection[str]) -> dict[str, Order]:
    """Orders by their ids."""
    names, found = sorted(ids), {}
    for start in range(0, len(names), IDS_AT_ONCE):
        query = _orders().where(store.order_table.c.id.in_(names[start : start + IDS_AT_ONCE]))
        found.update({row.id: _order(row) for row in connection.execute(query)})
    return found


def open_on(connection: Connection, element: Element) -> Order | None:
    """The order that is open on an element, the oldest when there are several."""
    table = store.order_table
    here = (table.c.element_kind == element.kind.value) & (table.c.element == storable(element.id))
    query = _orders().where(here, table.c.state.in_(_words(OPEN))).order_by(table.c.number).limit(1)
    row = connection.execute(query).first()
    return _order(row) if row else None


def in_states(connection: Connection, states: Iterable[State]) -> list[Order]:
    """All orders in these states, the oldest first."""
    table = store.order_table
    query = _orders().where(table.c.state.in_(_words(states))).order_by(table.c.number)
    return [_order(row) for row in connection.execute(query)]


def load_of_crews(connection: Connection) -> dict[str, int]:
    """How many open orders each crew has."""
    table = store.order_table
    query = select(table.c.crew, func.count()).where(table.c.state.in_(_words(OPEN))).group_by(table.c.crew)
    return {row[0]: row[1] for row in connection.execute(query)}


def add_step(connection: Connection, order: str, step: Step) -> int:
    """The next step of its life; its number from 1."""
    table = store.step_table
    number = (connection.scalar(select(func.max(table.c.number)).where(table.c.order == order)) or 0) + 1
    values = msgspec.structs.asdict(step)
    values |= {"who": storable(step.who), "reason": storable(step.reason)}
    values["detail"] = storable(msgspec.json.encode(step.detail).decode())
    connection.execute(table.insert().values(order=order, number=number, **values))
    return number


def steps_of(connection: Connection, order: str) -> list[Step]:
    """Its life so far, the first step first."""
    table = store.step_table
    names = Step.__struct_fields__
    query = select(*(table.c[name] for name in names)).where(table.c.order == order).order_by(table.c.number)
    found = [dict(zip(names, row, strict=True)) for row in connection.execute(query)]
    return [Step(**{**one, "detail": msgspec.json.decode(one["detail"])}) for one in found]


def add_source(connection: Connection, order: str, source: Source) -> bool:
    """What asked for it; False when that was noted already."""
    table = store.source_table
    here = (table.c.order == order) & (table.c.kind == source.kind.value) & (table.c.ref == source.ref)
    if connection.execute(select(table.c.order).where(here)).first():
        return False
    values = {"order": order, "kind": source.kind.value, "ref": storable(source.ref), "time_ms": source.time_ms}
    connection.execute(table.insert().values(**values))
    return True


def sources_of(connection: Connection, orders: Sequence[str]) -> dict[str, list[Source]]:
    """What asked for each of these orders, the first asker first."""
    table = store.source_table
    found: dict[str, list[Source]] = {name: [] for name in orders}
    for row in connection.execute(select(table).where(table.c.order.in_(orders)).order_by(table.c.time_ms)):
        found[row.order].append(Source(SourceKind(row.kind), row.ref, row.time_ms))
    return found


def last_from(connection: Connection, kind: SourceKind, refs: Sequence[str]) -> dict[str, Order]:
    """The newest order that came of each of these, where there is one."""
    orders, sources = store.order_table.c, store.source_table.c
    columns = [orders[name] for name in Order.__struct_fields__]
    found: dict[str, Order] = {}
    for start in range(0, len(refs), IDS_AT_ONCE):
        query = (
            select(*columns, sources.ref)
            .join(store.source_table, sources.order == orders.id)
            .where(sources.kind == kind.value, sources.ref.in_(refs[start : start + IDS_AT_ONCE]))
            .order_by(orders.number)
        )
        found.update({row.ref: _order(row[:-1]) for row in connection.execute(query)})
    return found


def put_crew(connection: Connection, crew: Crew) -> None:
    """Add or replace a crew."""
    table = store.crew_table
    connection.execute(delete(table).where(table.c.id == crew.id))
    connection.execute(table.insert().values(id=crew.id, body=_body(crew)))


def crews(connection: Connection) -> list[Crew]:
    """All of them, by id."""
    query = select(store.crew_table.c.body).order_by(store.crew_table.c.id)
    return [msgspec.json.decode(row.body, type=Crew) for row in connection.execute(query)]


def add_trip(connection: Connection, trip: Trip) -> None:
    """A new trip."""
    values = {"id": trip.id, "road": trip.road, "crew": trip.crew, "created_ms": trip.created_ms}
    connection.execute(store.trip_table.insert().values(**values, body=_body(trip)))


def trips(connection: Connection, limit: int) -> list[Trip]:
    """The newest first."""
    query = select(store.trip_table.c.body).order_by(desc(store.trip_table.c.created_ms), desc(store.trip_table.c.id))
    return [msgspec.json.decode(row.body, type=Trip) for row in connection.execute(query.limit(limit))]


def trip(connection: Connection, identity: str) -> Trip | None:
    """The one with that id."""
    row = connection.execute(select(store.trip_table.c.body).where(store.trip_table.c.id == identity)).first()
    return msgspec.json.decode(row.body, type=Trip) if row else None


def put_lock(connection: Connection, lock: Lock) -> None:
    """A lock that was asked for, or went on."""
    table = store.lock_table
    connection.execute(delete(table).where(table.c.id == lock.id))
    values = {"id": lock.id, "order": lock.order, "state": lock.state.value, "asked_ms": lock.asked_ms}
    connection.execute(table.insert().values(**values, body=_body(lock)))


def locks_of(connection: Connection, order: str) -> list[Lock]:
    """Every lock of an order, the oldest first."""
    table = store.lock_table
    query = select(table.c.body).where(table.c.order == order).order_by(table.c.asked_ms, table.c.id)
    return [msgspec.json.decode(row.body, type=Lock) for row in connection.execute(query)]


def locks_in_force(connection: Connection) -> list[Lock]:
    """Every lock that holds or may, the oldest first."""
    table = store.lock_table
    query = select(table.c.body).where(table.c.state.in_(_words(IN_FORCE))).order_by(table.c.asked_ms, table.c.id)
    return [msgspec.json.decode(row.body, type=Lock) for row in connection.execute(query)]


def add_photo(connection: Connection, order: str, photo: Photo) -> None:
    """A photo of an order; the same one twice is one."""
    table = store.photo_table
    here = (table.c.order == order) & (table.c.sha256 == photo.sha256)
    if not connection.execute(select(table.c.order).where(here)).first():
        values = {"order": order, "sha256": photo.sha256, "added_ms": photo.added_ms}
        connection.execute(table.insert().values(**values, body=_body(photo)))


def photos_of(connection: Connection, order: str) -> list[Photo]:
    """Its photos, the oldest first."""
    table = store.photo_table
    query = select(table.c.body).where(table.c.order == order).order_by(table.c.added_ms, table.c.sha256)
    return [msgspec.json.decode(row.body, type=Photo) for row in connection.execute(query)]


def add_signature(connection: Connection, order: str, signature: Signature) -> None:
    """Safety steps that somebody signed."""
    table = store.signature_table
    number = (connection.scalar(select(func.max(table.c.number)).where(table.c.order == order)) or 0) + 1
    values = {"order": order, "number": number, "at_ms": signature.at_ms, "body": _body(signature)}
    connection.execute(table.insert().values(**values))


def signatures_of(connection: Connection, order: str) -> list[Signature]:
    """Its signatures, the first first."""
    table = store.signature_table
    query = select(table.c.body).where(table.c.order == order).order_by(table.c.number)
    return [msgspec.json.decode(row.body, type=Signature) for row in connection.execute(query)]


def _where(wanted: Wanted) -> Any:
    table = store.order_table
    found = [table.c[name] == value for name, value in _named(wanted) if value is not None]
    if wanted.states is not None:
        found.append(table.c.state.in_(_words(wanted.states)))
    if wanted.within is not None:
        found.append(table.c.id.in_(wanted.within))
    if wanted.overdue_at_ms is not None:
        late_end = and_(table.c.done_ms > 0, table.c.done_ms > table.c.due_ms)
        late_now = and_(table.c.done_ms == 0, table.c.paused_since_ms == 0, table.c.due_ms < wanted.overdue_at_ms)
        found.append(and_(table.c.due_ms > 0, or_(late_end, late_now)))
    if wanted.source is not None:
        kind, ref = wanted.source
        sources = store.source_table
        found.append(table.c.id.in_(select(sources.c.order).where(sources.c.kind == kind.value, sources.c.ref == ref)))
    return and_(true(), *found)


def _named(wanted: Wanted) -> Iterable[tuple[str, str | None]]:
    return (("crew", wanted.crew), ("road", wanted.road), ("element", wanted.element), ("trip", wanted.trip))


def _orders() -> Select[Any]:
    return select(*(store.order_table.c[name] for name in Order.__struct_fields__))


def _order(row: Sequence[Any]) -> Order:
    return msgspec.convert(dict(zip(Order.__struct_fields__, row, strict=True)), Order, strict=False)


def _row(order: Order) -> dict[str, Any]:
    values = msgspec.structs.asdict(order)
    return {name: storable(str(value)) if isinstance(value, str) else value for name, value in values.items()}


def _words(states: Iterable[str]) -> list[str]:
    return [str(state) for state in states]


def _body(thing: msgspec.Struct) -> str:
    return storable(msgspec.json.encode(thing).decode())
