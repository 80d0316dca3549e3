"""Trucks in a whole world: a gateway that they call, the register at the centre, and the trucks themselves."""

import contextlib
from pathlib import Path
from typing import Any, Final, Self

import yaml

from lamplighter_firmware_sim.gateway_config import GatewayOptions
from lamplighter_firmware_sim.trucks import files
from lamplighter_firmware_sim.trucks.fleet import Fleet, build_fleet
from lamplighter_firmware_sim.trucks.gateway import trucks_gateway_config
from lamplighter_firmware_sim.trucks.offences import Offence
from lamplighter_firmware_sim.trucks.serve import Reporting, RunningTrucks, running_trucks
from lamplighter_firmware_sim.trucks.traffic import Traffic
from tests.system.process import free_port
from tests.system.world import KEEPALIVE_S, PROFILES, World
from tests.system.world_api import eventually
from tests.system.world_city import JINAN
from tests.system.world_programs import Gateway

GATEWAY: Final = "gw-trucks"
SEED: Final = 5
REASON: Final = "story of a truck"
FORMS: Final = {".csv": "csv", ".geojson": "geojson"}


def fleet_of(trucks: int) -> Fleet:
    """The same fleet each time; all their terminals are muck-truck terminals of 2013."""
    return build_fleet(JINAN, SEED, trucks, 1)


def until_loaded_s(fleet: Fleet, begins_ms: int) -> float:
    """How long the first truck works until it drives with its first load."""
    traffic = Traffic(fleet, begins_ms, per_truck_day=0)
    [first, *_] = traffic.drivers
    while not (first.vehicle.load > 0.9 and first.vehicle.speed_kmh > 10):
        traffic.work(1.0)
    return (traffic.civil_ms - begins_ms) / 1000


class FleetWorld:
    """Trucks beside the lamps of a world; use it inside the world's own block."""

    def __init__(self, world: World, fleet: Fleet, at_work_s: float) -> None:
        self.world, self.fleet = world, fleet
        self._port = free_port()
        self._stack = contextlib.ExitStack()
        self._trucks = contextlib.AsyncExitStack()
        self._at_work_s = at_work_s
        self.gateway = Gateway(self._config())
        self.running: RunningTrucks

    def __enter__(self) -> Self:
        self._stack.callback(self.gateway.close)
        self.gateway.start()
        self._register(self.world.folder / "fleet")
        reporting = Reporting(interval_s=5, least_s=0.25, healthy=True, per_truck_day=0, at_work_s=self._at_work_s)
        server = ("127.0.0.1", self._port)
        entering = running_trucks(self.fleet, self.world.clock, server, None, reporting)
        self.running = self.world.thread.run(self._trucks.enter_async_context(entering))
        return self

    def __exit__(self, *_: object) -> None:
        self.world.thread.run(self._trucks.aclose())
        self._stack.close()

    def seen(self, truck: str) -> dict[str, Any]:
        """What is true of a truck."""
        return self.world.thread.call(lambda: self.running.seen(truck))

    def offend(self, truck: str, offence: Offence, spell_s: float | None = None) -> None:
        """Have it offend; `spell_s` is how long a fault of driving lasts."""

        def order() -> None:
            self.running.offend(truck, offence)
            if spell_s is not None:
                self.running.onboard[truck].driver.spells[offence] = spell_s

        self.world.thread.call(order)

    def close_cover(self, truck: str) -> None:
        """The driver closes the cover."""

        def close() -> None:
            driver = self.running.onboard[truck].driver
            driver.spells.pop(Offence.COVER_OPEN, None)
            driver.vehicle.cover_open = False

        self.world.thread.call(close)

    def violations(self, truck: str) -> dict[str, dict[str, Any]]:
        """What is on record of a truck, by class."""
        items = self.world.api.get("/fleet/violations", truck=truck)["items"]
        return {one["class"]: one for one in items}

    def limits(self, truck: str, *, in_force: bool) -> list[dict[str, Any]]:
        """Its limits as the centre shows them."""
        items: list[dict[str, Any]] = self.world.api.get("/fleet/limits", truck=truck, in_force=in_force)["items"]
        return items

    def _register(self, folder: Path) -> None:
        for path in files.write(folder, self.fleet, "2026-01-01", "2027-12-31"):
            self.world.api.ask(
                "POST",
                f"/fleet/{path.stem}/import",
                params={"reason": REASON, "dry_run": "false", "form": FORMS[path.suffix], "crs": "wgs84"},
                content=path.read_bytes(),
            )
        self.told()

    def told(self) -> None:
        """Wait until the centre knows every truck's device from the gateway."""
        names = {truck.id for truck in self.fleet.trucks}
        eventually(
            lambda: names <= {one["id"] for one in self.world.api.get("/devices", limit=1000)["items"]},
            20,
            "the trucks' devices",
        )

    def _config(self) -> dict[str, Any]:
        options = GatewayOptions(
            data="set by the program",
            root_key=self.world.controller.root_key,
            profiles=str(PROFILES),
            uplink_port=self.world.broker.port,
            clock=str(self.world.clock_file),
            names=False,
        )
        text = trucks_gateway_config(self.fleet, GATEWAY, self._port, None, options)
        document: dict[str, Any] = yaml.safe_load(text)
        document["uplink"]["keepalive_s"] = KEEPALIVE_S
        return document
