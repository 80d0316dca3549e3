"""How long each lamp was lit, dark or unknown while it was required; for a whole city at once."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from lamplighter_controller.lighting.proof.light.curves import Curves
from lamplighter_controller.lighting.proof.light.evidence import DARK, LIT, OWN, PATROL, UNKNOWN, Evidence, Rows, States
from lamplighter_controller.series.port import Floats, Times

NEVER: Final = -1


@dataclass(frozen=True, slots=True)
class Stretches:
    """Columns of length m: while a lamp was proven lit or dark; by lamp, then by time, never overlapping."""

    row: Rows
    start_ms: Times
    end_ms: Times
    state: States
    kind: States


@dataclass(frozen=True, slots=True)
class Judged:
    """Columns of length n, one row for each lamp; `lit` + `dark` + `unknown` is `required`, all ms.

    Args:
        required_ms: scheduled on.
        lit_ms: of this, proven lit.
        dark_ms: of this, proven dark.
        unknown_ms: of this, proven neither.
        patrol_ms: of lit and dark, what a patrol has proven.
        since_ms: when its last dark stretch began, else its last unknown one; `NEVER` when it was lit all the time.
    """

    required_ms: Floats
    lit_ms: Floats
    dark_ms: Floats
    unknown_ms: Floats
    patrol_ms: Floats
    since_ms: Times


def lit_time(profile: Rows, required: Curves, evidence: Evidence, until_ms: int) -> tuple[Judged, Stretches]:
    """Judge one night.

    Args:
        profile: (n,) which curve says when each lamp is required.
        required: 1 while lamps are scheduled on, else 0.
        evidence: what was read and seen, by lamp, then by time.
        until_ms: nothing is said of later; the night's end, or now.
    """
    stretches = stretches_of(evidence, required.start_ms, until_ms)
    curve = profile[stretches.row]
    weight = required.between(curve, stretches.start_ms, stretches.end_ms)
    counts = len(profile)
    lit = stretches.state == LIT
    lit_ms = _sum(stretches.row, np.where(lit, weight, 0.0), counts)
    dark_ms = _sum(stretches.row, np.where(lit, 0.0, weight), counts)
    patrol_ms = _sum(stretches.row, np.where(stretches.kind == PATROL, weight, 0.0), counts)
    required_ms = required.between(
        profile, np.full(counts, required.start_ms), np.full(counts, min(until_ms, required.end_ms))
    )
    unknown_ms = np.maximum(required_ms - lit_ms - dark_ms, 0.0)
    unknown_ms[unknown_ms < 0.5] = 0.0
    since_ms = _since(profile, required, stretches, weight, unknown_ms, until_ms)
    return Judged(required_ms, lit_ms, dark_ms, unknown_ms, patrol_ms, since_ms), stretches


def stretches_of(evidence: Evidence, start_ms: int, until_ms: int) -> Stretches:
    """Evidence as stretches of time within a night; what proves nothing only ends what was before it."""
    end_ms = np.minimum(evidence.time_ms + evidence.hold_ms, until_ms)
    if len(end_ms) > 1:
        same = evidence.row[1:] == evidence.row[:-1]
        np.minimum(end_ms[:-1], evidence.time_ms[1:], out=end_ms[:-1], where=same)
    begin_ms = np.maximum(evidence.time_ms, start_ms)
    those = (evidence.state != UNKNOWN) & (end_ms > begin_ms)
    return _joined(
        Stretches(evidence.row[those], begin_ms[those], end_ms[those], evidence.state[those], evidence.kind[those])
    )


def _joined(pieces: Stretches) -> Stretches:
    """Pieces that follow each other without a gap and say the same, made one: most of a night is one stretch."""
    if len(pieces.row) < 2:
        return pieces
    parted = (
        (pieces.row[1:] != pieces.row[:-1])
        | (pieces.state[1:] != pieces.state[:-1])
        | (pieces.kind[1:] != pieces.kind[:-1])
        | (pieces.start_ms[1:] > pieces.end_ms[:-1])
    )
    first = np.append(0, np.flatnonzero(parted) + 1)
    last = np.append(first[1:] - 1, len(pieces.row) - 1)
    return Stretches(
        pieces.row[first], pieces.start_ms[first], pieces.end_ms[last], pieces.state[first], pieces.kind[first]
    )


def burned(stretches: Stretches, count: int) -> tuple[Floats, NDArray[np.int64]]:
    """Hours each lamp was proven lit by its own power, required or not, and how often it went on."""
    own = stretches.kind == OWN
    row, state = stretches.row[own], stretches.state[own]
    lit = state == LIT
    length_ms = stretches.end_ms[own] - stretches.start_ms[own]
    hours = _sum(row, np.where(lit, length_ms, 0), count) / 3_600_000
    went_on = np.zeros(len(row), np.bool_)
    if len(row) > 1:
        went_on[1:] = lit[1:] & ~lit[:-1] & (row[1:] == row[:-1])
    return hours, np.bincount(row[went_on], minlength=count)


def _sum(row: Rows, weight: Floats, count: int) -> Floats:
    return np.bincount(row, weights=weight, minlength=count).astype(np.float64)


def _since(
    profile: Rows, required: Curves, stretches: Stretches, weight: Floats, unknown_ms: Floats, until_ms: int
) -> Times:
    """When the last dark stretch, else the last unknown one, of each lamp began."""
    counts = len(profile)
    since = np.full(counts, NEVER, np.int64)
    counted = weight > 0
    row, start_ms, end_ms = stretches.row[counted], stretches.start_ms[counted], stretches.end_ms[counted]
    gap_ms = _gaps(profile, required, row, start_ms, end_ms, until_ms)
    _since_unknown(since, profile, required, (row, start_ms, end_ms), gap_ms, unknown_ms)
    dark = stretches.state[counted] == DARK
    if dark.any():
        begins = np.ones(len(row), np.bool_)
        begins[1:] = (row[1:] != row[:-1]) | ~dark[:-1] | (gap_ms[:-1] >= 0.5)
        first = np.maximum.accumulate(np.where(begins, np.arange(len(row)), 0))
        last = np.full(counts, NEVER, np.int64)
        last[row[dark]] = np.flatnonzero(dark)  # of several the last assignment stays
        lamps = np.flatnonzero(last >= 0)
        since[lamps] = required.next_positive_ms(profile[lamps], start_ms[first[last[lamps]]])
    return since


def _gaps(profile: Rows, required: Curves, row: Rows, start_ms: Times, end_ms: Times, until_ms: int) -> Floats:
    """(m,) required time between each stretch and the next one of its lamp, or the end."""
    following = np.full(len(row), until_ms, np.int64)
    if len(row) > 1:
        following[:-1] = np.where(row[1:] == row[:-1], start_ms[1:], until_ms)
    return required.between(profile[row], end_ms, following)


def _since_unknown(
    since: Times,
    profile: Rows,
    required: Curves,
    proven: tuple[Rows, Times, Times],
    gap_ms: Floats,
    unknown_ms: Floats,
) -> None:
    """Begin of the last gap of every lamp that has any: after what was proven last before it, else with the night."""
    row, _, end_ms = proven
    begin = np.full(len(profile), required.start_ms, np.int64)
    gaps = gap_ms >= 0.5
    begin[row[gaps]] = end_ms[gaps]
    lamps = np.flatnonzero(unknown_ms > 0)
    since[lamps] = required.next_positive_ms(profile[lamps], begin[lamps])
