"""What a reading shows by itself: dark, lit, the wrong level, idle current, heat. Several in a row are a suspicion."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np

from lamplighter_controller.diagnosis.arrays import F32, Flags
from lamplighter_controller.diagnosis.lamps.columns import LampColumns
from lamplighter_controller.diagnosis.lamps.expectation.command import Command
from lamplighter_controller.diagnosis.lamps.expectation.expected import LEAST_EXPECTED_W, Expectation
from lamplighter_controller.diagnosis.lamps.signs.counting import counted
from lamplighter_controller.diagnosis.lamps.signs.reading import Reading

DARK_SHARE: Final = 0.18
DARK_W: Final = 4.0
REPEATS: Final = 2
"""A meter that has repeated itself so often says nothing of a lamp that went dark, or was dimmed, meanwhile."""
LIT_W: Final = 6.0
LIT_SHARE: Final = 0.4
STUCK_SHARE: Final = 0.08
STUCK_SIGMA: Final = 6.0
HELD_SHARE: Final = 0.03
LOW_FACTOR: Final = 0.65
FACTOR_DROP: Final = 0.18
FACTOR_SHARE: Final = 0.25
HOT_C: Final = 65.0
WARM_C: Final = 45.0
WARMER_C: Final = 20.0
HOT_AFTER_S: Final = 1800
TILT_DEG: Final = 8.0
OVER: Final = 1.10
UNDER: Final = 0.85
EDGE_HOURS: Final = 16.0
LATE_S: Final = 900
LATE_PERIODS: Final = 1.2
"""A plan, a photocell and a fade may differ by less, and what a lamp says may be a reading old."""
ASTRAY: Final = 3
"""Readings for which a command taken at another time is remembered: not all lamps are read while it is."""
LIT_SEEN: Final = 2
DARK_SEEN: Final = 1


@dataclass(frozen=True, slots=True)
class Showing:
    """One part of the city in one step, all (n,).

    Args:
        judged: lit by command, settled, and drawing enough to be told.
        dark: commanded on and drawing next to nothing.
        lit: commanded off and drawing.
    """

    judged: Flags
    dark: Flags
    lit: Flags


def lit_or_dark(
    held: LampColumns, reading: Reading, command: Command, expectation: Expectation, rated_w: F32
) -> Showing:
    """Count what is dark though commanded on, and lit though commanded off."""
    settled = reading.usable & command.settled
    expected_w = expectation.expected_w
    judged = settled & command.on & command.followed & (expected_w >= LEAST_EXPECTED_W)
    dark = judged & (reading.power_w < np.maximum(DARK_SHARE * expected_w, np.minimum(DARK_W, 0.4 * expected_w)))
    off = settled & ~command.on
    lit = off & (reading.power_w > np.minimum(LIT_W, LIT_SHARE * rated_w))
    held.dark[:] = counted(held.dark, judged & (held.frozen < REPEATS), dark)
    held.lit[:] = counted(held.lit, off, lit)
    return Showing(judged, dark, lit)


def wrong_level(
    held: LampColumns, reading: Reading, command: Command, showing: Showing, expectation: Expectation, steady: "Off"
) -> None:
    """Count readings that fit another level: more than commanded, or what was drawn before the level changed."""
    power_w = reading.power_w
    far = np.abs(steady.residual) > np.maximum(STUCK_SHARE, STUCK_SIGMA * steady.sigma)
    tested = showing.judged & ~showing.dark & (expectation.certain > 0)
    as_before = np.abs(power_w - held.held_w) < HELD_SHARE * np.abs(held.held_w)
    as_before &= np.abs(command.level_percent - held.held_percent) > 5
    above = (steady.residual > 0) & (power_w < 1.06 * steady.most_w) & (command.level_percent < 95)
    held.stuck[:] = counted(held.stuck, tested, far & (as_before | above))
    unheeded = reading.usable & command.known & ~command.followed & (command.age_s >= HOT_AFTER_S)
    held.unheeded[:] = counted(held.unheeded, reading.usable & command.known, unheeded)


def other_times(held: LampColumns, fresh: Flags, command: Command, period_s: float) -> None:
    """Keep which lamps are at another level than commanded, by their own word, for longer than a plan may differ."""
    late = command.known & ~command.followed & (command.age_s >= max(LATE_S, LATE_PERIODS * period_s))
    if late.any() or held.astray.any():
        fewer = held.astray - (held.astray > 0)
        held.astray[:] = np.where(fresh, np.where(late, ASTRAY, fewer), held.astray)


@dataclass(frozen=True, slots=True)
class Off:
    """How far readings are off: residual and sigma (n,), and the lamps' power at full level."""

    residual: F32
    sigma: F32
    most_w: F32


