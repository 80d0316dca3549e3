"""The YAML file of the gateway that the simulated trucks call."""

from typing import Any, Final

import yaml

from lamplighter_firmware_sim.gateway_config import GatewayOptions, flow, head
from lamplighter_firmware_sim.trucks.fleet import Fleet, Tracker, Truck

SERVER_BUS: Final = "trackers"
FIELD_BUS: Final = "field"


def trucks_gateway_config(
    fleet: Fleet,
    gateway: str,
    port: int,
    broker: tuple[str, int] | None,
    options: GatewayOptions,
    host: str = "127.0.0.1",
) -> str:
    """The whole file; trackers on MQTT are left out where there is no broker."""
    buses: list[dict[str, Any]] = [{"id": SERVER_BUS, "wire": "jt808", "host": host, "port": port}]
    if broker is not None:
        buses.append({"id": FIELD_BUS, "wire": "mqtt", "host": broker[0], "port": broker[1]})
    devices = [_device(truck, options) for truck in fleet.trucks if broker or truck.tracker is not Tracker.MQTT]
    first = yaml.safe_dump(head(gateway, options), allow_unicode=True, sort_keys=False).rstrip()
    lines = ("buses:", *(f"  - {flow(bus)}" for bus in buses), "devices:", *(f"  - {flow(one)}" for one in devices))
    return "\n".join((first, *lines, ""))


def _device(truck: Truck, options: GatewayOptions) -> dict[str, Any]:
    bus = FIELD_BUS if truck.tracker is Tracker.MQTT else SERVER_BUS
    device = {"id": truck.id, "bus": bus, "profile": truck.tracker.profile, "address": truck.phone}
    return device | ({"name": {"zh": truck.plate, "en": truck.plate}} if options.names else {})
