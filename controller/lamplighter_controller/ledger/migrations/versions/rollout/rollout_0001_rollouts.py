"""Rollouts of gateway versions."""

import sqlalchemy as sa
from alembic import op

revision = "rollout_0001"
down_revision = None
branch_labels = ("rollout",)
depends_on = None


def upgrade() -> None:
    op.create_table(
        "gateway_rollout",
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("document", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_gateway_rollout"),
    )
