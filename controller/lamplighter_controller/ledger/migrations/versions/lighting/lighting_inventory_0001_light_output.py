"""What a luminaire model gives of its full power: constant light output over its life, virtual output."""

import sqlalchemy as sa
from alembic import op

revision = "lighting_inventory_0001"
down_revision = None
branch_labels = ("lighting_inventory",)
depends_on = "lighting_0001"


def upgrade() -> None:
    op.add_column("lighting_model", sa.Column("clo", sa.Text, nullable=False, server_default="[]"))
    op.add_column("lighting_model", sa.Column("virtual_percent", sa.Float, nullable=False, server_default="100"))
