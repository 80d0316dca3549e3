"""What is proven of each night: figures, the lamps behind them, energy, burning hours, patrols, prices."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "proof_0001"
down_revision = None
branch_labels = ("proof",)
depends_on = None

NAME = sa.String(64)
LABEL = sa.String(120)
DAY = sa.String(10)


def needed(kind: Any, *names: str) -> list[sa.Column[Any]]:
    return [sa.Column(name, kind, nullable=False) for name in names]


def key(table: str, *names: str) -> sa.PrimaryKeyConstraint:
    return sa.PrimaryKeyConstraint(*names, name=f"pk_{table}")


def upgrade() -> None:
    figures()
    energy()
    sightings_and_hours()


def figures() -> None:
    op.create_table(
        "proof_night",
        *needed(DAY, "night"),
        *needed(sa.BigInteger, "start_ms", "end_ms", "through_ms", "computed_ms"),
        *needed(sa.Integer, "passes"),
        *needed(sa.Boolean, "due"),
        key("proof_night", "night"),
    )
    op.create_table(
        "proof_night_tally",
        *needed(DAY, "night"),
        *needed(NAME, "grouped", "key"),
        *needed(sa.Integer, "lamps"),
        *needed(sa.Float, "required_ms", "lit_ms", "dark_ms", "unknown_ms", "own_ms", "patrol_ms", "meter_ms"),
        *needed(sa.Integer, "dark_lamps", "unknown_lamps"),
        key("proof_night_tally", "night", "grouped", "key"),
    )
    op.create_table(
        "proof_night_lamp",
        *needed(DAY, "night"),
        *needed(NAME, "lamp"),
        sa.Column("device", NAME),
        *needed(NAME, "road", "road_class", "district", "cabinet", "proof"),
        sa.Column("since_ms", sa.BigInteger),
        *needed(sa.Float, "required_ms", "lit_ms", "dark_ms", "unknown_ms"),
        key("proof_night_lamp", "night", "lamp"),
    )


def energy() -> None:
    op.create_table(
        "proof_night_energy",
        *needed(DAY, "night"),
        *needed(NAME, "cabinet"),
        *needed(LABEL, "account", "tariff"),
        *needed(sa.Integer, "lamps", "without_model"),
        sa.Column("metered", sa.Float),
        *needed(sa.BigInteger, "gap_ms"),
        *needed(sa.Text, "bands"),
        *needed(sa.Float, "base", "full", "hours", "planned", "dark", "standby"),
        key("proof_night_energy", "night", "cabinet"),
    )
    op.create_table(
        "proof_setting",
        *needed(NAME, "kind", "id"),
        *needed(DAY, "valid_from"),
        *needed(sa.Text, "body"),
        *needed(sa.BigInteger, "changed_ms"),
        *needed(sa.Text, "changed_by"),
        key("proof_setting", "kind", "id", "valid_from"),
    )


def sightings_and_hours() -> None:
    op.create_table(
        "proof_patrol",
        *needed(NAME, "lamp"),
        *needed(sa.BigInteger, "time_ms"),
        *needed(sa.Boolean, "lit"),
        *needed(sa.Text, "seen_by"),
        key("proof_patrol", "lamp", "time_ms"),
    )
    op.create_index("ix_proof_patrol_time_ms", "proof_patrol", ["time_ms"])
    op.create_table(
        "proof_burning",
        *needed(NAME, "lamp"),
        sa.Column("device", NAME),
        *needed(NAME, "source"),
        *needed(sa.BigInteger, "as_of_ms", "since_ms"),
        sa.Column("counter_h", sa.Float),
        sa.Column("counter_starts", sa.Float),
        *needed(sa.Float, "burning_h", "starts", "from_h", "from_starts"),
        key("proof_burning", "lamp"),
    )
    op.create_table(
        "proof_burned",
        *needed(DAY, "night"),
        *needed(NAME, "lamp"),
        *needed(sa.Float, "burned_ms"),
        *needed(sa.Integer, "starts"),
        key("proof_burned", "night", "lamp"),
    )
