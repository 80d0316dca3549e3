"""Tables of the lighting room, and the queries of the inventory."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Float,
    ForeignKey,
    Index,
    Insert,
    Integer,
    LargeBinary,
    Select,
    String,
    Table,
    Text,
    func,
    select,
)
from sqlalchemy.dialects import postgresql, sqlite

from lamplighter_controller.ledger.tables import metadata
from lamplighter_controller.lighting.importing import Known
from lamplighter_controller.lighting.inventory import (
    KINDS,
    REFERENCES,
    Burned,
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
from lamplighter_controller.lighting.proof.burning import Source
from lamplighter_controller.lighting.proof.store import burning_table
from lamplighter_controller.lighting.rows import as_row, as_thing

NAME: Final = String(64)
NUMBER: Final = BigInteger().with_variant(Integer, "sqlite")  # SQLite counts up whole "INTEGER" keys only


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
        Column("structure", NAME, nullable=False),
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
    return put_rows(connection, type(things[0]), [as_row(thing) for thing in things]) if things else (0, 0)


def put_rows(connection: Connection, kind: type[Thing], rows: Sequence[dict[str, Any]]) -> tuple[int, int]:
    """The same of rows that were made before the transaction began: a whole city's take a second."""
    table = TABLES[kind]
    names = {row["id"] for row in rows}
    known = len(names.intersection(connection.scalars(select(table.c.id))))
    insert = sqlite.insert(table) if connection.dialect.name == "sqlite" else postgresql.insert(table)
    changed = {column.name: insert.excluded[column.name] for column in table.columns if not column.primary_key}
    _many(connection, insert.on_conflict_do_update(index_elements=[table.c.id], set_=changed), rows)
    return len(names) - known, known


def _many(connection: Connection, statement: Insert, rows: Sequence[dict[str, Any]]) -> None:
    """One statement for all rows; the values are plain, so the driver takes them as they are."""
    if rows:
        compiled = statement.compile(dialect=connection.dialect, column_keys=list(rows[0]))
        order = getattr(compiled, "positiontup", None)
        values = [tuple(row[name] for name in order) for row in rows] if order else rows
        connection.exec_driver_sql(str(compiled), values)


def some(connection: Connection, kind: type[Thing], offset: int, limit: int) -> tuple[list[Thing], int]:
    """A page of things by id, and how many there are."""
    table = TABLES[kind]
    total = connection.scalar(select(func.count()).select_from(table)) or 0
    rows = connection.execute(_columns(kind).order_by(table.c.id).offset(offset).limit(limit))
    return [as_thing(kind, row) for row in rows], total


def every(connection: Connection, kind: type[Thing]) -> list[Thing]:
    """All things of a kind, by id."""
    return [as_thing(kind, row) for row in connection.execute(_columns(kind).order_by(TABLES[kind].c.id))]


def road_with_lamps(connection: Connection, road: str) -> tuple[Road, list[Luminaire]] | None:
    """A road and the luminaires with a controller on it, by id; None when there is no such road."""
    row = connection.execute(_columns(Road).where(TABLES[Road].c.id == road)).first()
    if row is None:
        return None
    table = TABLES[Luminaire]
    wanted = _columns(Luminaire).where(table.c.road == road, table.c.device.is_not(None)).order_by(table.c.id)
    found, lamps = as_thing(Road, row), [as_thing(Luminaire, one) for one in connection.execute(wanted)]
    assert isinstance(found, Road)
    return found, [one for one in lamps if isinstance(one, Luminaire)]


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
        _burned(connection),
    )


def _burned(connection: Connection) -> dict[str, Burned]:
    table = burning_table.c
    columns = select(table.device, table.source, table.since_ms, table.burning_h, table.from_h)
    return {
        row.device: Burned(row.burning_h - row.from_h, row.since_ms, row.source == Source.COUNTER or row.from_h > 0)
        for row in connection.execute(columns.where(table.device.is_not(None)))
    }


def _columns(kind: type[Thing]) -> Select[Any]:
    """In the order of the kind's fields."""
    return select(*(TABLES[kind].c[name] for name in kind.__struct_fields__))
