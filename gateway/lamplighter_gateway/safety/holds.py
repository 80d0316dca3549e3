"""Isolations and locks. They end only by the person on site; no plan, override or fail-safe stands above them. Pure.

A lock on a circuit covers the lamps it feeds, too. Its holder's commands pass, nobody else's do.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from lamplighter_contract.errors import Reason
from lamplighter_gateway.drivers.port import Point

OPENS: Final = "safety"  # who opens a contactor to isolate; no person is called so


class HoldKind(StrEnum):
    """What is held."""

    ISOLATED = "isolated"
    LOCKED = "locked"


HoldKey = tuple[str, HoldKind]


@dataclass(frozen=True, slots=True)
class Hold:
    """One device held by somebody; `since_ms` civil. The holder of a lock is whose commands pass."""

    device: str
    kind: HoldKind
    holder: str
    command: str
    seq: int
    since_ms: int

    @property
    def key(self) -> HoldKey:
        """A device is isolated once and locked once."""
        return self.device, self.kind


class Holds:
    """All holds in force."""

    def __init__(self, holds: Iterable[Hold] = ()) -> None:
        """Begin with those that were kept."""
        self._holds = {hold.key: hold for hold in holds}
        self.lamps_on: Callable[[str], Collection[str]] = lambda _circuit: ()

    def all(self) -> Collection[Hold]:
        """Every hold, the oldest first."""
        return sorted(self._holds.values(), key=lambda hold: (hold.since_ms, hold.key))

    def add(self, holds: Iterable[Hold]) -> None:
        """These are in force; one that stands already keeps its beginning."""
        for hold in holds:
            self._holds.setdefault(hold.key, hold)

    def end(self, keys: Iterable[HoldKey]) -> None:
        """The person on site has ended these."""
        for key in keys:
            self._holds.pop(key, None)

    def circuits(self) -> Collection[str]:
        """The circuits that are isolated."""
        return [device for device, kind in self._holds if kind is HoldKind.ISOLATED]

    def locked(self) -> Collection[str]:
        """The devices that somebody has locked."""
        return [device for device, kind in self._holds if kind is HoldKind.LOCKED]

    def isolated(self, device: str) -> bool:
        """True while a circuit is to stay open."""
        return (device, HoldKind.ISOLATED) in self._holds

    def holders(self) -> Mapping[str, str]:
        """Every device under a lock, with whose commands pass."""
        found: dict[str, str] = {}
        for device, kind in self._holds:
            if kind is HoldKind.LOCKED:
                holder = self._holds[device, kind].holder
                found |= dict.fromkeys(self.lamps_on(device), holder)
        found |= {device: hold.holder for (device, kind), hold in self._holds.items() if kind is HoldKind.LOCKED}
        return found

    def without_power(self) -> Collection[str]:
        """Lamps on isolated circuits."""
        return {lamp for circuit in self.circuits() for lamp in self.lamps_on(circuit)}

    def forbids(self, device: str, point: Point, value: float, by: str | None) -> Reason | None:
        """Why nobody, or not this one, may write this now; None when nothing is in the way."""
        if point is Point.CONTACTOR and value and self.isolated(device):
            return Reason.ISOLATED
        if by == OPENS and not value:
            return None
        holder = self.holders().get(device) if self._holds else None
        return Reason.LOCKED if holder is not None and by != holder else None
