"""Steps that are signed before work on something that may be live is called done. Pure."""

from collections.abc import Sequence
from enum import StrEnum
from typing import Final

import msgspec

from lamplighter_controller.maintenance.refused import Refused


class SafetyStep(StrEnum):
    """In the order in which they are taken."""

    ISOLATED = "isolated"  # the circuit is open and locked by hand
    TESTED = "tested"  # no voltage, by a tester that was tried before and after
    GROUNDED = "grounded"
    FENCED = "fenced"  # nobody can touch the pole
    INSULATION = "insulation"  # measured before the circuit is closed again


NEEDED: Final = tuple(SafetyStep)


class Signature(msgspec.Struct, frozen=True):
    """Who signed which steps; `at_ms` civil."""

    steps: tuple[SafetyStep, ...]
    name: str
    who: str
    at_ms: int


def missing(signatures: Sequence[Signature], since_ms: int) -> tuple[SafetyStep, ...]:
    """Steps that nobody has signed since then, the first ones first."""
    signed = {step for one in signatures if one.at_ms >= since_ms for step in one.steps}
    return tuple(step for step in NEEDED if step not in signed)


def unsigned(signatures: Sequence[Signature], since_ms: int) -> Refused | None:
    """Why the work cannot be called done, None when every step is signed."""
    left = missing(signatures, since_ms)
    if not left:
        return None
    detail = f"safety steps are not signed: {', '.join(left)}"
    return Refused("safety", "signature-needed", detail, conflict=True)
