"""What signals have heard, the signals last told, and the number of the document each gateway was told."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

import msgspec
from sqlalchemy import BigInteger, Column, Connection, String, Table, Text, delete, select, update

from lamplighter_contract.light.signals import Signal
from lamplighter_controller.ledger.tables import metadata
from lamplighter_controller.lighting.adaptive.station import Heard

NAME: Final = String(64)

signal_table: Final = Table(
    "lighting_signal",
    metadata,
    Column("name", NAME, primary_key=True),
    Column("value", Text, nullable=False),
    Column("until_ms", BigInteger, nullable=False),
)

version_table: Final = Table(
    "lighting_signal_version",
    metadata,
    Column("gateway", NAME, primary_key=True),
    Column("version", BigInteger, nullable=False),
)

heard_table: Final = Table(
    "lighting_signal_heard",
    metadata,
    Column("name", NAME, primary_key=True),
    Column("heard", Text, nullable=False),
)


def heard(connection: Connection) -> dict[str, Heard]:
    """What every signal has heard, by its name."""
    return {row.name: msgspec.json.decode(row.heard, type=Heard) for row in connection.execute(select(heard_table))}


def put_heard(connection: Connection, changed: Mapping[str, Heard]) -> None:
    """Keep what signals have heard."""
    for name, one in changed.items():
        connection.execute(delete(heard_table).where(heard_table.c.name == name))
        connection.execute(heard_table.insert().values(name=name, heard=msgspec.json.encode(one).decode()))


def forget_heard(connection: Connection, names: Iterable[str]) -> None:
    """Signals that are no longer in the library."""
    connection.execute(delete(heard_table).where(heard_table.c.name.in_(list(names))))


def signals(connection: Connection) -> dict[str, Signal]:
    """The signals last told, by name."""
    rows = connection.execute(select(signal_table).order_by(signal_table.c.name))
    return {row.name: Signal(row.name, msgspec.json.decode(row.value), row.until_ms) for row in rows}


def put_signals(connection: Connection, told: Iterable[Signal]) -> None:
    """These are the signals now, and no others."""
    connection.execute(delete(signal_table))
    rows: list[dict[str, Any]] = [
        {"name": one.name, "value": msgspec.json.encode(one.value).decode(), "until_ms": one.until} for one in told
    ]
    if rows:
        connection.execute(signal_table.insert(), rows)


def next_version(connection: Connection, gateway: str, wall_ms: int) -> int:
    """The number of the next document; without memory of one before it goes on from the time."""
    here = version_table.c.gateway == gateway
    known = connection.scalar(select(version_table.c.version).where(here))
    if known is None:
        connection.execute(version_table.insert().values(gateway=gateway, version=wall_ms))
        return wall_ms
    version = int(known) + 1
    connection.execute(update(version_table).where(here).values(version=version))
    return version
