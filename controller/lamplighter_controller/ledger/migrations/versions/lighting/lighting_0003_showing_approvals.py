"""Shows that wait for a second person."""

import sqlalchemy as sa
from alembic import op

revision = "lighting_0003"
down_revision = "lighting_0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for name in ("grave", "approvals"):
        op.add_column("lighting_showing", sa.Column(name, sa.Text, nullable=False, server_default="[]"))
    op.add_column("lighting_showing", sa.Column("at_once", sa.Boolean, nullable=False, server_default=sa.false()))
