"""Tables of the maintenance room: orders and their life, crews, trips, locks, parts, reports."""

from typing import Final

from sqlalchemy import (
    BigInteger,
    Column,
    Float,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
)

from lamplighter_controller.ledger.tables import metadata

NAME: Final = String(64)
LABEL: Final = String(128)
ELEMENT: Final = String(300)
NUMBER: Final = BigInteger().with_variant(Integer, "sqlite")  # SQLite counts up whole "INTEGER" keys only


def _times(*names: str) -> list[Column[int]]:
    return [Column(name, BigInteger, nullable=False) for name in names]


def _names(*names: str) -> list[Column[str]]:
    return [Column(name, NAME, nullable=False) for name in names]


def _words(*names: str) -> list[Column[str]]:
    return [Column(name, Text, nullable=False) for name in names]


order_table: Final = Table(
    "maintenance_order",
    metadata,
    Column("id", NAME, primary_key=True),
    Column("number", BigInteger, nullable=False, unique=True),
    Column("element_kind", NAME, nullable=False),
    Column("element", ELEMENT, nullable=False),
    *_names("class_id"),
    Column("severity", Integer, nullable=False),
    Column("priority", Integer, nullable=False),
    *_names("state"),
    *_times("created_ms", "changed_ms"),
    *_words("title"),
    *_names("road", "road_class", "district"),
    Column("pole", LABEL, nullable=False),
    Column("cabinet", ELEMENT, nullable=False),
    Column("latitude", Float),
    Column("longitude", Float),
    *_names("crew", "company", "trip"),
    *_times("onset_ms", "detected_ms", "due_ms", "paused_ms", "paused_since_ms"),
    *_times("accepted_ms", "departed_ms", "arrived_ms", "done_ms"),
    Column("done_by", LABEL, nullable=False),
    *_times("proved_ms", "closed_ms"),
    Column("returned", Integer, nullable=False),
    *_times("escalated_ms"),
    *_names("outcome", "duplicate_of", "proof"),
    *_words("proof_text"),
    Index(None, "state"),
    Index(None, "element"),
    Index(None, "created_ms"),
    Index(None, "crew"),
    Index(None, "road"),
)

step_table: Final = Table(
    "maintenance_step",
    metadata,
    Column("order", NAME, primary_key=True),
    Column("number", Integer, primary_key=True),
    *_names("action", "before", "after"),
    *_times("at_ms", "wall_ms"),
    Column("who", LABEL, nullable=False),
    *_words("reason", "detail"),
)

source_table: Final = Table(
    "maintenance_source",
    metadata,
    Column("order", NAME, primary_key=True),
    Column("kind", NAME, primary_key=True),
    Column("ref", LABEL, primary_key=True),
    *_times("time_ms"),
    Index(None, "kind", "ref"),
)

key_table: Final = Table(
    "maintenance_key",
    metadata,
    Column("who", LABEL, primary_key=True),
    Column("key", LABEL, primary_key=True),
    Column("content", NAME, nullable=False),
    Column("answer", Text, nullable=False),
    *_times("wall_ms"),
    Index(None, "wall_ms"),
)

crew_table: Final = Table(
    "maintenance_crew",
    metadata,
    Column("id", NAME, primary_key=True),
    *_words("body"),
)

trip_table: Final = Table(
    "maintenance_trip",
    metadata,
    Column("id", NAME, primary_key=True),
    *_names("road", "crew"),
    *_times("created_ms"),
    *_words("body"),
    Index(None, "created_ms"),
)

lock_table: Final = Table(
    "maintenance_lock",
    metadata,
    Column("id", NAME, primary_key=True),
    *_names("order", "state"),
    *_times("asked_ms"),
    *_words("body"),
    Index(None, "order"),
    Index(None, "state"),
)

photo_table: Final = Table(
    "maintenance_photo",
    metadata,
    Column("order", NAME, primary_key=True),
    Column("sha256", NAME, primary_key=True),
    *_times("added_ms"),
    *_words("body"),
)

signature_table: Final = Table(
    "maintenance_signature",
    metadata,
    Column("order", NAME, primary_key=True),
    Column("number", Integer, primary_key=True),
    *_times("at_ms"),
    *_words("body"),
)

part_table: Final = Table(
    "maintenance_part",
    metadata,
    Column("id", NAME, primary_key=True),
    *_words("body"),
)

move_table: Final = Table(
    "maintenance_move",
    metadata,
    Column("number", NUMBER, primary_key=True),
    *_names("part"),
    Column("batch", LABEL, nullable=False),
    Column("quantity", Float, nullable=False),
    Column("order", NAME, nullable=False),
    *_times("at_ms"),
    Column("who", LABEL, nullable=False),
    *_words("reason"),
    Index(None, "part", "batch"),
    Index(None, "order"),
)

fitted_table: Final = Table(
    "maintenance_fitted",
    metadata,
    Column("number", NUMBER, primary_key=True),
    Column("element_kind", NAME, nullable=False),
    Column("element", ELEMENT, nullable=False),
    Column("pole", LABEL, nullable=False),
    *_names("part"),
    *_times("at_ms"),
    Column("who", LABEL, nullable=False),
    *_names("order"),
    Column("batch", LABEL, nullable=False),
    Column("serial", LABEL, nullable=False),
    *_names("model"),
    Column("quantity", Float, nullable=False),
    *_names("old_device", "new_device"),
    *_times("warranty_until_ms", "told_ms"),
    Index(None, "element"),
    Index(None, "pole"),
    Index(None, "batch"),
    Index(None, "told_ms"),
)

report_table: Final = Table(
    "maintenance_report",
    metadata,
    Column("month", String(7), primary_key=True),
    *_times("made_ms", "through_ms"),
    Column("body", LargeBinary, nullable=False),
)
