"""How much of the city overrides and shows make dark, and whether that needs a second person (fail-safe rule L-4)."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from lamplighter_contract.level import Override, rank
from lamplighter_controller.lighting.inventory import Inventory, Road, Structure

DARK_SHARE_PERCENT: Final = 5.0
NEVER_DARK: Final = frozenset({Structure.TUNNEL, Structure.JUNCTION})

Lamps = frozenset[str]


def dark(levels: Mapping[str, float], floors: Mapping[str, float]) -> Lamps:
    """The lamps among these that are off at those levels, or under the floor of their road."""
    return frozenset(
        device
        for device, level_percent in levels.items()
        if level_percent == 0 or level_percent < floors.get(device, 0.0)
    )


def levels_of(records: Iterable[Override]) -> dict[str, float]:
    """What overrides make of each lamp: the newest counts, an emergency before all others."""
    found: dict[str, Override] = {}
    for record in records:
        if record.device not in found or rank(record) > rank(found[record.device]):
            found[record.device] = record
    return {device: record.level_percent for device, record in found.items()}


def grave(now: Lamps, asked: Lamps, served: Lamps, inventory: Inventory) -> tuple[str, ...]:
    """Why a second person has to approve that `asked` go dark beside those that are by hand or show `now`.

    Empty when nobody has to: a single lamp may always be put out by one, unless it is all of a tunnel or a junction.
    """
    total, every = len(now | asked), len(served)
    found = []
    if asked and total > max(1, every * DARK_SHARE_PERCENT / 100):
        share = f"{total} of {every} lamps ({total / every * 100:.1f} %)"
        what = f"would be off or under their road's floor by override or show, more than {DARK_SHARE_PERCENT:g} %"
        found.append(f"{share} {what}")
    whole = (f"{road.structure} {road.id} would be dark as a whole" for road in _whole(now, asked, served, inventory))
    return (*found, *whole)


def _whole(now: Lamps, asked: Lamps, served: Lamps, inventory: Inventory) -> Iterator[Road]:
    """Tunnels and junctions all of whose lamps would be dark, and one of them by what is asked."""
    guarded = {name: road for name, road in inventory.roads.items() if road.structure in NEVER_DARK}
    if not asked or not guarded:
        return
    lamps: dict[str, set[str]] = {}
    for device, luminaire in inventory.by_device.items():
        if luminaire.road in guarded and device in served:
            lamps.setdefault(luminaire.road or "", set()).add(device)
    for name, its in sorted(lamps.items()):
        if its <= now | asked and its & asked:
            yield guarded[name]
