"""Whom an override is for, resolved to lamps when it is taken; everything wrong with it is told at once."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import msgspec
import numpy as np

from lamplighter_contract.wire.documents import DeviceEntry
from lamplighter_controller.lighting.inventory import Inventory, Luminaire, in_group
from lamplighter_controller.lighting.overrides.area import Polygon, inside, wrong_with

MOST_LAMPS: Final = 50_000


class Target(msgspec.Struct, frozen=True, omit_defaults=True):
    """Everyone who is named in any way; a polygon has longitude before latitude."""

    lamps: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    roads: tuple[str, ...] = ()
    districts: tuple[str, ...] = ()
    area: tuple[tuple[tuple[float, float], ...], ...] = ()


@dataclass(frozen=True, slots=True)
class Wrong:
    """One thing wrong: the field, and what is expected."""

    field: str
    what: str


@dataclass(frozen=True, slots=True)
class Resolved:
    """Lamps of a target in the order of their ids, or everything wrong with it."""

    lamps: tuple[str, ...] = ()
    wrong: tuple[Wrong, ...] = ()


def resolved(target: Target, inventory: Inventory, lamps: Mapping[str, DeviceEntry]) -> Resolved:
    """`lamps`: those that are served now, by id."""
    wrong = [*_unknown(target, inventory, lamps), *(Wrong("area", what) for what in _drawn_wrong(target))]
    if wrong:
        return Resolved(wrong=tuple(wrong))
    found = {*target.lamps, *_by_place(target, inventory, lamps), *_drawn(target.area, inventory, lamps)}
    if not found:
        return Resolved(wrong=(Wrong("target", "names no lamp that is served by a gateway"),))
    if len(found) > MOST_LAMPS:
        return Resolved(wrong=(Wrong("target", f"names {len(found)} lamps, at most {MOST_LAMPS} are taken at once"),))
    return Resolved(tuple(sorted(found)))


def _unknown(target: Target, inventory: Inventory, lamps: Mapping[str, DeviceEntry]) -> Iterable[Wrong]:
    districts = {road.district for road in inventory.roads.values()}
    kinds: tuple[tuple[str, Iterable[str], Any], ...] = (
        ("lamps", target.lamps, lamps),
        ("groups", target.groups, inventory.groups),
        ("roads", target.roads, inventory.roads),
        ("districts", target.districts, districts),
    )
    for field, names, known in kinds:
        for name in names:
            if name not in known:
                yield Wrong(field, f"there is no {field[:-1]} {name[:64]!r}")


def _drawn_wrong(target: Target) -> Iterable[str]:
    return wrong_with(target.area) if target.area else ()


def _by_place(target: Target, inventory: Inventory, lamps: Mapping[str, DeviceEntry]) -> Iterable[str]:
    meets = _meets(target, inventory)
    for device, luminaire in inventory.by_device.items():
        if device in lamps and meets(luminaire):
            yield device


def _meets(target: Target, inventory: Inventory) -> Callable[[Luminaire], bool]:
    groups = [inventory.groups[name] for name in target.groups]
    roads, districts = frozenset(target.roads), frozenset(target.districts)

    def meets(luminaire: Luminaire) -> bool:
        road = inventory.road_of(luminaire)
        if road is not None and (road.id in roads or road.district in districts):
            return True
        return any(in_group(group, luminaire, road) for group in groups)

    return meets


def _drawn(area: Polygon, inventory: Inventory, lamps: Mapping[str, DeviceEntry]) -> Iterable[str]:
    """Lamps in an area by their position in the inventory, else by what their gateway says."""
    if not area:
        return
    places = {device: inventory.by_device.get(device, entry) for device, entry in lamps.items()}
    known = [
        (name, at.longitude, at.latitude) for name, at in places.items() if None not in (at.longitude, at.latitude)
    ]
    if not known:
        return
    names, longitudes, latitudes = zip(*known, strict=True)
    within = inside(area, np.asarray(longitudes, np.float64), np.asarray(latitudes, np.float64))
    yield from (name for name, is_in in zip(names, within, strict=True) if is_in)
