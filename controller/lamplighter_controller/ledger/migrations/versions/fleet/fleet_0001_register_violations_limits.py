"""The register of the fleet, waybills, trips, violations, limits, policies and what is done by them."""

import sqlalchemy as sa
from alembic import op

revision = "fleet_0001"
down_revision = None
branch_labels = ("fleet",)
depends_on = None

NAME = sa.String(64)


def upgrade() -> None:
    op.create_table(
        "fleet_register",
        sa.Column("shelf", NAME, nullable=False),
        sa.Column("id", NAME, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("changed_ms", sa.BigInteger, nullable=False),
        sa.Column("changed_by", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("shelf", "id", name="pk_fleet_register"),
    )
    op.create_table(
        "fleet_register_past",
        sa.Column("shelf", NAME, nullable=False),
        sa.Column("id", NAME, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("changed_ms", sa.BigInteger, nullable=False),
        sa.Column("changed_by", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("shelf", "id", "version", name="pk_fleet_register_past"),
    )
    op.create_table(
        "fleet_waybill",
        sa.Column("id", NAME, nullable=False),
        sa.Column("truck", NAME, nullable=False),
        sa.Column("company", NAME, nullable=False),
        sa.Column("driver", NAME),
        sa.Column("permit", NAME),
        sa.Column("site", NAME, nullable=False),
        sa.Column("ground", NAME, nullable=False),
        sa.Column("volume_m3", sa.Float),
        sa.Column("loaded_ms", sa.BigInteger, nullable=False),
        sa.Column("loaded_latitude", sa.Float),
        sa.Column("loaded_longitude", sa.Float),
        sa.Column("unloaded_ms", sa.BigInteger),
        sa.Column("unloaded_latitude", sa.Float),
        sa.Column("unloaded_longitude", sa.Float),
        sa.Column("unloaded_at", NAME),
        sa.Column("closed_by", sa.Text),
        sa.PrimaryKeyConstraint("id", name="pk_fleet_waybill"),
    )
    op.create_index("ix_fleet_waybill_loaded_ms", "fleet_waybill", ["loaded_ms"])
    op.create_index("ix_fleet_waybill_truck_loaded_ms", "fleet_waybill", ["truck", "loaded_ms"])
    op.create_table(
        "fleet_trip",
        sa.Column("truck", NAME, nullable=False),
        sa.Column("loaded_ms", sa.BigInteger, nullable=False),
        sa.Column("site", NAME),
        sa.Column("left_ms", sa.BigInteger),
        sa.Column("unloaded_ms", sa.BigInteger),
        sa.Column("ground", NAME),
        sa.PrimaryKeyConstraint("truck", "loaded_ms", name="pk_fleet_trip"),
    )
    op.create_index("ix_fleet_trip_loaded_ms", "fleet_trip", ["loaded_ms"])
    op.create_table(
        "fleet_violation",
        sa.Column("id", NAME, nullable=False),
        sa.Column("truck", NAME, nullable=False),
        sa.Column("company", NAME, nullable=False),
        sa.Column("class", NAME, nullable=False),
        sa.Column("score", sa.Float, nullable=False),
        sa.Column("first_ms", sa.BigInteger, nullable=False),
        sa.Column("last_ms", sa.BigInteger),
        sa.Column("times", sa.Integer, nullable=False),
        sa.Column("place", NAME),
        sa.Column("place_version", sa.Integer),
        sa.Column("permit", NAME),
        sa.Column("permit_version", sa.Integer),
        sa.Column("latitude", sa.Float),
        sa.Column("longitude", sa.Float),
        sa.Column("evidence", sa.Text, nullable=False),
        sa.Column("rules", sa.Integer, nullable=False),
        sa.Column("late", sa.Boolean, nullable=False),
        sa.Column("acted", sa.Boolean, nullable=False),
        sa.Column("state", NAME, nullable=False),
        sa.Column("found_ms", sa.BigInteger, nullable=False),
        sa.Column("changed_ms", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_fleet_violation"),
    )
    op.create_index("ix_fleet_violation_first_ms", "fleet_violation", ["first_ms"])
    op.create_index("ix_fleet_violation_state_first_ms", "fleet_violation", ["state", "first_ms"])
    op.create_index("ix_fleet_violation_truck_first_ms", "fleet_violation", ["truck", "first_ms"])
    op.create_table(
        "fleet_violation_step",
        sa.Column("violation", NAME, nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("state", NAME, nullable=False),
        sa.Column("time_ms", sa.BigInteger, nullable=False),
        sa.Column("who", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("detail", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("violation", "number", name="pk_fleet_violation_step"),
    )
    op.create_table(
        "fleet_ask",
        sa.Column("id", NAME, nullable=False),
        sa.Column("who", sa.Text, nullable=False),
        sa.Column("trucks", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("case_number", sa.Text, nullable=False),
        sa.Column("grave", sa.Text, nullable=False),
        sa.Column("approvals", sa.Text, nullable=False),
        sa.Column("content", sa.Text, nullable=False),
        sa.Column("key", sa.Text),
        sa.Column("what", NAME, nullable=False),
        sa.Column("target", sa.Float, nullable=False),
        sa.Column("until_ms", sa.BigInteger, nullable=False),
        sa.Column("violation", NAME),
        sa.Column("policy", NAME),
        sa.Column("state", NAME, nullable=False),
        sa.Column("created_ms", sa.BigInteger, nullable=False),
        sa.Column("expires_ms", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_fleet_ask"),
    )
    op.create_index("ix_fleet_ask_created_ms", "fleet_ask", ["created_ms"])
    op.create_index("ix_fleet_ask_state", "fleet_ask", ["state"])
    op.create_table(
        "fleet_limit",
        sa.Column("id", NAME, nullable=False),
        sa.Column("ask", NAME),
        sa.Column("truck", NAME, nullable=False),
        sa.Column("device", NAME, nullable=False),
        sa.Column("what", NAME, nullable=False),
        sa.Column("target", sa.Float),
        sa.Column("until_ms", sa.BigInteger),
        sa.Column("state", NAME, nullable=False),
        sa.Column("detail", sa.Text, nullable=False),
        sa.Column("warned_ms", sa.BigInteger),
        sa.Column("request", NAME),
        sa.Column("release_request", NAME),
        sa.Column("created_ms", sa.BigInteger, nullable=False),
        sa.Column("sent_ms", sa.BigInteger),
        sa.Column("effective_ms", sa.BigInteger),
        sa.Column("ended_ms", sa.BigInteger),
        sa.PrimaryKeyConstraint("id", name="pk_fleet_limit"),
    )
    op.create_index("ix_fleet_limit_state", "fleet_limit", ["state"])
    op.create_index("ix_fleet_limit_truck_created_ms", "fleet_limit", ["truck", "created_ms"])
    op.create_table(
        "fleet_course",
        sa.Column("id", NAME, nullable=False),
        sa.Column("policy", NAME, nullable=False),
        sa.Column("policy_version", sa.Integer, nullable=False),
        sa.Column("truck", NAME, nullable=False),
        sa.Column("violation", NAME, nullable=False),
        sa.Column("stage", NAME, nullable=False),
        sa.Column("ask", NAME),
        sa.Column("began_ms", sa.BigInteger, nullable=False),
        sa.Column("changed_ms", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_fleet_course"),
    )
    op.create_index("ix_fleet_course_policy_began_ms", "fleet_course", ["policy", "began_ms"])
    op.create_index("ix_fleet_course_stage", "fleet_course", ["stage"])
    op.create_table(
        "fleet_policy_trial",
        sa.Column("policy", NAME, nullable=False),
        sa.Column("policy_version", sa.Integer, nullable=False),
        sa.Column("start_ms", sa.BigInteger, nullable=False),
        sa.Column("end_ms", sa.BigInteger, nullable=False),
        sa.Column("trucks", sa.Integer, nullable=False),
        sa.Column("times", sa.Integer, nullable=False),
        sa.Column("detail", sa.Text, nullable=False),
        sa.Column("tried_ms", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("policy", "policy_version", name="pk_fleet_policy_trial"),
    )
    op.create_table(
        "fleet_switch",
        sa.Column("name", NAME, nullable=False),
        sa.Column("thrown", sa.Boolean, nullable=False),
        sa.Column("who", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("changed_ms", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_fleet_switch"),
    )
    op.create_table(
        "fleet_unlock_key",
        sa.Column("truck", NAME, nullable=False),
        sa.Column("secret", sa.Text, nullable=False),
        sa.Column("counter", sa.BigInteger, nullable=False),
        sa.Column("changed_ms", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("truck", name="pk_fleet_unlock_key"),
    )
    op.create_table(
        "fleet_day",
        sa.Column("truck", NAME, nullable=False),
        sa.Column("day", sa.String(10), nullable=False),
        sa.Column("first_ms", sa.BigInteger, nullable=False),
        sa.Column("last_ms", sa.BigInteger, nullable=False),
        sa.Column("reports", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("truck", "day", name="pk_fleet_day"),
    )
    op.create_index("ix_fleet_day_day", "fleet_day", ["day"])
