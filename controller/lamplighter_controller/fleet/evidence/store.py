"""Tables of evidence; all times in real epoch ms, but for `taken_ms`, which is civil."""

from typing import Final

from sqlalchemy import BigInteger, Column, Index, Integer, String, Table, Text

from lamplighter_controller.ledger.tables import metadata

NAME: Final = String(64)

part_table: Final = Table(
    "evidence_part",
    metadata,
    Column("violation", NAME, primary_key=True),
    Column("sha256", NAME, primary_key=True),
    Column("name", NAME, nullable=False),
    Column("media_type", NAME, nullable=False),
    Column("bytes", Integer, nullable=False),
    Column("source", NAME, nullable=False),
    Column("taken_ms", BigInteger),
    Column("added_ms", BigInteger, nullable=False),
    Column("added_by", Text, nullable=False),
    Column("note", Text, nullable=False),
    Index(None, "sha256"),
)

package_table: Final = Table(
    "evidence_package",
    metadata,
    Column("violation", NAME, primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("sha256", NAME, nullable=False),
    Column("bytes", Integer, nullable=False),
    Column("manifest_sha256", NAME, nullable=False),
    Column("audit_number", BigInteger, nullable=False),
    Column("parts", Integer, nullable=False),
    Column("missing", Text, nullable=False),
    Column("made_ms", BigInteger, nullable=False),
    Column("made_by", Text, nullable=False),
)

hold_table: Final = Table(
    "evidence_hold",
    metadata,
    Column("violation", NAME, primary_key=True),
    Column("placed_ms", BigInteger, primary_key=True),
    Column("placed_by", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("ended_ms", BigInteger),
    Column("ended_by", Text),
)
