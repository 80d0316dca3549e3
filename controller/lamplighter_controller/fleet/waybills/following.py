"""Waybills of loads as they leave and arrive, and of what a terminal told of them; within the caller's transaction."""

from collections.abc import Callable
from dataclasses import replace

from sqlalchemy import Connection

from lamplighter_controller.fleet.live.city import City
from lamplighter_controller.fleet.register.things import Permit
from lamplighter_controller.fleet.trips.follow import Moved
from lamplighter_controller.fleet.waybills import records
from lamplighter_controller.fleet.waybills.told import Told, driving
from lamplighter_controller.fleet.waybills.waybill import (
    ENGINE,
    TOGETHER_MS,
    Source,
    Waybill,
    begun,
    is_of,
    left,
    unloaded,
)


def follow(connection: Connection, moved: Moved, permit: Permit | None, city: City, new_id: Callable[[], str]) -> None:
    """A load that leaves takes up the waybill declared for it, or has one by its permit; one that is gone ends it."""
    trip, known = moved.trip, records.last_open(connection, moved.trip.truck)
    if trip.unloaded_ms is not None:
        if known is not None:
            records.put(connection, unloaded(known, moved, city, ENGINE))
        return
    if trip.left_ms is None:
        return
    drives = driving(records.last_card(connection, trip.truck, trip.left_ms), trip.left_ms, city)
    if known is not None and is_of(known, trip):
        records.put(connection, left(known, moved, permit, city, drives))
    elif permit is not None and (known is None or known.loaded_ms < trip.loaded_ms):
        records.put(connection, begun(new_id(), moved, permit, city, drives))


def tell(connection: Connection, told: Told, permit: Permit | None, city: City, new_id: Callable[[], str]) -> None:
    """What a terminal told belongs to the paper of its number, to the load on its way, or is a waybill of its own."""
    paper = records.of_number(connection, told.truck, told.number) if told.number else None
    if paper is not None:
        records.put(connection, replace(paper, content=paper.content or told.content))
        return
    if records.has_content(connection, told.truck, told.content, told.time_ms, TOGETHER_MS):
        return
    known = records.last_open(connection, told.truck)
    near = known is not None and abs(known.loaded_ms - told.time_ms) <= TOGETHER_MS
    if known is not None and near and not known.number:
        records.put(connection, replace(known, number=told.number, content=told.content))
        return
    row = city.find(told.truck)
    records.put(
        connection,
        Waybill(
            new_id(),
            told.truck,
            row.company if row else "",
            _object(told.site, permit.site if permit else "", city),
            _object(told.ground, permit.ground if permit else "", city),
            told.time_ms,
            permit=permit.id if permit else None,
            source=Source.TERMINAL,
            number=told.number,
            content=told.content,
        ),
    )


def _object(told: str, permitted: str, city: City) -> str:
    """A site or ground as the register knows it."""
    return told if told in city.register.objects else permitted
