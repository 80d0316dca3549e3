"""Which devices a fault's target stands for."""

import fnmatch

from lamplighter_contract.quantities import Kind
from lamplighter_firmware_sim.city.inventory import City
from lamplighter_firmware_sim.errors import UnknownTargetError
from lamplighter_firmware_sim.faults.kinds import KINDS, FaultKind

Devices = tuple[tuple[Kind, int], ...]


def kind_named(name: str) -> FaultKind:
    """The fault kind of that name.

    Raises:
        UnknownTargetError: there is none.
    """
    if name not in KINDS:
        raise UnknownTargetError(f"fault kind {name!r}: expected one of {', '.join(KINDS)}")
    return KINDS[name]


def devices_meant(city: City, kind: FaultKind, target: str) -> Devices:
    """Kind and column index of every device that `target` names; `*` and `?` stand for any letters.

    Raises:
        UnknownTargetError: the city has no such device that this kind can befall.
    """
    ids = fnmatch.filter(city.places, target) if any(c in target for c in "*?") else [target]
    found = tuple(city.places[one] for one in ids if one in city.places and city.places[one][0] in kind.targets)
    if not found:
        raise UnknownTargetError(f"{target!r} of fault {kind.name}: expected {expected_targets(kind)}")
    return found


def expected_targets(kind: FaultKind) -> str:
    """What a target of this kind may be, for a person."""
    return f"the id of a {' or '.join(sorted(kind.targets))} of the city; * stands for any letters"
