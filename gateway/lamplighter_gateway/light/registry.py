"""The devices of this gateway and the buses they hang on."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from lamplighter_contract.quantities import Kind
from lamplighter_contract.wire.documents import DeviceEntry
from lamplighter_gateway.drivers.port import Driver, Trackers


@dataclass(frozen=True, slots=True)
class Registry:
    """Entries by device id, the bus of each, and the driver of every bus."""

    entries: Mapping[str, DeviceEntry]
    bus_of: Mapping[str, str]
    drivers: Mapping[str, Driver]

    def driver(self, device: str) -> Driver:
        """The driver that reaches a device."""
        return self.drivers[self.bus_of[device]]

    def trackers(self, device: str) -> Trackers | None:
        """The bus of trucks that a device is on, None when it is on another."""
        driver = self.drivers.get(self.bus_of.get(device, ""))
        return driver if isinstance(driver, Trackers) else None

    def by_bus(self, devices: Iterable[str]) -> Mapping[str, list[str]]:
        """Devices grouped by bus, in their order."""
        groups: dict[str, list[str]] = defaultdict(list)
        for device in devices:
            groups[self.bus_of[device]].append(device)
        return groups

    def is_whole_bus(self, bus: str, devices: Iterable[str]) -> bool:
        """True when every lamp on the bus is among those named: only then may its broadcast be used.

        Whether anybody else on it hears one is for the driver to say.
        """
        lamps = {device for device, its in self.bus_of.items() if its == bus and self.entries[device].kind is Kind.LAMP}
        return lamps <= set(devices)
