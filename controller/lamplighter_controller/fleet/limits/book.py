"""All limits that are not over, in memory as in the ledger; what each step of their life means."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from sqlalchemy import Connection

from lamplighter_controller.events import FleetChanged
from lamplighter_controller.fleet.limits import judging, records, trail
from lamplighter_controller.fleet.limits.ground import Ground
from lamplighter_controller.fleet.limits.judging import Pace
from lamplighter_controller.fleet.limits.limit import AT_THE_TRUCK, OPEN, Ask, Limit, LimitState, What
from lamplighter_controller.fleet.limits.records import Switch

KILL: Final = "limits"
CENTRE: Final = "controller"


@dataclass(slots=True)
class LimitBook:
    """Raises LedgerUnavailable wherever it waits: then nothing has changed in memory either."""

    ground: Ground
    limits: dict[str, Limit] = field(default_factory=dict)
    asks: dict[str, Ask] = field(default_factory=dict)
    switches: Mapping[str, Switch] = field(default_factory=dict)
    ended: dict[tuple[str, What], int] = field(default_factory=dict)  # when ours ended lately, real ms
    pace: Pace = field(default_factory=Pace)

    async def load(self) -> None:
        """Take up the limits of the last run."""
        since_ms = self.ground.clock.wall_ms() - judging.MINUTE_MS
        limits, ended, switches = await self.ground.ledger.read(
            lambda ledger: (
                records.open_limits(ledger),
                records.ended_lately(ledger, since_ms),
                records.switches(ledger),
            )
        )
        named = [one.ask for one in limits if one.ask]
        self.asks = await self.ground.ledger.read(lambda ledger: records.asks_of(ledger, named))
        self.limits = {one.id: one for one in limits}
        self.switches = switches
        self.ended = {(one.truck, one.what): one.ended_ms or 0 for one in ended}
        for one in limits:
            if one.sent_ms is not None and one.ask in self.asks:
                self.pace.sent(self.asks[one.ask].who, one.sent_ms)

    def thrown(self, name: str) -> bool:
        """True while a switch is on."""
        switch = self.switches.get(name)
        return switch is not None and switch.thrown

    def throw(self, switch: Switch) -> None:
        """A switch as the ledger has it."""
        self.switches = {**self.switches, switch.name: switch}

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

    def due(self, limit: Limit) -> bool:
        """True once it should be over."""
        past = limit.until_ms is not None and self.ground.clock.civil_ms() >= limit.until_ms
        return past or limit.state in {LimitState.RELEASING, LimitState.OUTLIVED}

    async def show(self, foreign: list[Limit]) -> None:
        """Limits that trucks show and that are somebody else's."""
        if foreign:
            await self.ground.ledger.write(lambda ledger: records.add_limits(ledger, foreign))
        for limit in foreign:
            self.limits[limit.id] = limit
            self._publish(limit)

    async def effective(self, limit: Limit) -> None:
        """The truck's own status shows it."""
        self.ground.alarms.cleared(f"limit-not-in-effect:{limit.truck}")
        wall_ms = self.ground.clock.wall_ms()
        await self.save(replace(limit, state=LimitState.IN_EFFECT, effective_ms=wall_ms, detail=""))

    async def ineffective(self, limit: Limit, why: str) -> None:
        """Acknowledged, or once in effect, and the truck does not show it: an alarm of its own."""
        text = f"{limit.truck}: its {limit.what} limit is {why}"
        self.ground.alarms.raised(f"limit-not-in-effect:{limit.truck}", text)
        await self.save(replace(limit, state=LimitState.NOT_IN_EFFECT, detail=why))

    async def outlived(self, limit: Limit) -> None:
        """It should be over and the truck still shows it: an alarm of its own."""
        text = f"{limit.truck}: its {limit.what} limit should be over and the truck still shows it"
        self.ground.alarms.raised(f"limit-outlived:{limit.truck}", text)
        if limit.state is not LimitState.OUTLIVED:
            await self.save(replace(limit, state=LimitState.OUTLIVED, detail="it should be over and is not"))

    async def held(self, limit: Limit, why: str) -> None:
        """What holds it back now."""
        if limit.detail != why:
            await self.save(replace(limit, detail=why))

    async def end(self, limit: Limit, state: LimitState, detail: str, who: str = CENTRE, reason: str = "") -> None:
        """It is over."""
        wall_ms = self.ground.clock.wall_ms()
        await self.save(replace(limit, state=state, detail=detail, ended_ms=wall_ms), who, reason or detail)
        for key in (f"limit-not-in-effect:{limit.truck}", f"limit-outlived:{limit.truck}"):
            self.ground.alarms.cleared(key)
        if limit.state in AT_THE_TRUCK and state is not LimitState.SUPERSEDED:
            self.ended[limit.truck, limit.what] = wall_ms

    async def save(self, limit: Limit, who: str = CENTRE, reason: str = "") -> None:
        """Ledger first, then memory; a step of its life is in the audit trail."""
        before = self.limits.get(limit.id)
        moved = before is None or before.state is not limit.state
        wall_ms = self.ground.clock.wall_ms()

        def work(connection: Connection) -> None:
            records.save_limit(connection, limit)
            if moved:
                trail.limit_moved(connection, limit, who, reason, wall_ms)

        await self.ground.ledger.write(work)
        if limit.state in OPEN:
            self.limits[limit.id] = limit
        else:
            self.limits.pop(limit.id, None)
        if moved:
            self._publish(limit)

    def _publish(self, limit: Limit) -> None:
        time_ms = self.ground.clock.civil_ms()
        self.ground.events.publish(FleetChanged("limit", limit.id, limit.truck, limit.state, time_ms))
