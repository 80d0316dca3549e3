"""What proves violations: parts, packages made of them, legal holds."""

import sqlalchemy as sa
from alembic import op

revision = "evidence_0001"
down_revision = None
branch_labels = ("evidence",)
depends_on = None

NAME = sa.String(64)


def upgrade() -> None:
    op.create_table(
        "evidence_part",
        sa.Column("violation", NAME, nullable=False),
        sa.Column("sha256", NAME, nullable=False),
        sa.Column("name", NAME, nullable=False),
        sa.Column("media_type", NAME, nullable=False),
        sa.Column("bytes", sa.Integer, nullable=False),
        sa.Column("source", NAME, nullable=False),
        sa.Column("taken_ms", sa.BigInteger),
        sa.Column("added_ms", sa.BigInteger, nullable=False),
        sa.Column("added_by", sa.Text, nullable=False),
        sa.Column("note", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("violation", "sha256", name="pk_evidence_part"),
    )
    op.create_index("ix_evidence_part_sha256", "evidence_part", ["sha256"])
    op.create_table(
        "evidence_package",
        sa.Column("violation", NAME, nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("sha256", NAME, nullable=False),
        sa.Column("bytes", sa.Integer, nullable=False),
        sa.Column("manifest_sha256", NAME, nullable=False),
        sa.Column("audit_number", sa.BigInteger, nullable=False),
        sa.Column("parts", sa.Integer, nullable=False),
        sa.Column("missing", sa.Text, nullable=False),
        sa.Column("made_ms", sa.BigInteger, nullable=False),
        sa.Column("made_by", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("violation", "number", name="pk_evidence_package"),
    )
    op.create_table(
        "evidence_hold",
        sa.Column("violation", NAME, nullable=False),
        sa.Column("placed_ms", sa.BigInteger, nullable=False),
        sa.Column("placed_by", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("ended_ms", sa.BigInteger),
        sa.Column("ended_by", sa.Text),
        sa.PrimaryKeyConstraint("violation", "placed_ms", name="pk_evidence_hold"),
    )
