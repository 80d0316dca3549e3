"""Starts of the controller, alarms, what gateways said and what happened there, dead letters."""

import sqlalchemy as sa
from alembic import op

revision = "intake_0001"
down_revision = None
branch_labels = ("intake",)
depends_on = None

NAME = sa.String(64)
NUMBER = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    op.create_table(
        "controller_start",
        sa.Column("id", sa.Integer, autoincrement=False, nullable=False),
        sa.Column("epoch", sa.BigInteger, nullable=False),
        sa.Column("held", sa.Boolean, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_controller_start"),
    )
    op.create_table(
        "alarm",
        sa.Column("key", sa.String(160), nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("raised_ms", sa.BigInteger, nullable=False),
        sa.Column("cleared_ms", sa.BigInteger),
        sa.PrimaryKeyConstraint("key", name="pk_alarm"),
    )
    op.create_table(
        "gateway_report",
        sa.Column("gateway", NAME, nullable=False),
        sa.Column("state", sa.Text),
        sa.Column("health", sa.Text),
        sa.Column("heard_ms", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("gateway", name="pk_gateway_report"),
    )
    op.create_table(
        "gateway_event",
        sa.Column("number", NUMBER, nullable=False),
        sa.Column("gateway", NAME, nullable=False),
        sa.Column("id", sa.String(128), nullable=False),
        sa.Column("time_ms", sa.BigInteger, nullable=False),
        sa.Column("event", NAME, nullable=False),
        sa.Column("device", NAME),
        sa.Column("body", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_gateway_event"),
    )
    op.create_index("ix_gateway_event_gateway_id", "gateway_event", ["gateway", "id"], unique=True)
    op.create_index("ix_gateway_event_time_ms", "gateway_event", ["time_ms"])
    op.create_table(
        "dead_letter",
        sa.Column("id", NUMBER, nullable=False),
        sa.Column("digest", NAME, nullable=False),
        sa.Column("gateway", NAME, nullable=False),
        sa.Column("reason", NAME, nullable=False),
        sa.Column("detail", sa.Text, nullable=False),
        sa.Column("received_ms", sa.BigInteger, nullable=False),
        sa.Column("bytes", sa.Integer, nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_dead_letter"),
        sa.UniqueConstraint("digest", name="uq_dead_letter_digest"),
    )
    op.create_table(
        "intake_tally",
        sa.Column("name", NAME, nullable=False),
        sa.Column("count", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_intake_tally"),
    )
