"""Notices on their way to people."""

import sqlalchemy as sa
from alembic import op

revision = "maintenance_0003"
down_revision = "maintenance_0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "maintenance_letter",
        sa.Column("channel", sa.String(64), nullable=False),
        sa.Column("notice", sa.String(128), nullable=False),
        sa.Column("order", sa.String(64), nullable=False),
        sa.Column("due_ms", sa.BigInteger, nullable=False),
        sa.Column("tries", sa.Integer, nullable=False),
        sa.Column("sent_ms", sa.BigInteger, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("channel", "notice", name="pk_maintenance_letter"),
    )
    op.create_index("ix_maintenance_letter_sent_ms_due_ms", "maintenance_letter", ["sent_ms", "due_ms"])
    op.create_index("ix_maintenance_letter_order", "maintenance_letter", ["order"])
