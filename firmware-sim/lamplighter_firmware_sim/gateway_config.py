"""The YAML file of a gateway that serves its part of the simulated city."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import yaml

from lamplighter_firmware_sim.city.inventory import Cabinet, City, Lamp, Position
from lamplighter_firmware_sim.endpoints import Endpoints
from lamplighter_firmware_sim.errors import SimError
from lamplighter_firmware_sim.scenario.model import Name, Wire


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewayOptions:
    """What the file says beside its devices."""

    data: str
    root_key: str
    profiles: str
    uplink_host: str = "127.0.0.1"
    uplink_port: int = 1883
    password_file: str | None = None
    clock: str | None = None
    metrics_port: int = 0
    poll_s: float = 10
    report_interval_s: float = 60
    heartbeat_s: float = 900
    ranges: bool = False
    names: bool = True


def gateway_config(city: City, gateway: str, endpoints: Endpoints, options: GatewayOptions) -> str:
    """The whole file. With `ranges` a bus's lamps are one line without position and name.

    Raises:
        SimError: the gateway has lamps on MQTT and the endpoints name no field broker.
        KeyError: a cabinet of the gateway is not among the endpoints.
    """
    cabinets = [i for i, cabinet in enumerate(city.cabinets) if cabinet.gateway == gateway]
    first = yaml.safe_dump(head(gateway, options), allow_unicode=True, sort_keys=False)
    buses = [_bus(city.cabinets[i], city, endpoints) for i in cabinets]
    if any(city.cabinets[i].wire is Wire.MQTT for i in cabinets):
        if endpoints.field_broker is None:
            raise SimError(f"{gateway} has lamps on MQTT: a field broker is needed")
        host, port = endpoints.field_broker
        buses.append({"id": "field", "wire": "mqtt", "host": host, "port": port})
    devices = [line for i in cabinets for line in _devices(city, i, options)]
    return "\n".join(
        (
            first.rstrip(),
            "buses:",
            *(f"  - {flow(bus)}" for bus in buses),
            "devices:",
            *(f"  - {flow(d)}" for d in devices),
            "",
        )
    )


def flow(item: dict[str, Any]) -> str:
    """One item of the file on one line."""
    return yaml.safe_dump(item, default_flow_style=True, allow_unicode=True, sort_keys=False, width=10_000).strip()


def head(gateway: str, options: GatewayOptions) -> dict[str, Any]:
    """What stands above buses and devices."""
    uplink: dict[str, Any] = {"host": options.uplink_host, "port": options.uplink_port}
    if options.password_file:
        uplink["password_file"] = options.password_file
    found: dict[str, Any] = {"gateway": gateway, "data": options.data, "profiles": options.profiles}
    if options.clock:
        found["clock"] = options.clock
    found |= {
        "root_key": options.root_key,
        "uplink": uplink,
        "report": {"interval_s": options.report_interval_s, "heartbeat_s": options.heartbeat_s},
    }
    if options.metrics_port:
        found["metrics"] = {"host": "127.0.0.1", "port": options.metrics_port}
    return found


def _bus(cabinet: Cabinet, city: City, endpoints: Endpoints) -> dict[str, Any]:
    if cabinet.meter_wire is Wire.MODBUS_TCP:
        port = endpoints.ports[cabinet.id]
        return {"id": cabinet.id, "wire": "modbus-tcp", "host": endpoints.host, "port": port, "timeout_s": 0.5}
    line = city.scenario.serial
    return {
        "id": cabinet.id,
        "wire": "modbus-rtu",
        "device": endpoints.devices[cabinet.id],
        "baud": line.baud,
        "parity": "N",  # a pseudo-terminal refuses any other; the line's timing counts the parity bit all the same
        "stop_bits": line.stop_bits,
        "timeout_s": 0.2,
    }


def _devices(city: City, index: int, options: GatewayOptions) -> Iterator[dict[str, Any]]:
    cabinet = city.cabinets[index]
    bus, poll = {"bus": cabinet.id}, {"poll_s": options.poll_s}
    where = _where(cabinet.position, cabinet.name, options)
    yield {"id": cabinet.id, **bus, "profile": "cabinet-meter", "unit": cabinet.unit, **poll, **where}
    for circuit in (one for one in city.circuits if one.cabinet == index):
        yield {
            "id": circuit.id,
            **bus,
            "profile": "circuit-contactor",
            "unit": cabinet.unit,
            "offset": circuit.offset,
            **poll,
            **_where(cabinet.position, circuit.name, options),
        }
    lamps = [city.lamps[i] for i in city.lamps_of(index)]
    if options.ranges and cabinet.wire is not Wire.MQTT:
        yield {
            "id": lamps[0].id.rpartition("-")[0] + "-{n:03}",
            **bus,
            "profile": "lamp-single",
            "units": f"{lamps[0].unit}-{lamps[-1].unit}",
            **poll,
        }
        return
    for lamp in lamps:
        yield _lamp(lamp, cabinet, options)


def _lamp(lamp: Lamp, cabinet: Cabinet, options: GatewayOptions) -> dict[str, Any]:
    where = _where(lamp.position, lamp.name, options)
    if cabinet.wire is Wire.MQTT:
        return {"id": lamp.id, "bus": "field", "profile": "lamp-mqtt", "address": lamp.address, **where}
    poll = {"unit": lamp.unit, "poll_s": options.poll_s}
    return {"id": lamp.id, "bus": cabinet.id, "profile": "lamp-single", **poll, **where}


def _where(position: Position, name: Name, options: GatewayOptions) -> dict[str, Any]:
    place: dict[str, Any] = {"latitude": position.latitude, "longitude": position.longitude}
    return place | {"name": {"zh": name.zh, "en": name.en}} if options.names else place
