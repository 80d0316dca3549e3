"""Accounts, sessions; tokens with an end and a scope."""

import sqlalchemy as sa
from alembic import op

revision = "security_0002"
down_revision = "security_0001"
branch_labels = None
depends_on = None

NAME = sa.String(64)


def upgrade() -> None:
    op.add_column("api_token", sa.Column("expires_ms", sa.BigInteger))
    op.add_column("api_token", sa.Column("scope", sa.Text))
    op.create_table(
        "account",
        sa.Column("id", NAME, nullable=False),
        sa.Column("name", NAME, nullable=False),
        sa.Column("grants", sa.Text, nullable=False),
        sa.Column("password", sa.Text, nullable=False),
        sa.Column("must_change", sa.Boolean, nullable=False),
        sa.Column("code_secret", sa.Text),
        sa.Column("code_pending", sa.Text),
        sa.Column("code_step", sa.BigInteger, nullable=False),
        sa.Column("created_ms", sa.BigInteger, nullable=False),
        sa.Column("created_by", sa.Text, nullable=False),
        sa.Column("disabled_ms", sa.BigInteger),
        sa.PrimaryKeyConstraint("id", name="pk_account"),
        sa.UniqueConstraint("name", name="uq_account_name"),
    )
    op.create_table(
        "login_session",
        sa.Column("reference_sha256", NAME, nullable=False),
        sa.Column("account", NAME),
        sa.Column("token", NAME),
        sa.Column("created_ms", sa.BigInteger, nullable=False),
        sa.Column("expires_ms", sa.BigInteger, nullable=False),
        sa.Column("address", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("reference_sha256", name="pk_login_session"),
    )
    op.create_index("ix_login_session_account", "login_session", ["account"])
    op.create_index("ix_login_session_expires_ms", "login_session", ["expires_ms"])
