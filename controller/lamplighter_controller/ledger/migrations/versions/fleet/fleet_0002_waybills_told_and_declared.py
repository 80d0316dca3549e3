"""Waybills that were declared or told by terminals, and the cards in their readers."""

import sqlalchemy as sa
from alembic import op

revision = "fleet_0002"
down_revision = "fleet_0001"
branch_labels = None
depends_on = None

NAME = sa.String(64)


def upgrade() -> None:
    with op.batch_alter_table("fleet_waybill") as table:
        table.add_column(sa.Column("source", NAME, nullable=False, server_default="rule"))
        for name in ("number", "content", "driver_told"):
            table.add_column(sa.Column(name, sa.Text, nullable=False, server_default=""))
    op.create_table(
        "fleet_driver_card",
        sa.Column("truck", NAME, nullable=False),
        sa.Column("time_ms", sa.BigInteger, nullable=False),
        sa.Column("inserted", sa.Boolean, nullable=False),
        sa.Column("result", sa.Integer),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("licence", sa.Text, nullable=False),
        sa.Column("agency", sa.Text, nullable=False),
        sa.Column("valid_until", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("truck", "time_ms", name="pk_fleet_driver_card"),
    )
