"""Queries of asks, limits and switches."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import msgspec
from sqlalchemy import ColumnElement, Connection, Row, and_, desc, func, select, true, update

from lamplighter_controller.fleet.limits.limit import OPEN, Ask, AskState, Limit, LimitState, What
from lamplighter_controller.fleet.store import ask_table, limit_table, switch_table
from lamplighter_controller.ledger.tables import storable

LISTS: Final = ("trucks", "grave", "approvals")
TEXTS: Final = ("who", "reason", "case_number")


@dataclass(frozen=True, slots=True)
class Switch:
    """A switch of the fleet room; `changed_ms` real."""

    name: str
    thrown: bool
    who: str
    reason: str
    changed_ms: int


def add_ask(connection: Connection, ask: Ask) -> None:
    """One that was just asked for."""
    connection.execute(ask_table.insert().values(**_ask_row(ask)))


def save_ask(connection: Connection, ask: Ask) -> None:
    """One whose state, approvals or end changed."""
    connection.execute(update(ask_table).where(ask_table.c.id == ask.id).values(**_ask_row(ask)))


def find_ask(connection: Connection, name: str) -> Ask | None:
    """One by its id."""
    row = connection.execute(select(ask_table).where(ask_table.c.id == name)).first()
    return _ask(row) if row else None


def ask_by_key(connection: Connection, who: str, key: str) -> Ask | None:
    """What the same person asked for under a key."""
    where = (ask_table.c.who == storable(who)) & (ask_table.c.key == storable(key))
    row = connection.execute(select(ask_table).where(where)).first()
    return _ask(row) if row else None


def asks(connection: Connection, state: AskState | None, offset: int, limit: int) -> tuple[list[Ask], int]:
    """A page of asks, the newest first, and how many there are."""
    where: ColumnElement[bool] = true() if state is None else ask_table.c.state == state.value
    query = select(ask_table).where(where).order_by(desc(ask_table.c.created_ms)).offset(offset).limit(limit)
    total = connection.scalar(select(func.count()).select_from(ask_table).where(where)) or 0
    return [_ask(row) for row in connection.execute(query)], total


def asks_of(connection: Connection, names: Iterable[str]) -> dict[str, Ask]:
    """Asks by id."""
    found = connection.execute(select(ask_table).where(ask_table.c.id.in_(sorted(set(names)))))
    return {row.id: _ask(row) for row in found}


def add_limits(connection: Connection, limits: Sequence[Limit]) -> None:
    """Limits that begin."""
    if limits:
        connection.execute(limit_table.insert(), [_limit_row(one) for one in limits])


def save_limit(connection: Connection, limit: Limit) -> None:
    """One that went on."""
    connection.execute(update(limit_table).where(limit_table.c.id == limit.id).values(**_limit_row(limit)))


def find_limit(connection: Connection, name: str) -> Limit | None:
    """One by its id."""
    row = connection.execute(select(limit_table).where(limit_table.c.id == name)).first()
    return _limit(row) if row else None


def open_limits(connection: Connection) -> list[Limit]:
    """Every limit that is not over, the oldest first."""
    table = limit_table
    wanted = table.c.state.in_(sorted(state.value for state in OPEN))
    return [_limit(row) for row in connection.execute(select(table).where(wanted).order_by(table.c.created_ms))]


def limits(
    connection: Connection,
    *,
    truck: str | None,
    ask: str | None,
    is_open: bool,
    offset: int,
    limit: int,
    trucks: Collection[str] | None = None,
) -> tuple[list[Limit], int]:
    """A page of limits, the newest first, and how many there are; of some trucks only when these are given."""
    table = limit_table
    wanted: list[ColumnElement[bool]] = []
    if truck is not None:
        wanted.append(table.c.truck == truck)
    if trucks is not None:
        wanted.append(table.c.truck.in_(trucks))
    if ask is not None:
        wanted.append(table.c.ask == ask)
    if is_open:
        wanted.append(table.c.state.in_(sorted(state.value for state in OPEN)))
    where = and_(true(), *wanted)
    query = select(table).where(where).order_by(desc(table.c.created_ms), desc(table.c.id)).offset(offset).limit(limit)
    total = connection.scalar(select(func.count()).select_from(table).where(where)) or 0
    return [_limit(row) for row in connection.execute(query)], total


def ended_lately(connection: Connection, since_ms: int) -> list[Limit]:
    """Limits that ended after then (real)."""
    rows = connection.execute(select(limit_table).where(limit_table.c.ended_ms >= since_ms))
    return [_limit(row) for row in rows]


def throw(connection: Connection, switch: Switch) -> None:
    """Set a switch."""
    table = switch_table
    values = {
        "thrown": switch.thrown,
        "who": storable(switch.who),
        "reason": storable(switch.reason),
        "changed_ms": switch.changed_ms,
    }
    changed = connection.execute(update(table).where(table.c.name == switch.name).values(**values))
    if not changed.rowcount:
        connection.execute(table.insert().values(name=switch.name, **values))


def switches(connection: Connection) -> dict[str, Switch]:
    """Every switch that was ever thrown."""
    rows = connection.execute(select(switch_table))
    return {row.name: Switch(row.name, row.thrown, row.who, row.reason, row.changed_ms) for row in rows}


def _ask_row(ask: Ask) -> dict[str, Any]:
    values = {name: getattr(ask, name) for name in Ask.__slots__}
    values |= {name: msgspec.json.encode(values[name]).decode() for name in LISTS}
    values |= {name: storable(values[name]) for name in TEXTS}
    return {**values, "what": ask.what.value, "state": ask.state.value}


def _ask(row: Row[Any]) -> Ask:
    values = row._asdict()
    lists = {name: tuple(msgspec.json.decode(values[name])) for name in LISTS}
    return Ask(**{**values, **lists, "what": What(row.what), "state": AskState(row.state)})


def _limit_row(limit: Limit) -> dict[str, Any]:
    values = {name: getattr(limit, name) for name in Limit.__slots__}
    return {**values, "what": limit.what.value, "state": limit.state.value, "detail": storable(limit.detail)}


def _limit(row: Row[Any]) -> Limit:
    return Limit(**{**row._asdict(), "what": What(row.what), "state": LimitState(row.state)})
