"""When each step of the newest commands was seen, for who watches one on its way; the ledger keeps the states."""

from collections import OrderedDict
from collections.abc import Mapping
from typing import Final

from lamplighter_contract.clock import Clock
from lamplighter_contract.commands.states import CommandState
from lamplighter_controller.events import CommandChanged

REMEMBERED: Final = 1_000


class Steps:
    """Request -> state -> real epoch ms when the last of its commands came to that state."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._by_request: OrderedDict[str, dict[CommandState, int]] = OrderedDict()

    def take(self, event: CommandChanged) -> None:
        """Note a step; the oldest request is forgotten when there are too many."""
        steps = self._by_request.setdefault(event.request, {})
        steps[event.state] = self._clock.wall_ms()
        if len(self._by_request) > REMEMBERED:
            self._by_request.popitem(last=False)

    def of(self, request: str) -> Mapping[CommandState, int]:
        """The steps seen of a request."""
        return self._by_request.get(request, {})
