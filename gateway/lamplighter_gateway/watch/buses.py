"""What changed on the buses since the last look. No clock, no I/O."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from lamplighter_gateway.drivers.port import BusStatus

BUS_DOWN: Final = "bus.down"
DEVICE_SILENT: Final = "device.silent"


@dataclass(frozen=True, slots=True)
class Change:
    """One event: about a device, or about the bus as a whole."""

    event: str
    bus: str
    device: str | None = None
    error: str = ""


class BusWatch:
    """A bus lost or back is one event, not one per device on it; a device is silent when two looks found it so."""

    def __init__(self) -> None:
        """Nothing has been seen."""
        self._before: Mapping[str, BusStatus] = {}
        self._told_silent: dict[str, set[str]] = {}

    def look(self, now: Mapping[str, BusStatus]) -> list[Change]:
        """Compare with the last look."""
        found = [change for bus, status in now.items() for change in self._compare(bus, self._before.get(bus), status)]
        self._before = dict(now)
        return found

    def _compare(self, bus: str, old: BusStatus | None, status: BusStatus) -> Iterator[Change]:
        if old is None:
            return
        if old.connected and not status.connected:
            yield Change(BUS_DOWN, bus, error=status.last_error)
        elif status.connected and not old.connected:
            yield Change("bus.up", bus)
        elif status.connected:
            yield from self._devices(bus, set(old.silent), set(status.silent))

    def _devices(self, bus: str, old: set[str], silent: set[str]) -> Iterator[Change]:
        told = self._told_silent.setdefault(bus, set())
        for device in sorted((old & silent) - told):
            yield Change(DEVICE_SILENT, bus, device)
        for device in sorted(told - silent):
            yield Change("device.answers", bus, device)
        self._told_silent[bus] = (told | old) & silent
