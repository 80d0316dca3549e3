"""From the end of a limit to the truck that shows none: released again and again, and told when it goes on."""

from dataclasses import dataclass, field, replace
from typing import Final

from lamplighter_contract.commands.command import Operation
from lamplighter_controller.commands.model import CommandRequest, Submitted
from lamplighter_controller.fleet.limits.book import CENTRE, LimitBook
from lamplighter_controller.fleet.limits.limit import Limit, LimitState
from lamplighter_controller.fleet.limits.sending import LIMIT_EXPIRES_S

AGAIN_MS: Final = 60_000
OUTLIVES_MS: Final = 120_000  # real: so long after the first release a truck that still shows the limit is an alarm


@dataclass(frozen=True, slots=True)
class _Asked:
    first_ms: int
    next_ms: int


@dataclass(slots=True)
class Ending:
    """Limits that are to be over. Raises LedgerUnavailable wherever it waits."""

    book: LimitBook
    _asked: dict[str, _Asked] = field(default_factory=dict)

    async def step(self, limit: Limit) -> None:
        """Over once the truck shows it; else it is asked for anew."""
        sight, wall_ms = self.book.ground.sight(limit.device), self.book.ground.clock.wall_ms()
        shows, seen_ms, asked = sight.shows(limit.what), sight.seen_ms or 0, self._asked.get(limit.id)
        if asked is not None and shows is False and seen_ms > asked.next_ms - AGAIN_MS:
            await self.book.end(limit, LimitState.RELEASED, "the truck shows no limit")
            self._asked.pop(limit.id)
            return
        if asked is None or wall_ms >= asked.next_ms:
            ask = self.book.asks.get(limit.ask or "")
            await self.release(limit, ask.who if ask else CENTRE, limit.detail or "its end has come")
        late = asked is not None and min(seen_ms, wall_ms) - asked.first_ms > OUTLIVES_MS
        if shows and late:
            await self.book.outlived(self.book.limits.get(limit.id, limit))

    async def release(self, limit: Limit, who: str, reason: str) -> None:
        """To loosen is always allowed."""
        wanted = CommandRequest(
            Operation.TRUCK_RELEASE, (limit.device,), {"what": limit.what.value}, reason, expires_s=LIMIT_EXPIRES_S
        )
        wall_ms, before = self.book.ground.clock.wall_ms(), self._asked.get(limit.id)
        self._asked[limit.id] = _Asked(before.first_ms if before else wall_ms, wall_ms + AGAIN_MS)
        taken = await self.book.ground.commands.submit(wanted, who)
        if isinstance(taken, Submitted):
            await self.book.save(replace(limit, release_request=taken.request.id))

    def forget(self) -> None:
        """Leave out limits that are over."""
        self._asked = {name: asked for name, asked in self._asked.items() if name in self.book.limits}
