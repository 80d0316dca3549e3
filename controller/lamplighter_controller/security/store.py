"""Tables of the security room."""

from typing import Final

from sqlalchemy import BigInteger, Column, Index, Integer, String, Table, Text, UniqueConstraint

from lamplighter_controller.ledger.tables import metadata

NAME: Final = String(64)

api_token: Final = Table(
    "api_token",
    metadata,
    Column("id", NAME, primary_key=True),
    Column("name", NAME, nullable=False),
    Column("secret_sha256", NAME, nullable=False),
    Column("rights", Text, nullable=False),  # words separated by blanks
    Column("created_ms", BigInteger, nullable=False),
    Column("created_by", Text, nullable=False),
    Column("revoked_ms", BigInteger),
    UniqueConstraint("name"),
)

gateway: Final = Table(
    "gateway",
    metadata,
    Column("gateway", NAME, primary_key=True),
    Column("generation", Integer, nullable=False),
    Column("enrolled_ms", BigInteger, nullable=False),
    Column("enrolled_by", Text, nullable=False),
    Column("revoked_ms", BigInteger),
)

audit: Final = Table(
    "audit",
    metadata,
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("time_ms", BigInteger, nullable=False),
    Column("who", Text, nullable=False),
    Column("action", NAME, nullable=False),
    Column("subject", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("result", Text, nullable=False),
    Column("detail", Text, nullable=False),  # JSON, exactly as it was hashed
    Column("previous_sha256", NAME, nullable=False),
    Column("row_sha256", NAME, nullable=False),
    Index(None, "subject", "number"),
    Index(None, "time_ms"),
)

audit_head: Final = Table(
    "audit_head",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("number", BigInteger, nullable=False),
    Column("row_sha256", NAME, nullable=False),
)
