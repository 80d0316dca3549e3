"""Rollouts in the ledger, each as one document."""

from typing import Final

import msgspec
from sqlalchemy import Column, Connection, String, Table, Text, select

from lamplighter_controller.ledger.tables import metadata, storable
from lamplighter_controller.rollout.rules import Rollout

table: Final = Table(
    "gateway_rollout",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("document", Text, nullable=False),
)


def put(connection: Connection, rollout: Rollout) -> None:
    """Keep it as it is now."""
    values = {"document": storable(msgspec.json.encode(rollout).decode())}
    if connection.execute(table.update().where(table.c.id == rollout.id).values(**values)).rowcount == 0:
        connection.execute(table.insert().values(id=rollout.id, **values))


def find(connection: Connection, identity: str) -> Rollout | None:
    """One rollout, None when there is none of that id."""
    text = connection.scalar(select(table.c.document).where(table.c.id == identity))
    return msgspec.json.decode(text, type=Rollout) if text is not None else None


def every(connection: Connection, limit: int = 100) -> list[Rollout]:
    """The newest first."""
    texts = connection.scalars(select(table.c.document).order_by(table.c.id.desc()).limit(limit))
    return [msgspec.json.decode(text, type=Rollout) for text in texts]
