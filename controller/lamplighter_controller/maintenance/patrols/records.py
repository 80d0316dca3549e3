"""Queries of patrol plans, rounds and results."""

from collections.abc import Iterable

import msgspec
from sqlalchemy import Connection, delete, desc, func, select

from lamplighter_controller.diagnosis.findings import ElementKind
from lamplighter_controller.ledger.tables import storable
from lamplighter_controller.maintenance.patrols.patrol import Check, Plan, Result, Round
from lamplighter_controller.maintenance.patrols.store import plan_table, result_table, round_table


def put_plan(connection: Connection, plan: Plan) -> None:
    """Add or replace a plan; its rounds stay."""
    connection.execute(delete(plan_table).where(plan_table.c.id == plan.id))
    connection.execute(plan_table.insert().values(id=plan.id, body=_body(plan)))


def plans(connection: Connection) -> list[Plan]:
    """All of them, by id."""
    query = select(plan_table.c.body).order_by(plan_table.c.id)
    return [msgspec.json.decode(row.body, type=Plan) for row in connection.execute(query)]


def put_round(connection: Connection, walk: Round) -> None:
    """A new round, or one that was walked."""
    connection.execute(delete(round_table).where(round_table.c.id == walk.id))
    values = {"id": walk.id, "plan": walk.plan, "due_ms": walk.due_ms, "done_ms": walk.done_ms}
    connection.execute(round_table.insert().values(**values, body=_body(walk)))


def find(connection: Connection, identity: str) -> Round | None:
    """The round with that id."""
    row = connection.execute(select(round_table.c.body).where(round_table.c.id == identity)).first()
    return msgspec.json.decode(row.body, type=Round) if row else None


def last_of(connection: Connection, plan: str) -> Round | None:
    """The newest round of a plan."""
    table = round_table
    query = select(table.c.body).where(table.c.plan == plan).order_by(desc(table.c.due_ms)).limit(1)
    row = connection.execute(query).first()
    return msgspec.json.decode(row.body, type=Round) if row else None


def rounds(
    connection: Connection, *, is_open: bool, overdue_at_ms: int | None, offset: int, limit: int
) -> tuple[list[Round], int]:
    """A page of rounds, the first due first where they are open, else the newest first; and how many there are."""
    table = round_table
    query = select(table.c.body)
    if is_open or overdue_at_ms is not None:
        query = query.where(table.c.done_ms == 0)
    if overdue_at_ms is not None:
        query = query.where(table.c.due_ms < overdue_at_ms)
    total = connection.scalar(select(func.count()).select_from(query.subquery())) or 0
    by = table.c.due_ms if is_open else desc(table.c.due_ms)
    rows = connection.execute(query.order_by(by, table.c.id).offset(offset).limit(limit))
    return [msgspec.json.decode(row.body, type=Round) for row in rows], total


def put_results(connection: Connection, identity: str, results: Iterable[Result]) -> None:
    """What was found; a check made again replaces what was found before."""
    table = result_table
    for one in results:
        here = (table.c.round == identity) & (table.c.element_kind == one.element_kind.value)
        here &= (table.c.element == one.element) & (table.c.check == one.check.value)
        connection.execute(delete(table).where(here))
        values = msgspec.structs.asdict(one) | {"element_kind": one.element_kind.value, "check": one.check.value}
        values |= {"note": storable(one.note), "who": storable(one.who)}
        connection.execute(table.insert().values(round=identity, **values))


def results_of(connection: Connection, identity: str) -> list[Result]:
    """What was found in a round, by time."""
    table = result_table
    names = Result.__struct_fields__
    query = select(*(table.c[name] for name in names)).where(table.c.round == identity)
    rows = [dict(zip(names, row, strict=True)) for row in connection.execute(query.order_by(table.c.at_ms))]
    return [
        Result(**{**row, "element_kind": ElementKind(row["element_kind"]), "check": Check(row["check"])})
        for row in rows
    ]


def _body(thing: msgspec.Struct) -> str:
    return storable(msgspec.json.encode(thing).decode())
