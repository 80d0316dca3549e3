"""Incidents, maintenance windows, and protectors with their trip tests."""

import sqlalchemy as sa
from alembic import op

revision = "diagnosis_0001"
down_revision = None
branch_labels = ("diagnosis",)
depends_on = None

NAME = sa.String(64)
ELEMENT = sa.String(300)


def upgrade() -> None:
    op.create_table(
        "diagnosis_incident",
        sa.Column("id", NAME, nullable=False),
        sa.Column("element_kind", NAME, nullable=False),
        sa.Column("element", ELEMENT, nullable=False),
        sa.Column("cabinet", ELEMENT, nullable=False),
        sa.Column("class", NAME, nullable=False),
        sa.Column("state", NAME, nullable=False),
        sa.Column("severity", sa.Integer, nullable=False),
        sa.Column("withheld", sa.Boolean, nullable=False),
        sa.Column("raised_ms", sa.BigInteger, nullable=False),
        sa.Column("closed_ms", sa.BigInteger, nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_diagnosis_incident"),
    )
    op.create_index("ix_diagnosis_incident_state_raised_ms", "diagnosis_incident", ["state", "raised_ms"])
    op.create_index("ix_diagnosis_incident_element", "diagnosis_incident", ["element"])
    op.create_table(
        "diagnosis_window",
        sa.Column("id", NAME, nullable=False),
        sa.Column("end_ms", sa.BigInteger, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_diagnosis_window"),
    )
    op.create_index("ix_diagnosis_window_end_ms", "diagnosis_window", ["end_ms"])
    op.create_table(
        "diagnosis_protector",
        sa.Column("id", NAME, nullable=False),
        sa.Column("cabinet", NAME, nullable=False),
        sa.Column("circuit", NAME, nullable=False),
        sa.Column("listed_ms", sa.BigInteger, nullable=False),
        sa.Column("tested_ms", sa.BigInteger),
        sa.Column("tripped", sa.Boolean),
        sa.PrimaryKeyConstraint("id", name="pk_diagnosis_protector"),
    )
