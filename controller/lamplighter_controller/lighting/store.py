"""Tables of the lighting room, and the queries of the inventory."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec
from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
    bindparam,
    func,
    select,
    update,
)

from lamplighter_controller.ledger.tables import metadata, storable
from lamplighter_controller.lighting.importing import Known
from lamplighter_controller.lighting.inventory import (
    KINDS,
    REFERENCES,
    Cabinet,
    Circuit,
    District,
    Group,
    Inventory,
    Luminaire,
    Model,
    Road,
    Thing,
)

NAME: Final = String(64)
NUMBER: Final = BigInteger().with_variant(Integer, "sqlite")  # SQLite counts up whole "INTEGER" keys only
IDS_AT_ONCE: Final = 500
LISTS: Final = frozenset({"curve", "clo", "luminaires", "road_classes", "districts", "roads"})  # kept as JSON


def _id(name: str) -> Column[str]:
    return Column(name, NAME, primary_key=True)


def _of(name: str, table: str, *, needed: bool = False) -> Column[str]:
    return Column(name, NAME, ForeignKey(f"{table}.id"), nullable=not needed)


def _words(*names: str) -> list[Column[str]]:
    return [Column(name, Text, nullable=False) for name in names]


TABLES: Final[Mapping[type[Thing], Table]] = {
    District: Table("lighting_district", metadata, _id("id"), *_words("name")),
    Road: Table(
        "lighting_road",
        metadata,
        _id("id"),
        Column("road_class", NAME, nullable=False),
        *_words("name"),
        _of("district", "lighting_district"),
    ),
    Cabinet: Table(
        "lighting_cabinet",
        metadata,
        _id("id"),
        *_words("name", "account", "tariff", "component_code", "grid_cell"),
        Column("latitude", Float),
        Column("longitude", Float),
    ),
    Circuit: Table(
        "lighting_circuit",
        metadata,
        _id("id"),
        _of("cabinet", "lighting_cabinet", needed=True),
        Column("phase", NAME, nullable=False),
        Column("calendar", NAME),
        Column("lead_min", Float, nullable=False),
        Column("lag_min", Float, nullable=False),
    ),
    Model: Table(
        "lighting_model",
        metadata,
        _id("id"),
        Column("rated_w", Float, nullable=False),
        Column("source", NAME, nullable=False),
        *_words("curve", "clo"),
        Column("virtual_percent", Float, nullable=False),
    ),
    Luminaire: Table(
        "lighting_luminaire",
        metadata,
        _id("id"),
        Column("latitude", Float, nullable=False),
        Column("longitude", Float, nullable=False),
        Column("device", NAME),
        _of("road", "lighting_road"),
        _of("cabinet", "lighting_cabinet"),
        _of("circuit", "lighting_circuit"),
        Column("phase", NAME),
        *_words("feeder", "pole"),
        Column("pole_order", Integer),
        _of("model", "lighting_model"),
        *_words("component_code", "grid_cell"),
        Column("in_service", NAME),
        Index(None, "device"),
        Index(None, "road"),
    ),
    Group: Table(
        "lighting_group", metadata, _id("id"), *_words("name", "luminaires", "road_classes", "districts", "roads")
    ),
}

library_table: Final = Table(
    "lighting_library",
    metadata,
    _id("shelf"),
    _id("id"),
    Column("version", BigInteger, nullable=False),
    Column("body", Text, nullable=False),
    Column("changed_ms", BigInteger, nullable=False),
    Column("changed_by", Text, nullable=False),
)

plan_table: Final = Table(
    "lighting_plan",
    metadata,
    Column("number", NUMBER, primary_key=True),
    *_words("state", "library", "problems", "approvals", "author", "reason"),
    Column("created_ms", BigInteger, nullable=False),
)

version_table: Final = Table(
    "lighting_version",
    metadata,
    _id("gateway"),
    Column("version", BigInteger, primary_key=True),
    Column("plan", NUMBER, ForeignKey("lighting_plan.number"), nullable=False),
    Column("document", LargeBinary, nullable=False),  # as compiled, unsigned: it is signed when it is sent
    Column("published_ms", BigInteger, nullable=False),
    Column("published_by", Text, nullable=False),
)

floor_table: Final = Table(
    "lighting_floor",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("version", BigInteger, nullable=False),
)


def put(connection: Connection, things: Sequence[Thing]) -> tuple[int, int]:
    """Add or replace things of one kind; how many were new, how many replaced."""
    if not things:
        return 0, 0
    table = TABLES[type(things[0])]
    rows = {thing.id: _row(thing) for thing in things}
    names = list(rows)
    known: set[str] = set()
    for start in range(0, len(names), IDS_AT_ONCE):
        some = names[start : start + IDS_AT_ONCE]
        known.update(connection.scalars(select(table.c.id).where(table.c.id.in_(some))))
    new = [row for name, row in rows.items() if name not in known]
    if new:
        connection.execute(table.insert(), new)
    if known:
        _replace(connection, table, [rows[name] for name in known])
    return len(new), len(known)


def some(connection: Connection, kind: type[Thing], offset: int, limit: int) -> tuple[list[Thing], int]:
    """A page of things by id, and how many there are."""
    table = TABLES[kind]
    total = connection.scalar(select(func.count()).select_from(table)) or 0
    rows = connection.execute(select(table).order_by(table.c.id).offset(offset).limit(limit))
    return [_thing(kind, row._asdict()) for row in rows], total


def every(connection: Connection, kind: type[Thing]) -> list[Thing]:
    """All things of a kind, by id."""
    table = TABLES[kind]
    return [_thing(kind, row._asdict()) for row in connection.execute(select(table).order_by(table.c.id))]


def known_to(connection: Connection, kind: type[Thing]) -> Known:
    """What things of that kind may refer to."""
    wanted = {*REFERENCES[kind].values()}
    ids = {name: frozenset(connection.scalars(select(TABLES[KINDS[name]].c.id))) for name in wanted}
    holders: dict[str, str] = {}
    if kind is Luminaire:
        table = TABLES[Luminaire]
        rows = connection.execute(select(table.c.device, table.c.id).where(table.c.device.is_not(None)))
        holders = {row.device: row.id for row in rows}
    return Known(ids, holders)


def inventory(connection: Connection) -> Inventory:
    """All that plans are made from."""
    found = {kind: {thing.id: thing for thing in every(connection, kind)} for kind in (Road, Circuit, Model, Group)}
    luminaires = {thing.id: thing for thing in every(connection, Luminaire)}
    return Inventory(
        {name: one for name, one in found[Road].items() if isinstance(one, Road)},
        {name: one for name, one in found[Circuit].items() if isinstance(one, Circuit)},
        {name: one for name, one in found[Model].items() if isinstance(one, Model)},
        {name: one for name, one in found[Group].items() if isinstance(one, Group)},
        {name: one for name, one in luminaires.items() if isinstance(one, Luminaire)},
    )


def _replace(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    values: dict[str, Any] = {
        column.name: bindparam(f"new_{column.name}") for column in table.columns if column.name != "id"
    }
    statement = update(table).where(table.c.id == bindparam("the_id")).values(values)
    changes = [
        {"the_id": row["id"]} | {f"new_{name}": value for name, value in row.items() if name != "id"} for row in rows
    ]
    connection.execute(statement, changes)


def _row(thing: Thing) -> dict[str, Any]:
    values: dict[str, Any] = msgspec.to_builtins(thing)
    return {name: _kept(name, value) for name, value in values.items()}


def _kept(name: str, value: Any) -> Any:
    if name in LISTS:
        return msgspec.json.encode(value).decode()
    return storable(value) if isinstance(value, str) else value


def _thing(kind: type[Thing], row: Mapping[str, Any]) -> Thing:
    values: dict[str, Any] = {
        str(name): msgspec.json.decode(value) if name in LISTS else value  # SQLAlchemy's names are more than str
        for name, value in row.items()
    }
    thing: Thing = msgspec.convert(values, kind)
    return thing
