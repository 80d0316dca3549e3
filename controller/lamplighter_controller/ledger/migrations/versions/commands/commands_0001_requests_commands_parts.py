"""Requests, their commands to gateways, and the parts of devices."""

import sqlalchemy as sa
from alembic import op

revision = "commands_0001"
down_revision = None
branch_labels = ("commands",)
depends_on = None

NAME = sa.String(64)


def upgrade() -> None:
    op.create_table(
        "command_request",
        sa.Column("id", NAME, nullable=False),
        sa.Column("op", NAME, nullable=False),
        sa.Column("args", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("approvals", sa.Text, nullable=False),
        sa.Column("who", sa.Text, nullable=False),
        sa.Column("key", sa.Text),
        sa.Column("content", sa.Text, nullable=False),
        sa.Column("issued_ms", sa.BigInteger, nullable=False),
        sa.Column("expires_ms", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_command_request"),
        sa.UniqueConstraint("who", "key", name="uq_command_request_who_key"),
    )
    op.create_table(
        "command",
        sa.Column("id", NAME, nullable=False),
        sa.Column("request", NAME, nullable=False),
        sa.Column("gateway", NAME, nullable=False),
        sa.Column("seq", sa.BigInteger, nullable=False),
        sa.Column("state", NAME, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("accepted", sa.Boolean, nullable=False),
        sa.Column("open", sa.Boolean, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_command"),
        sa.ForeignKeyConstraint(["request"], ["command_request.id"], name="fk_command_request"),
        sa.UniqueConstraint("gateway", "seq", name="uq_command_gateway_seq"),
    )
    op.create_index("ix_command_request", "command", ["request"])
    op.create_index(
        "ix_command_open", "command", ["open"], sqlite_where=sa.text("open"), postgresql_where=sa.text("open")
    )
    op.create_table(
        "command_part",
        sa.Column("command", NAME, nullable=False),
        sa.Column("device", NAME, nullable=False),
        sa.Column("position", sa.Integer, nullable=False),
        sa.Column("state", NAME, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("reading", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("command", "device", name="pk_command_part"),
        sa.ForeignKeyConstraint(["command"], ["command.id"], name="fk_command_part_command"),
    )
    op.create_index("ix_command_part_device_command", "command_part", ["device", "command"])
    op.create_table(
        "command_sequence",
        sa.Column("gateway", NAME, nullable=False),
        sa.Column("highest", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("gateway", name="pk_command_sequence"),
    )
