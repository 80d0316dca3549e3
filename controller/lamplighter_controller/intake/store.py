"""What intake keeps in the ledger: dead letters, alarms, what gateways said of themselves, and what happened there."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeVar

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
    desc,
    func,
    select,
)
from sqlalchemy.dialects import postgresql, sqlite

from lamplighter_contract.wire.documents import GatewayState, Health
from lamplighter_contract.wire.events import Event
from lamplighter_controller.ledger.tables import metadata, storable

D = TypeVar("D", GatewayState, Health, Event)
NAME: Final = String(64)
NUMBER: Final = BigInteger().with_variant(Integer, "sqlite")  # SQLite counts up whole "INTEGER" keys only

start: Final = Table(
    "controller_start",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("epoch", BigInteger, nullable=False),
    Column("held", Boolean, nullable=False),
)

alarm: Final = Table(
    "alarm",
    metadata,
    Column("key", String(160), primary_key=True),
    Column("text", Text, nullable=False),
    Column("raised_ms", BigInteger, nullable=False),
    Column("cleared_ms", BigInteger),
)

gateway_report: Final = Table(
    "gateway_report",
    metadata,
    Column("gateway", NAME, primary_key=True),
    Column("state", Text),
    Column("health", Text),
    Column("heard_ms", BigInteger, nullable=False),
)

gateway_event: Final = Table(
    "gateway_event",
    metadata,
    Column("number", NUMBER, primary_key=True),
    Column("gateway", NAME, nullable=False),
    Column("id", String(128), nullable=False),
    Column("time_ms", BigInteger, nullable=False),
    Column("event", NAME, nullable=False),
    Column("device", NAME),
    Column("body", Text, nullable=False),
    Index(None, "gateway", "id", unique=True),
    Index(None, "time_ms"),
)

dead_letter: Final = Table(
    "dead_letter",
    metadata,
    Column("id", NUMBER, primary_key=True),
    Column("digest", NAME, nullable=False, unique=True),  # a frame sent twice makes one letter
    Column("gateway", NAME, nullable=False),
    Column("reason", NAME, nullable=False),
    Column("detail", Text, nullable=False),
    Column("received_ms", BigInteger, nullable=False),
    Column("bytes", Integer, nullable=False),
    Column("body", LargeBinary, nullable=False),
)

tally: Final = Table(
    "intake_tally",
    metadata,
    Column("name", NAME, primary_key=True),
    Column("count", BigInteger, nullable=False),
)


@dataclass(frozen=True, slots=True)
class Alarm:
    """An alarm about the system itself; times in real epoch ms, `cleared_ms` None while it is active."""

    key: str
    text: str
    raised_ms: int
    cleared_ms: int | None


@dataclass(frozen=True, slots=True)
class Report:
    """What a gateway last said of itself; `heard_ms` in real epoch ms."""

    gateway: str
    state: GatewayState | None
    health: Health | None
    heard_ms: int


@dataclass(frozen=True, slots=True)
class Happened:
    """An event at a gateway, as it was stored."""

    number: int
    gateway: str
    event: Event


def begin_epoch(connection: Connection, wall_ms: int) -> int:
    """The epoch of this start: higher than any before, also when the ledger was lost or is a restored one."""
    known = connection.execute(select(start)).first()
    epoch = max(wall_ms, known.epoch + 1 if known else 0)
    _put(connection, start, {"id": 1}, {"epoch": epoch, "held": bool(known and known.held)})
    return epoch


def has_started(connection: Connection) -> bool:
    """True when a controller has run on this ledger before."""
    return connection.execute(select(start)).first() is not None


def is_held(connection: Connection) -> bool:
    """True when this ledger came from a backup and nobody has released it yet."""
    return bool(connection.scalar(select(start.c.held).where(start.c.id == 1)))


def set_held(connection: Connection, *, held: bool) -> None:
    """Hold back commands and plans, or release them."""
    known = connection.execute(select(start)).first()
    _put(connection, start, {"id": 1}, {"epoch": known.epoch if known else 0, "held": held})


def put_alarm(connection: Connection, state: Alarm) -> None:
    """Write an alarm as it stands."""
    values = {"text": storable(state.text), "raised_ms": state.raised_ms, "cleared_ms": state.cleared_ms}
    _put(connection, alarm, {"key": state.key}, values)


def active_alarms(connection: Connection) -> list[Alarm]:
    """Alarms not cleared."""
    return [Alarm(*row) for row in connection.execute(select(alarm).where(alarm.c.cleared_ms.is_(None)))]


def past_alarms(connection: Connection, limit: int) -> list[Alarm]:
    """The newest alarms, cleared or not."""
    return [Alarm(*row) for row in connection.execute(select(alarm).order_by(desc(alarm.c.raised_ms)).limit(limit))]


def put_report(connection: Connection, report: Report) -> None:
    """Write what a gateway said of itself."""
    values = {
        "state": _text(report.state),
        "health": _text(report.health),
        "heard_ms": report.heard_ms,
    }
    _put(connection, gateway_report, {"gateway": report.gateway}, values)


def reports(connection: Connection) -> list[Report]:
    """What every gateway last said of itself."""
    return [
        Report(row.gateway, _read(row.state, GatewayState), _read(row.health, Health), row.heard_ms)
        for row in connection.execute(select(gateway_report).order_by(gateway_report.c.gateway))
    ]


def new_events(connection: Connection, happened: Sequence[tuple[str, Event]]) -> list[tuple[str, Event]]:
    """Those of these events that are not written yet, each once."""
    found: dict[tuple[str, str], tuple[str, Event]] = {}
    columns = gateway_event.c
    for gateway, event in happened:
        query = select(columns.id).where(columns.gateway == gateway, columns.id == event.id)
        if (gateway, event.id) not in found and connection.execute(query).first() is None:
            found[gateway, event.id] = (gateway, event)
    return list(found.values())


def put_events(connection: Connection, happened: Iterable[tuple[str, Event]]) -> None:
    """Write events; a repeat replaces what was known of the same one."""
    for gateway, event in happened:
        values = {
            "time_ms": event.time,
            "event": event.event,
            "device": event.device,
            "body": msgspec.json.encode(event).decode(),
        }
        _put(connection, gateway_event, {"gateway": gateway, "id": event.id}, values)


def newest_events(
    connection: Connection, *, gateway: str | None = None, before: int | None = None, limit: int = 100
) -> list[Happened]:
    """The newest events first, of one gateway or all, below a number when given."""
    query = select(gateway_event).order_by(desc(gateway_event.c.number)).limit(limit)
    if gateway is not None:
        query = query.where(gateway_event.c.gateway == gateway)
    if before is not None:
        query = query.where(gateway_event.c.number < before)
    return [
        Happened(row.number, row.gateway, event)
        for row in connection.execute(query)
        if (event := _read(row.body, Event)) is not None
    ]


def retire_events(connection: Connection, keep: int) -> None:
    """Keep the newest `keep` events."""
    newest = connection.scalar(select(func.max(gateway_event.c.number)))
    if newest is not None:
        connection.execute(delete(gateway_event).where(gateway_event.c.number <= newest - keep))


def count_up(connection: Connection, name: str, by: int) -> None:
    """Add to a tally."""
    known = connection.scalar(select(tally.c.count).where(tally.c.name == name)) or 0
    _put(connection, tally, {"name": name}, {"count": known + by})


def counted(connection: Connection, name: str) -> int:
    """A tally."""
    return connection.scalar(select(tally.c.count).where(tally.c.name == name)) or 0


def insert(connection: Connection, table: Table) -> postgresql.Insert | sqlite.Insert:
    """An insert of this database's own kind, which knows conflicts."""
    return postgresql.insert(table) if connection.dialect.name == "postgresql" else sqlite.insert(table)


def _put(connection: Connection, table: Table, key: dict[str, Any], values: dict[str, Any]) -> None:
    statement = insert(connection, table).values(**key, **values)
    connection.execute(statement.on_conflict_do_update(index_elements=list(key), set_=values))


def _text(document: GatewayState | Health | None) -> str | None:
    return None if document is None else msgspec.json.encode(document).decode()


def _read(text: str | None, kind: type[D]) -> D | None:
    """What was kept, None when there is nothing or an earlier version of this program took what is refused now."""
    try:
        return None if text is None else msgspec.json.decode(text, type=kind)
    except msgspec.ValidationError:
        return None
