"""Where the elements of the supply tree are: road, district, pole, circuits, the lamps that speak for them. Pure."""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from lamplighter_controller.diagnosis.findings import Element, ElementKind
from lamplighter_controller.lighting.inventory import Cabinet, Inventory, Luminaire
from lamplighter_controller.maintenance.orders.opening import NOWHERE, Place

Of = Callable[[Luminaire], str]


@dataclass(frozen=True)
class Streets:
    """The inventory, asked by element. `served`: devices that a gateway serves now."""

    inventory: Inventory = field(default_factory=Inventory)
    cabinets: Mapping[str, Cabinet] = field(default_factory=dict)
    served: Collection[str] = frozenset()

    def place(self, element: Element) -> Place:
        """Where it is, as far as anybody has entered it."""
        lamps = self.lamps(element)
        circuits = self._circuits(element, lamps)
        if not lamps:
            return self._bare(element, circuits)
        road = self.inventory.roads.get(_most(one.road for one in lamps))
        first = lamps[0]
        cabinet = first.cabinet or self._cabinet_of(first.circuit)
        return Place(
            road=road.id if road else "",
            road_class=road.road_class.value if road else "",
            district=(road.district or "") if road else "",
            pole=first.pole if len({one.pole for one in lamps}) == 1 else "",
            cabinet=cabinet,
            latitude=first.latitude,
            longitude=first.longitude,
            devices=tuple(one.device for one in lamps if one.device is not None and one.device in self.served),
            circuits=circuits,
            meter=cabinet if cabinet in self.served else "",
        )

    def on_road(self, road: str) -> list[Luminaire]:
        """Its luminaires, by id."""
        return self._by_road.get(road, [])

    def _bare(self, element: Element, circuits: tuple[str, ...]) -> Place:
        name = element.id if element.kind is ElementKind.CABINET else self._cabinet_of(element.id)
        cabinet = self.cabinets.get(name)
        devices = (element.id,) if element.kind is ElementKind.LAMP and element.id in self.served else ()
        if cabinet is None and not circuits and not devices:
            return NOWHERE
        latitude, longitude = (cabinet.latitude, cabinet.longitude) if cabinet else (None, None)
        meter = name if name in self.served else ""
        return Place(
            cabinet=name, latitude=latitude, longitude=longitude, devices=devices, circuits=circuits, meter=meter
        )

    def lamps(self, element: Element) -> list[Luminaire]:
        """Luminaires that are the element or hang on it."""
        match element.kind:
            case ElementKind.LAMP:
                found = self.inventory.by_device.get(element.id) or self.inventory.luminaires.get(element.id)
                return [found] if found else []
            case ElementKind.PHASE:
                cabinet, _, phase = element.id.rpartition("/")
                return [one for one in self._by_cabinet.get(cabinet, []) if one.phase == phase]
            case ElementKind.FEEDER:
                named = set(element.id.split("/"))
                mine = [one for one in self.inventory.luminaires.values() if one.feeder in named]
                return [one for one in mine if {one.cabinet or self._cabinet_of(one.circuit), one.circuit} & named]
        by = {
            ElementKind.POLE: self._by_pole,
            ElementKind.CIRCUIT: self._by_circuit,
            ElementKind.CABINET: self._by_cabinet,
        }.get(element.kind)
        return by.get(element.id, []) if by else []

    def _circuits(self, element: Element, lamps: Iterable[Luminaire]) -> tuple[str, ...]:
        if element.kind is ElementKind.CABINET:
            named = [one.id for one in self.inventory.circuits.values() if one.cabinet == element.id]
        elif element.kind is ElementKind.CIRCUIT:
            named = [element.id]
        else:
            named = [one.circuit or "" for one in lamps]
        return tuple(name for name in dict.fromkeys(named) if name in self.served)

    def _cabinet_of(self, circuit: str | None) -> str:
        found = self.inventory.circuits.get(circuit or "")
        return found.cabinet if found else ""

    @cached_property
    def _by_road(self) -> Mapping[str, list[Luminaire]]:
        return self._grouped(lambda one: one.road or "")

    @cached_property
    def _by_pole(self) -> Mapping[str, list[Luminaire]]:
        return self._grouped(lambda one: one.pole)

    @cached_property
    def _by_circuit(self) -> Mapping[str, list[Luminaire]]:
        return self._grouped(lambda one: one.circuit or "")

    @cached_property
    def _by_cabinet(self) -> Mapping[str, list[Luminaire]]:
        return self._grouped(lambda one: one.cabinet or self._cabinet_of(one.circuit))

    def _grouped(self, key: Of) -> dict[str, list[Luminaire]]:
        found: dict[str, list[Luminaire]] = {}
        for one in self.inventory.luminaires.values():
            if key(one):
                found.setdefault(key(one), []).append(one)
        return found


def _most(names: Iterable[str | None]) -> str:
    counted = Counter(name for name in names if name)
    return counted.most_common(1)[0][0] if counted else ""
