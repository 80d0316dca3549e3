"""The lane of records: events, results and dead letters go to the ledger, and never wait for the series store."""

import asyncio
import logging
import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

from sqlalchemy import Connection

from lamplighter_contract.clock import Clock
from lamplighter_contract.commands.results import Result
from lamplighter_contract.errors import Reason, Refusal
from lamplighter_contract.wire.events import Event
from lamplighter_contract.wire.frame import events_body, results_body
from lamplighter_contract.wire.limits import MAX_TEXT
from lamplighter_controller.events import DeviceHappened, Events
from lamplighter_controller.intake import letters, store, trail
from lamplighter_controller.intake.acks import Acker, Sender
from lamplighter_controller.intake.alarms import Alarms
from lamplighter_controller.intake.placing import Letter
from lamplighter_controller.intake.told import Telling, telling
from lamplighter_controller.intake.waiting import WaitingRoom
from lamplighter_controller.ledger.engine import Ledger
from lamplighter_controller.ledger.errors import LedgerRejected, LedgerUnavailable
from lamplighter_controller.link.backoff import Backoff
from lamplighter_controller.security import audit
from lamplighter_controller.security.audit import Entry

log = logging.getLogger(__name__)

ROOM_BYTES: Final = 32 * 1_048_576  # a city that answers one command at once: 400 gateways, 100 lamps, three results
BATCH_BYTES: Final = 1_048_576
ALARM: Final = "ledger"
ITEM_BYTES: Final = 400
QUIET_S: Final = 3600.0


class TakesResults(Protocol):
    """Whoever keeps the commands."""

    async def take_results(self, told: Sequence[tuple[str, Result]]) -> Sequence[tuple[str, Result, Refusal]]:
        """Commit results; on return they are durable, and those of commands nobody knows are handed back.

        Raises:
            LedgerUnavailable: nothing is known to be committed.
            LedgerRejected: the ledger will never take them.
        """


@dataclass(frozen=True, slots=True)
class Record:
    """What one frame brought for the ledger; acknowledged to `sender` when it is there, if there is one to tell."""

    sender: Sender | None
    events: tuple[Event, ...] = ()
    results: tuple[Result, ...] = ()
    letters: tuple[Letter, ...] = ()
    bytes: int = field(init=False)

    def __post_init__(self) -> None:
        """Estimate the size."""
        parts = sum(1 + len(result.devices) for result in self.results) + len(self.events)
        size = 200 + ITEM_BYTES * parts + sum(ITEM_BYTES + len(letter.body) for letter in self.letters)
        object.__setattr__(self, "bytes", size)


class RecordsLane:
    """One way into the ledger; there is one for what is urgent and one for dead letters."""

    def __init__(
        self, ledger: Ledger, results: TakesResults, clock: Clock, alarms: Alarms, acker: Acker, events: Events
    ) -> None:
        """Write into `ledger`, results through whoever keeps the commands."""
        self._ledger, self._results, self._clock = ledger, results, clock
        self._alarms, self._acker, self._events = alarms, acker, events
        self._filled = asyncio.Event()
        self.room: WaitingRoom[Record] = WaitingRoom(ROOM_BYTES, self._filled)
        self._flood = trail.Flood()
        self._backoff = Backoff(random.random, base_s=0.2, cap_s=5.0)

    async def run(self) -> None:
        """Store what waits; for ever."""
        while True:
            await self._filled.wait()
            self._filled.clear()
            while batch := self.room.take(BATCH_BYTES) if len(self.room) else []:
                await self._until_stored(batch)
                self._acker.note(item.sender for item in batch if item.sender)

    async def _until_stored(self, batch: Sequence[Record]) -> None:
        while True:
            try:
                await self._store_or_keep(batch)
            except LedgerUnavailable as error:
                self._alarms.raised(ALARM, f"the ledger takes nothing, gateways keep their data: {error}")
                await asyncio.sleep(self._backoff.next_s())
            else:
                self._alarms.cleared(ALARM)
                self._backoff.reset()
                return

    async def _store_or_keep(self, batch: Sequence[Record]) -> None:
        """Store them together; when the ledger will never take one of them, that one becomes dead letters."""
        try:
            await self._store(batch)
        except LedgerRejected as error:
            if len(batch) == 1:
                await self._store([self._unstorable(batch[0], str(error))])
                return
            for item in batch:
                await self._store_or_keep([item])

    def _unstorable(self, item: Record, why: str) -> Record:
        if item.sender is None:
            return item
        log.error("a frame of %s is kept as dead letters, the ledger cannot hold it: %s", item.sender.gateway, why)
        refusal = Refusal(Reason.OUT_OF_BOUNDS, f"the ledger: {why[:MAX_TEXT]}")
        bodies = [results_body([result]) for result in item.results] + [events_body([event]) for event in item.events]
        kept = tuple(self._letter(item.sender.gateway, body, refusal) for body in bodies)
        return Record(item.sender, letters=item.letters + kept)

    async def _store(self, batch: Sequence[Record]) -> None:
        written = [letter for item in batch for letter in item.letters]
        told = [(item.sender.gateway, result) for item in batch if item.sender for result in item.results]
        if told:  # all gateways together: a city that answers one command costs a few transactions, not hundreds
            strangers = await self._results.take_results(told)
            written += [self._letter(gateway, results_body([one]), refusal) for gateway, one, refusal in strangers]
        happened = [(item.sender.gateway, event) for item in batch if item.sender for event in item.events]
        if happened or written:
            dropped = await self._ledger.write(lambda connection: self._write(connection, happened, written))
            if dropped:
                text = "the dead-letter list is full, the oldest letters go"
                self._alarms.raised("dead-letters-full", text, quiet_s=QUIET_S)
        for gateway, event in happened:
            self._tell(telling(gateway, event))
            if event.device is not None:
                self._events.publish(DeviceHappened(gateway, event.device, event.event, dict(event.detail), event.time))

    def _write(self, connection: Connection, happened: Sequence[tuple[str, Event]], written: Sequence[Letter]) -> int:
        concerned = [pair for pair in happened if trail.concerns(pair[1])]
        audit.record_all(connection, self._entries(store.new_events(connection, concerned)))
        store.put_events(connection, happened)
        return letters.keep(connection, written) if written else 0

    def _entries(self, happened: Sequence[tuple[str, Event]]) -> list[Entry]:
        now_s, wall_ms = self._clock.monotonic_s(), self._clock.wall_ms()
        return [
            trail.entry(gateway, event, wall_ms) for gateway, event in happened if self._flood.admits(gateway, now_s)
        ]

    def _tell(self, told: Telling | None) -> None:
        if told is None:
            return
        if told.text is None:
            self._alarms.cleared(told.key)
        else:
            self._alarms.raised(told.key, told.text, quiet_s=told.quiet_s)

    def _letter(self, gateway: str, body: bytes, refusal: Refusal) -> Letter:
        return Letter(gateway, refusal.reason, refusal.detail, body, self._clock.wall_ms())
