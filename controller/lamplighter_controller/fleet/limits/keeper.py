"""Follows limits from the wish to the end: what should be true now is asked again and again, nothing leaves unasked."""

import asyncio
import logging
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Final

from sqlalchemy import Connection

from lamplighter_contract.commands.command import Operation
from lamplighter_contract.commands.states import FINAL, CommandState
from lamplighter_contract.errors import Refusal
from lamplighter_contract.truck.interlock import Deny, Locate, Send, Verdict, Wait, Warn
from lamplighter_controller.commands.model import CommandRequest, Submitted
from lamplighter_controller.events import CommandChanged, DeviceHappened, FleetChanged
from lamplighter_controller.fleet.limits import foreign, judging, records, trail
from lamplighter_controller.fleet.limits.ground import Ground
from lamplighter_controller.fleet.limits.judging import Pace
from lamplighter_controller.fleet.limits.limit import AT_THE_TRUCK, OPEN, Ask, Limit, LimitState, What
from lamplighter_controller.fleet.limits.records import Switch
from lamplighter_controller.fleet.live.city import City

log = logging.getLogger(__name__)

KILL: Final = "limits"
CENTRE: Final = "controller"
LIMIT_EXPIRES_S: Final = 600.0
ASIDE_EXPIRES_S: Final = 60.0  # of words to the driver, and of questions where the truck is
WAITS_MS: Final = 3_600_000  # real: how long a limit waits for the interlock's yes
AGAIN_MS: Final = 30_000
ASK_AGAIN_MS: Final = 60_000
SETTLE_MS: Final = 30_000
SPOKEN: Final = {
    What.SPEED: "平台即将限速{target:g}公里每小时,请平稳减速",
    What.LIFT: "平台即将限制举升,请勿举升车厢",
}
OPERATIONS: Final = {What.SPEED: Operation.TRUCK_LIMIT_SPEED, What.LIFT: Operation.TRUCK_LIMIT_LIFT}


