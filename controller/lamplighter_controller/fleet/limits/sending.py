"""From the wish to the truck: the only place that a limit leaves from, and only by the interlock's yes."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from lamplighter_contract.commands.command import Operation
from lamplighter_contract.commands.states import FINAL, CommandState
from lamplighter_contract.errors import Refusal
from lamplighter_contract.truck.interlock import Deny, Locate, Send, Verdict, Wait, Warn
from lamplighter_controller.commands.model import CommandRequest, Submitted
from lamplighter_controller.events import CommandChanged
from lamplighter_controller.fleet.limits import judging
from lamplighter_controller.fleet.limits.book import KILL, LimitBook
from lamplighter_controller.fleet.limits.limit import AT_THE_TRUCK, Ask, Limit, LimitState, What
from lamplighter_controller.fleet.live.city import City

LIMIT_EXPIRES_S: Final = 600.0
ASIDE_EXPIRES_S: Final = 60.0  # of words to the driver, and of questions where the truck is
WAITS_MS: Final = 3_600_000  # real: how long a limit waits for the interlock's yes
AGAIN_MS: Final = 30_000
SPOKEN: Final = {
    What.SPEED: "平台即将限速{target:g}公里每小时,请平稳减速",
    What.LIFT: "平台即将限制举升,请勿举升车厢",
}
OPERATIONS: Final = {What.SPEED: Operation.TRUCK_LIMIT_SPEED, What.LIFT: Operation.TRUCK_LIMIT_LIFT}


@dataclass(slots=True)
class Sending:
    """Limits that wait. Raises LedgerUnavailable wherever it waits."""

    book: LimitBook
    city: Callable[[], City]
    _again: dict[str, int] = field(default_factory=dict)  # by what is not to be asked too often: real ms of the next
    _speaking: dict[str, str] = field(default_factory=dict)

    async def step(self, limit: Limit) -> None:
        """Ask the interlock what to do next."""
        book, ask = self.book, self.book.asks[limit.ask or ""]
        wall_ms, civil_ms = book.ground.clock.wall_ms(), book.ground.clock.civil_ms()
        if wall_ms - limit.created_ms > WAITS_MS:
            await book.end(limit, LimitState.FAILED, f"it could not be sent in time: {limit.detail or 'not tried'}")
            return
        if book.thrown(KILL):
            await book.held(limit, "limits are switched off")
            return
        match self._verdict(limit, (wall_ms, civil_ms)):
            case Send():
                await self._send(limit, ask, wall_ms)
            case Warn():
                await self._warn(limit, ask)
            case Locate() as verdict:
                await book.held(limit, str(verdict.rule))
                await self._aside(limit, ask, Operation.TRUCK_LOCATE, {})
            case Wait(rule):
                await book.held(limit, str(rule))
            case Deny(rule, expected):
                await book.end(limit, LimitState.FAILED, f"{rule}: expected {expected}")

    async def spoken(self, event: CommandChanged) -> None:
        """A word to a driver may have been heard."""
        waiting = self._speaking.get(event.request)
        if waiting is None or event.state not in FINAL:
            return
        del self._speaking[event.request]
        limit = self.book.limits.get(waiting)
        if limit is not None and event.state is CommandState.VERIFIED:
            told_ms = self.book.ground.clock.wall_ms()
            await self.book.save(replace(limit, warned_ms=told_ms, detail="the driver was told"))

    def _verdict(self, limit: Limit, now: tuple[int, int]) -> Verdict:
        book = self.book
        sight = book.ground.sight(limit.device)
        mine = [one for one in book.of_truck(limit.truck) if one.what is limit.what and one.state in AT_THE_TRUCK]
        ours = max(mine, key=lambda one: one.sent_ms or 0, default=None)
        ended_ms = book.ended.get((limit.truck, limit.what))
        foreign = judging.is_foreign(sight, limit.what, ours=ours is not None, ended_ms=ended_ms)
        forbids = self.city().forbids_limits
        truck = judging.known(sight, limit.what, ours=ours, foreign=foreign, forbids=forbids)
        return judging.verdict(limit, truck, now, book.ground.bounds)

    async def _send(self, limit: Limit, ask: Ask, wall_ms: int) -> None:
        book = self.book
        if not book.pace.allows(ask.who, wall_ms):
            await book.held(limit, f"at most {judging.TRUCKS_PER_MINUTE} trucks a minute for one operator")
            return
        args: dict[str, Any] = {"until": limit.until_ms, "closed": self._closed(limit)}
        if limit.what is What.SPEED:
            args["limit_kmh"] = limit.target
        taken = await self._submit(limit, ask, OPERATIONS[limit.what], args, LIMIT_EXPIRES_S, f"limit-{limit.id}")
        if isinstance(taken, Refusal):
            await book.end(limit, LimitState.FAILED, taken.detail)
            return
        book.pace.sent(ask.who, wall_ms)
        await book.save(replace(limit, state=LimitState.SENT, request=taken.request.id, sent_ms=wall_ms, detail=""))
        for other in book.of_truck(limit.truck):
            if other.id != limit.id and other.what is limit.what and other.state in AT_THE_TRUCK:
                await book.end(other, LimitState.SUPERSEDED, "a newer limit took its place")

    def _closed(self, limit: Limit) -> list[list[list[float]]]:
        """Where the gateway, too, is not to tighten it: it asks the same interlock again on its way."""
        values = self.book.ground.sight(limit.device).values
        return self.city().closed_near(values.get("latitude", 0.0), values.get("longitude", 0.0))

    async def _warn(self, limit: Limit, ask: Ask) -> None:
        if limit.id in self._speaking.values():
            return
        text = SPOKEN[limit.what].format(target=limit.target or 0)
        taken = await self._aside(limit, ask, Operation.TRUCK_SPEAK, {"text": text})
        if isinstance(taken, Submitted):
            self._speaking[taken.request.id] = limit.id
            await self.book.held(limit, "the driver is being told")

    async def _aside(
        self, limit: Limit, ask: Ask, operation: Operation, args: Mapping[str, Any]
    ) -> Submitted | Refusal | None:
        """What limits nothing, and not too often."""
        key, wall_ms = f"{operation}:{limit.device}", self.book.ground.clock.wall_ms()
        if self._again.get(key, 0) > wall_ms:
            return None
        self._again[key] = wall_ms + AGAIN_MS
        return await self._submit(limit, ask, operation, args, ASIDE_EXPIRES_S, None)

    async def _submit(
        self, limit: Limit, ask: Ask, operation: Operation, args: Mapping[str, Any], expires_s: float, key: str | None
    ) -> Submitted | Refusal:
        wanted = CommandRequest(
            operation, (limit.device,), args, ask.reason, approvals=ask.approvals, expires_s=expires_s, key=key
        )
        return await self.book.ground.commands.submit(wanted, ask.who)
