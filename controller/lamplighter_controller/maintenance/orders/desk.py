"""Where orders begin and go on: each step judged, written and audited in one transaction, then told."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, TypeVar

import msgspec
from sqlalchemy import Connection

from lamplighter_controller.errors import ControllerError
from lamplighter_controller.events import OrderChanged
from lamplighter_controller.maintenance import keys
from lamplighter_controller.maintenance.around import RULE, Around
from lamplighter_controller.maintenance.orders import life, opening, records, safety, trips
from lamplighter_controller.maintenance.orders.crews import Crew, chosen
from lamplighter_controller.maintenance.orders.life import Action, Wish
from lamplighter_controller.maintenance.orders.opening import Wanted
from lamplighter_controller.maintenance.orders.order import UNFINISHED, Order, Source, Step
from lamplighter_controller.maintenance.orders.trips import Proposal, Trip
from lamplighter_controller.maintenance.refused import Refused, not_now
from lamplighter_controller.maintenance.streets import StreetMap
from lamplighter_controller.security import audit

T = TypeVar("T")

NO_LOCK_FOR: Final = frozenset({Action.PROVE, Action.CLOSE, Action.NOT_OURS, Action.DUPLICATE})


@dataclass(frozen=True, slots=True)
class Taken:
    """An order after a step; `repeated` when the same request had been met before and nothing changed."""

    order: Order
    repeated: bool = False


@dataclass(frozen=True, slots=True)
class Gone:
    """A trip with its orders."""

    trip: Trip
    orders: tuple[Order, ...]
    repeated: bool = False


class _NothingDone(ControllerError):
    """Rolls the transaction back."""

    def __init__(self, refused: Refused) -> None:
        super().__init__(refused.detail)
        self.refused = refused


class OrderDesk:
    """All orders. Every method raises LedgerUnavailable where it is not known to be stored; asking again is safe."""

    def __init__(self, around: Around, streets: StreetMap) -> None:
        """Stand on the ledger alone; nothing is kept here."""
        self._around, self._streets = around, streets
        self.changed = asyncio.Event()  # something went on: whoever waits for it looks again

    async def open(
        self, wanted: Wanted, source: Source, who: str, reason: str, key: str | None = None
    ) -> Taken | Refused:
        """A new order, or the one that is open on the same element, which then has one asker more."""
        place = (await self._streets.get()).place(wanted.element)
        wanted = replace(wanted, place=place)
        content = keys.content_of("open", {"element": wanted.element, "class": wanted.class_id, "source": source.kind})
        changed: list[Order] = []

        def work(connection: Connection) -> Taken | Refused:
            changed.clear()
            known = self._known(connection, who, key, content)
            if known is not None:
                return known
            order, is_new = self._opened(connection, wanted, source, who, reason)
            keys.remember(connection, who, key, content, order.id, self._around.clock.wall_ms())
            changed.append(order)
            return Taken(order, repeated=not is_new)

        return await self._written(work, changed)

    async def act(self, identity: str, wish: Wish, key: str | None = None) -> Taken | Refused | None:
        """Take a step; None when there is no such order."""
        content = keys.content_of(f"{identity} {wish.action}", {"reason": wish.reason, **wish.detail})
        changed: list[Order] = []

        def work(connection: Connection) -> Taken | Refused | None:
            changed.clear()
            known = self._known(connection, wish.who, key, content)
            if known is not None:
                return known
            order = records.find(connection, identity)
            if order is None:
                return None
            after = self._step(connection, order, wish)
            if isinstance(after, Refused):
                return after
            keys.remember(connection, wish.who, key, content, identity, self._around.clock.wall_ms())
            changed.append(after)
            return Taken(after)

        return await self._written(work, changed)

    async def find(self, identity: str) -> Order | None:
        """The order with that id."""
        return await self._around.ledger.read(lambda connection: records.find(connection, identity))

    async def put_crew(self, crew: Crew, who: str, reason: str) -> None:
        """Add or replace a crew."""

        def work(connection: Connection) -> None:
            records.put_crew(connection, crew)
            self._audit(connection, who, "crew.put", f"crew:{crew.id}", reason, "done", {})

        await self._around.ledger.write(work)

    async def proposals(self) -> list[Proposal]:
        """Roads whose orders could be one trip."""
        found = await self._around.ledger.read(lambda connection: records.in_states(connection, UNFINISHED))
        return trips.proposals(found)

    async def go(self, trip: Trip, orders: Sequence[str], reason: str, key: str | None = None) -> Gone | Refused:
        """Merge orders of one road into a trip of one crew."""
        content = keys.content_of("trip", {"road": trip.road, "crew": trip.crew, "orders": sorted(orders)})
        changed: list[Order] = []

        def work(connection: Connection) -> Gone | Refused:
            changed.clear()
            answer = keys.answered(connection, trip.created_by, key, content)
            if isinstance(answer, Refused):
                return answer
            if answer is not None:
                return _gone(connection, answer)
            return self._merged(connection, trip, orders, reason, key, content, changed)

        return await self._written(work, changed)

    def at(self, at_ms: int | None) -> int:
        """When a step was taken: as the phone says, else now; civil."""
        return self._around.clock.civil_ms() if at_ms is None else at_ms

    def _merged(
        self,
        connection: Connection,
        trip: Trip,
        orders: Sequence[str],
        reason: str,
        key: str | None,
        content: str,
        changed: list[Order],
    ) -> Gone | Refused:
        found = [records.find(connection, name) for name in dict.fromkeys(orders)]
        mine = [one for one in found if one is not None]
        if len(mine) < len(found) or not mine:
            return Refused("body.orders", "known", "not all of these orders are known", conflict=True)
        wrong = trips.cannot_go(trip, mine)
        if wrong is not None:
            return wrong
        for order in mine:
            wish = Wish(Action.ASSIGN, trip.created_by, self.at(None), reason, {"crew": trip.crew})
            after = self._step(connection, msgspec.structs.replace(order, trip=trip.id), wish)
            if isinstance(after, Refused):
                raise _NothingDone(after)
            changed.append(after)
        records.add_trip(connection, trip)
        self._audit(
            connection, trip.created_by, "trip.made", f"trip:{trip.id}", reason, "done", {"orders": list(orders)}
        )
        keys.remember(connection, trip.created_by, key, content, trip.id, self._around.clock.wall_ms())
        return Gone(trip, tuple(changed))

    def _known(self, connection: Connection, who: str, key: str | None, content: str) -> Taken | Refused | None:
        answer = keys.answered(connection, who, key, content)
        if answer is None or isinstance(answer, Refused):
            return answer
        order = records.find(connection, answer)
        assert order is not None
        return Taken(order, repeated=True)

    def _opened(
        self, connection: Connection, wanted: Wanted, source: Source, who: str, reason: str
    ) -> tuple[Order, bool]:
        around, now_ms = self._around, self._around.clock.civil_ms()
        known = records.open_on(connection, wanted.element)
        if known is not None:
            is_new = records.add_source(connection, known.id, source)
            urgent = msgspec.structs.replace(known, **opening.more_urgent(known, wanted, around.sla))
            if is_new or urgent != known:
                records.save(connection, urgent)
                detail = {"kind": source.kind.value, "ref": source.ref, "priority": urgent.priority}
                self._note(connection, known, urgent, "asked-again", who, reason, now_ms, detail)
            return urgent, False
        identity, number = records.next_id(connection)
        order = opening.opened(identity, wanted, around.sla, now_ms)
        records.add(connection, order, number)
        records.add_source(connection, identity, source)
        detail = {"kind": source.kind.value, "ref": source.ref, "due_ms": order.due_ms}
        self._note(connection, None, order, "open", who, reason, now_ms, detail)
        return self._assigned(connection, order, now_ms), True

    def _assigned(self, connection: Connection, order: Order, now_ms: int) -> Order:
        """By area and shift; nobody at work there: it waits for who takes it."""
        load = records.load_of_crews(connection)
        crew = chosen(order, records.crews(connection), load, now_ms, self._around.zone)
        if crew is None:
            return order
        wish = Wish(Action.ASSIGN, RULE, now_ms, "area and shift", {"crew": crew.id})
        after = self._step(connection, order, wish)
        assert isinstance(after, Order), after
        return after

    def _step(self, connection: Connection, order: Order, wish: Wish) -> Order | Refused:
        """One step, with its row in the audit trail."""
        after = life.taken(order, wish, self._around.clock.civil_ms())
        if isinstance(after, Refused):
            return after
        wrong = self._unfit(connection, order, wish)
        if wrong is not None:
            return wrong
        if wish.action in {Action.ASSIGN, Action.TAKE}:
            crew = next((one for one in records.crews(connection) if one.id == wish.detail["crew"]), None)
            if crew is None:
                return Refused(
                    "body.crew", "known", f"there is no crew {str(wish.detail['crew'])[:64]!r}", conflict=True
                )
            if wish.action is Action.TAKE and crew.members and wish.who not in crew.members:
                return Refused("body.crew", "member", f"{wish.who} is not of the crew {crew.id}", conflict=True)
            after = msgspec.structs.replace(after, company=crew.company or "")
        records.save(connection, after)
        self._note(connection, order, after, wish.action.value, wish.who, wish.reason, wish.at_ms, dict(wish.detail))
        return after

    def _unfit(self, connection: Connection, order: Order, wish: Wish) -> Refused | None:
        """What speaks against a step beside the order's own state."""
        if wish.action is Action.DUPLICATE:
            other = records.find(connection, str(wish.detail["of"]))
            if other is None or other.id == order.id:
                return Refused("body.of", "another-order", "expected the id of another order")
        if wish.action is Action.FINISH and opening.needs_safety(order):
            steps = [one.at_ms for one in records.steps_of(connection, order.id) if one.action == Action.ARRIVE]
            return safety.unsigned(records.signatures_of(connection, order.id), steps[-1])
        if wish.action in NO_LOCK_FOR and any(one.in_force for one in records.locks_of(connection, order.id)):
            return not_now("its lock is still in force: the person on site ends it first")
        return None

    def _note(
        self,
        connection: Connection,
        before: Order | None,
        after: Order,
        action: str,
        who: str,
        reason: str,
        at_ms: int,
        detail: dict[str, Any],
    ) -> None:
        was = before.state.value if before else ""
        step = Step(action, was, after.state.value, at_ms, self._around.clock.wall_ms(), who, reason, detail)
        number = records.add_step(connection, after.id, step)
        told = {"step": number, "from": was, "at_ms": at_ms, **detail}
        self._audit(connection, who, f"order.{action}", f"order:{after.id}", reason, after.state.value, told)

    def _audit(
        self,
        connection: Connection,
        who: str,
        action: str,
        subject: str,
        reason: str,
        result: str,
        detail: dict[str, Any],
    ) -> None:
        wall_ms = self._around.clock.wall_ms()
        audit.record(
            connection,
            who=who,
            action=action,
            subject=subject,
            reason=reason,
            result=result,
            time_ms=wall_ms,
            detail=detail,
        )

    async def _written(self, work: Callable[[Connection], T], changed: list[Order]) -> T | Refused:
        """Committed, then told."""
        try:
            result = await self._around.ledger.write(work)
        except _NothingDone as refusal:
            return refusal.refused
        for order in changed:
            self._tell(order)
        return result

    def _tell(self, order: Order) -> None:
        told = OrderChanged(
            order.id,
            order.element_kind.value,
            order.element,
            order.class_id,
            order.state.value,
            order.priority,
            order.changed_ms,
        )
        self._around.events.publish(told)
        self.changed.set()


def _gone(connection: Connection, identity: str) -> Gone:
    trip = records.trip(connection, identity)
    assert trip is not None
    mine, _ = records.some(connection, records.Wanted(trip=identity), 0, trips.MOST_ORDERS)
    return Gone(trip, tuple(mine), repeated=True)
