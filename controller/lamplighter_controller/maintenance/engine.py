"""The loop of maintenance: incidents become orders, locks are followed, repairs are proved, months reported."""

import asyncio
import contextlib
import logging
from collections.abc import Sequence
from functools import partial
from typing import Final

from apscheduler.schedulers.asyncio import (  # type: ignore[import-untyped]  # APScheduler 3 has no types
    AsyncIOScheduler,
)

from lamplighter_contract.errors import Refusal
from lamplighter_controller.diagnosis.desk import Who
from lamplighter_controller.diagnosis.incidents import handling
from lamplighter_controller.diagnosis.incidents.incident import Incident
from lamplighter_controller.events import (
    CommandChanged,
    DevicesChanged,
    IncidentChanged,
    InventoryChanged,
    OrderChanged,
    Subscription,
)
from lamplighter_controller.ledger.errors import LedgerUnavailable
from lamplighter_controller.maintenance import keys
from lamplighter_controller.maintenance.around import RULE, Around
from lamplighter_controller.maintenance.notices.desk import NoticeDesk
from lamplighter_controller.maintenance.notices.notice import Channel
from lamplighter_controller.maintenance.orders import records
from lamplighter_controller.maintenance.orders.attaching import Attachments
from lamplighter_controller.maintenance.orders.desk import OrderDesk
from lamplighter_controller.maintenance.orders.life import Action, Wish
from lamplighter_controller.maintenance.orders.locking import LockDesk
from lamplighter_controller.maintenance.orders.opening import Wanted
from lamplighter_controller.maintenance.orders.order import (
    OPEN,
    Order,
    Source,
    SourceKind,
    State,
)
from lamplighter_controller.maintenance.orders.proving import Prover
from lamplighter_controller.maintenance.parts.desk import PartDesk
from lamplighter_controller.maintenance.patrols.desk import PatrolDesk
from lamplighter_controller.maintenance.reporting import Reporter
from lamplighter_controller.maintenance.streets import StreetMap
from lamplighter_controller.series.port import SeriesUnavailable

log = logging.getLogger(__name__)

TICK_S: Final = 5.0
LEAST_S: Final = 0.5
HOUSE_S: Final = 3_600.0
DANGER: Final = 5
WITHDRAWN: Final = frozenset({State.NEW, State.ASSIGNED, State.ON_THE_WAY})
UNTAKEN: Final = "orders-untaken"


