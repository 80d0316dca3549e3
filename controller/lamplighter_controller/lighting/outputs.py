"""Light output in a plan: luminaires built too strong held to what the design needs, new ones held down as they age."""

from collections.abc import Iterable
from datetime import UTC, date, datetime
from typing import Final

from lamplighter_contract.light.output import constant_percent
from lamplighter_contract.light.plans.plan import Output
from lamplighter_controller.lighting.inventory import Burned, Inventory, Luminaire, Model

HOURS_A_YEAR: Final = 4_100.0  # from dusk to dawn, nearly the same at every latitude where people live
DAYS_A_YEAR: Final = 365.25
FULL_PERCENT: Final = 100.0


def planned(inventory: Inventory, lamps: Iterable[str]) -> tuple[Output, ...]:
    """Scales of these lamps, those with equal ones together; who is to give full light is left out."""
    together: dict[tuple[float, float], list[str]] = {}
    for lamp in lamps:
        luminaire = inventory.by_device.get(lamp)
        model = inventory.models.get(luminaire.model or "") if luminaire else None
        if luminaire is None or model is None:
            continue
        scales = model.virtual_percent, _constant(model, hours(luminaire, inventory.burned.get(lamp)))
        if scales != (FULL_PERCENT, FULL_PERCENT):
            together.setdefault(scales, []).append(lamp)
    return tuple(
        Output(virtual, constant, devices=tuple(devices)) for (virtual, constant), devices in sorted(together.items())
    )


def hours(luminaire: Luminaire, burned: Burned | None) -> float | None:
    """Hours of burning; those before anybody counted are reckoned from its first day. None: nobody can say."""
    if burned is None:
        return None
    if burned.whole_life:
        return burned.hours
    if luminaire.in_service is None:
        return None
    counted_from = datetime.fromtimestamp(burned.since_ms / 1000, UTC).date()
    days = max((counted_from - date.fromisoformat(luminaire.in_service)).days, 0)
    return burned.hours + days / DAYS_A_YEAR * HOURS_A_YEAR


def _constant(model: Model, burning_h: float | None) -> float:
    """In whole percent, so that a plan has few of them; full light when the age is not known."""
    if burning_h is None or not model.clo:
        return FULL_PERCENT
    curve = sorted(_point(one) for one in model.clo)
    return max(round(constant_percent(curve, burning_h)), 1.0)


def _point(text: str) -> tuple[float, float]:
    after_h, _, percent = text.partition(":")
    return float(after_h), float(percent)
