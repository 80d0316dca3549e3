"""The YAML file of the gateway that the simulated trucks call."""

from typing import Any, Final

import yaml

from lamplighter_firmware_sim.gateway_config import GatewayOptions, flow, head
from lamplighter_firmware_sim.trucks.fleet import Fleet, Tracker, Truck

SERVER_BUS: Final = "trackers"
FIELD_BUS: Final = "field"
RELAY_BUS: Final = "vendor"


def trucks_gateway_config(
    fleet: Fleet,
    gateway: str,
    port: int,
    broker: tuple[str, int] | None,
    options: GatewayOptions,
    host: str = "127.0.0.1",
    relay: tuple[int, str] | None = None,
) -> str:
    """The whole file; trackers on MQTT are left out where there is no broker, forwarded ones where there is no `relay`.

    `relay` is the port that their platform posts to, and the file with the secret.
    """
    buses: list[dict[str, Any]] = [{"id": SERVER_BUS, "wire": "jt808", "host": host, "port": port}]
    if broker is not None:
        buses.append({"id": FIELD_BUS, "wire": "mqtt", "host": broker[0], "port": broker[1]})
    if relay is not None:
        buses.append({"id": RELAY_BUS, "wire": "relay", "host": host, "port": relay[0], "secret_file": relay[1]})
    absent = {tracker for tracker, way in ((Tracker.MQTT, broker), (Tracker.RELAY, relay)) if way is None}
    devices = [_device(truck, options) for truck in fleet.trucks if truck.tracker not in absent]
    first = yaml.safe_dump(head(gateway, options), allow_unicode=True, sort_keys=False).rstrip()
    lines = ("buses:", *(f"  - {flow(bus)}" for bus in buses), "devices:", *(f"  - {flow(one)}" for one in devices))
    return "\n".join((first, *lines, ""))


def _device(truck: Truck, options: GatewayOptions) -> dict[str, Any]:
    bus = {Tracker.MQTT: FIELD_BUS, Tracker.RELAY: RELAY_BUS}.get(truck.tracker, SERVER_BUS)
    address = truck.plate if truck.tracker is Tracker.RELAY else truck.phone
    device = {"id": truck.id, "bus": bus, "profile": truck.tracker.profile, "address": address}
    return device | ({"name": {"zh": truck.plate, "en": truck.plate}} if options.names else {})
