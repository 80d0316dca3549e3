"""Which phase a circuit is on and which lamps it feeds, from what the meter and the lamps said. Pure."""

from collections.abc import Mapping
from typing import Final

from lamplighter_gateway.drivers.port import Value

LEAST_A: Final = 0.3  # below it a meter's noise and other loads decide
CLEARLY: Final = 3.0  # times the change of all other phases together
CURRENTS: Final = {"a": "current_a_a", "b": "current_b_a", "c": "current_c_a"}
LOSSES: Final = "supply_loss_count"


def drops(closed: Mapping[str, Value], opened: Mapping[str, Value]) -> dict[str, float]:
    """By how many amperes each phase fell when the circuit opened; phases that were not read are left out."""
    found = {}
    for phase, name in CURRENTS.items():
        before, after = closed.get(name), opened.get(name)
        if isinstance(before, int | float) and isinstance(after, int | float):
            found[phase] = round(before - after, 3)
    return found


def phase_of(fallen: Mapping[str, float]) -> tuple[str, float]:
    """The phase a circuit is on and the current that went away; "" when no phase stands out, "abc" when all do."""
    if not fallen:
        return "", 0.0
    phase = max(fallen, key=lambda one: fallen[one])
    most = fallen[phase]
    others = [abs(drop) for other, drop in fallen.items() if other != phase]
    if most < LEAST_A:
        return "", most
    if len(fallen) == len(CURRENTS) and min(fallen.values()) >= most / CLEARLY:
        return "abc", sum(fallen.values())
    return (phase, most) if most >= CLEARLY * sum(others) else ("", most)


def lost_power(before: Mapping[str, int], after: Mapping[str, int]) -> tuple[str, ...] | None:
    """Lamps that counted one more loss of supply; None when none of them counts at all."""
    both = [lamp for lamp in before if lamp in after]
    return tuple(lamp for lamp in both if after[lamp] > before[lamp]) if both else None
