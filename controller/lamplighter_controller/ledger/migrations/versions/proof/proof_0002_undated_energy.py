"""Energy that a meter counted in days of silence: told in a night, of no night."""

import sqlalchemy as sa
from alembic import op

revision = "proof_0002"
down_revision = "proof_0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("proof_night_energy") as table:
        table.add_column(sa.Column("undated", sa.Float, nullable=False, server_default="0"))
