"""Shows that wires or relays of this gateway cannot follow: a plan with one is not taken, and says which lamp."""

from collections.abc import Callable, Iterator, Sequence
from typing import Final

from lamplighter_contract.clock import Clock
from lamplighter_contract.errors import Reason, Refusal
from lamplighter_contract.light.carrying import Bus, too_slow
from lamplighter_contract.light.overrides import members_of
from lamplighter_contract.light.plans.plan import Plan
from lamplighter_contract.light.relays import too_often

MOST_TOLD: Final = 4


class Shows:
    """What the gateway's buses carry."""

    def __init__(self, buses: Callable[[], Sequence[Bus]], clock: Clock, rate: float) -> None:
        """`buses` as they are served now; `rate`: civil seconds in a real one."""
        self._buses = buses
        self._clock = clock
        self._rate = rate

    def unfit(self, plan: Plan) -> Refusal | None:
        """Every scene of a plan that would come too late somewhere or wear a relay; one that is over harms nobody."""
        found = list(self._late(plan))
        if not found:
            return None
        more = f" (and {len(found) - MOST_TOLD} more)" if len(found) > MOST_TOLD else ""
        return Refusal(Reason.CAPACITY, "; ".join(found[:MOST_TOLD]) + more)

    def _late(self, plan: Plan) -> Iterator[str]:
        groups, buses, now_ms = members_of(plan), self._buses(), self._clock.civil_ms()
        for scene in plan.scenes:
            if scene.ends is None or scene.ends > now_ms:
                late = [*too_slow(scene.cues, groups, buses, self._rate), *too_often(scene.cues, groups)]
                yield from (f"scene {scene.id}: {one}" for one in late)