def idle_current(held: LampColumns, reading: Reading, showing: Showing, residual: F32, usual: F32, share: F32) -> None:
    """Count readings with a low power factor at unchanged power: the capacitor no longer compensates."""
    factor = np.abs(reading.factor)
    tested = showing.judged & ~showing.dark & ~np.isnan(factor) & (share > FACTOR_SHARE)
    low = (factor < LOW_FACTOR) & (factor < usual - FACTOR_DROP) & (residual > -0.12)
    held.reactive[:] = counted(held.reactive, tested, low)


def surroundings(
    held: LampColumns, fresh: Flags, temperature_c: F32, above: Callable[[F32], F32], command: Command
) -> None:
    """Count heat of a lamp that has been lit for a while; `above` tells how much warmer than its feeder's lit lamps.

    The sun heats a dark node beyond any limit, so a dark one is not judged.
    """
    hot = temperature_c > WARM_C
    if not (hot.any() or held.hot.any()):
        return
    warm = fresh & command.on & (command.age_s >= HOT_AFTER_S) & ~np.isnan(temperature_c)
    warmer_c = above(np.where(command.on, temperature_c, np.nan))
    held.hot[:] = counted(held.hot, warm, hot & ((temperature_c > HOT_C) | (warmer_c > WARMER_C)))


def leaning(held: LampColumns, fresh: Flags, tilt_deg: F32) -> None:
    """Count tilt."""
    held.tilted[:] = counted(held.tilted, fresh & ~np.isnan(tilt_deg), np.abs(tilt_deg) > TILT_DEG)


def voltages(held: LampColumns, fresh: Flags, voltage: F32, alone: Callable[[Flags], Flags]) -> None:
    """Count voltages (relative to nominal) that are out of range at this lamp and not along its feeder."""
    read = fresh & (voltage > 0.3) & (voltage < 1.9)
    for count, out in ((held.over, read & (voltage > OVER)), (held.under, read & (voltage < UNDER))):
        count[:] = counted(count, read, out & alone(out) if out.any() else out)


def edges(held: LampColumns, showing: Showing, command: Command, starts: F32, hours: F32, alone: Flags) -> None:
    """Count goings-out and comings-on under one command, forgotten over a night; `alone`: not with its neighbours."""
    held.edges *= np.maximum(1 - hours / np.float32(EDGE_HOURS), 0)
    seen = np.where(showing.dark, DARK_SEEN, np.where(showing.judged, LIT_SEEN, 0)).astype(np.uint8)
    before = np.where(command.changed, 0, held.lit_before)
    edge = (seen > 0) & (before > 0) & (seen != before) & alone
    held.edges += edge
    held.lit_before[:] = np.where(seen > 0, seen, before)
    read = ~np.isnan(starts)
    if read.any():
        more = starts - held.starts
        restarted = (more > 1) & (more < 50) & command.on & ~command.changed & alone & showing.judged
        held.edges += np.where(restarted, more, 0)
        np.copyto(held.starts, starts, where=read)


def hold_level(held: LampColumns, healthy: Flags, level_percent: F32, power_w: F32) -> None:
    """Keep what was drawn at a level that was reached, for when the next one is not."""
    np.copyto(held.held_w, power_w, where=healthy)
    np.copyto(held.held_percent, level_percent, where=healthy)
