"""The register as the ledger has it, read for the judge."""

from sqlalchemy import Connection

from lamplighter_controller.fleet.live.city import Register
from lamplighter_controller.fleet.register import records as register
from lamplighter_controller.fleet.register.things import Driver, Permit, Place, Truck, WatchedObject


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