class Maintenance:
    """All of the room. Its loop asks what should be true now; a missed event is made good by the next tick."""

    def __init__(self, around: Around, city: tuple[str, str] = ("", ""), channels: Sequence[Channel] = ()) -> None:
        """Begin with nothing; `run` looks at what there is. `city`: its name in Chinese and English."""
        self._around = around
        self.streets = StreetMap(around.ledger, around.twin)
        self.orders = OrderDesk(around, self.streets)
        self.locks = LockDesk(around, self.streets)
        self.attachments = Attachments(around)
        self.prover = Prover(around, self.streets, self.orders)
        self.parts = PartDesk(around, self.streets)
        self.patrols = PatrolDesk(around, self.streets, self.orders)
        self.reporter = Reporter(around, city)
        self.notices = NoticeDesk(around, channels)
        self.new_id = around.new_id
        self._wake = asyncio.Event()
        self._kept_s = around.clock.monotonic_s()

    async def run(self) -> None:
        """Look after orders, for ever."""
        kinds = (IncidentChanged, CommandChanged, OrderChanged, DevicesChanged, InventoryChanged)
        scheduler = AsyncIOScheduler()
        scheduler.add_job(self._wake.set, "interval", seconds=TICK_S, coalesce=True, misfire_grace_time=None)
        await self._around.diagnosis.began.wait()
        with self._around.events.subscribe(*kinds) as news:
            scheduler.start()
            try:
                async with asyncio.TaskGroup() as tasks:
                    tasks.create_task(self._listen(news), name="maintenance-listen")
                    tasks.create_task(self._work(), name="maintenance-orders")
                    tasks.create_task(self.reporter.run(), name="maintenance-reports")
                    tasks.create_task(self._tell(), name="maintenance-notices")
            finally:
                scheduler.shutdown(wait=False)

    async def _listen(self, news: Subscription) -> None:
        async for event in news:
            if isinstance(event, DevicesChanged | InventoryChanged):
                self.streets.moved()
            self._wake.set()

    async def _work(self) -> None:
        while True:
            self._wake.clear()
            with contextlib.suppress(LedgerUnavailable, SeriesUnavailable):  # both tell themselves, once
                await self.look()
            await asyncio.sleep(LEAST_S)  # many commands end at once when a city is switched
            await self._wake.wait()

    async def _tell(self) -> None:
        """Beside everything else: whoever does not answer holds up nobody."""
        while True:
            with contextlib.suppress(LedgerUnavailable):
                await self.notices.look()
            await asyncio.sleep(TICK_S)

    async def look(self) -> None:
        """Everything that is due.

        Raises:
            LedgerUnavailable, SeriesUnavailable: the rest is done at the next look.
        """
        if self._around.settings.from_incidents:
            await self._ordered()
        await self._with_incidents()
        await self._proved()
        await self.locks.follow()
        await self.parts.tell()
        await self.prover.close()
        await self.prover.look()
        await self.patrols.look()
        await self._escalate()
        await self._keep_house()

    async def _ordered(self) -> None:
        """An incident that is worth a trip and has no order gets one; one that came back gets another."""
        waiting = {one.id: one for one in self._around.diagnosis.desk.open() if _wants_order(one)}
        last = await self._around.ledger.read(
            lambda connection: records.last_from(connection, SourceKind.INCIDENT, list(waiting))
        )
        for name, incident in waiting.items():
            known = last.get(name)
            if known is None or known.outcome == State.CLEARED.value:
                await self.open_for(incident, RULE, "worth a trip")

    async def open_for(self, incident: Incident, who: str, reason: str, key: str | None = None) -> None:
        """An order for an incident, however urgent it is."""
        wanted = Wanted(
            incident.element,
            incident.class_id,
            incident.severity,
            onset_ms=incident.first_observable_ms,
            detected_ms=incident.raised_ms,
        )
        source = Source(SourceKind.INCIDENT, incident.id, self._around.clock.civil_ms())
        await self.orders.open(wanted, source, who, reason, key)

    async def _with_incidents(self) -> None:
        """What crews do shows in incidents, and what evidence clears shows in orders."""
        orders = await self._around.ledger.read(lambda connection: records.in_states(connection, OPEN))
        sources = await self._around.ledger.read(
            lambda connection: records.sources_of(connection, [one.id for one in orders])
        )
        for order in orders:
            mine = [one.ref for one in sources[order.id] if one.kind is SourceKind.INCIDENT]
            incidents = [await self._around.diagnosis.desk.one(ref) for ref in mine]
            await self._in_step(order, [one for one in incidents if one is not None])

    async def _proved(self) -> None:
        """What crews had in work is over once its order is proved, whoever closed that."""
        in_work = [one for one in self._around.diagnosis.desk.open() if one.order]
        names = {one.order for one in in_work}
        orders = await self._around.ledger.read(lambda connection: records.by_ids(connection, names))
        for incident in in_work:
            order = orders.get(incident.order)
            if order is not None and order.outcome == State.PROVED.value:
                by = Who(RULE, order.id)
                await self._around.diagnosis.desk.change(incident.id, partial(self._closed, order=order), by, "closed")

    async def _in_step(self, order: Order, incidents: list[Incident]) -> None:
        desk = self._around.diagnosis.desk
        by = Who(RULE, order.id)
        over = bool(incidents) and all(not one.is_open for one in incidents)
        if over and order.state in WITHDRAWN and not order.arrived_ms:
            reason = "evidence has cleared it before anybody arrived"
            wish = Wish(Action.CLEARED, RULE, max(self._around.clock.civil_ms(), order.changed_ms), reason)
            await self.orders.act(order.id, wish)
            return
        for incident in incidents:
            if order.arrived_ms and order.state in OPEN and incident.is_open and not incident.order:
                await desk.change(incident.id, partial(self._begun, order=order), by, "in-work")

    def _begun(self, incident: Incident, order: Order) -> Incident | Refusal:
        return handling.begin_work(incident, order.id, self._around.clock.civil_ms())

    def _closed(self, incident: Incident, order: Order) -> Incident | Refusal:
        return handling.close(incident, RULE, order.id, self._around.clock.civil_ms())

    async def _escalate(self) -> None:
        """What nobody takes is told; danger five times as soon."""
        now_ms, wait_ms = self._around.clock.civil_ms(), self._around.settings.escalate_ms
        orders = await self._around.ledger.read(
            lambda connection: records.in_states(connection, [State.NEW, State.ASSIGNED])
        )
        left = [
            one
            for one in orders
            if not one.accepted_ms and now_ms - one.changed_ms >= (wait_ms // 5 if one.priority >= DANGER else wait_ms)
        ]
        if left:
            names = ", ".join(one.id for one in left[:5])
            self._around.alarms.raised(UNTAKEN, f"nobody has taken {len(left)} orders in time: {names}")
        else:
            self._around.alarms.cleared(UNTAKEN)

    async def _keep_house(self) -> None:
        now_s = self._around.clock.monotonic_s()
        if now_s - self._kept_s >= HOUSE_S:
            self._kept_s = now_s
            wall_ms = self._around.clock.wall_ms()
            await self._around.ledger.write(lambda connection: keys.forget(connection, wall_ms))


def _wants_order(incident: Incident) -> bool:
    return bool(incident.trip_ms) and not incident.withheld and incident.is_open and not incident.order
