"""The devices gateways serve, as the ledger keeps them."""

import logging
from collections.abc import Sequence
from typing import Final

import msgspec
from sqlalchemy import BigInteger, Column, Connection, Index, String, Table, Text, delete, select

from lamplighter_contract.wire.documents import DeviceEntry
from lamplighter_controller.ledger.tables import metadata

log = logging.getLogger(__name__)

NAME: Final = String(64)

device: Final = Table(
    "device",
    metadata,
    Column("device", NAME, primary_key=True),
    Column("gateway", NAME, nullable=False),
    Column("kind", NAME, nullable=False),
    Column("entry", Text, nullable=False),  # the gateway's own words, JSON
    Column("adopted_ms", BigInteger, nullable=False),
    Index(None, "gateway"),
)

_decoder: Final = msgspec.json.Decoder(DeviceEntry)


def adopt(connection: Connection, gateway: str, entries: Sequence[DeviceEntry], time_ms: int) -> None:
    """Put a gateway's list in place of its former one; a device that another gateway had is this one's now."""
    wanted = {entry.device: msgspec.json.encode(entry).decode() for entry in entries}
    rows = connection.execute(select(device.c.device, device.c.entry).where(device.c.gateway == gateway))
    known = {row.device: row.entry for row in rows}
    gone = [name for name in known if wanted.get(name) != known[name]]
    new = [entry for entry in entries if known.get(entry.device) != wanted[entry.device]]
    for some in _pieces(gone + [entry.device for entry in new]):
        connection.execute(delete(device).where(device.c.device.in_(some)))
    if new:
        rows_new = [
            {
                "device": entry.device,
                "gateway": gateway,
                "kind": entry.kind,
                "entry": wanted[entry.device],
                "adopted_ms": time_ms,
            }
            for entry in new
        ]
        connection.execute(device.insert(), rows_new)


def every(connection: Connection) -> dict[str, list[DeviceEntry]]:
    """Gateway -> the devices it serves."""
    served: dict[str, list[DeviceEntry]] = {}
    for row in connection.execute(select(device.c.gateway, device.c.entry).order_by(device.c.device)):
        try:
            served.setdefault(row.gateway, []).append(_decoder.decode(row.entry))
        except msgspec.ValidationError as error:  # an earlier version of this program took it
            log.warning("a device of %s is not known until its gateway lists it again: %s", row.gateway, error)
    return served


def _pieces(names: Sequence[str], size: int = 500) -> list[Sequence[str]]:
    return [names[start : start + size] for start in range(0, len(names), size)]
