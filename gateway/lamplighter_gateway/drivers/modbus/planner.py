"""Which requests read the wanted registers in the least time on the bus.

A hole between two wanted blocks is read along while that is cheaper than another transaction. A device that refuses
holes, or whole blocks, is read in finer grains.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """`count` registers (or bits) from `start`."""

    start: int
    count: int

    @property
    def end(self) -> int:
        """The first address after it."""
        return self.start + self.count


@dataclass(frozen=True, slots=True)
class BusCost:
    """Seconds on the bus: for a transaction of nothing, and for one register more."""

    transaction_s: float
    register_s: float


class Grain(IntEnum):
    """How much may be read in one request."""

    FILLED = 0  # holes read along
    ADJACENT = 1  # only registers that are wanted
    SINGLE = 2  # every quantity alone


def plan(wanted: Iterable[Span], cost: BusCost, budget: int, grain: Grain = Grain.FILLED) -> list[Span]:
    """The cheapest requests of at most `budget` registers that cover every wanted span whole."""
    if grain is Grain.SINGLE:
        return sorted(set(wanted))
    blocks = _merged(wanted)
    best: list[tuple[float, int]] = [(0.0, 0)]
    for last in range(len(blocks)):
        best.append(min(_choices(blocks, best, last, cost, budget, grain)))
    requests: list[Span] = []
    upto = len(blocks)
    while upto:
        first = best[upto][1]
        requests.append(Span(blocks[first].start, blocks[upto - 1].end - blocks[first].start))
        upto = first
    return requests[::-1]


def _choices(
    blocks: list[Span], best: list[tuple[float, int]], last: int, cost: BusCost, budget: int, grain: Grain
) -> Iterable[tuple[float, int]]:
    """Every way for one request to end with block `last`: (cost of all up to it, the request's first block)."""
    for first in range(last, -1, -1):
        count = blocks[last].end - blocks[first].start
        torn = first < last and grain is Grain.ADJACENT and blocks[first].end != blocks[first + 1].start
        if first < last and (torn or count > budget):
            return
        yield best[first][0] + cost.transaction_s + count * cost.register_s, first


def _merged(wanted: Iterable[Span]) -> list[Span]:
    """Sorted spans, those that share a register joined: they are never read apart."""
    blocks: list[Span] = []
    for span in sorted(set(wanted)):
        if blocks and span.start < blocks[-1].end:
            blocks[-1] = Span(blocks[-1].start, max(blocks[-1].end, span.end) - blocks[-1].start)
        else:
            blocks.append(span)
    return blocks
