"""Which readings can be believed.

What is absurd, contradicts itself or comes from the future speaks against meter or clock, never against the lamp.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from lamplighter_contract.quality import Quality
from lamplighter_controller.diagnosis.arrays import F32, U8, U32, Flags
from lamplighter_controller.diagnosis.lamps.columns import LampColumns
from lamplighter_controller.diagnosis.lamps.signs.counting import counted

AHEAD_S: Final = 300
"""A reading dated further in the future than this was dated by a wrong clock."""
MOST_VOLTAGE_V: Final = 440.0
MOST_OF_RATED: Final = 8.0
"""The records may name a model of a fraction of the power."""
CONTRADICTION: Final = 0.08
"""Share by which P may differ from V*I*PF, which are not read at one instant."""
CONTRADICTION_W: Final = 2.0
"""What coarse steps of current may add to that."""
NO_VOLTAGE_V: Final = 5.0


@dataclass(frozen=True, slots=True)
class Reading:
    """One part of the city in one step; all (n,).

    Args:
        fresh: heard in this step, newer than before, dated by a clock that may be right.
        ahead: dated in the future.
        usable: fresh, and power is believed.
        excused: nothing is learned or raised of it.
        power_w ... factor: what was read, believed or not.
        desired_percent: the level in force, NaN = nobody knows.
        reported_percent: the level the device says it has, NaN = it says nothing.
    """

    time_s: U32
    fresh: Flags
    ahead: Flags
    usable: Flags
    excused: Flags
    power_w: F32
    voltage_v: F32
    current_a: F32
    factor: F32
    desired_percent: F32
    reported_percent: F32


def judge(held: LampColumns, reading: Reading, rated_w: F32, quality: U8 | None, most_repeats: int) -> Flags:
    """Count what speaks against meter and clock; returns which readings may speak of the lamp."""
    fresh, power_w, voltage_v = reading.fresh, reading.power_w, reading.voltage_v
    bad = _absurd(reading, rated_w) | _contradicts(reading)
    bad |= (voltage_v < NO_VOLTAGE_V) & (power_w < 1.0)
    held.bad[:] = counted(held.bad, fresh, bad)
    same = (power_w == held.power_w) & (voltage_v == held.reported_v)
    same &= (reading.current_a == held.current_a) | np.isnan(reading.current_a)
    unclear = np.isnan(power_w)
    ahead = reading.ahead
    if quality is not None:
        same |= (quality & Quality.FROZEN) != 0
        bad |= (quality & Quality.OUT_OF_RANGE) != 0
        ahead = ahead | ((quality & Quality.CLOCK_UNTRUSTED) != 0)
    held.frozen[:] = counted(held.frozen, fresh, same)
    held.ahead[:] = counted(held.ahead, fresh | ahead, ahead)
    held.unread[:] = counted(held.unread, fresh, unclear & ~np.isnan(held.power_w))
    return fresh & ~bad & ~unclear & (held.frozen < most_repeats) & ~reading.excused


def _absurd(reading: Reading, rated_w: F32) -> Flags:
    power_w, voltage_v = reading.power_w, reading.voltage_v
    absurd = (power_w < -CONTRADICTION_W) | (power_w > MOST_OF_RATED * rated_w + 50)
    absurd |= (voltage_v > MOST_VOLTAGE_V) | (voltage_v < -1)
    return absurd | (np.abs(reading.factor) > 1.02)


def _contradicts(reading: Reading) -> Flags:
    apparent_va = reading.voltage_v * reading.current_a
    factor = np.abs(reading.factor)
    allowed = CONTRADICTION * np.abs(reading.power_w) + CONTRADICTION_W
    differs = np.abs(reading.power_w - apparent_va * factor) > allowed
    return differs | (reading.power_w > apparent_va + allowed)


def remember(held: LampColumns, reading: Reading) -> None:
    """Keep the last reading for the next comparison."""
    for column, value in (
        (held.power_w, reading.power_w),
        (held.reported_v, reading.voltage_v),
        (held.current_a, reading.current_a),
    ):
        np.copyto(column, value, where=reading.fresh & ~np.isnan(value))
    np.copyto(held.heard, reading.time_s, where=reading.fresh)
