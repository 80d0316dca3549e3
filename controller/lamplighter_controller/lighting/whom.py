"""Whom an item of the library is for, and which lamps of a gateway that reaches."""

from collections.abc import Iterable, Iterator
from typing import Annotated

import msgspec

from lamplighter_contract.light.adaptive import Devices
from lamplighter_contract.light.plans.problems import Problem, Severity
from lamplighter_controller.lighting.inventory import Id, Inventory, in_group

Ids = Annotated[tuple[Id, ...], msgspec.Meta(max_length=10_000)]


class Whom(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """Everyone who is named in any way."""

    devices: Devices = ()
    groups: Ids = ()
    roads: Ids = ()
    districts: Ids = ()
    city: bool = False


def reached(whom: Whom, inventory: Inventory, lamps: Iterable[str]) -> tuple[str, ...]:
    """The lamps among these that are named."""
    if whom.city:
        return tuple(lamps)
    groups = [inventory.groups[name] for name in whom.groups if name in inventory.groups]
    named, roads, districts = frozenset(whom.devices), frozenset(whom.roads), frozenset(whom.districts)
    found = []
    for lamp in lamps:
        luminaire = inventory.by_device.get(lamp)
        road = inventory.road_of(luminaire) if luminaire else None
        by_road = road is not None and (road.id in roads or road.district in districts)
        by_group = luminaire is not None and any(in_group(group, luminaire, road) for group in groups)
        if lamp in named or by_road or by_group:
            found.append(lamp)
    return tuple(found)


def dangling(whom: Whom, where: str, inventory: Inventory, devices: frozenset[str]) -> Iterator[Problem]:
    """Names of nothing, and nobody named."""
    districts = {road.district for road in inventory.roads.values()}
    for what, names, known in (
        ("device", whom.devices, devices),
        ("group", whom.groups, inventory.groups),
        ("road", whom.roads, inventory.roads),
        ("road in district", whom.districts, districts),
    ):
        yield from (Problem(Severity.ERROR, where, f"no {what} {name}") for name in names if name not in known)
    if not (whom.city or whom.devices or whom.groups or whom.roads or whom.districts):
        yield Problem(Severity.WARNING, where, "names nobody")
