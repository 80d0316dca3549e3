"""Electrical behaviour of luminaires: pure functions on arrays, one element per lamp."""

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

from lamplighter_firmware_sim.scenario.model import LampModel, Technology

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]

NOMINAL_V: Final = 230.0
STANDBY_W: Final = 0.5  # the controller itself, light off
DEAD_W: Final = 1.0  # a driver without a working light source
IGNITOR_W: Final = 6.0
ARC_FULL_MIN: Final = 9.0
_ARC_STRIKES_MIN: Final = 2.0  # a tube hotter than this does not ignite
_ARC_COOLING: Final = 4.0  # minutes of warm-up lost per minute off
_ARC_DROPS_V: Final = 0.78 * NOMINAL_V

_LED_FIXED: Final = 0.06  # share of the power that does not follow the level
_LED_EXPONENT: Final = 1.05
_LED_PF_LEVEL: Final = (0.0, 0.05, 0.4, 0.8, 1.0)
_LED_PF: Final = (0.60, 0.65, 0.80, 0.90, 0.98)
STANDBY_PF: Final = 0.35

_HPS_BALLAST: Final = 1.12
_HPS_LOWEST: Final = 0.4  # dimmed further the arc would go out
_HPS_ARC_MIN: Final = (0.0, 1.0, 3.0, 5.0, 6.5, ARC_FULL_MIN)
_HPS_SHARE: Final = (0.35, 0.55, 0.80, 0.94, 0.98, 1.0)  # of full power, measured on real cabinets
_HPS_PF: Final = (0.62, 0.72, 0.85, 0.90, 0.92, 0.93)


def led_power_w(rated_w: Array, level_percent: Array, voltage_v: Array) -> Array:
    """Power of a lit LED luminaire: nearly constant over the driver's voltage range, collapsing below it."""
    level = np.clip(level_percent / 100, 0, 1)
    share = _LED_FIXED + (1 - _LED_FIXED) * level**_LED_EXPONENT
    losses = 1 + 0.05 * np.clip((NOMINAL_V - voltage_v) / NOMINAL_V, -0.15, 0.3)
    return rated_w * share * losses * np.clip((voltage_v - 90) / 60, 0, 1)


def led_power_factor(level_percent: Array) -> Array:
    """Displacement and distortion together; falls as the driver is dimmed."""
    return np.interp(level_percent / 100, _LED_PF_LEVEL, _LED_PF)


def hps_power_w(rated_w: Array, level_percent: Array, voltage_v: Array, arc_min: Array) -> Array:
    """Power of a burning HPS lamp with its ballast; `arc_min` is how warm the tube is, in minutes of burning."""
    level = np.clip(level_percent / 100, _HPS_LOWEST, 1)
    warmth = np.interp(arc_min, _HPS_ARC_MIN, _HPS_SHARE)
    return rated_w * _HPS_BALLAST * level * warmth * np.clip(voltage_v / NOMINAL_V, 0, 1.3) ** 1.6


def full_power_w(model: LampModel) -> float:
    """What a luminaire draws that burns undimmed and warm, at nominal voltage."""
    rated, level, voltage = np.array(model.rated_w), np.array(100.0), np.array(NOMINAL_V)
    if model.technology is Technology.LED:
        return float(led_power_w(rated, level, voltage))
    return float(hps_power_w(rated, level, voltage, np.array(ARC_FULL_MIN)))


def hps_power_factor(arc_min: Array) -> Array:
    """Low while the tube is cold: the ballast's current flows, the arc's voltage is small."""
    return np.interp(arc_min, _HPS_ARC_MIN, _HPS_PF)


def arc_burns(burning: Mask, wanted: Mask, voltage_v: Array, arc_min: Array) -> Mask:
    """Which tubes burn now: lit ones go on while the voltage holds, others ignite only once they are cool."""
    return wanted & (voltage_v > _ARC_DROPS_V) & (burning | (arc_min <= _ARC_STRIKES_MIN))


def arc_warmth(arc_min: Array, burning: Mask, seconds: float) -> Array:
    """`arc_min` after some seconds of burning or cooling."""
    change = np.where(burning, seconds / 60, -_ARC_COOLING * seconds / 60)
    return np.clip(arc_min + change, 0, ARC_FULL_MIN)


def towards(value: Array, goal: Array, seconds: float, time_constant_s: float) -> Array:
    """First-order approach to `goal`, exact for any step."""
    return goal + (value - goal) * math.exp(-seconds / time_constant_s)
