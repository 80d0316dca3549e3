"""A driver for every bus of the configuration."""

from collections.abc import Mapping
from random import Random

from lamplighter_contract.clock import Clock
from lamplighter_gateway.config.model import Config, FieldBroker
from lamplighter_gateway.drivers.modbus.bus import ModbusBus
from lamplighter_gateway.drivers.mqtt import MqttBus
from lamplighter_gateway.drivers.port import Driver, Sink


def build_drivers(config: Config, clock: Clock, sink: Sink, random: Random) -> Mapping[str, Driver]:
    """One driver per bus that has devices, by the bus's id; nothing is opened before `run`."""
    drivers: dict[str, Driver] = {}
    for bus in config.buses:
        devices = config.devices_on(bus.id)
        if not devices:
            continue
        if isinstance(bus, FieldBroker):
            drivers[bus.id] = MqttBus(bus, devices, clock, sink, random)
        else:
            drivers[bus.id] = ModbusBus(bus, devices, clock, sink, random)
    return drivers
