"""What stands in the streets, the library plans are made from, plans, and what gateways were given."""

import sqlalchemy as sa
from alembic import op

revision = "lighting_0001"
down_revision = None
branch_labels = ("lighting",)
depends_on = None

NAME = sa.String(64)
NUMBER = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def words(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.Text, nullable=False) for name in names]


def refers(table: str, column: str, to: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [f"{to}.id"], name=f"fk_{table}_{column}")


def upgrade() -> None:
    places()
    luminaires()
    plans()


def places() -> None:
    op.create_table(
        "lighting_district",
        sa.Column("id", NAME, nullable=False),
        *words("name"),
        sa.PrimaryKeyConstraint("id", name="pk_lighting_district"),
    )
    op.create_table(
        "lighting_road",
        sa.Column("id", NAME, nullable=False),
        sa.Column("road_class", NAME, nullable=False),
        *words("name"),
        sa.Column("district", NAME),
        sa.PrimaryKeyConstraint("id", name="pk_lighting_road"),
        refers("lighting_road", "district", "lighting_district"),
    )
    op.create_table(
        "lighting_cabinet",
        sa.Column("id", NAME, nullable=False),
        *words("name", "account", "tariff", "component_code", "grid_cell"),
        sa.Column("latitude", sa.Float),
        sa.Column("longitude", sa.Float),
        sa.PrimaryKeyConstraint("id", name="pk_lighting_cabinet"),
    )
    op.create_table(
        "lighting_circuit",
        sa.Column("id", NAME, nullable=False),
        sa.Column("cabinet", NAME, nullable=False),
        sa.Column("phase", NAME, nullable=False),
        sa.Column("calendar", NAME),
        sa.Column("lead_min", sa.Float, nullable=False),
        sa.Column("lag_min", sa.Float, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_lighting_circuit"),
        refers("lighting_circuit", "cabinet", "lighting_cabinet"),
    )


def luminaires() -> None:
    op.create_table(
        "lighting_model",
        sa.Column("id", NAME, nullable=False),
        sa.Column("rated_w", sa.Float, nullable=False),
        sa.Column("source", NAME, nullable=False),
        *words("curve"),
        sa.PrimaryKeyConstraint("id", name="pk_lighting_model"),
    )
    op.create_table(
        "lighting_luminaire",
        sa.Column("id", NAME, nullable=False),
        sa.Column("latitude", sa.Float, nullable=False),
        sa.Column("longitude", sa.Float, nullable=False),
        sa.Column("device", NAME),
        sa.Column("road", NAME),
        sa.Column("cabinet", NAME),
        sa.Column("circuit", NAME),
        sa.Column("phase", NAME),
        *words("feeder", "pole"),
        sa.Column("pole_order", sa.Integer),
        sa.Column("model", NAME),
        *words("component_code", "grid_cell"),
        sa.Column("in_service", NAME),
        sa.PrimaryKeyConstraint("id", name="pk_lighting_luminaire"),
        refers("lighting_luminaire", "road", "lighting_road"),
        refers("lighting_luminaire", "cabinet", "lighting_cabinet"),
        refers("lighting_luminaire", "circuit", "lighting_circuit"),
        refers("lighting_luminaire", "model", "lighting_model"),
    )
    op.create_index("ix_lighting_luminaire_device", "lighting_luminaire", ["device"])
    op.create_index("ix_lighting_luminaire_road", "lighting_luminaire", ["road"])
    op.create_table(
        "lighting_group",
        sa.Column("id", NAME, nullable=False),
        *words("name", "luminaires", "road_classes", "districts", "roads"),
        sa.PrimaryKeyConstraint("id", name="pk_lighting_group"),
    )


def plans() -> None:
    op.create_table(
        "lighting_library",
        sa.Column("shelf", NAME, nullable=False),
        sa.Column("id", NAME, nullable=False),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("changed_ms", sa.BigInteger, nullable=False),
        sa.Column("changed_by", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("shelf", "id", name="pk_lighting_library"),
    )
    op.create_table(
        "lighting_plan",
        sa.Column("number", NUMBER, nullable=False),
        *words("state", "library", "problems", "approvals", "author", "reason"),
        sa.Column("created_ms", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_lighting_plan"),
    )
    op.create_table(
        "lighting_version",
        sa.Column("gateway", NAME, nullable=False),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("plan", NUMBER, nullable=False),
        sa.Column("document", sa.LargeBinary, nullable=False),
        sa.Column("published_ms", sa.BigInteger, nullable=False),
        sa.Column("published_by", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("gateway", "version", name="pk_lighting_version"),
        sa.ForeignKeyConstraint(["plan"], ["lighting_plan.number"], name="fk_lighting_version_plan"),
    )
    op.create_table(
        "lighting_floor",
        sa.Column("id", sa.Integer, autoincrement=False, nullable=False),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_lighting_floor"),
    )
