"""Whether what was read back proves a write. Pure."""

from collections.abc import Mapping
from typing import Final

from lamplighter_gateway.drivers.port import Value
from lamplighter_gateway.profiles.model import ReadBack

POWER: Final = "power_w"


def doubt(proof: ReadBack, values: Mapping[str, Value], wanted: float) -> str | None:
    """Why `values` do not prove that the device is at `wanted`, in words; None when they do."""
    found = values.get(proof.quantity)
    if found is None:
        return f"{proof.quantity} could not be read back"
    if not isinstance(found, bool | int | float) or abs(found - wanted) > proof.tolerance:
        return f"read back {found}, expected {wanted:g}"
    power_w = values.get(POWER)
    burns = wanted == 0 and isinstance(power_w, int | float) and power_w >= (proof.dark_below_w or float("inf"))
    return f"says it is off and draws {power_w:g} W" if burns else None
