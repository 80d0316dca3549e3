"""Where rounds are made when they are due, walked, and followed by incidents, sightings and orders."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import msgspec
from sqlalchemy import Connection

from lamplighter_controller.diagnosis.catalogue.faults import catalogue
from lamplighter_controller.diagnosis.findings import ElementKind, EvidenceLine, Finding
from lamplighter_controller.lighting.desk import Who as LightingWho
from lamplighter_controller.lighting.proof.light.evidence import Sighting
from lamplighter_controller.maintenance import keys
from lamplighter_controller.maintenance.around import RULE, Around
from lamplighter_controller.maintenance.orders.desk import OrderDesk
from lamplighter_controller.maintenance.orders.opening import Wanted
from lamplighter_controller.maintenance.orders.order import Source, SourceKind
from lamplighter_controller.maintenance.patrols import records
from lamplighter_controller.maintenance.patrols.patrol import (
    CLASS_OF,
    LISTS,
    MOST_TARGETS,
    Check,
    Kind,
    Plan,
    Result,
    Round,
    Target,
    is_wanted,
    left,
    next_due_ms,
    routed,
    sampled,
    unfit,
)
from lamplighter_controller.maintenance.places import Streets
from lamplighter_controller.maintenance.refused import Refused, not_now
from lamplighter_controller.maintenance.streets import StreetMap
from lamplighter_controller.security import audit

ALARM = "patrols-overdue"
UNITS: Mapping[Check, str] = {Check.LEAKAGE: "mA", Check.GROUNDING: "ohm"}


@dataclass(frozen=True, slots=True)
class Walked:
    """A round after results or its end; `orders` came of it."""

    round: Round
    orders: tuple[str, ...] = ()
    repeated: bool = False


class PatrolDesk:
    """Plans and rounds. Every method raises LedgerUnavailable; asking again is safe."""

    def __init__(self, around: Around, streets: StreetMap, orders: OrderDesk) -> None:
        """Stand on the ledger; what is found goes to the other rooms."""
        self._around, self._streets, self._orders = around, streets, orders

    async def put_plan(self, plan: Plan, who: str, reason: str) -> Refused | None:
        """Keep a plan; None when it is kept."""
        streets = await self._streets.get()
        for name in plan.roads:
            if name not in streets.inventory.roads:
                return Refused("body.plan.roads", "known", f"there is no road {name}", conflict=True)
        for name in plan.cabinets:
            if name not in streets.cabinets:
                return Refused("body.plan.cabinets", "known", f"there is no cabinet {name}", conflict=True)
        if not plan.roads and not plan.cabinets:
            return Refused("body.plan.roads", "needed", "a patrol needs roads or cabinets")
        plan = plan if plan.from_ms else msgspec.structs.replace(plan, from_ms=self._around.clock.civil_ms())

        def work(connection: Connection) -> None:
            records.put_plan(connection, plan)
            self._audit(connection, who, "patrol.plan", f"patrol:{plan.id}", reason, {})

        await self._around.ledger.write(work)
        await self.look()
        return None

    async def look(self) -> None:
        """Make the rounds that are due, and tell of those nobody has walked in time."""
        plans = await self._around.ledger.read(records.plans)
        now_ms = self._around.clock.civil_ms()
        for plan in plans:
            last = await self._around.ledger.read(partial(records.last_of, plan=plan.id))
            if is_wanted(plan, last, now_ms):
                await self._make(plan, last, now_ms)
        late, total = await self._around.ledger.read(
            lambda connection: records.rounds(connection, is_open=True, overdue_at_ms=now_ms, offset=0, limit=5)
        )
        if total:
            names = ", ".join(one.plan for one in late)
            self._around.alarms.raised(ALARM, f"{total} patrols are overdue: {names}")
        else:
            self._around.alarms.cleared(ALARM)

    async def tell(
        self, identity: str, results: Sequence[Result], who: str, key: str | None = None
    ) -> Walked | Refused | None:
        """Take what somebody found; what failed becomes incidents and orders. None when there is no such round."""
        around = self._around
        content = keys.content_of(f"{identity} results", {"results": msgspec.to_builtins(results)})

        def work(connection: Connection) -> Walked | Refused | None:
            answer = keys.answered(connection, who, key, content)
            walk = records.find(connection, identity)
            if isinstance(answer, Refused) or walk is None:
                return answer if isinstance(answer, Refused) else None
            if answer is not None:
                return Walked(walk, repeated=True)
            if walk.done_ms:
                return not_now("this round is over")
            wrong = unfit(walk, results)
            if wrong is not None:
                return wrong
            records.put_results(connection, identity, results)
            keys.remember(connection, who, key, content, identity, around.clock.wall_ms())
            detail = {"results": len(results), "failed": sum(not one.passed for one in results)}
            self._audit(connection, who, "patrol.results", f"round:{identity}", walk.plan, detail)
            return Walked(walk)

        walked = await around.ledger.write(work)
        if not isinstance(walked, Walked):
            return walked
        orders = [name for one in results if not one.passed for name in await self._followed(walked.round, one, who)]
        if not walked.repeated:
            await self._seen(walked.round, results, who)
        return Walked(walked.round, tuple(dict.fromkeys(orders)), walked.repeated)

    async def finish(self, identity: str, who: str, key: str | None = None) -> Walked | Refused | None:
        """The round was walked: every check of its list was made."""
        around = self._around
        content = keys.content_of(f"{identity} finish", {})

        def work(connection: Connection) -> Walked | Refused | None:
            answer = keys.answered(connection, who, key, content)
            walk = records.find(connection, identity)
            if isinstance(answer, Refused) or walk is None:
                return answer if isinstance(answer, Refused) else None
            if answer is not None:
                return Walked(walk, repeated=True)
            if walk.done_ms:
                return not_now("this round is over")
            undone = left(walk, records.results_of(connection, identity))
            if undone:
                checks = ", ".join(undone[0].checks)
                return not_now(f"{len(undone)} targets are not checked yet, such as {undone[0].element}: {checks}")
            after = msgspec.structs.replace(walk, done_ms=around.clock.civil_ms(), done_by=who)
            records.put_round(connection, after)
            keys.remember(connection, who, key, content, identity, around.clock.wall_ms())
            self._audit(connection, who, "patrol.done", f"round:{identity}", walk.plan, {})
            return Walked(after)

        return await around.ledger.write(work)

    async def _make(self, plan: Plan, last: Round | None, now_ms: int) -> None:
        due_ms = next_due_ms(plan, last)
        identity = self._around.new_id()
        found = list(_targets(plan, await self._streets.get(), identity))[:MOST_TARGETS]
        walk = Round(identity, plan.id, plan.kind, plan.crew, due_ms, routed(found), now_ms)

        def work(connection: Connection) -> None:
            records.put_round(connection, walk)
            detail = {"plan": plan.id, "due_ms": due_ms, "targets": len(found)}
            self._audit(connection, RULE, "patrol.round", f"round:{identity}", plan.name, detail)

        await self._around.ledger.write(work)

    async def _followed(self, walk: Round, result: Result, who: str) -> list[str]:
        """An incident where diagnosis knows element and class, and an order in any case; both once."""
        class_id, severity = CLASS_OF[result.check]
        target = next(one for one in walk.targets if one.element == result.element)
        desk, now_ms = self._around.diagnosis.desk, self._around.clock.civil_ms()
        known = result.element in desk.topology.rows_by_name(result.element_kind.value)
        if known and class_id in catalogue():
            nan = float("nan")
            line = EvidenceLine("patrol", result.value or 0.0, nan, nan, 1, UNITS.get(result.check, ""))
            await self._around.diagnosis.acted(
                [Finding(target.on, ((class_id, 1.0),), result.at_ms, result.at_ms, (line,))], now_ms
            )
        wanted = Wanted(target.on, class_id, severity, f"{result.check}: {result.note}"[:200], 0, now_ms)
        source = Source(SourceKind.INSPECTION, f"{walk.id}/{result.check}"[:120], now_ms)
        taken = await self._orders.open(wanted, source, who, f"found on patrol {walk.plan}")
        return [] if isinstance(taken, Refused) else [taken.order.id]

    async def _seen(self, walk: Round, results: Sequence[Result], who: str) -> None:
        """What a night patrol saw proves lamps lit or dark."""
        seen = [Sighting(one.element, one.at_ms, one.passed) for one in results if one.check is Check.LIT]
        if seen:
            await self._around.proof.saw(seen, LightingWho(who, f"patrol {walk.plan}"))

    def _audit(
        self, connection: Connection, who: str, action: str, subject: str, reason: str, detail: Mapping[str, object]
    ) -> None:
        audit.record(
            connection,
            who=who,
            action=action,
            subject=subject,
            reason=reason,
            result="done",
            time_ms=self._around.clock.wall_ms(),
            detail=detail,
        )


def _targets(plan: Plan, streets: Streets, salt: str) -> Iterator[Target]:
    """Cabinets and poles for the day, a sample of each road's lamps for the night."""
    if plan.kind is Kind.NIGHT:
        for road in plan.roads:
            lamps = {one.device or one.id: one for one in streets.on_road(road)}
            for name in sampled(lamps, plan.sample, f"{salt}/{road}"):
                one = lamps[name]
                checks = LISTS[Kind.NIGHT, ElementKind.LAMP]
                yield Target(ElementKind.LAMP, name, checks, road, one.latitude, one.longitude)
        return
    roads = {road: streets.on_road(road) for road in plan.roads}
    fed = {one.cabinet: road for road, lamps in roads.items() for one in lamps if one.cabinet}
    for name in dict.fromkeys([*plan.cabinets, *fed]):
        cabinet = streets.cabinets.get(name)
        if cabinet is not None:
            checks = LISTS[Kind.EQUIPMENT, ElementKind.CABINET]
            yield Target(ElementKind.CABINET, name, checks, fed.get(name, ""), cabinet.latitude, cabinet.longitude)
    for road, standing in roads.items():
        for pole, first in {one.pole: one for one in reversed(standing) if one.pole}.items():
            checks = LISTS[Kind.EQUIPMENT, ElementKind.POLE]
            yield Target(ElementKind.POLE, pole, checks, road, first.latitude, first.longitude)
