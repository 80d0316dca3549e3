"""The table of notices on their way."""

from typing import Final

from sqlalchemy import BigInteger, Column, Index, Integer, String, Table, Text

from lamplighter_controller.ledger.tables import metadata

letter_table: Final = Table(
    "maintenance_letter",
    metadata,
    Column("channel", String(64), primary_key=True),
    Column("notice", String(128), primary_key=True),
    Column("order", String(64), nullable=False),
    Column("due_ms", BigInteger, nullable=False),
    Column("tries", Integer, nullable=False),
    Column("sent_ms", BigInteger, nullable=False),
    Column("body", Text, nullable=False),
    Index(None, "sent_ms", "due_ms"),
    Index(None, "order"),
)
