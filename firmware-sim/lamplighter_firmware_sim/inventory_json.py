"""The city and its wires in the forms that the command line speaks."""

import dataclasses
import json
from pathlib import Path
from typing import Any

from lamplighter_firmware_sim.city.inventory import PHASES, City
from lamplighter_firmware_sim.errors import SimError
from lamplighter_firmware_sim.scenario.model import Wire
from lamplighter_firmware_sim.serve import Endpoints


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


def endpoints_at(
    city: City, host: str, port_base: int, directory: Path | None, field_broker: tuple[str, int] | None
) -> Endpoints:
    """Where the wires will be when the simulator is started with these options."""
    endpoints = Endpoints(host, field_broker=field_broker)
    for index, cabinet in enumerate(city.cabinets):
        if cabinet.meter_wire is Wire.MODBUS_TCP:
            endpoints.ports[cabinet.id] = port_base + index + 1
        elif directory is None:
            raise SimError(f"--directory: missing, {cabinet.id} is on a serial line")
        else:
            endpoints.devices[cabinet.id] = str(directory / f"rtu-{cabinet.id}")
    return endpoints


def endpoints_in(path: Path) -> Endpoints:
    """Where a running simulator says that its wires are.

    Raises:
        SimError: the file is not there or is no such document.
    """
    try:
        document = json.loads(path.read_text("utf-8"))
        broker = document["field"]
        field_broker = (str(broker["host"]), int(broker["port"])) if broker else None
        return Endpoints(str(document["host"]), dict(document["tcp"]), dict(document["rtu"]), field_broker)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise SimError(f"{path}: {error!r} - expected endpoints.json of a running simulator") from error
