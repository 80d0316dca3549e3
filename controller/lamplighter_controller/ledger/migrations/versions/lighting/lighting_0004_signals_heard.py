"""What signals have heard from sensors and counters, so that a restart goes on from it."""

import sqlalchemy as sa
from alembic import op

revision = "lighting_0004"
down_revision = "lighting_0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "lighting_signal_heard",
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("heard", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_lighting_signal_heard"),
    )
