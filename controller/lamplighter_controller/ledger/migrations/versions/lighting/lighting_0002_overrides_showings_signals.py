"""Overrides as they were asked for, showings of scenes, and the signals last told."""

import sqlalchemy as sa
from alembic import op

revision = "lighting_0002"
down_revision = "lighting_0001"
branch_labels = None
depends_on = None

NAME = sa.String(64)


def words(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.Text, nullable=False) for name in names]


def times(*names: str) -> list[sa.Column[int]]:
    return [sa.Column(name, sa.BigInteger, nullable=False) for name in names]


def upgrade() -> None:
    op.create_table(
        "lighting_override",
        sa.Column("id", NAME, nullable=False),
        sa.Column("key", sa.Text),
        *words("who", "content", "reason", "target", "lamps", "grave", "approvals"),
        sa.Column("level_percent", sa.Float, nullable=False),
        sa.Column("emergency", sa.Boolean, nullable=False),
        sa.Column("state", NAME, nullable=False),
        sa.Column("request", NAME),
        *times("until_ms", "created_ms", "expires_ms"),
        sa.PrimaryKeyConstraint("id", name="pk_lighting_override"),
        sa.UniqueConstraint("who", "key", name="uq_lighting_override_who_key"),
    )
    op.create_index("ix_lighting_override_request", "lighting_override", ["request"])
    op.create_table(
        "lighting_showing",
        sa.Column("id", NAME, nullable=False),
        sa.Column("scene", NAME, nullable=False),
        *words("body", "who", "reason"),
        *times("starts_ms", "ends_ms", "created_ms"),
        sa.Column("stopped_ms", sa.BigInteger),
        sa.PrimaryKeyConstraint("id", name="pk_lighting_showing"),
    )
    op.create_table(
        "lighting_signal",
        sa.Column("name", NAME, nullable=False),
        *words("value"),
        *times("until_ms"),
        sa.PrimaryKeyConstraint("name", name="pk_lighting_signal"),
    )
    op.create_table(
        "lighting_signal_version",
        sa.Column("gateway", NAME, nullable=False),
        *times("version"),
        sa.PrimaryKeyConstraint("gateway", name="pk_lighting_signal_version"),
    )
