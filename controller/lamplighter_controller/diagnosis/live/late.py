"""Readings that missed their moment, put in order and cut into steps for the second pass."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Final

import numpy as np

from lamplighter_controller.diagnosis.live.collector import Collector
from lamplighter_controller.diagnosis.samples import Samples
from lamplighter_controller.diagnosis.topology import Topology
from lamplighter_controller.series.gather import select
from lamplighter_controller.series.port import Readings

MOST_ROWS: Final = 2_000_000  # about three days of a gateway's backlog; more waits for the next time


class Late:
    """Takes backlog as it comes; gives it back step by step, the oldest first."""

    def __init__(self, step_ms: int) -> None:
        """Cut into steps of that length, civil."""
        self._step_ms = step_ms
        self._waiting: list[Readings] = []
        self._rows = 0
        self.dropped = 0

    def take(self, readings: Readings) -> None:
        """Keep readings for the next second pass; what there is no room for is counted."""
        if self._rows + len(readings.device) > MOST_ROWS:
            self.dropped += len(readings.device)
            return
        self._rows += len(readings.device)
        self._waiting.append(readings)

    def steps(self, topology: Topology) -> Iterator[tuple[Samples, int]]:
        """Everything that waited, as late samples with the end of each step (civil ms)."""
        waiting, self._waiting, self._rows = self._waiting, [], 0
        for samples, end_ms in in_steps(Collector(topology), waiting, self._step_ms, 0.0):
            yield replace(samples, late=True), end_ms


def in_steps(
    collector: Collector, batches: Sequence[Readings], step_ms: int, now_s: float
) -> Iterator[tuple[Samples, int]]:
    """Readings by the step they fall into, in order of time, with the end of each step; the collector takes them."""
    ends = np.unique(np.concatenate([np.empty(0, np.int64), *(batch.time_ms // step_ms for batch in batches)]))
    for number in ends.tolist():
        for batch in batches:
            mask = batch.time_ms // step_ms == number
            if mask.any():
                collector.take(select(batch, mask), now_s)
        end_ms = (number + 1) * step_ms
        yield collector.drain(now_s, end_ms, {}), end_ms
