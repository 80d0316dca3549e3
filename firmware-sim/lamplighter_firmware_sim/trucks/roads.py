"""The road graph that trucks drive on: a grid wider than the lit city, main roads faster than the others. Pure."""

import heapq
import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

Point = tuple[float, float]  # metres east and north of the city's centre
Node = tuple[int, int]

BLOCK_M: Final = 600.0
REACH: Final = 12  # blocks from the centre to the edge
MAIN_EVERY: Final = 4
MAIN_KMH: Final = 55.0
SIDE_KMH: Final = 38.0
SPUR_KMH: Final = 15.0  # from the road into a place


@dataclass(frozen=True, slots=True)
class Leg:
    """A straight piece of a way, and how fast an honest driver goes there."""

    start: Point
    end: Point
    pace_kmh: float

    @property
    def length_m(self) -> float:
        """Its length."""
        return math.dist(self.start, self.end)


@dataclass(slots=True)
class Roads:
    """Ways between any two points, fastest first; `closed` nodes are gone round."""

    closed: frozenset[Node] = frozenset()
    _known: dict[tuple[Node, Node], tuple[Node, ...]] = field(default_factory=dict)

    def way(self, start: Point, end: Point, via: Point | None = None) -> tuple[Leg, ...]:
        """Legs from one point to another, through `via` where one is given, closed or not."""
        if via is not None:
            return (*self.way(start, via), *self.way(via, end))
        first, last = nearest(start), nearest(end)
        nodes = self._nodes(first, last)
        points = [place_of(node) for node in nodes]
        roads = [Leg(a, b, _pace(x, y)) for a, b, x, y in zip(points, points[1:], nodes, nodes[1:], strict=False)]
        legs = (Leg(start, points[0], SPUR_KMH), *roads, Leg(points[-1], end, SPUR_KMH))
        return tuple(leg for leg in legs if leg.length_m > 0.0)

    def _nodes(self, first: Node, last: Node) -> tuple[Node, ...]:
        found = self._known.get((first, last))
        if found is None:
            found = self._known[first, last] = self._search(first, last)
        return found

    def _search(self, first: Node, last: Node) -> tuple[Node, ...]:
        """Dijkstra by time."""
        open_: list[tuple[float, Node, tuple[Node, ...]]] = [(0.0, first, (first,))]
        seen: set[Node] = set()
        while open_:
            spent_s, node, path = heapq.heappop(open_)
            if node == last:
                return path
            if node in seen:
                continue
            seen.add(node)
            for other in _neighbours(node):
                if other not in seen and (other not in self.closed or other == last):
                    heapq.heappush(open_, (spent_s + BLOCK_M * 3.6 / _pace(node, other), other, (*path, other)))
        return (first, last)  # all around is closed: straight through the fields


def place_of(node: Node) -> Point:
    """Where a crossing is."""
    return node[0] * BLOCK_M, node[1] * BLOCK_M


def nearest(point: Point) -> Node:
    """The crossing next to a point."""
    east, north = (max(-REACH, min(REACH, round(metres / BLOCK_M))) for metres in point)
    return east, north


def _neighbours(node: Node) -> Iterator[Node]:
    for east, north in ((1, 0), (-1, 0), (0, 1), (0, -1)):
        other = node[0] + east, node[1] + north
        if max(abs(other[0]), abs(other[1])) <= REACH:
            yield other


def _pace(one: Node, other: Node) -> float:
    line = one[0] if one[0] == other[0] else one[1]
    return MAIN_KMH if line % MAIN_EVERY == 0 else SIDE_KMH
