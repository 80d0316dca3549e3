"""What any terminal does on board, whatever it speaks: it tells of its truck, and obeys or pretends to. Pure."""

from dataclasses import dataclass, field
from typing import Any, Final

from lamplighter_firmware_sim.city.inventory import Position
from lamplighter_firmware_sim.trucks.driver import EMPTY, LOADED, Driver
from lamplighter_firmware_sim.trucks.fleet import Fleet, Truck
from lamplighter_firmware_sim.trucks.vehicle import Vehicle
from lamplighter_firmware_sim.trucks.wire.messages import Fix
from lamplighter_firmware_sim.trucks.wire.quirks import Sickness

ACC: Final = 1 << 0
FIXED: Final = 1 << 1
SPEED_LIMITED: Final = 1 << 26
LIFT_LIMITED: Final = 1 << 27
LOAD: Final = 1 << 28
OPEN: Final = 1 << 29
RAISED: Final = 1 << 30
MOST_STORED: Final = 2_000


@dataclass(slots=True)
class Onboard:
    """One truck's terminal. `spoken` is what it read aloud, newest last."""

    fleet: Fleet
    driver: Driver
    sickness: Sickness
    spoken: list[str] = field(default_factory=list)
    texts: int = 0

    @property
    def truck(self) -> Truck:
        """Whose it is."""
        return self.driver.truck

    @property
    def vehicle(self) -> Vehicle:
        """What it sits in."""
        return self.driver.vehicle

    def fix(self, civil_ms: int) -> Fix:
        """The report of this moment."""
        vehicle, place = self.vehicle, self.where
        return self.sickness.spoil(
            Fix(
                civil_ms,
                place.latitude,
                place.longitude,
                vehicle.speed_kmh,
                vehicle.heading_deg,
                vehicle.odometer_km,
                0,
                self.status(),
            )
        )

    @property
    def where(self) -> Position:
        """In degrees."""
        return self.fleet.where(self.vehicle.point)

    def status(self) -> int:
        """The status word of a muck-truck terminal; one of the standard alone tells of the load, in bits 8 and 9."""
        vehicle = self.vehicle
        word = FIXED | (ACC if vehicle.ignition else 0)
        if not self.truck.tracker.limits:
            return word | (0b11 << 8 if vehicle.load > LOADED else 0)
        word |= LOAD if vehicle.load > EMPTY else 0
        word |= OPEN if vehicle.cover_open else 0
        word |= RAISED if vehicle.raised else 0
        word |= SPEED_LIMITED if vehicle.limit_kmh else 0
        return word | (LIFT_LIMITED if vehicle.lift_limited else 0)

    def limit_speed(self, kmh: float) -> None:
        """Obey, unless it only pretends to; 0 ends the limit, and nothing else does."""
        if not self.sickness.quirks.lies:
            self.vehicle.limit_kmh = kmh

    def limit_lift(self, *, limited: bool) -> None:
        """Obey, unless it only pretends to."""
        if not self.sickness.quirks.lies:
            self.vehicle.lift_limited = limited

    def speak(self, text: str) -> None:
        """Read aloud in the cabin."""
        self.texts += 1
        self.spoken = [*self.spoken[-9:], text]

    def seen(self) -> dict[str, Any]:
        """What is true of the truck, for whoever looks from outside."""
        vehicle, place = self.vehicle, self.where
        return {
            "id": self.truck.id,
            "plate": self.truck.plate,
            "latitude": place.latitude,
            "longitude": place.longitude,
            "speed_kmh": round(vehicle.speed_kmh, 1),
            "load": round(vehicle.load, 2),
            "cover_open": vehicle.cover_open,
            "raised": vehicle.raised,
            "limit_kmh": vehicle.limit_kmh,
            "lift_limited": vehicle.lift_limited,
            "spoken": list(self.spoken),
            "trips": self.driver.trips,
        }
