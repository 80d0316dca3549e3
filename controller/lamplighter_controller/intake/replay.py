"""Trying dead letters again, after a person has mended their cause."""

from collections.abc import Sequence
from dataclasses import dataclass

from lamplighter_contract.clock import Clock
from lamplighter_contract.errors import Refusal
from lamplighter_contract.wire.frame import EventsFrame, ReadingsFrame, ResultsFrame, decode_body
from lamplighter_controller.events import Events, ReadingsStored
from lamplighter_controller.intake import letters, store
from lamplighter_controller.intake.letters import Kept
from lamplighter_controller.intake.placing import Placed, place
from lamplighter_controller.intake.records import TakesResults
from lamplighter_controller.ledger.engine import Ledger
from lamplighter_controller.ledger.errors import LedgerRejected
from lamplighter_controller.series.port import Series, SeriesRejected
from lamplighter_controller.twin.columns import Twin


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a letter: stored and off the list, or still on it with the reason."""

    id: int
    stored: bool
    detail: str = ""


class Replay:
    """Takes letters through the same checks as frames; what passes is stored and leaves the list."""

    def __init__(
        self,
        ledger: Ledger,
        series: Series,
        twin: Twin,
        results: TakesResults,
        events: Events,
        clock: Clock,
        *,
        future_ms: int,
    ) -> None:
        """Write to the same places as the lanes."""
        self._ledger, self._series, self._twin, self._results = ledger, series, twin, results
        self._events, self._clock, self._future_ms = events, clock, future_ms

    async def replay(self, ids: Sequence[int]) -> list[Outcome]:
        """Try these letters again.

        Raises:
            LedgerUnavailable, SeriesUnavailable: some may be stored; trying again does no harm.
        """
        kept = await self._ledger.read(lambda connection: letters.by_id(connection, ids))
        outcomes = [await self._try_or_leave(item) for item in kept]
        done = [outcome.id for outcome in outcomes if outcome.stored]
        if done:
            await self._ledger.write(lambda connection: letters.remove(connection, done))
        missing = set(ids).difference(item.id for item in kept)
        return outcomes + [Outcome(number, stored=False, detail="no such letter") for number in sorted(missing)]

    async def _try_or_leave(self, kept: Kept) -> Outcome:
        try:
            return await self._try(kept)
        except LedgerRejected as error:
            return Outcome(kept.id, stored=False, detail=f"the ledger: {error}")

    async def _try(self, kept: Kept) -> Outcome:
        frame = decode_body(kept.letter.body)
        if isinstance(frame, Refusal):
            return Outcome(kept.id, stored=False, detail=frame.detail)
        if frame.refused:
            return Outcome(kept.id, stored=False, detail=frame.refused[0].detail)
        if isinstance(frame, ReadingsFrame):
            return await self._readings(kept, frame)
        gateway = kept.letter.gateway
        if isinstance(frame, EventsFrame):
            happened = [(gateway, event) for event in frame.events]
            await self._ledger.write(lambda connection: store.put_events(connection, happened))
        elif isinstance(frame, ResultsFrame):
            strangers = await self._results.take_results([(gateway, result) for result in frame.results])
            if strangers:
                return Outcome(kept.id, stored=False, detail=strangers[0][2].detail)
        return Outcome(kept.id, stored=True)

    async def _readings(self, kept: Kept, frame: ReadingsFrame) -> Outcome:
        placed = self._place(kept, frame)
        if placed.letters:
            return Outcome(kept.id, stored=False, detail=placed.letters[0].detail)
        try:
            await self._series.write([placed.readings])
        except SeriesRejected as error:
            return Outcome(kept.id, stored=False, detail=f"the store: {error}")
        self._twin.apply(placed.readings, self._clock.monotonic_s())
        self._events.publish(ReadingsStored(kept.letter.gateway, placed.readings, live=False))
        return Outcome(kept.id, stored=True)

    def _place(self, kept: Kept, frame: ReadingsFrame) -> Placed:
        served = self._twin.rows(kept.letter.gateway, frame.kind, frame.device) >= 0
        latest_ms = self._clock.civil_ms() + self._future_ms
        return place(kept.letter.gateway, frame, served, latest_ms=latest_ms, now_ms=self._clock.wall_ms())
