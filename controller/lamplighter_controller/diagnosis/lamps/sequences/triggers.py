"""When evidence is enough for a suspicion."""

from enum import IntFlag
from typing import Final

import numpy as np

from lamplighter_controller.diagnosis.arrays import F32, U8, U32, Flags
from lamplighter_controller.diagnosis.lamps.columns import LampColumns
from lamplighter_controller.diagnosis.lamps.sequences.limits import Limits
from lamplighter_controller.diagnosis.lamps.sequences.sequential import LOST


class Trigger(IntFlag):
    """What raised a suspicion; several may."""

    DARK = 1
    LIT = 2
    LOW = 4
    HIGH = 8
    DRIFT = 16
    BAD = 32
    FROZEN = 64
    UNREAD = 128
    AHEAD = 256
    REACTIVE = 512
    STUCK = 1024
    CYCLING = 2048
    HOT = 4096
    TILTED = 8192
    OVER = 16384
    UNDER = 32768
    NOISE = 65536


IN_A_ROW: Final = {
    Trigger.DARK: ("dark", 2),
    Trigger.LIT: ("lit", 2),
    Trigger.BAD: ("bad", 2),
    Trigger.UNREAD: ("unread", 4),
    Trigger.AHEAD: ("ahead", 2),
    Trigger.REACTIVE: ("reactive", 3),
    Trigger.STUCK: ("stuck", 3),
    Trigger.HOT: ("hot", 3),
    Trigger.TILTED: ("tilted", 2),
    Trigger.OVER: ("over", 4),
    Trigger.UNDER: ("under", 4),
}
"""Readings in a row that raise."""

ODD: Final = ("dark", "lit", "bad", "unread", "ahead", "reactive", "stuck", "hot", "tilted", "over", "under")
DISCHARGE_DARK: Final = 3
"""A discharge lamp may be cooling before it strikes again."""
UNHEEDED: Final = 8
CYCLES: Final = 2.6
NOISY: Final = 6.0


def odd(held: LampColumns, time_s: U32) -> None:
    """Keep when the first oddness of a row of them was seen."""
    any_now = np.zeros(len(time_s), np.uint8)
    for name in ODD:
        any_now |= getattr(held, name)
    if not any_now.any():
        held.odd_since[:] = 0
        return
    held.odd_since[:] = np.where(any_now > 0, np.where(held.odd_since > 0, held.odd_since, time_s), 0)


def triggers(held: LampColumns, limit: Limits, discharge: Flags, frozen_after: int) -> U32:
    """(n,) bits of what is enough now."""
    found = np.zeros(len(held.dark), np.uint32)
    for trigger, (name, fewest) in IN_A_ROW.items():
        _mark(found, getattr(held, name), fewest, trigger)
    cooling = discharge & (held.dark < DISCHARGE_DARK)
    if cooling.any():
        found[cooling] &= ~np.uint32(Trigger.DARK)
    for column, least, trigger in (
        (held.unheeded, UNHEEDED, Trigger.STUCK),
        (held.frozen, frozen_after, Trigger.FROZEN),
        (held.low, limit.step, Trigger.LOW),
        (held.high, limit.step, Trigger.HIGH),
        (held.slow, limit.drift, Trigger.DRIFT),
        (held.edges, CYCLES, Trigger.CYCLING),
        (held.noise, NOISY, Trigger.NOISE),
    ):
        _mark(found, column, least, trigger)
    lost = held.gain < LOST * held.commissioned
    if lost.any():
        found |= lost.any(axis=1) * np.uint32(Trigger.DRIFT)
    if discharge.any():
        found[discharge] &= ~np.uint32(Trigger.DRIFT)
    return found


def _mark(found: U32, column: F32 | U8, fewest: float, trigger: Trigger) -> None:
    if not column.max(initial=0) < fewest:  # one that is no number hides no other
        found |= (column >= fewest) * np.uint32(trigger)
