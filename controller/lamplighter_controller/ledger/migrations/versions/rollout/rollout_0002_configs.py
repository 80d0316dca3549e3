"""Configurations that gateways are given by the centre."""

import sqlalchemy as sa
from alembic import op

revision = "rollout_0002"
down_revision = "rollout_0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "gateway_config",
        sa.Column("gateway", sa.String(64), nullable=False),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("document", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("gateway", name="pk_gateway_config"),
    )
