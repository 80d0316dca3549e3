"""Queries of violations and of the steps of their life."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import msgspec
from sqlalchemy import ColumnElement, Connection, Row, and_, desc, func, or_, select, true, update

from lamplighter_controller.fleet.store import violation_step_table, violation_table
from lamplighter_controller.fleet.violations.violation import State, Step, Violation
from lamplighter_controller.ledger.tables import storable

TEXTS: Final = ("truck", "company", "place", "permit")


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which violations are asked for; None = any. Civil ms: those that overlap `start_ms` to `end_ms`."""

    truck: str | None = None
    company: str | None = None
    kind: str | None = None
    state: State | None = None
    start_ms: int | None = None
    end_ms: int | None = None
    going_on: bool = False
    companies: frozenset[str] | None = None


def add(connection: Connection, violations: Iterable[Violation], who: str) -> None:
    """New ones, each with its first step."""
    for one in violations:
        connection.execute(violation_table.insert().values(**_row(one)))
        step(connection, one.id, Step(one.state, one.found_ms, who, f"rules {one.rules}"))


def save(connection: Connection, violation: Violation) -> None:
    """One that went on, ended, or was acted upon; its state only a step changes, whoever reviewed it meanwhile."""
    table = violation_table
    values = {name: value for name, value in _row(violation).items() if name not in {"state", "changed_ms"}}
    connection.execute(update(table).where(table.c.id == violation.id).values(**values))


def step(connection: Connection, violation: str, taken: Step) -> int:
    """Add a step of its life, and let its state be that of the step; returns the step's number from 1."""
    table, steps = violation_table, violation_step_table
    number = (connection.scalar(select(func.max(steps.c.number)).where(steps.c.violation == violation)) or 0) + 1
    connection.execute(
        steps.insert().values(
            violation=violation,
            number=number,
            state=taken.state.value,
            time_ms=taken.time_ms,
            who=storable(taken.who),
            reason=storable(taken.reason),
            detail=msgspec.json.encode(taken.detail).decode(),
        )
    )
    changed = {"state": taken.state.value, "changed_ms": taken.time_ms}
    connection.execute(update(table).where(table.c.id == violation).values(**changed))
    return number


def steps_of(connection: Connection, violation: str) -> list[Step]:
    """Its life so far, the first step first."""
    table = violation_step_table
    rows = connection.execute(select(table).where(table.c.violation == violation).order_by(table.c.number))
    return [Step(State(row.state), row.time_ms, row.who, row.reason, msgspec.json.decode(row.detail)) for row in rows]


def find(connection: Connection, violation: str) -> Violation | None:
    """The one with that id."""
    row = connection.execute(select(violation_table).where(violation_table.c.id == violation)).first()
    return _violation(row) if row else None


def some(connection: Connection, wanted: Wanted, offset: int, limit: int) -> tuple[list[Violation], int]:
    """A page of them, the newest first, and how many there are."""
    table, where = violation_table, _where(wanted)
    query = select(table).where(where).order_by(desc(table.c.first_ms), desc(table.c.id)).offset(offset).limit(limit)
    total = connection.scalar(select(func.count()).select_from(table).where(where)) or 0
    return [_violation(row) for row in connection.execute(query)], total


def recent(connection: Connection, since_ms: int) -> list[Violation]:
    """Those that go on, and those whose last fix was after `since_ms` (civil); the oldest first."""
    table = violation_table
    where = or_(table.c.last_ms.is_(None), table.c.last_ms >= since_ms)
    return [_violation(row) for row in connection.execute(select(table).where(where).order_by(table.c.first_ms))]


def within(connection: Connection, trucks: Sequence[str], start_ms: int, end_ms: int) -> list[Violation]:
    """Those of some trucks that overlap a time (civil)."""
    table = violation_table
    where = and_(table.c.truck.in_(trucks), _where(Wanted(start_ms=start_ms, end_ms=end_ms)))
    return [_violation(row) for row in connection.execute(select(table).where(where).order_by(table.c.first_ms))]


def _where(wanted: Wanted) -> ColumnElement[bool]:
    columns = violation_table.c
    named = {"truck": wanted.truck, "company": wanted.company, "class": wanted.kind, "state": wanted.state}
    found: list[ColumnElement[bool]] = [columns[name] == value for name, value in named.items() if value is not None]
    if wanted.start_ms is not None:
        found.append(or_(columns.last_ms.is_(None), columns.last_ms >= wanted.start_ms))
    if wanted.end_ms is not None:
        found.append(columns.first_ms < wanted.end_ms)
    if wanted.companies is not None:
        found.append(columns.company.in_(wanted.companies))
    if wanted.going_on:
        found.append(columns.last_ms.is_(None))
    return and_(true(), *found)


def _row(one: Violation) -> dict[str, Any]:
    values = {name: getattr(one, name) for name in Violation.__slots__ if name not in {"kind", "evidence", "state"}}
    texts = {name: storable(values[name]) for name in TEXTS if values[name] is not None}
    evidence = msgspec.json.encode(one.evidence).decode()
    return {**values, **texts, "class": one.kind, "evidence": evidence, "state": one.state.value}


def _violation(row: Row[Any]) -> Violation:
    values = row._asdict()
    kind, evidence = values.pop("class"), msgspec.json.decode(values.pop("evidence"))
    return Violation(**{**values, "kind": kind, "evidence": evidence, "state": State(row.state)})
