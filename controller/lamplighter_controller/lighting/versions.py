"""Numbers of plans: they rise by one, and after a restore go on above whatever a gateway may have been told."""


def next_version(stored: int, told: int, floor: int) -> int:
    """The next version for a gateway: `stored` is our highest, `told` its own birth's, `floor` what a restore set."""
    return max(stored, told, floor) + 1


def behind(version: int, told: int) -> bool:
    """True when a gateway runs a newer plan than the one we hold for it: ours would be refused."""
    return version < told
