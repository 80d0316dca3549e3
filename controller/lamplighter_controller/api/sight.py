"""What a caller may see of the city: lamps, incidents, the trucks of all or of some companies. Said in one place."""

from dataclasses import dataclass

import numpy as np

from lamplighter_contract.quantities import Kind
from lamplighter_controller.api.services import Services
from lamplighter_controller.events import CommandChanged, Event, FleetChanged, IncidentChanged, OrderChanged
from lamplighter_controller.security.callers import Caller
from lamplighter_controller.security.rights import EVERYTHING, By, Operation, Scope
from lamplighter_controller.twin.kind import Rows, Snapshot


@dataclass(frozen=True, slots=True)
class Sight:
    """What one caller sees; `trucks` None = none at all."""

    services: Services
    lights: bool = True
    incidents: bool = True
    trucks: Scope | None = EVERYTHING

    @property
    def whole(self) -> bool:
        """True when nothing is kept from the caller."""
        return self.lights and self.incidents and self.trucks == EVERYTHING

    def sees_kind(self, kind: Kind) -> bool:
        """True when some device of the kind may be seen."""
        return self.trucks is not None if kind is Kind.TRUCK else self.lights

    def sees(self, kind: Kind, device: str) -> bool:
        """True when this device may be seen."""
        if kind is not Kind.TRUCK:
            return self.lights
        return self.trucks is not None and self.trucks.has_company(company_of(self.services, device))

    def sees_truck(self, truck: str) -> bool:
        """True when this truck, by its id in the register or that of its terminal, may be seen."""
        return self.sees(Kind.TRUCK, truck)

    def rows(self, columns: Snapshot) -> Rows | None:
        """The rows of a kind that may be seen, None when all may."""
        if self.trucks == EVERYTHING if columns.kind is Kind.TRUCK else self.lights:
            return None
        return np.flatnonzero([self.sees(columns.kind, device) for device in columns.ids])

    def is_told(self, event: Event) -> bool:
        """True when the caller may hear of an event."""
        match event:
            case IncidentChanged() | OrderChanged():
                return self.incidents
            case FleetChanged(truck=truck):
                return self.trucks == EVERYTHING or (bool(truck) and self.sees_truck(truck))
            case CommandChanged(devices=devices):
                return self.whole or all(self._sees_part(device) for device, _, _ in devices)
            case _:
                return self.lights

    def _sees_part(self, device: str) -> bool:
        entry = self.services.twin.entry(device)
        return entry is not None and self.sees(entry.kind, device)


def sight_of(services: Services, caller: Caller) -> Sight:
    """What a caller sees."""
    return Sight(
        services,
        caller.reach(Operation.SEE_LIGHTS, By.ANYTHING) is not None,
        caller.reach(Operation.SEE_INCIDENTS, By.ANYTHING) is not None,
        caller.reach(Operation.SEE_TRUCKS, By.COMPANY),
    )


def company_of(services: Services, truck: str) -> str:
    """The company of a truck, by its id in the register or that of its terminal; empty when it has none."""
    row = services.fleet.city.find(truck)
    return row.company if row else ""


def trucks_of(services: Services, caller: Caller) -> frozenset[str] | None:
    """The trucks a caller's right reaches, by their ids in the register; None = all there are."""
    if caller.scope.companies is None:
        return None
    return frozenset(row.truck for row in services.fleet.city.rows if caller.scope.has_company(row.company))
