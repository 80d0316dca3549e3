"""What a road is built as: a tunnel, a junction, a bridge, or none of them."""

import sqlalchemy as sa
from alembic import op

revision = "lighting_inventory_0002"
down_revision = "lighting_inventory_0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("lighting_road", sa.Column("structure", sa.String(64), nullable=False, server_default="none"))