class LimitKeeper:
    """All limits that are not over. Raises LedgerUnavailable wherever it waits; the next step goes on from there."""

    def __init__(self, ground: Ground, city: Callable[[], City]) -> None:
        """Begin with none; `load` follows. `city` is the fleet as it is now."""
        self._ground, self._city = ground, city
        self.limits: dict[str, Limit] = {}
        self.asks: dict[str, Ask] = {}
        self.switches: Mapping[str, Switch] = {}
        self._ended: dict[tuple[str, What], int] = {}
        self._pace = Pace()
        self._again: dict[str, int] = {}  # by what is not to be asked too often: real ms of the next time
        self._speaking: dict[str, str] = {}
        self._lock = asyncio.Lock()

    async def load(self) -> None:
        """Take up the limits of the last run."""
        since_ms = self._ground.clock.wall_ms() - judging.MINUTE_MS
        limits, ended, switches = await self._ground.ledger.read(
            lambda ledger: (
                records.open_limits(ledger),
                records.ended_lately(ledger, since_ms),
                records.switches(ledger),
            )
        )
        named = [one.ask for one in limits if one.ask]
        self.asks = await self._ground.ledger.read(lambda ledger: records.asks_of(ledger, named))
        self.limits = {one.id: one for one in limits}
        self.switches = switches
        self._ended = {(one.truck, one.what): one.ended_ms or 0 for one in ended}
        for one in limits:
            if one.sent_ms is not None and one.ask in self.asks:
                self._pace.sent(self.asks[one.ask].who, one.sent_ms)

    def thrown(self, name: str) -> bool:
        """True while a switch is on."""
        switch = self.switches.get(name)
        return switch is not None and switch.thrown

    def begin(self, ask: Ask, limits: list[Limit]) -> None:
        """Limits that the ledger has, of an ask that was given."""
        self.asks[ask.id] = ask
        self.limits |= {one.id: one for one in limits}

    def held_by(self, who: str) -> int:
        """How many trucks somebody's limits are for now."""
        mine = {name for name, ask in self.asks.items() if ask.who == who}
        return len({one.truck for one in self.limits.values() if one.ask in mine})

    def of_truck(self, truck: str) -> list[Limit]:
        """Its limits that are not over."""
        return [one for one in self.limits.values() if one.truck == truck]

    async def step(self) -> None:
        """Ask of every limit what should be true now."""
        async with self._lock:
            await self._see_foreign()
            for name in list(self.limits):
                limit = self.limits.get(name)
                if limit is not None:
                    await self._step(limit)

    async def release(self, limit: Limit, who: str, reason: str) -> None:
        """End a limit: one that waits at once, one at the truck by a command that is repeated until it shows."""
        async with self._lock:
            limit = self.limits.get(limit.id, limit)
            if limit.state is LimitState.WAITING:
                await self._end(limit, LimitState.RELEASED, "taken back before it was sent", who, reason)
            elif limit.state in AT_THE_TRUCK:
                await self._save(replace(limit, state=LimitState.RELEASING, detail=reason), who, reason)
                await self._release(self.limits[limit.id], who, reason)

    async def changed(self, event: CommandChanged) -> None:
        """A command went on: one of ours may have."""
        async with self._lock:
            spoken = self._speaking.get(event.request)
            if spoken is not None and event.state in FINAL:
                del self._speaking[event.request]
                limit = self.limits.get(spoken)
                if limit is not None and event.state is CommandState.VERIFIED:
                    await self._save(
                        replace(limit, warned_ms=self._ground.clock.wall_ms(), detail="the driver was told")
                    )
            why = next((reason for _, _, reason in event.devices if reason), "")
            for limit in [one for one in self.limits.values() if event.request in (one.request, one.release_request)]:
                await self._told(limit, event.request, event.state, why)

    async def happened(self, event: DeviceHappened) -> None:
        """The gateway told of a limit at a truck."""
        async with self._lock:
            what = next((one for one in What if one == event.detail.get("what")), None)
            row = self._city().find(event.device)
            if what is None or row is None:
                return
            mine = [one for one in self.limits.values() if (one.truck, one.what) == (row.truck, what)]
            for limit in (one for one in mine if one.state in AT_THE_TRUCK):
                await self._happened(limit, event)

    async def _happened(self, limit: Limit, event: DeviceHappened) -> None:
        match event.event:
            case "truck.limit_in_effect" if limit.state in {LimitState.SENT, LimitState.NOT_IN_EFFECT}:
                await self._effective(limit)
            case "truck.limit_not_in_effect" if limit.state is LimitState.SENT:
                await self._ineffective(limit, "acknowledged, but not in effect")
            case "truck.limit_outlived" if self._due(limit):
                await self._outlived(limit)
            case "truck.limit_released" if self._due(limit):
                await self._end(limit, LimitState.RELEASED, "the truck shows no limit")
            case "truck.limit_held_back" if limit.state is LimitState.SENT:
                await self._save(replace(limit, detail=f"held back at the gateway: {event.detail.get('why')}"))
            case _:
                pass

    async def _step(self, limit: Limit) -> None:
        match limit.state:
            case LimitState.WAITING:
                await self._waiting(limit)
            case LimitState.FOREIGN:
                await self._foreign(limit)
            case LimitState.RELEASING | LimitState.OUTLIVED:
                await self._releasing(limit)
            case _:
                await self._at_the_truck(limit)

    async def _waiting(self, limit: Limit) -> None:
        ground, ask = self._ground, self.asks[limit.ask or ""]
        wall_ms, civil_ms = ground.clock.wall_ms(), ground.clock.civil_ms()
        if wall_ms - limit.created_ms > WAITS_MS:
            await self._end(limit, LimitState.FAILED, f"it could not be sent in time: {limit.detail or 'not tried'}")
            return
        if self.thrown(KILL):
            await self._held(limit, "limits are switched off")
            return
        match self._verdict(limit, (wall_ms, civil_ms)):
            case Send():
                await self._send(limit, ask, wall_ms)
            case Warn():
                await self._warn(limit, ask)
            case Locate() as verdict:
                await self._held(limit, str(verdict.rule))
                await self._aside(limit, ask, Operation.TRUCK_LOCATE, {})
            case Wait(rule):
                await self._held(limit, str(rule))
            case Deny(rule, expected):
                await self._end(limit, LimitState.FAILED, f"{rule}: expected {expected}")

    def _verdict(self, limit: Limit, now: tuple[int, int]) -> Verdict:
        sight = self._ground.sight(limit.device)
        mine = [one for one in self.of_truck(limit.truck) if one.what is limit.what and one.state in AT_THE_TRUCK]
        ours = max(mine, key=lambda one: one.sent_ms or 0, default=None)
        ended_ms = self._ended.get((limit.truck, limit.what))
        foreign = judging.is_foreign(sight, limit.what, ours=ours is not None, ended_ms=ended_ms)
        forbids = self._city().forbids_limits
        truck = judging.known(sight, limit.what, ours=ours, foreign=foreign, forbids=forbids)
        return judging.verdict(limit, truck, now, self._ground.bounds)

    async def _send(self, limit: Limit, ask: Ask, wall_ms: int) -> None:
        """The only place that a limit leaves from, and only by the interlock's yes."""
        if not self._pace.allows(ask.who, wall_ms):
            await self._held(limit, f"at most {judging.TRUCKS_PER_MINUTE} trucks a minute for one operator")
            return
        args: dict[str, Any] = {"until": limit.until_ms}
        if limit.what is What.SPEED:
            args["limit_kmh"] = limit.target
        taken = await self._submit(limit, ask, OPERATIONS[limit.what], args, LIMIT_EXPIRES_S, f"limit-{limit.id}")
        if isinstance(taken, Refusal):
            await self._end(limit, LimitState.FAILED, taken.detail)
            return
        self._pace.sent(ask.who, wall_ms)
        sent = replace(limit, state=LimitState.SENT, request=taken.request.id, sent_ms=wall_ms, detail="")
        await self._save(sent)
        for other in self.of_truck(limit.truck):
            if other.id != limit.id and other.what is limit.what and other.state in AT_THE_TRUCK:
                await self._end(other, LimitState.SUPERSEDED, "a newer limit took its place")

    async def _warn(self, limit: Limit, ask: Ask) -> None:
        if limit.id in self._speaking.values():
            return
        text = SPOKEN[limit.what].format(target=limit.target or 0)
        taken = await self._aside(limit, ask, Operation.TRUCK_SPEAK, {"text": text})
        if isinstance(taken, Submitted):
            self._speaking[taken.request.id] = limit.id
            await self._held(limit, "the driver is being told")

    async def _aside(
        self, limit: Limit, ask: Ask, operation: Operation, args: Mapping[str, Any]
    ) -> Submitted | Refusal | None:
        """What limits nothing, and not too often."""
        key, wall_ms = f"{operation}:{limit.device}", self._ground.clock.wall_ms()
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
        return await self._ground.commands.submit(wanted, ask.who)

    async def _at_the_truck(self, limit: Limit) -> None:
        clock, sight = self._ground.clock, self._ground.sight(limit.device)
        if limit.until_ms is not None and clock.civil_ms() >= limit.until_ms:
            await self._save(replace(limit, state=LimitState.RELEASING, detail="its end has come"))
            return
        await self._look_up(limit, limit.request)
        limit = self.limits.get(limit.id, limit)
        seen_ms = sight.seen_ms or 0
        if limit.state is LimitState.IN_EFFECT and sight.shows(limit.what) is False:
            if seen_ms > (limit.effective_ms or 0) + SETTLE_MS:
                await self._ineffective(limit, "the truck does not show it any more")
        elif limit.state is LimitState.NOT_IN_EFFECT and sight.shows(limit.what):
            await self._effective(limit)

    async def _releasing(self, limit: Limit) -> None:
        sight, wall_ms = self._ground.sight(limit.device), self._ground.clock.wall_ms()
        asked_ms = self._again.get(f"release:{limit.id}")
        if sight.shows(limit.what) is False and asked_ms is not None and (sight.seen_ms or 0) > asked_ms - ASK_AGAIN_MS:
            await self._end(limit, LimitState.RELEASED, "the truck shows no limit")
            return
        if asked_ms is None or wall_ms >= asked_ms:
            ask = self.asks.get(limit.ask or "")
            await self._release(limit, ask.who if ask else CENTRE, limit.detail or "its end has come")

    async def _release(self, limit: Limit, who: str, reason: str) -> None:
        """To loosen is always allowed; it is repeated until the truck shows it."""
        wanted = CommandRequest(
            Operation.TRUCK_RELEASE, (limit.device,), {"what": limit.what.value}, reason, expires_s=LIMIT_EXPIRES_S
        )
        self._again[f"release:{limit.id}"] = self._ground.clock.wall_ms() + ASK_AGAIN_MS
        taken = await self._ground.commands.submit(wanted, who)
        if isinstance(taken, Submitted):
            await self._save(replace(limit, release_request=taken.request.id))

    async def _look_up(self, limit: Limit, request: str | None) -> None:
        """What became of a command, in case nobody heard of it."""
        key, wall_ms = f"look:{limit.id}", self._ground.clock.wall_ms()
        if request is None or limit.state is not LimitState.SENT or self._again.get(key, 0) > wall_ms:
            return
        self._again[key] = wall_ms + AGAIN_MS
        found = await self._ground.commands.request(request)
        if found is not None:
            why = next((part.reason for order in found.orders for part in order.parts.values() if part.reason), "")
            await self._told(limit, request, found.state, why)

    async def _told(self, limit: Limit, request: str, state: CommandState, why: str) -> None:
        limit = self.limits.get(limit.id, limit)
        if request == limit.release_request:
            if state is CommandState.VERIFIED and self._due(limit):
                await self._end(limit, LimitState.RELEASED, "the truck shows no limit")
            return
        if limit.state not in {LimitState.SENT, LimitState.NOT_IN_EFFECT}:
            return
        if state is CommandState.VERIFIED:
            await self._effective(limit)
        elif state is CommandState.SUPERSEDED:
            await self._end(limit, LimitState.SUPERSEDED, why)
        elif state is CommandState.UNCONFIRMED and limit.state is LimitState.SENT:
            await self._ineffective(limit, why or "nobody knows whether it is in effect")
        elif state in FINAL and limit.state is LimitState.SENT:
            await self._end(limit, LimitState.FAILED, why or str(state))

    async def _see_foreign(self) -> None:
        """Limits that are shown and that we did not send."""
        shown = foreign.showing(self._ground, self._city(), self.limits.values(), self._ended)
        if shown:
            await self._ground.ledger.write(lambda ledger: records.add_limits(ledger, shown))
        for limit in shown:
            self.limits[limit.id] = limit
            self._publish(limit)

    async def _foreign(self, limit: Limit) -> None:
        if self._ground.sight(limit.device).shows(limit.what) is False:
            await self._end(limit, LimitState.RELEASED, "the truck shows it no more")

    def _due(self, limit: Limit) -> bool:
        past = limit.until_ms is not None and self._ground.clock.civil_ms() >= limit.until_ms
        return past or limit.state in {LimitState.RELEASING, LimitState.OUTLIVED}

    async def _effective(self, limit: Limit) -> None:
        self._ground.alarms.cleared(f"limit-not-in-effect:{limit.truck}")
        wall_ms = self._ground.clock.wall_ms()
        await self._save(replace(limit, state=LimitState.IN_EFFECT, effective_ms=wall_ms, detail=""))

    async def _ineffective(self, limit: Limit, why: str) -> None:
        self._ground.alarms.raised(
            f"limit-not-in-effect:{limit.truck}", f"{limit.truck}: its {limit.what} limit is {why}"
        )
        await self._save(replace(limit, state=LimitState.NOT_IN_EFFECT, detail=why))

    async def _outlived(self, limit: Limit) -> None:
        text = f"{limit.truck}: its {limit.what} limit should be over and the truck still shows it"
        self._ground.alarms.raised(f"limit-outlived:{limit.truck}", text)
        if limit.state is not LimitState.OUTLIVED:
            await self._save(replace(limit, state=LimitState.OUTLIVED, detail="it should be over and is not"))

    async def _held(self, limit: Limit, why: str) -> None:
        if limit.detail != why:
            await self._save(replace(limit, detail=why))

    async def _end(self, limit: Limit, state: LimitState, detail: str, who: str = CENTRE, reason: str = "") -> None:
        wall_ms = self._ground.clock.wall_ms()
        await self._save(replace(limit, state=state, detail=detail, ended_ms=wall_ms), who, reason or detail)
        for key in (f"limit-not-in-effect:{limit.truck}", f"limit-outlived:{limit.truck}"):
            self._ground.alarms.cleared(key)
        if limit.state in AT_THE_TRUCK and state is not LimitState.SUPERSEDED:
            self._ended[limit.truck, limit.what] = wall_ms
        for key in (f"release:{limit.id}", f"look:{limit.id}"):
            self._again.pop(key, None)

    async def _save(self, limit: Limit, who: str = CENTRE, reason: str = "") -> None:
        """Ledger first, then memory; a step of its life is in the audit trail."""
        before = self.limits.get(limit.id)
        moved = before is None or before.state is not limit.state
        wall_ms = self._ground.clock.wall_ms()

        def work(connection: Connection) -> None:
            records.save_limit(connection, limit)
            if moved:
                trail.limit_moved(connection, limit, who, reason, wall_ms)

        await self._ground.ledger.write(work)
        if limit.state in OPEN:
            self.limits[limit.id] = limit
        else:
            self.limits.pop(limit.id, None)
        if moved:
            self._publish(limit)

    def _publish(self, limit: Limit) -> None:
        time_ms = self._ground.clock.civil_ms()
        self._ground.events.publish(FleetChanged("limit", limit.id, limit.truck, limit.state, time_ms))
