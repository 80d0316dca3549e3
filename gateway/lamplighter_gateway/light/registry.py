"""The devices of this gateway and the buses they hang on."""

from collections import defaultdict
from collections.abc import Iterable, Mapping

from lamplighter_contract.quantities import Kind
from lamplighter_contract.wire.documents import BusEntry, DeviceEntry
from lamplighter_gateway.drivers.port import Driver, Trackers


class Registry:
    """Entries by device id, the bus of each, and the driver of every bus. Who holds one of them sees it change."""

    def __init__(
        self,
        entries: Mapping[str, DeviceEntry],
        bus_of: Mapping[str, str],
        drivers: Mapping[str, Driver],
        buses: tuple[BusEntry, ...] = (),
    ) -> None:
        """`buses` as the centre is told of them."""
        self.entries, self.bus_of, self.drivers = dict(entries), dict(bus_of), dict(drivers)
        self.buses = buses

    def serve(
        self,
        entries: Mapping[str, DeviceEntry],
        bus_of: Mapping[str, str],
        drivers: Mapping[str, Driver],
        buses: tuple[BusEntry, ...],
    ) -> None:
        """From now on serve these, and nothing else."""
        self.entries.clear()
        self.entries.update(entries)
        self.bus_of.clear()
        self.bus_of.update(bus_of)
        self.drivers.clear()
        self.drivers.update(drivers)
        self.buses = buses

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
