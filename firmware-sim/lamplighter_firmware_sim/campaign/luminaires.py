"""Luminaires of a campaign: what each model draws at which level, voltage and warmth. Closed forms, no tables."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]

MAINS_V: Final = 230.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """One model. LED: `fixed` share of power plus a power law. HPS: a ballast whose power follows a power of voltage.

    Args:
        curve_told: the books hold its data sheet's curve, with the data sheet's own errors.
        digital: its gear answers over DALI and says itself what ails it.
        clo: share of full power it began its life with, raised over its hours (constant light output).
    """

    name: str
    rated_w: float
    hps: bool = False
    fixed: float = 0.06
    law: float = 1.0
    lowest: float = 0.1
    voltage_law: float = 0.0
    curve_told: bool = True
    digital: bool = False
    clo: float = 1.0
    full_pf: float = 0.97


MODELS: Final = (
    Model(name="led-60", rated_w=60, fixed=0.045, law=1.02, voltage_law=0.02, digital=True),
    Model(name="led-90", rated_w=90, fixed=0.07, law=0.96, voltage_law=-0.03),
    Model(name="led-120", rated_w=120, fixed=0.035, law=1.12, voltage_law=0.0, digital=True, clo=0.82, full_pf=0.96),
    Model(name="led-150", rated_w=150, fixed=0.09, law=1.05, voltage_law=0.04, curve_told=False, full_pf=0.955),
    Model(name="hps-150", rated_w=150, hps=True, lowest=0.5, voltage_law=1.65, full_pf=0.9),
    Model(name="hps-250", rated_w=250, hps=True, lowest=0.5, voltage_law=1.85, curve_told=False, full_pf=0.88),
)
_CLO_HOURS: Final = 21_000.0
_BALLAST: Final = 1.09


@dataclass(frozen=True, slots=True)
class Fleet:
    """Model figures spread over the lamps, one column each."""

    rated_w: Array
    hps: Mask
    fixed: Array
    law: Array
    lowest: Array
    voltage_law: Array
    digital: Mask
    clo: Array
    full_pf: Array


def fleet_of(model: NDArray[np.int64]) -> Fleet:
    """The columns of lamps of these models."""

    def spread(name: str) -> NDArray[np.generic]:
        return np.array([getattr(one, name) for one in MODELS])[model]

    return Fleet(**{name: spread(name) for name in Fleet.__slots__})  # type: ignore[arg-type]  # columns by name


def share_of_full(fleet: Fleet, level: Array) -> Array:
    """Power at a level (0 to 1) over power at full level. A discharge lamp is not dimmed below its lowest level."""
    held = np.maximum(level, fleet.lowest)
    led = fleet.fixed + (1 - fleet.fixed) * held**fleet.law
    return np.where(fleet.hps, 0.36 + 0.64 * np.sin(0.5 * np.pi * held) ** 1.5, led)


def lit_power_w(fleet: Fleet, level: Array, voltage_v: Array, warmth: Array, hours: Array) -> Array:
    """What a sound luminaire draws; warmth 0 (cold) to 1 and above (struck again while hot)."""
    ageing = fleet.clo + (1 - fleet.clo) * np.minimum(hours / _CLO_HOURS, 1.0) ** 0.9
    at_voltage = np.maximum(voltage_v / MAINS_V, 0.05) ** fleet.voltage_law
    return (
        fleet.rated_w * np.where(fleet.hps, _BALLAST, 1.0) * share_of_full(fleet, level) * at_voltage * ageing * warmth
    )


def warmth_after(burning_s: Array, hps: Mask) -> Array:
    """A stretched exponential: an arc is at 55 % after one minute, at 94 % after five."""
    arc = 1 - 0.68 * np.exp(-((np.maximum(burning_s, 0) / 130.0) ** 0.95))
    return np.where(hps, arc, 1 - 0.5 * np.exp(-np.maximum(burning_s, 0) / 4.0))


def power_factor_at(fleet: Fleet, level: Array, warmth: Array) -> Array:
    """Displacement and distortion together; an LED driver's falls as it is dimmed, an arc's is low while it is cold."""
    led = fleet.full_pf - 0.36 * np.exp(-level / 0.3) + 0.36 * np.exp(-1 / 0.3)
    return np.where(fleet.hps, fleet.full_pf - 0.33 * np.clip(1 - warmth, 0, 1), led)


def data_sheet(model: Model) -> list[list[float]]:
    """Five points as a maker prints them: whole watts, measured on one piece."""
    fleet = fleet_of(np.array([MODELS.index(model)]))
    points = np.array([10.0, 25.0, 50.0, 75.0, 100.0])
    hours = 0.0 if model.clo == 1 else _CLO_HOURS
    watts = [
        float(lit_power_w(fleet, np.array([p / 100]), np.array([MAINS_V]), np.ones(1), np.array([hours]))[0])
        for p in points
    ]
    return [[float(p), float(round(w))] for p, w in zip(points, watts, strict=True)]
