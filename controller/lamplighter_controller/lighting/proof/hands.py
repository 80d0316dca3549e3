"""Levels by hand and shows of a night, from what the ledger has of them."""

from collections.abc import Callable, Iterable, Mapping, Sequence

from sqlalchemy import Connection

from lamplighter_contract.light.sky.nights import Night
from lamplighter_controller.lighting.inventory import Inventory
from lamplighter_controller.lighting.overrides import history
from lamplighter_controller.lighting.overrides.history import Past
from lamplighter_controller.lighting.proof.light.by_hand import Stretch
from lamplighter_controller.lighting.scenes import store as scenes
from lamplighter_controller.lighting.scenes.scene import stretches
from lamplighter_controller.lighting.scenes.store import Showing

Found = tuple[Mapping[str, Sequence[Past]], Sequence[Showing]]


def of_night(connection: Connection, during: Night, wall_ms: Callable[[int], int]) -> Found:
    """Levels by hand and shows that may have been of effect; `wall_ms`: real time of a civil one."""
    by_hand = history.between(connection, wall_ms(during.start_ms), wall_ms(during.end_ms))
    return by_hand, scenes.between(connection, during.start_ms, during.end_ms)


def stretched(
    found: Found, inventory: Inventory, lamps: Iterable[str], civil_ms: Callable[[int], int]
) -> dict[str, list[Stretch]]:
    """By device the strongest last: shows, levels by hand, emergencies; `civil_ms`: civil time of a real one."""
    by_hand, shows = found
    made: dict[str, list[Stretch]] = {}
    served = list(lamps)
    for show in shows:
        for device, its in stretches(show.scene, (show.starts_ms, show.ends_ms), inventory, served).items():
            made.setdefault(device, []).extend(Stretch(*one) for one in its)
    for device, taken in by_hand.items():
        for one in sorted(taken, key=lambda one: one.emergency):
            end_ms = one.until_ms if one.ended_ms is None else min(one.until_ms, civil_ms(one.ended_ms))
            made.setdefault(device, []).append(
                Stretch(civil_ms(one.issued_ms), end_ms, one.level_percent, one.emergency)
            )
    return made
