"""Readings in a row."""

from typing import Final

import numpy as np

from lamplighter_controller.diagnosis.arrays import U8, Flags

MOST: Final = np.uint8(250)
ONE: Final = np.uint8(1)


def counted(so_far: U8, tested: Flags, shown: Flags) -> U8:
    """One more where it was tested and shown, 0 where tested and not shown, as before where not tested."""
    if not (so_far.any() or shown.any()):
        return so_far
    more = np.minimum(so_far + ONE, MOST)
    return np.where(tested, more * shown, so_far)
