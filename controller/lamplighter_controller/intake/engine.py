"""Intake as a whole: its parts joined, its tasks run."""

import asyncio
import logging
from dataclasses import dataclass
from typing import Final

from lamplighter_contract.clock import Clock
from lamplighter_contract.errors import Refusal
from lamplighter_contract.wire import documents
from lamplighter_contract.wire.documents import ControllerState
from lamplighter_contract.wire.topics import CONTROLLER_STATE
from lamplighter_controller.events import Events
from lamplighter_controller.intake import readings as readings_lane
from lamplighter_controller.intake import records as records_lane
from lamplighter_controller.intake import store
from lamplighter_controller.intake.acks import Acker
from lamplighter_controller.intake.alarms import Alarms
from lamplighter_controller.intake.gateways import Gateways
from lamplighter_controller.intake.journal import Journal
from lamplighter_controller.intake.outage import Outage
from lamplighter_controller.intake.pieces import Nobody, PiecesLane, TakesPieces
from lamplighter_controller.intake.readings import ReadingsLane
from lamplighter_controller.intake.reception import Reception
from lamplighter_controller.intake.records import RecordsLane, TakesResults
from lamplighter_controller.intake.replay import Replay
from lamplighter_controller.ledger.engine import Ledger
from lamplighter_controller.link.port import Link, LinkDown, PublishDenied
from lamplighter_controller.security import enrolment
from lamplighter_controller.series.port import Series
from lamplighter_controller.twin.columns import Twin

log = logging.getLogger(__name__)

TICK_S: Final = 1.0
QUIET_S: Final = 600.0


@dataclass(frozen=True, slots=True)
class Identity:
    """Who acknowledges: the controller's name, its process start, and the epoch of this start."""

    controller: str
    boot: str
    epoch: int

    def state(self, *, online: bool, storing: bool) -> bytes:
        """The retained document that says so."""
        return documents.encode(ControllerState(self.controller, self.boot, self.epoch, online, storing))


@dataclass(frozen=True, slots=True)
class Registry:
    """What intake knows and others may ask: alarms, gateways, and the journal that keeps both."""

    journal: Journal
    alarms: Alarms
    gateways: Gateways

    @classmethod
    def begin(cls, ledger: Ledger, events: Events, clock: Clock, rate: float = 1.0) -> "Registry":
        """An empty one; civil time runs `rate` times as fast as real time."""
        journal = Journal(ledger)
        alarms = Alarms(clock, events, journal)
        return cls(journal, alarms, Gateways(clock, events, alarms, journal, rate))


class Intake:
    """Everything between the link and the stores."""

    def __init__(
        self,
        identity: Identity,
        link: Link,
        ledger: Ledger,
        series: Series,
        twin: Twin,
        results: TakesResults,
        events: Events,
        clock: Clock,
        registry: Registry,
        *,
        future_ms: int,
        files: TakesPieces | None = None,
    ) -> None:
        """Join the parts; nothing runs yet."""
        self._identity, self._link, self._ledger = identity, link, ledger
        self.journal, self.alarms, self.gateways = registry.journal, registry.alarms, registry.gateways
        self.acker = Acker(link, self.alarms, identity.controller, identity.epoch)
        self.urgent = RecordsLane(ledger, results, clock, self.alarms, self.acker, events)
        self.letters = RecordsLane(ledger, results, clock, self.alarms, self.acker, events)
        self.pieces = PiecesLane(files or Nobody(), self.alarms, self.acker)
        self.readings = ReadingsLane(series, twin, events, clock, self.alarms, self.acker, self.letters.room)
        self.reception = Reception(
            clock,
            twin,
            self.gateways,
            events,
            self.alarms,
            self.journal,
            self.readings,
            self.urgent,
            self.letters,
            self.pieces,
            future_ms=future_ms,
        )
        self.replayer = Replay(ledger, series, twin, results, events, clock, future_ms=future_ms)
        self._outage = Outage(link, clock, self.alarms, self.gateways)
        self._told_storing: bool | None = None

    async def load(self) -> None:
        """Take up what the ledger knows.

        Raises:
            LedgerUnavailable: it does not answer.
        """
        self.alarms.load(await self._ledger.read(store.active_alarms))
        self.gateways.load(await self._ledger.read(store.reports))
        self.gateways.enrol(await self._ledger.read(enrolment.accepted))

    async def enrolment_changed(self) -> None:
        """Listen to whoever is enrolled now; what a new one has said before is asked for again.

        Raises:
            LedgerUnavailable: it does not answer.
        """
        if self.gateways.enrol(await self._ledger.read(enrolment.accepted)):
            try:
                await self._link.renew()
            except LinkDown:
                log.debug("not connected: the next connection brings every retained message anyway")

    @property
    def storing(self) -> bool:
        """False while a store is known to take nothing."""
        return not (self.alarms.is_raised(readings_lane.ALARM) or self.alarms.is_raised(records_lane.ALARM))

    async def connected(self) -> None:
        """The link is up: say who we are, and expect every gateway to be heard soon."""
        self._told_storing = None
        self.gateways.asked_again()
        await self._tell_state()

    def controller_state(self, payload: bytes) -> None:
        """Somebody, mostly we ourselves, said what the controller's state is."""
        state = documents.decode(payload, ControllerState)
        if isinstance(state, Refusal) or state.boot == self._identity.boot or state.epoch < self._identity.epoch:
            return
        text = f"{state.controller} has spoken in epoch {state.epoch}, later than ours; gateways ignore our acks"
        self.alarms.raised("later-epoch", text, quiet_s=QUIET_S)

    async def run(self) -> None:
        """Take in for ever; whatever a task dies of ends them all."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self.readings.run(), name="intake-readings")
            group.create_task(self.urgent.run(), name="intake-urgent")
            group.create_task(self.letters.run(), name="intake-letters")
            group.create_task(self.pieces.run(), name="intake-pieces")
            group.create_task(self.acker.run(), name="intake-acks")
            group.create_task(self.journal.run(), name="intake-journal")
            group.create_task(self._ticks(), name="intake-tick")

    async def farewell(self) -> None:
        """Say that nothing is stored any more, and write what is still waiting; at a clean stop."""
        try:
            state = self._identity.state(online=False, storing=False)
            await self._link.publish(CONTROLLER_STATE, state, retain=True)
        except (LinkDown, PublishDenied):
            log.info("stopping without a broker to tell")
        await self.journal.flush()

    async def _ticks(self) -> None:
        while True:
            self.alarms.tick()
            self._outage.tick()
            self.gateways.tick()
            self.reception.tick()
            if self._link.up and self._told_storing != self.storing:
                await self._tell_state()
            await asyncio.sleep(TICK_S)

    async def _tell_state(self) -> None:
        storing = self.storing
        try:
            await self._link.publish(CONTROLLER_STATE, self._identity.state(online=True, storing=storing), retain=True)
        except LinkDown:
            return
        except PublishDenied as error:
            self.alarms.raised("state-denied", f"the broker refuses our own state: {error}")
        else:
            self.alarms.cleared("state-denied")
        self._told_storing = storing
