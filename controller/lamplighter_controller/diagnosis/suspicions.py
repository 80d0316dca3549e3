"""What the detectors say before the supply tree has spoken: per lamp under suspicion, and per cabinet meter."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lamplighter_controller.diagnosis.samples import Flags, Floats, Rows, Times


@dataclass(frozen=True, slots=True)
class EvidenceColumns:
    """One kind of evidence for k lamps under suspicion; NaN in `value` = none for that lamp."""

    value: Floats
    expected: Floats
    sigma: Floats
    samples: NDArray[np.int32]
    unit: str


@dataclass(frozen=True, slots=True)
class LampSuspicions:
    """Lamps whose own readings speak against them: k rows, in order of `row`, of n lamps.

    Args:
        row: (k,) rows of the topology's lamps that are under suspicion now; a lamp stays until it is cleared.
        classes: ids of the lamp classes, the columns below.
        log_likelihood: (k, classes) log-likelihood ratio of each class against a healthy lamp, priors not included.
        probability: (k, classes) posterior over the classes, given that something is wrong; rows sum to 1.
        raised: (k,) suspicion began in this step.
        onset_ms, first_observable_ms: (k,).
        shows: (k,) no reading has spoken for health since the last that spoke against it.
        evidence: name of an `EvidenceLine` -> its columns.
        cleared: rows whose suspicion ended in this step by evidence.
    """

    row: Rows
    classes: Sequence[str]
    log_likelihood: Floats
    probability: Floats
    raised: Flags
    onset_ms: Times
    first_observable_ms: Times
    shows: Flags
    evidence: Mapping[str, EvidenceColumns]
    cleared: Rows


@dataclass(frozen=True, slots=True)
class MeterSuspicions:
    """Cabinet meters against what their lamps should draw: (cabinets, 4), columns phase a, b, c and all together.

    Values are medians of blocks of 15 minutes, since residuals of minutes hang together; they change only when a block
    is complete. NaN = not metered, or nothing can be expected.

    Args:
        power_w, expected_w, sigma_w: the last complete block; `expected_w` counts every lamp of the phase by what it
            was read to draw, and silent ones by what they should draw, with the cabinet's own learned loss.
        missing_w: what stays away since the CUSUM began to rise, 0 = nothing; negative = surplus.
        low, high: CUSUM in sigma (0 = nothing); `raised_low`, `raised_high`: beyond the limit of the false-alarm
            budget.
        onset_ms: when the CUSUM that is beyond its limit began to rise, 0 = none.
        blocks: complete blocks seen.
        voltage_v: the newest phase voltages, NaN = not read; column 3 is their mean.
    """

    power_w: Floats
    expected_w: Floats
    sigma_w: Floats
    missing_w: Floats
    low: Floats
    high: Floats
    raised_low: Flags
    raised_high: Flags
    onset_ms: Times
    blocks: NDArray[np.int32]
    voltage_v: Floats


@dataclass(frozen=True, slots=True)
class Suspicions:
    """Everything the detectors give the supply tree in one step, dense columns over all n lamps included.

    Args:
        lamps: lamps whose own readings speak against them.
        meters: the cabinets' witness.
        silence: (n,) reports missed in a row up to now, 0 = heard or not asked.
        silent_since_ms: (n,) last time the lamp was heard before it fell silent, 0 = not silent.
        power_w: (n,) what was read in this step, NaN = nothing.
        expected_w: (n,) what the lamp should draw now at its commanded level (its own gain included), NaN = nobody
            knows the command or the model. Given for silent lamps too.
        dark: (n,) heard, commanded on and drawing next to nothing in this step, whether under suspicion yet or not.
        lit: (n,) heard, commanded off and drawing, whether under suspicion yet or not.
        astray: (n,) by its own word at another level than commanded for longer than a plan may differ, now or lately.
        feeder_common: (feeders,) common mode of the feeder's lamps in sigma of one lamp, NaN = too few lamps.
    """

    lamps: LampSuspicions
    meters: MeterSuspicions
    silence: NDArray[np.int32]
    silent_since_ms: Times
    power_w: Floats
    expected_w: Floats
    dark: Flags
    lit: Flags
    astray: Flags
    feeder_common: Floats
