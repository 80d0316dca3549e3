"""What a step saw of every lamp."""

from dataclasses import dataclass

import numpy as np

from lamplighter_controller.diagnosis.arrays import F32, I64, U32, Flags


@dataclass(frozen=True, slots=True)
class Seen:
    """What a step saw of every lamp, (n,) but `common`.

    Args:
        expected_w: at the level in force, own gain and warm-up included; NaN = level not known.
        residual, sigma: relative to what was expected, common mode removed; NaN = not steady.
        usual_factor: power factor of its model at such a level.
        common: (feeders,) common mode in sigma.
        bits: triggers that stand.
        blocks: how many blocks of 15 minutes the reading stands for.
        stale: rows heard with a reading older than one had before.
    """

    expected_w: F32
    residual: F32
    sigma: F32
    usual_factor: F32
    dark: Flags
    lit: Flags
    judged: Flags
    usable: Flags
    fresh: Flags
    bits: U32
    blocks: F32
    common: F32
    stale: I64


def nothing_seen(n: int, groups: int) -> Seen:
    return Seen(
        expected_w=np.full(n, np.nan, np.float32),
        residual=np.full(n, np.nan, np.float32),
        sigma=np.full(n, np.nan, np.float32),
        usual_factor=np.full(n, np.nan, np.float32),
        dark=np.zeros(n, np.bool_),
        lit=np.zeros(n, np.bool_),
        judged=np.zeros(n, np.bool_),
        usable=np.zeros(n, np.bool_),
        fresh=np.zeros(n, np.bool_),
        bits=np.zeros(n, np.uint32),
        blocks=np.zeros(n, np.float32),
        common=np.full(groups, np.nan, np.float32),
        stale=np.empty(0, np.int64),
    )
