"""Quality bits of one reading: 0 is good."""

from enum import IntFlag


class Quality(IntFlag):
    """What to hold against a reading. A value that was not read is null, never a bit.

    STALE with nothing read: the device was asked and did not answer, what was known of it is no longer so.
    """

    GOOD = 0
    STALE = 1
    OUT_OF_RANGE = 2
    FROZEN = 4
    CLOCK_UNTRUSTED = 8
    PERIOD_MISSED = 16
