"""What is wrong with a bus, in words for whoever stands beside it. Pure."""

from collections.abc import Iterator
from typing import Final

from lamplighter_gateway.drivers.modbus.counters import Counters
from lamplighter_gateway.drivers.modbus.hearing import Hearing

_WORTH_TELLING: Final = 0.02
_LATELY_S: Final = 60.0


def findings(counters: Counters, hearing: Hearing, now_s: float) -> Iterator[str]:
    """Everything that is noticed, the cause that is easiest to mend first."""
    if hearing.echoes:
        yield "the adapter hands back what is sent: switch its echo off; answers are read past it"
    if now_s - hearing.stray_s < _LATELY_S:
        yield "another master is on the line: something comes that nobody here asked for"
    if counters.foreign_share > _WORTH_TELLING:
        yield f"{counters.foreign_share:.0%} of the answers are in another unit's name: two units have one id"
    if counters.garbled_share > _WORTH_TELLING:
        yield f"{counters.garbled_share:.0%} of the answers are garbled: termination, noise, baud rate or parity"
    if counters.refused_share > _WORTH_TELLING:
        yield f"{counters.refused_share:.0%} of the questions are refused: the register map may not be the unit's"
