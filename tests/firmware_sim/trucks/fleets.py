"""A fleet of the tests, and vehicles on a straight road."""

from lamplighter_firmware_sim.scenario.model import Place
from lamplighter_firmware_sim.trucks.fleet import build_fleet
from lamplighter_firmware_sim.trucks.roads import Leg
from lamplighter_firmware_sim.trucks.vehicle import Vehicle

JINAN = Place(latitude=36.65, longitude=117.12)
MORNING_MS = 1_795_000_000_000


def fleet(trucks=10, companies=2, seed=7):
    return build_fleet(JINAN, seed, trucks, companies)


def on_the_road(pace_kmh=55.0, metres=20_000.0):
    vehicle = Vehicle((0.0, 0.0), ignition=True)
    vehicle.go([Leg((at * 500.0, 0.0), ((at + 1) * 500.0, 0.0), pace_kmh) for at in range(int(metres // 500))])
    return vehicle


def run(vehicle, seconds):
    for _ in range(seconds):
        vehicle.step(1.0)
    return vehicle
