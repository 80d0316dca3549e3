"""Tables and queries of commands. Ids are time-ordered, so the newest are the greatest."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import msgspec
from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Connection,
    ForeignKey,
    Index,
    Integer,
    Row,
    String,
    Table,
    Text,
    UniqueConstraint,
    bindparam,
    desc,
    func,
    select,
    text,
    update,
)

from lamplighter_contract.commands.command import Operation
from lamplighter_contract.commands.states import CommandState
from lamplighter_controller.commands.model import Change, Order, Part, Request
from lamplighter_controller.commands.rules import OPEN
from lamplighter_controller.ledger.tables import metadata, storable

NAME: Final = String(64)
IDS_AT_ONCE: Final = 500
STATES: Final = {state.value: state for state in CommandState}
CHANGING: Final = ("state", "reason", "accepted", "open")
CHANGING_IN_PART: Final = ("state", "reason", "reading")

request_table: Final = Table(
    "command_request",
    metadata,
    Column("id", NAME, primary_key=True),
    Column("op", NAME, nullable=False),
    Column("args", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("approvals", Text, nullable=False),
    Column("who", Text, nullable=False),
    Column("key", Text),
    Column("content", Text, nullable=False),
    Column("issued_ms", BigInteger, nullable=False),
    Column("expires_ms", BigInteger, nullable=False),
    UniqueConstraint("who", "key"),
    Index(None, "op"),
)

command_table: Final = Table(
    "command",
    metadata,
    Column("id", NAME, primary_key=True),
    Column("request", NAME, ForeignKey("command_request.id"), nullable=False, index=True),
    Column("gateway", NAME, nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("state", NAME, nullable=False),
    Column("reason", Text, nullable=False),
    Column("accepted", Boolean, nullable=False),
    Column("open", Boolean, nullable=False),
    UniqueConstraint("gateway", "seq"),
    Index(None, "open", sqlite_where=text("open"), postgresql_where=text("open")),
)

part_table: Final = Table(
    "command_part",
    metadata,
    Column("command", NAME, ForeignKey("command.id"), primary_key=True),
    Column("device", NAME, primary_key=True),
    Column("position", Integer, nullable=False),
    Column("state", NAME, nullable=False),
    Column("reason", Text, nullable=False),
    Column("reading", Text, nullable=False),
    Index(None, "device", "command"),
)

sequence_table: Final = Table(
    "command_sequence",
    metadata,
    Column("gateway", NAME, primary_key=True),
    Column("highest", BigInteger, nullable=False),
)


UPDATE_COMMAND: Final = (
    update(command_table)
    .where(command_table.c.id == bindparam("the_command"))
    .values({name: bindparam(name) for name in CHANGING})
)
UPDATE_PARTS: Final = (
    update(part_table)
    .where(part_table.c.command == bindparam("the_command"))
    .values({name: bindparam(name) for name in CHANGING_IN_PART})
)
UPDATE_PART: Final = (
    update(part_table)
    .where(part_table.c.command == bindparam("the_command"), part_table.c.device == bindparam("the_device"))
    .values({name: bindparam(name) for name in CHANGING_IN_PART})
)


def add(connection: Connection, request: Request, orders: Sequence[Order]) -> None:
    """Store a new request with its commands and their parts."""
    connection.execute(request_table.insert(), _request_row(request))
    connection.execute(command_table.insert(), [_command_row(order) for order in orders])
    parts = [_part_row(order, part, position) for order in orders for position, part in enumerate(order.parts.values())]
    if parts:
        connection.execute(part_table.insert(), parts)


def save(connection: Connection, changes: Iterable[Change]) -> None:
    """Store what changed; of a command that changed several times, its last state."""
    last: dict[str, tuple[Order, dict[str, Part]]] = {}
    for change in changes:
        changed = last[change.order.id][1] if change.order.id in last else {}
        last[change.order.id] = change.order, {**changed, **{part.device: part for part in change.changed}}
    commands, alike, parts = [], [], []
    for order, changed in last.values():
        row = _command_row(order)
        commands.append({"the_command": order.id, **{name: row[name] for name in CHANGING}})
        if len(changed) == len(order.parts) and _same(changed.values()):
            alike.append({"the_command": order.id, **_part_changes(next(iter(changed.values())))})
        else:
            keys = ({"the_command": order.id, "the_device": device} for device in changed)
            parts += [key | _part_changes(part) for key, part in zip(keys, changed.values(), strict=True)]
    for statement, rows in ((UPDATE_COMMAND, commands), (UPDATE_PARTS, alike), (UPDATE_PART, parts)):
        if rows:
            connection.execute(statement, rows)


def _same(parts: Iterable[Part]) -> bool:
    """True of parts, one at least, that differ in nothing but their device: one statement writes them all."""
    return len({(part.state, part.reason, msgspec.json.encode(part.reading)) for part in parts}) == 1


def highest_seq(connection: Connection, gateway: str) -> int:
    """The highest command number given to a gateway, 0 when none was."""
    query = select(sequence_table.c.highest).where(sequence_table.c.gateway == gateway)
    return connection.scalar(query) or 0


def set_highest_seq(connection: Connection, gateway: str, highest: int) -> None:
    """Remember the highest command number given to, or told by, a gateway."""
    known = connection.execute(
        update(sequence_table).where(sequence_table.c.gateway == gateway).values(highest=highest)
    )
    if not known.rowcount:
        connection.execute(sequence_table.insert().values(gateway=gateway, highest=highest))


def raise_numbers(connection: Connection, least: int) -> None:
    """Let the next command number of every gateway be above `least`."""
    connection.execute(update(sequence_table).where(sequence_table.c.highest < least).values(highest=least))


def find_by_key(connection: Connection, who: str, key: str) -> Request | None:
    """The request that somebody made under a key."""
    query = select(request_table).where(request_table.c.who == who, request_table.c.key == key)
    row = connection.execute(query).first()
    return _request(row) if row else None


def find_request(connection: Connection, request: str) -> Request | None:
    """A request by its id."""
    row = connection.execute(select(request_table).where(request_table.c.id == request)).first()
    return _request(row) if row else None


def newest_requests(connection: Connection, *, device: str | None, before: str | None, limit: int) -> list[Request]:
    """The newest requests first, of one device or all, older than `before` when given."""
    query = select(request_table).order_by(desc(request_table.c.id)).limit(limit)
    if device is not None:
        commands = select(part_table.c.command).where(part_table.c.device == device)
        query = query.where(
            request_table.c.id.in_(select(command_table.c.request).where(command_table.c.id.in_(commands)))
        )
    if before is not None:
        query = query.where(request_table.c.id < before)
    return [_request(row) for row in connection.execute(query)]


def orders_of(connection: Connection, requests: Sequence[str]) -> dict[str, list[Order]]:
    """Every command of some requests, by request."""
    found: defaultdict[str, list[Order]] = defaultdict(list)
    for order in _orders(connection, command_table.c.request, requests):
        found[order.request.id].append(order)
    return found


def counts(connection: Connection, requests: Sequence[str]) -> dict[str, dict[CommandState, int]]:
    """How many parts of each request are in which state; operations on gateways count as one part."""
    found: defaultdict[str, dict[CommandState, int]] = defaultdict(dict)
    state = func.coalesce(part_table.c.state, command_table.c.state)
    query = (
        select(command_table.c.request, state.label("state"), func.count().label("parts"))
        .select_from(command_table.outerjoin(part_table, part_table.c.command == command_table.c.id))
        .where(command_table.c.request.in_(requests))
        .group_by(command_table.c.request, state)
    )
    for row in connection.execute(query):
        found[row.request][CommandState(row.state)] = row.parts
    return found


def only_devices(connection: Connection, requests: Sequence[str]) -> dict[str, str]:
    """The device of each of these requests that is for one device."""
    query = (
        select(command_table.c.request, func.min(part_table.c.device).label("device"))
        .join(part_table, part_table.c.command == command_table.c.id)
        .where(command_table.c.request.in_(requests))
        .group_by(command_table.c.request)
        .having(func.count() == 1)
    )
    return {row.request: row.device for row in connection.execute(query)}


def orders(connection: Connection, commands: Sequence[str]) -> dict[str, Order]:
    """Commands by id; those not known are left out."""
    return {order.id: order for order in _orders(connection, command_table.c.id, commands)}


def open_orders(connection: Connection) -> list[Order]:
    """Every command that is not at its end, in the order of their numbers."""
    open_now = connection.scalars(select(command_table.c.id).where(command_table.c.open)).all()
    return sorted(orders(connection, open_now).values(), key=lambda order: order.seq)


def _orders(connection: Connection, column: Column[Any], values: Sequence[str]) -> list[Order]:
    found = []
    for start in range(0, len(values), IDS_AT_ONCE):
        some = values[start : start + IDS_AT_ONCE]
        rows = connection.execute(select(command_table).where(column.in_(some)).order_by(command_table.c.id)).all()
        requests = _requests(connection, {row.request for row in rows})
        parts = _parts(connection, [row.id for row in rows])
        found += [_order(row, requests[row.request], parts[row.id]) for row in rows]
    return found


def _requests(connection: Connection, ids: Iterable[str]) -> Mapping[str, Request]:
    rows = connection.execute(select(request_table).where(request_table.c.id.in_(list(ids))))
    return {row.id: _request(row) for row in rows}


def _parts(connection: Connection, commands: Sequence[str]) -> defaultdict[str, dict[str, Part]]:
    found: defaultdict[str, dict[str, Part]] = defaultdict(dict)
    part = part_table.c
    query = (
        select(part.command, part.device, part.state, part.reason, part.reading)
        .where(part.command.in_(commands))
        .order_by(part.command, part.position)
    )
    for command, device, state, reason, reading in connection.execute(query).all():
        values = {} if reading == "{}" else msgspec.json.decode(reading)
        found[command][device] = Part(device, STATES[state], reason, values)
    return found


def _request_row(request: Request) -> dict[str, Any]:
    return {
        "id": request.id,
        "op": request.op,
        "args": msgspec.json.encode(request.args).decode(),
        "reason": request.reason,
        "approvals": msgspec.json.encode(request.approvals).decode(),
        "who": request.who,
        "key": request.key,
        "content": request.content,
        "issued_ms": request.issued_ms,
        "expires_ms": request.expires_ms,
    }


def _request(row: Row[Any]) -> Request:
    return Request(
        id=row.id,
        op=Operation(row.op),
        args=msgspec.json.decode(row.args),
        reason=row.reason,
        approvals=tuple(msgspec.json.decode(row.approvals)),
        who=row.who,
        key=row.key,
        content=row.content,
        issued_ms=row.issued_ms,
        expires_ms=row.expires_ms,
    )


def _command_row(order: Order) -> dict[str, Any]:
    return {
        "id": order.id,
        "request": order.request.id,
        "gateway": order.gateway,
        "seq": order.seq,
        "state": order.state,
        "reason": storable(order.reason),
        "accepted": order.accepted,
        "open": order.state in OPEN,
    }


def _order(row: Row[Any], request: Request, parts: Mapping[str, Part]) -> Order:
    return Order(row.id, request, row.gateway, row.seq, CommandState(row.state), row.reason, row.accepted, parts)


def _part_row(order: Order, part: Part, position: int) -> dict[str, Any]:
    return {
        "command": order.id,
        "device": part.device,
        "position": position,
        **_part_changes(part),
    }


def _part_changes(part: Part) -> dict[str, Any]:
    reading = msgspec.json.encode(part.reading).decode() if part.reading else "{}"
    return {"state": part.state, "reason": storable(part.reason), "reading": reading}
