"""Inspection: plans, rounds, results."""

import sqlalchemy as sa
from alembic import op

revision = "maintenance_0002"
down_revision = "maintenance_0001"
branch_labels = None
depends_on = None

NAME = sa.String(64)


def upgrade() -> None:
    op.create_table(
        "maintenance_patrol_plan",
        sa.Column("id", NAME, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_maintenance_patrol_plan"),
    )
    op.create_table(
        "maintenance_patrol_round",
        sa.Column("id", NAME, nullable=False),
        sa.Column("plan", NAME, nullable=False),
        sa.Column("due_ms", sa.BigInteger, nullable=False),
        sa.Column("done_ms", sa.BigInteger, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_maintenance_patrol_round"),
    )
    op.create_index("ix_maintenance_patrol_round_plan_due_ms", "maintenance_patrol_round", ["plan", "due_ms"])
    op.create_index("ix_maintenance_patrol_round_done_ms", "maintenance_patrol_round", ["done_ms"])
    op.create_table(
        "maintenance_patrol_result",
        sa.Column("round", NAME, nullable=False),
        sa.Column("element_kind", NAME, nullable=False),
        sa.Column("element", sa.String(300), nullable=False),
        sa.Column("check", NAME, nullable=False),
        sa.Column("passed", sa.Boolean, nullable=False),
        sa.Column("at_ms", sa.BigInteger, nullable=False),
        sa.Column("who", sa.String(128), nullable=False),
        sa.Column("value", sa.Float),
        sa.Column("note", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("round", "element_kind", "element", "check", name="pk_maintenance_patrol_result"),
    )
