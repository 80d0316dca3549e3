"""What a check of plans has found, remembered for the step that follows it: publishing checks the same plans again."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Final

from lamplighter_contract.light.plans.plan import Plan, encode_plan
from lamplighter_contract.light.plans.problems import Problem
from lamplighter_controller.lighting.compiling import problems_of

KEPT: Final = 4  # all gateways, and the few that a plan goes to first


@dataclass(frozen=True, slots=True)
class Checks:
    """Problems by the very content that was checked; whatever has changed since is checked anew."""

    _found: dict[bytes, tuple[Problem, ...]] = field(default_factory=dict)

    def problems_of(self, plans: Sequence[Plan], first_day: date) -> tuple[Problem, ...]:
        """All that is wrong with plans over a year of nights from a date."""
        digest = hashlib.sha256(first_day.isoformat().encode())
        for plan in plans:
            digest.update(encode_plan(plan))
        known = self._found.get(digest.digest())
        if known is None:
            known = problems_of(plans, first_day)
            while len(self._found) >= KEPT:
                self._found.pop(next(iter(self._found)), None)
            self._found[digest.digest()] = known
        return known
