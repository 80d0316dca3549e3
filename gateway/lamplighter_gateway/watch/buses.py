"""What changed on the buses since the last look. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass

from lamplighter_gateway.drivers.port import BusStatus


@dataclass(frozen=True, slots=True)
class Change:
    """One event: about a device, or about the bus as a whole."""

    event: str
    bus: str
    device: str | None = None
    error: str = ""


def changes(before: Mapping[str, BusStatus], after: Mapping[str, BusStatus]) -> list[Change]:
    """A bus lost or back is one event, not one per device on it."""
    found = []
    for bus, status in after.items():
        old = before.get(bus)
        if old is not None and old.connected and not status.connected:
            found.append(Change("bus.down", bus, error=status.last_error))
        elif old is not None and not old.connected and status.connected:
            found.append(Change("bus.up", bus))
        elif status.connected:
            found += _devices(bus, set(old.silent) if old else set(), set(status.silent))
    return found


def _devices(bus: str, before: set[str], after: set[str]) -> list[Change]:
    silent = [Change("device.silent", bus, device) for device in sorted(after - before)]
    return silent + [Change("device.answers", bus, device) for device in sorted(before - after)]
