"""The city in the forms that the command line speaks."""

import dataclasses
from typing import Any

from lamplighter_firmware_sim.city.inventory import PHASES, City


def summary(city: City) -> str:
    """The city in one line."""
    watts = sum(lamp.model.rated_w for lamp in city.lamps)
    return (
        f"{city.scenario.name}: {len(city.gateways)} gateways, {len(city.cabinets)} supply points, "
        f"{len(city.circuits)} circuits, {len(city.lamps)} lamps, {watts / 1000:.1f} kW"
    )


def city_document(city: City) -> dict[str, Any]:
    """The whole inventory as JSON says it."""
    return {
        "scenario": city.scenario.name,
        "zone": city.scenario.zone,
        "gateways": list(city.gateways),
        "cabinets": [dataclasses.asdict(cabinet) for cabinet in city.cabinets],
        "circuits": [
            {
                "id": circuit.id,
                "cabinet": city.cabinets[circuit.cabinet].id,
                "phase": PHASES[circuit.phase],
                "name": dataclasses.asdict(circuit.name),
            }
            for circuit in city.circuits
        ],
        "lamps": [
            dataclasses.asdict(lamp)
            | {
                "cabinet": city.cabinets[lamp.cabinet].id,
                "circuit": city.circuits[lamp.circuit].id,
                "model": lamp.model.name,
                "rated_w": lamp.model.rated_w,
            }
            for lamp in city.lamps
        ],
    }
