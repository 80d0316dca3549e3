"""The inventory of the simulated city: what stands where, fed from what, reached how."""

from lamplighter_firmware_sim.city.build import build_city
from lamplighter_firmware_sim.city.inventory import Cabinet, Circuit, City, Lamp, Position

__all__ = ["Cabinet", "Circuit", "City", "Lamp", "Position", "build_city"]
