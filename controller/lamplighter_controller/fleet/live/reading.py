"""The fleet as the ledger and the gateways have it, read for the judge."""

import asyncio

from sqlalchemy import Connection

from lamplighter_contract.geo.box import Box
from lamplighter_contract.quantities import Kind
from lamplighter_controller.fleet.live.city import City, Register, city_of
from lamplighter_controller.fleet.register import records as register
from lamplighter_controller.fleet.register.things import Driver, Permit, Place, Truck, WatchedObject
from lamplighter_controller.ledger.engine import Ledger
from lamplighter_controller.twin.columns import Twin


async def city_now(ledger: Ledger, twin: Twin, box: Box | None) -> City:
    """The register's trucks and places, and the terminals that gateways serve.

    Raises:
        LedgerUnavailable: the database does not answer.
    """
    stands = await ledger.read(register_of)
    served = [entry for entry in twin.entries() if entry.kind is Kind.TRUCK]
    forwarded = frozenset(entry.device for entry in served if entry.view_only)
    return await asyncio.to_thread(city_of, stands, [entry.device for entry in served], box, forwarded)


def register_of(connection: Connection) -> Register:
    """Trucks, drivers, places, objects and permits as they stand now, with the versions of what is judged by."""
    return Register(
        trucks=register.every(connection, "trucks", Truck),
        drivers=register.every(connection, "drivers", Driver),
        places=register.every(connection, "places", Place),
        objects=register.every(connection, "objects", WatchedObject),
        permits=register.every(connection, "permits", Permit),
        place_versions=register.versions(connection, "places"),
        permit_versions=register.versions(connection, "permits"),
    )
