"""What gateways log in with at the broker."""

import sqlalchemy as sa
from alembic import op

revision = "security_0003"
down_revision = "security_0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "gateway_credential",
        sa.Column("gateway", sa.String(64), nullable=False),
        sa.Column("generation", sa.Integer, nullable=False),
        sa.Column("line", sa.Text),
        sa.Column("issued_ms", sa.BigInteger),
        sa.Column("code_sha256", sa.String(64)),
        sa.Column("code_expires_ms", sa.BigInteger),
        sa.PrimaryKeyConstraint("gateway", name="pk_gateway_credential"),
    )
