"""Where the wires of a simulated city are."""

import contextlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from lamplighter_firmware_sim.city.inventory import City
from lamplighter_firmware_sim.errors import SimError
from lamplighter_firmware_sim.scenario.model import Wire

FILE_NAME: Final = "endpoints.json"


@dataclass(frozen=True, slots=True)
class Endpoints:
    """TCP port or serial device of each cabinet's bus by cabinet id, and the field broker."""

    host: str
    ports: dict[str, int] = field(default_factory=dict)
    devices: dict[str, str] = field(default_factory=dict)
    field_broker: tuple[str, int] | None = None

    def document(self) -> dict[str, Any]:
        """As JSON says it."""
        broker = None if self.field_broker is None else {"host": self.field_broker[0], "port": self.field_broker[1]}
        return {"host": self.host, "tcp": self.ports, "rtu": self.devices, "field": broker}


@contextlib.contextmanager
def published(directory: Path, endpoints: Endpoints) -> Iterator[str]:
    """Say in `endpoints.json` where the wires are, as long as they are there; gives the file's text."""
    path, text = directory / FILE_NAME, json.dumps(endpoints.document(), ensure_ascii=False)
    fresh = path.with_suffix(".new")
    fresh.write_text(text + "\n", "utf-8")
    fresh.replace(path)
    try:
        yield text
    finally:
        path.unlink(missing_ok=True)


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
