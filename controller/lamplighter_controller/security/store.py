"""Tables of the security room."""

from typing import Final

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, String, Table, Text, UniqueConstraint

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
    Column("expires_ms", BigInteger),  # real epoch ms; NULL = until it is revoked
    Column("scope", Text),  # JSON; NULL = everything
    UniqueConstraint("name"),
)

account: Final = Table(
    "account",
    metadata,
    Column("id", NAME, primary_key=True),
    Column("name", NAME, nullable=False),
    Column("grants", Text, nullable=False),  # JSON
    Column("password", Text, nullable=False),  # argon2id, with its parameters
    Column("must_change", Boolean, nullable=False),
    Column("code_secret", Text),  # sealed
    Column("code_pending", Text),  # sealed; becomes the secret once a code of it was given
    Column("code_step", BigInteger, nullable=False),  # of the last code taken: none is good twice
    Column("created_ms", BigInteger, nullable=False),
    Column("created_by", Text, nullable=False),
    Column("disabled_ms", BigInteger),
    UniqueConstraint("name"),
)

login_session: Final = Table(
    "login_session",
    metadata,
    Column("reference_sha256", NAME, primary_key=True),
    Column("account", NAME),  # of one of the two
    Column("token", NAME),
    Column("created_ms", BigInteger, nullable=False),
    Column("expires_ms", BigInteger, nullable=False),
    Column("address", Text, nullable=False),
    Index(None, "account"),
    Index(None, "expires_ms"),
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

gateway_credential: Final = Table(
    "gateway_credential",
    metadata,
    Column("gateway", NAME, primary_key=True),
    Column("generation", Integer, nullable=False),  # of the box the password was made for
    Column("line", Text),  # as the broker's password file has it
    Column("issued_ms", BigInteger),
    Column("code_sha256", NAME),
    Column("code_expires_ms", BigInteger),
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
