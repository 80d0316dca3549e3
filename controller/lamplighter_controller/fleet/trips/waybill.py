"""Electronic waybills: site, truck, ground; loaded and unloaded, where and when. Pure."""

from dataclasses import dataclass, replace

from lamplighter_controller.fleet.live.city import City
from lamplighter_controller.fleet.register.things import Permit
from lamplighter_controller.fleet.trips.follow import Moved


@dataclass(frozen=True, slots=True)
class Waybill:
    """One; times civil. `unloaded_at` is the place of its ground when the loop is closed."""

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

    @property
    def closed(self) -> bool:
        """True when the load arrived where it was to go."""
        return self.closed_by is not None


def begun(name: str, moved: Moved, permit: Permit, city: City) -> Waybill:
    """The waybill of a load that has left its site under a permit."""
    truck = city.register.trucks.get(moved.trip.truck)
    row = city.find(moved.trip.truck)
    return Waybill(
        id=name,
        truck=moved.trip.truck,
        company=row.company if row else "",
        site=permit.site,
        ground=permit.ground,
        loaded_ms=moved.trip.loaded_ms,
        driver=truck.driver if truck else None,
        permit=permit.id,
        volume_m3=truck.capacity_m3 if truck else None,
        loaded_latitude=moved.latitude,
        loaded_longitude=moved.longitude,
    )


def unloaded(waybill: Waybill, moved: Moved, city: City, by: str) -> Waybill:
    """The waybill once the load is gone; its loop is closed where the permit said."""
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
