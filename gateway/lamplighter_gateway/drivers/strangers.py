"""Trackers that call and are not configured: listed for a person to adopt, and told to the centre once each."""

import logging
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Final

from lamplighter_contract.clock import Clock
from lamplighter_gateway.drivers.port import Brought
from lamplighter_gateway.uplink.pace import Pace

logger = logging.getLogger(__name__)

MOST: Final = 200
TOLD_PER_S: Final = 1 / 60  # once the first ones are told
EVENT: Final = "truck.stranger"

Detail = Mapping[str, str | float | int | bool | None]
Keep = Callable[[str, Brought], Awaitable[bool]]


class Strangers:
    """Those of one bus; names are made up at will, so the list and what is told of it are bounded."""

    def __init__(self, bus: str, wire: str, clock: Clock) -> None:
        """Nobody has called."""
        self._about, self._clock = {"bus": bus, "wire": wire}, clock
        self._found: OrderedDict[str, Detail] = OrderedDict()
        self._pace = Pace(TOLD_PER_S, MOST)

    async def note(self, name: str, about: Detail, keep: Keep) -> None:
        """One called; a call that says less of itself takes nothing away."""
        new = name not in self._found
        self._found[name] = {**self._about, **self._found.get(name, {}), **about}
        self._found.move_to_end(name)
        while len(self._found) > MOST:
            self._found.popitem(last=False)
        if new and self._pace.take(self._clock.monotonic_s()):
            logger.warning("bus %s: %s is not configured", self._about["bus"], name)
            await keep("", Brought(EVENT, self._found[name]))

    def listed(self) -> Sequence[Detail]:
        """Who called, the one that was silent longest first."""
        return tuple(self._found.values())
