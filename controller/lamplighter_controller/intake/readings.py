"""The lane of readings: many frames per commit, live before backlog, acknowledged when the store has them."""

import asyncio
import logging
import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from lamplighter_contract.clock import Clock
from lamplighter_contract.errors import Reason
from lamplighter_controller.events import Events, ReadingsStored
from lamplighter_controller.intake.acks import Acker, Sender
from lamplighter_controller.intake.alarms import Alarms
from lamplighter_controller.intake.placing import Letter, body_of, select
from lamplighter_controller.intake.records import Record
from lamplighter_controller.intake.waiting import WaitingRoom
from lamplighter_controller.link.backoff import Backoff
from lamplighter_controller.series.port import Readings, Rejection, Series, SeriesRejected, SeriesUnavailable
from lamplighter_controller.twin.columns import Twin
from lamplighter_controller.twin.kind import Rows

log = logging.getLogger(__name__)

ROOM_BYTES: Final = 16 * 1_048_576
BATCH_BYTES: Final = 4 * 1_048_576  # about 30,000 lamp readings per commit
# Wait for company: a commit costs about as much for one frame as for ten. Twice as long as the last one took, so that
# the store is busy a third of the time at most before batches grow.
LEAST_LINGER_S: Final = 0.02
MOST_LINGER_S: Final = 0.1
LINGER_PER_COMMIT: Final = 2.0
STALLED_S: Final = 5.0
ALARM: Final = "series"


@dataclass(frozen=True, slots=True)
class Waiting:
    """One frame's readings on their way to the store, and what of the frame could not be placed.

    `rows` are the twin's rows of the devices where they have been asked for already, and `reused` was the twin's then.
    """

    sender: Sender
    readings: Readings
    letters: tuple[Letter, ...]
    live: bool
    rows: Rows | None = None
    reused: int = 0
    bytes: int = field(init=False)

    def __post_init__(self) -> None:
        """Estimate the size: eight bytes a cell, and an id of about 60 bytes in each row."""
        rows = len(self.readings.device)
        object.__setattr__(self, "bytes", 500 + rows * (8 * len(self.readings.values) + 80))


class ReadingsLane:
    """Owns the way into the series store. When the store hangs, two full rooms and one batch are all it costs."""

    def __init__(
        self,
        series: Series,
        twin: Twin,
        events: Events,
        clock: Clock,
        alarms: Alarms,
        acker: Acker,
        letters: WaitingRoom[Record],
    ) -> None:
        """Write into `series`, then tell twin, listeners and gateways."""
        self._series, self._twin, self._events, self._clock = series, twin, events, clock
        self._alarms, self._acker, self._letters = alarms, acker, letters
        self._filled = asyncio.Event()
        self.live: WaitingRoom[Waiting] = WaitingRoom(ROOM_BYTES, self._filled)
        self.backlog: WaitingRoom[Waiting] = WaitingRoom(ROOM_BYTES, self._filled)
        self._backoff = Backoff(random.random, base_s=0.2, cap_s=5.0)
        self._linger_s = LEAST_LINGER_S
        self.stored = 0

    async def run(self) -> None:
        """Store what waits; for ever."""
        while True:
            await self._filled.wait()
            if self.live.bytes + self.backlog.bytes < BATCH_BYTES:
                await asyncio.sleep(self._linger_s)
            self._filled.clear()
            while batch := self._next():
                await self._store(batch)

    def _next(self) -> list[Waiting]:
        live = self.live.take(BATCH_BYTES) if len(self.live) else []
        # Backlog fills the batch up, and gets a quarter of one when live data alone would fill every batch.
        room = max(BATCH_BYTES // 4, BATCH_BYTES - sum(item.bytes for item in live))
        return live + (self.backlog.take(room) if len(self.backlog) else [])

    async def _store(self, batch: Sequence[Waiting]) -> None:
        begun_s = self._clock.monotonic_s()
        rejected = await self._write([item.readings for item in batch if len(item.readings.device)])
        took_s = self._clock.monotonic_s() - begun_s
        self._linger_s = min(max(LINGER_PER_COMMIT * took_s, LEAST_LINGER_S), MOST_LINGER_S)
        if rejected:
            batch = [self._without(item, rejected) for item in batch]
        received_s = self._clock.monotonic_s()
        for item in batch:
            if len(item.readings.device):
                rows = item.rows if item.reused == self._twin.reused else None
                self._twin.apply(item.readings, received_s, rows)
                self._events.publish(ReadingsStored(item.sender.gateway, item.readings, item.live))
                self.stored += len(item.readings.device)
        self._acker.note(item.sender for item in batch if not item.letters)
        for item in batch:
            if item.letters:
                self._letters.put(Record(item.sender, letters=item.letters))

    async def _write(self, readings: Sequence[Readings]) -> dict[tuple[str, int], Rejection]:
        """Write until it is written; returns what never will be, by device and time."""
        while readings:
            watch = asyncio.get_running_loop().call_later(STALLED_S, self._stalled)
            try:
                await self._series.write(readings)
            except SeriesRejected as error:
                self._alarms.cleared(ALARM)
                return {(row.device, row.time_ms): row for row in error.rows}
            except SeriesUnavailable as error:
                self._alarms.raised(ALARM, f"the series store takes nothing, gateways keep their data: {error}")
            else:
                break
            finally:
                watch.cancel()
            await asyncio.sleep(self._backoff.next_s())
        self._backoff.reset()
        self._alarms.cleared(ALARM)
        return {}

    def _stalled(self) -> None:
        self._alarms.raised(ALARM, f"the series store has not answered for {STALLED_S:.0f} s, gateways keep their data")

    def _without(self, item: Waiting, rejected: dict[tuple[str, int], Rejection]) -> Waiting:
        keys = list(zip(item.readings.device, item.readings.time_ms.tolist(), strict=True))
        wrong = np.fromiter((key in rejected for key in keys), np.bool_, len(keys))
        if not wrong.any():
            return item
        detail = rejected[keys[int(np.flatnonzero(wrong)[0])]].detail
        body = body_of(select(item.readings, wrong))
        letter = Letter(item.sender.gateway, Reason.OUT_OF_BOUNDS, f"the store: {detail}", body, self._clock.wall_ms())
        return Waiting(item.sender, select(item.readings, ~wrong), (*item.letters, letter), item.live)
