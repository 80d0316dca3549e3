"""The devices gateways serve."""

import sqlalchemy as sa
from alembic import op

revision = "twin_0001"
down_revision = None
branch_labels = ("twin",)
depends_on = None

NAME = sa.String(64)


def upgrade() -> None:
    op.create_table(
        "device",
        sa.Column("device", NAME, nullable=False),
        sa.Column("gateway", NAME, nullable=False),
        sa.Column("kind", NAME, nullable=False),
        sa.Column("entry", sa.Text, nullable=False),
        sa.Column("adopted_ms", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("device", name="pk_device"),
    )
    op.create_index("ix_device_gateway", "device", ["gateway"])
