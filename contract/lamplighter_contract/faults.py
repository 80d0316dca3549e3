"""What a lamp's gear says of itself: the bits of the quantity `fault_bits`."""

from enum import IntFlag


class FaultBit(IntFlag):
    """0 is well. The gear is asked over DALI (IEC 62386-102 and -253); without a digital gear all bits stay 0."""

    LAMP_FAILED = 1
    GEAR_SILENT = 2
    STRINGS_SHORTED = 4
    DERATED = 8
