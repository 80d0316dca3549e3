"""A waybill: site, truck, ground; loaded and unloaded, where and when; what closes its loop. Pure."""

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from lamplighter_controller.fleet.live.city import City
from lamplighter_controller.fleet.register.things import Permit
from lamplighter_controller.fleet.trips.follow import Moved, Trip

ENGINE: Final = "rule:fleet"
TOGETHER_MS: Final = 2 * 3_600_000  # a paper and a load of one truck within this time are of one another


class Source(StrEnum):
    """Who brought a waybill into being."""

    RULE = "rule"  # a load left under a permit
    TERMINAL = "terminal"  # JT/T 808, 0x0701
    DECLARED = "declared"  # by a person, or a file of another system


@dataclass(frozen=True, slots=True)
class Waybill:
    """One; times civil. `unloaded_at` is a place, `closed_by` who saw or said that the load arrived.

    `number` is the paper's own, `content` what a terminal told as it told it, `driver_told` the card in its reader.
    """

    id: str
    truck: str
    company: str
    site: str
    ground: str
    loaded_ms: int
    driver: str | None = None
    permit: str | None = None
    volume_m3: float | None = None
    loaded_latitude: float | None = None
    loaded_longitude: float | None = None
    unloaded_ms: int | None = None
    unloaded_latitude: float | None = None
    unloaded_longitude: float | None = None
    unloaded_at: str | None = None
    closed_by: str | None = None
    source: Source = Source.RULE
    number: str = ""
    content: str = ""
    driver_told: str = ""

    @property
    def closed(self) -> bool:
        """True when the load arrived where it was to go."""
        return self.closed_by is not None


@dataclass(frozen=True, slots=True)
class Driving:
    """Who drives a truck now: of the register where the card is known there, and the card as it was read."""

    driver: str | None = None
    told: str = ""


def begun(name: str, moved: Moved, permit: Permit, city: City, driving: Driving) -> Waybill:
    """The waybill of a load that has left its site under a permit."""
    row = city.find(moved.trip.truck)
    bare = Waybill(
        name,
        moved.trip.truck,
        row.company if row else "",
        permit.site,
        permit.ground,
        moved.trip.loaded_ms,
        permit=permit.id,
    )
    return left(bare, moved, None, city, driving)


def left(waybill: Waybill, moved: Moved, permit: Permit | None, city: City, driving: Driving) -> Waybill:
    """A waybill whose load was seen to leave; what it says itself stays."""
    truck = city.register.trucks.get(waybill.truck)
    return replace(
        waybill,
        driver=waybill.driver or driving.driver or (truck.driver if truck else None),
        driver_told=waybill.driver_told or driving.told,
        permit=waybill.permit or (permit.id if permit else None),
        volume_m3=waybill.volume_m3 or (truck.capacity_m3 if truck else None),
        loaded_latitude=moved.latitude,
        loaded_longitude=moved.longitude,
    )


def is_of(waybill: Waybill, trip: Trip) -> bool:
    """True when a waybill that was declared or told is that of a load; one that the rule made has a load already."""
    near = abs(waybill.loaded_ms - trip.loaded_ms) <= TOGETHER_MS
    return waybill.source is not Source.RULE and waybill.loaded_latitude is None and near


def unloaded(waybill: Waybill, moved: Moved, city: City, by: str) -> Waybill:
    """The waybill once the load is gone; its loop is closed at the place of its ground."""
    ground = city.register.objects.get(waybill.ground)
    arrived = ground is not None and moved.trip.ground is not None and ground.place == moved.trip.ground
    return replace(
        waybill,
        unloaded_ms=moved.trip.unloaded_ms,
        unloaded_latitude=moved.latitude,
        unloaded_longitude=moved.longitude,
        unloaded_at=moved.trip.ground,
        closed_by=by if arrived else None,
    )
