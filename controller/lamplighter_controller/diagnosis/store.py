"""Tables of the diagnosis room and their queries: incidents, maintenance windows, trip tests of protectors."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import msgspec
from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Connection,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
    delete,
    func,
    select,
)

from lamplighter_controller.diagnosis.incidents.incident import Incident, State
from lamplighter_controller.diagnosis.incidents.windows import Window
from lamplighter_controller.diagnosis.leakage.protectors import TripTest
from lamplighter_controller.diagnosis.places import ProtectorPlace
from lamplighter_controller.ledger.tables import metadata, storable

NAME: Final = String(64)
ELEMENT: Final = String(300)
IDS_AT_ONCE: Final = 500

incident_table: Final = Table(
    "diagnosis_incident",
    metadata,
    Column("id", NAME, primary_key=True),
    Column("element_kind", NAME, nullable=False),
    Column("element", ELEMENT, nullable=False),
    Column("cabinet", ELEMENT, nullable=False),
    Column("class", NAME, nullable=False),
    Column("state", NAME, nullable=False),
    Column("severity", Integer, nullable=False),
    Column("withheld", Boolean, nullable=False),
    Column("raised_ms", BigInteger, nullable=False),
    Column("closed_ms", BigInteger, nullable=False),
    Column("body", LargeBinary, nullable=False),  # MessagePack: JSON has no word for "no value can be expected"
    Index(None, "state", "raised_ms"),
    Index(None, "element"),
)

window_table: Final = Table(
    "diagnosis_window",
    metadata,
    Column("id", NAME, primary_key=True),
    Column("end_ms", BigInteger, nullable=False),
    Column("body", Text, nullable=False),
    Index(None, "end_ms"),
)

protector_table: Final = Table(
    "diagnosis_protector",
    metadata,
    Column("id", NAME, primary_key=True),
    Column("cabinet", NAME, nullable=False),
    Column("circuit", NAME, nullable=False),
    Column("listed_ms", BigInteger, nullable=False),
    Column("tested_ms", BigInteger),
    Column("tripped", Boolean),
)


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which incidents are asked for; None = any."""

    states: frozenset[State] | None = None
    class_id: str | None = None
    element: str | None = None
    cabinet: str | None = None
    least_severity: int = 1
    withheld: bool = False
    order: str = "raised"


@dataclass(frozen=True, slots=True)
class Protector:
    """A residual-current device with its last trip test."""

    place: ProtectorPlace
    listed_ms: int
    test: TripTest | None


def put_incidents(connection: Connection, changed: Sequence[tuple[Incident, str]]) -> None:
    """Add or replace incidents, each with the cabinet it belongs to (empty = none)."""
    for start in range(0, len(changed), IDS_AT_ONCE):
        rows = [_row(incident, cabinet) for incident, cabinet in changed[start : start + IDS_AT_ONCE]]
        connection.execute(delete(incident_table).where(incident_table.c.id.in_([row["id"] for row in rows])))
        connection.execute(incident_table.insert(), rows)


def living(connection: Connection, closed_since_ms: int) -> list[Incident]:
    """Incidents that are not closed, and those closed since then; the oldest first."""
    table = incident_table
    alive = (table.c.state != State.CLOSED.value) | (table.c.closed_ms >= closed_since_ms)
    return _incidents(connection.execute(select(table.c.body).where(alive).order_by(table.c.raised_ms)))


def some(connection: Connection, wanted: Wanted, offset: int, limit: int) -> tuple[list[Incident], int]:
    """A page of incidents, the newest first or the most severe first, and how many there are."""
    table = incident_table
    query = select(table.c.body).where(table.c.severity >= wanted.least_severity)
    if wanted.states is not None:
        query = query.where(table.c.state.in_([state.value for state in wanted.states]))
    for column, value in ((table.c["class"], wanted.class_id), (table.c.cabinet, wanted.cabinet)):
        if value is not None:
            query = query.where(column == value)
    if wanted.element is not None:
        query = query.where(table.c.element == wanted.element)
    if not wanted.withheld:
        query = query.where(table.c.withheld.is_(False))
    total = connection.scalar(select(func.count()).select_from(query.subquery())) or 0
    first = [table.c.severity.desc()] if wanted.order == "severity" else []
    ordered = query.order_by(*first, table.c.raised_ms.desc(), table.c.id.desc())
    return _incidents(connection.execute(ordered.offset(offset).limit(limit))), total


def one(connection: Connection, identity: str) -> Incident | None:
    """An incident by its id."""
    found = _incidents(connection.execute(select(incident_table.c.body).where(incident_table.c.id == identity)))
    return found[0] if found else None


def put_window(connection: Connection, window: Window) -> None:
    """Add a window."""
    body = storable(msgspec.json.encode(window).decode())
    connection.execute(window_table.insert().values(id=window.id, end_ms=window.end_ms, body=body))


def end_window(connection: Connection, window: Window) -> None:
    """Replace a window by one that ended."""
    body = storable(msgspec.json.encode(window).decode())
    connection.execute(
        window_table.update().where(window_table.c.id == window.id).values(end_ms=window.end_ms, body=body)
    )


def windows(connection: Connection, ends_after_ms: int) -> list[Window]:
    """Windows that are in force or to come, by their end."""
    query = select(window_table.c.body).where(window_table.c.end_ms > ends_after_ms).order_by(window_table.c.end_ms)
    return [msgspec.json.decode(row.body, type=Window) for row in connection.execute(query)]


def put_protectors(connection: Connection, places: Iterable[ProtectorPlace], now_ms: int) -> None:
    """List protectors; those listed already keep their tests."""
    for place in places:
        known = connection.scalar(select(protector_table.c.id).where(protector_table.c.id == place.id))
        values = {"cabinet": place.cabinet, "circuit": place.circuit}
        if known is None:
            connection.execute(protector_table.insert().values(id=place.id, listed_ms=now_ms, **values))
        else:
            connection.execute(protector_table.update().where(protector_table.c.id == place.id).values(values))


def protectors(connection: Connection) -> list[Protector]:
    """All of them, by id."""
    found = []
    for row in connection.execute(select(protector_table).order_by(protector_table.c.id)):
        test = None if row.tested_ms is None else TripTest(row.tested_ms, bool(row.tripped))
        found.append(Protector(ProtectorPlace(row.id, row.cabinet, row.circuit), row.listed_ms, test))
    return found


def put_test(connection: Connection, protector: str, test: TripTest) -> bool:
    """Keep the result of a trip test; False when there is no such protector."""
    values = {"tested_ms": test.time_ms, "tripped": test.tripped}
    query = protector_table.update().where(protector_table.c.id == protector).values(values)
    return connection.execute(query).rowcount > 0


def _row(incident: Incident, cabinet: str) -> dict[str, Any]:
    return {
        "id": incident.id,
        "element_kind": incident.element.kind.value,
        "element": storable(incident.element.id),
        "cabinet": storable(cabinet),
        "class": incident.class_id,
        "state": incident.state.value,
        "severity": incident.severity,
        "withheld": incident.withheld,
        "raised_ms": incident.raised_ms,
        "closed_ms": incident.closed_ms,
        "body": msgspec.msgpack.encode(incident),
    }


def _incidents(rows: Iterable[Any]) -> list[Incident]:
    return [msgspec.msgpack.decode(row.body, type=Incident) for row in rows]
