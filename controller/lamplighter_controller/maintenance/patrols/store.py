"""Tables of inspection: plans, rounds, results."""

from typing import Final

from sqlalchemy import BigInteger, Boolean, Column, Float, Index, String, Table, Text

from lamplighter_controller.ledger.tables import metadata

NAME: Final = String(64)
LABEL: Final = String(128)
ELEMENT: Final = String(300)

plan_table: Final = Table(
    "maintenance_patrol_plan",
    metadata,
    Column("id", NAME, primary_key=True),
    Column("body", Text, nullable=False),
)

round_table: Final = Table(
    "maintenance_patrol_round",
    metadata,
    Column("id", NAME, primary_key=True),
    Column("plan", NAME, nullable=False),
    Column("due_ms", BigInteger, nullable=False),
    Column("done_ms", BigInteger, nullable=False),
    Column("body", Text, nullable=False),
    Index(None, "plan", "due_ms"),
    Index(None, "done_ms"),
)

result_table: Final = Table(
    "maintenance_patrol_result",
    metadata,
    Column("round", NAME, primary_key=True),
    Column("element_kind", NAME, primary_key=True),
    Column("element", ELEMENT, primary_key=True),
    Column("check", NAME, primary_key=True),
    Column("passed", Boolean, nullable=False),
    Column("at_ms", BigInteger, nullable=False),
    Column("who", LABEL, nullable=False),
    Column("value", Float),
    Column("note", Text, nullable=False),
)
