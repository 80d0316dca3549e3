"""Work orders and their life, crews, trips, locks, photos, parts and material, monthly reports."""

import sqlalchemy as sa
from alembic import op

revision = "maintenance_0001"
down_revision = None
branch_labels = ("maintenance",)
depends_on = None

NAME = sa.String(64)
LABEL = sa.String(128)
ELEMENT = sa.String(300)
NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def times(*names: str) -> list[sa.Column]:  # type: ignore[type-arg]  # columns of one type
    return [sa.Column(name, sa.BigInteger, nullable=False) for name in names]


def names(*names: str) -> list[sa.Column]:  # type: ignore[type-arg]  # columns of one type
    return [sa.Column(name, NAME, nullable=False) for name in names]


def labels(*names: str) -> list[sa.Column]:  # type: ignore[type-arg]  # columns of one type
    return [sa.Column(name, LABEL, nullable=False) for name in names]


def words(*names: str) -> list[sa.Column]:  # type: ignore[type-arg]  # columns of one type
    return [sa.Column(name, sa.Text, nullable=False) for name in names]


def upgrade() -> None:
    _orders()
    _life()
    _people()
    _parts()


def _orders() -> None:
    op.create_table(
        "maintenance_order",
        *names("id"),
        sa.Column("number", sa.BigInteger, nullable=False),
        *names("element_kind"),
        sa.Column("element", ELEMENT, nullable=False),
        *names("class_id"),
        sa.Column("severity", sa.Integer, nullable=False),
        sa.Column("priority", sa.Integer, nullable=False),
        *names("state"),
        *times("created_ms", "changed_ms"),
        *words("title"),
        *names("road", "road_class", "district"),
        *labels("pole"),
        sa.Column("cabinet", ELEMENT, nullable=False),
        sa.Column("latitude", sa.Float),
        sa.Column("longitude", sa.Float),
        *names("crew", "company", "trip"),
        *times("onset_ms", "detected_ms", "due_ms", "paused_ms", "paused_since_ms"),
        *times("accepted_ms", "departed_ms", "arrived_ms", "done_ms"),
        *labels("done_by"),
        *times("proved_ms", "closed_ms"),
        sa.Column("returned", sa.Integer, nullable=False),
        *times("escalated_ms"),
        *names("outcome", "duplicate_of", "proof"),
        *words("proof_text"),
        sa.PrimaryKeyConstraint("id", name="pk_maintenance_order"),
        sa.UniqueConstraint("number", name="uq_maintenance_order_number"),
    )
    for column in ("state", "element", "created_ms", "crew", "road"):
        op.create_index(f"ix_maintenance_order_{column}", "maintenance_order", [column])


def _life() -> None:
    op.create_table(
        "maintenance_step",
        *names("order"),
        sa.Column("number", sa.Integer, nullable=False),
        *names("action", "before", "after"),
        *times("at_ms", "wall_ms"),
        *labels("who"),
        *words("reason", "detail"),
        sa.PrimaryKeyConstraint("order", "number", name="pk_maintenance_step"),
    )
    op.create_table(
        "maintenance_source",
        *names("order", "kind"),
        *labels("ref"),
        *times("time_ms"),
        sa.PrimaryKeyConstraint("order", "kind", "ref", name="pk_maintenance_source"),
    )
    op.create_index("ix_maintenance_source_kind_ref", "maintenance_source", ["kind", "ref"])
    op.create_table(
        "maintenance_key",
        *labels("who", "key"),
        *names("content"),
        *words("answer"),
        *times("wall_ms"),
        sa.PrimaryKeyConstraint("who", "key", name="pk_maintenance_key"),
    )
    op.create_index("ix_maintenance_key_wall_ms", "maintenance_key", ["wall_ms"])


def _people() -> None:
    op.create_table(
        "maintenance_crew", *names("id"), *words("body"), sa.PrimaryKeyConstraint("id", name="pk_maintenance_crew")
    )
    op.create_table(
        "maintenance_trip",
        *names("id", "road", "crew"),
        *times("created_ms"),
        *words("body"),
        sa.PrimaryKeyConstraint("id", name="pk_maintenance_trip"),
    )
    op.create_index("ix_maintenance_trip_created_ms", "maintenance_trip", ["created_ms"])
    op.create_table(
        "maintenance_lock",
        *names("id", "order", "state"),
        *times("asked_ms"),
        *words("body"),
        sa.PrimaryKeyConstraint("id", name="pk_maintenance_lock"),
    )
    op.create_index("ix_maintenance_lock_order", "maintenance_lock", ["order"])
    op.create_index("ix_maintenance_lock_state", "maintenance_lock", ["state"])
    op.create_table(
        "maintenance_photo",
        *names("order", "sha256"),
        *times("added_ms"),
        *words("body"),
        sa.PrimaryKeyConstraint("order", "sha256", name="pk_maintenance_photo"),
    )
    op.create_table(
        "maintenance_signature",
        *names("order"),
        sa.Column("number", sa.Integer, nullable=False),
        *times("at_ms"),
        *words("body"),
        sa.PrimaryKeyConstraint("order", "number", name="pk_maintenance_signature"),
    )


def _parts() -> None:
    op.create_table(
        "maintenance_part", *names("id"), *words("body"), sa.PrimaryKeyConstraint("id", name="pk_maintenance_part")
    )
    op.create_table(
        "maintenance_move",
        sa.Column("number", NUMBER, nullable=False),
        *names("part"),
        *labels("batch"),
        sa.Column("quantity", sa.Float, nullable=False),
        *names("order"),
        *times("at_ms"),
        *labels("who"),
        *words("reason"),
        sa.PrimaryKeyConstraint("number", name="pk_maintenance_move"),
    )
    op.create_index("ix_maintenance_move_part_batch", "maintenance_move", ["part", "batch"])
    op.create_index("ix_maintenance_move_order", "maintenance_move", ["order"])
    op.create_table(
        "maintenance_fitted",
        sa.Column("number", NUMBER, nullable=False),
        *names("element_kind"),
        sa.Column("element", ELEMENT, nullable=False),
        *labels("pole"),
        *names("part"),
        *times("at_ms"),
        *labels("who"),
        *names("order"),
        *labels("batch", "serial"),
        *names("model"),
        sa.Column("quantity", sa.Float, nullable=False),
        *names("old_device", "new_device"),
        *times("warranty_until_ms", "told_ms"),
        sa.PrimaryKeyConstraint("number", name="pk_maintenance_fitted"),
    )
    for column in ("element", "pole", "batch", "told_ms"):
        op.create_index(f"ix_maintenance_fitted_{column}", "maintenance_fitted", [column])
    op.create_table(
        "maintenance_report",
        sa.Column("month", sa.String(7), nullable=False),
        *times("made_ms", "through_ms"),
        sa.Column("body", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("month", name="pk_maintenance_report"),
    )
