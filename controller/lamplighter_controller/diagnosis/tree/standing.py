"""Verdicts over time: told once they have stood for long enough, closed once they are gone for long enough."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from lamplighter_controller.diagnosis.findings import Element, ElementKind, EvidenceLine, Finding
from lamplighter_controller.diagnosis.samples import Flags, Rows
from lamplighter_controller.diagnosis.topology import Topology
from lamplighter_controller.diagnosis.tree.verdicts import SUPPLY, Verdict

GONE: Final = 2  # looks without the verdict before it is closed
GUARD: Final = 6  # looks after a restore in which its lamps say nothing of their own
CHANGED: Final = 0.2
CERTAIN: Final = 0.95  # of another class, before one that was told is taken back

Key = tuple[Element, str]


@dataclass(slots=True)
class _Node:
    verdict: Verdict
    first_ms: int
    seen: int = 1
    unseen: int = 0
    told: str = ""  # class that was told last, empty = none yet
    told_share: float = 0.0
    told_lamps: int = 0
    within: list[Element] = field(default_factory=list)


class Standing:
    """The nodes under a verdict, and which lamps are folded under one of them."""

    def __init__(self, topology: Topology) -> None:
        """Begin with none."""
        self._topology = topology
        self._nodes: dict[Key, _Node] = {}
        self.guard: NDArray[np.uint8] = np.zeros(len(topology.lamps), np.uint8)

    def covered(self) -> Flags:
        """(N,) lamps that a verdict explains, told or not yet, or that were given back a moment ago."""
        found: Flags = self.guard > 0
        for node in self._nodes.values():
            found[node.verdict.lamps] = True
        return found

    def told(self) -> Iterator[tuple[str, Rows]]:
        """(class, lamps below) of every node that was told."""
        return ((node.told, node.verdict.lamps) for node in self._nodes.values() if node.told)

    def look(self, verdicts: Sequence[Verdict], now_ms: int) -> list[Finding]:
        """What is new, changed or over after these verdicts of one step."""
        self.guard[self.guard > 0] -= 1
        chosen = {key: one for key, one in _distinct(verdicts).items() if key in self._nodes or not self._on_guard(one)}
        for verdict in chosen.values():
            self._see(verdict, now_ms)
        findings = self._fold(chosen)
        for key in [key for key in self._nodes if key not in chosen]:
            findings += self._miss(key)
        for key in chosen:
            findings += self._tell(key)
        return findings

    def _see(self, verdict: Verdict, now_ms: int) -> None:
        node = self._nodes.get(verdict.key)
        if node is None:
            onset_ms = verdict.onset_ms or now_ms
            self._nodes[verdict.key] = _Node(replace(verdict, onset_ms=onset_ms), now_ms)
            return
        node.seen, node.unseen = node.seen + 1, 0
        before = node.verdict
        onset_ms = min(before.onset_ms, verdict.onset_ms or now_ms)
        lamps = np.union1d(before.lamps, verdict.lamps)
        if verdict.family == SUPPLY and verdict.alternatives[0][1] < before.alternatives[0][1]:
            node.verdict = replace(before, onset_ms=onset_ms, lamps=lamps)  # witnesses speak best at the beginning
        else:
            node.verdict = replace(verdict, onset_ms=onset_ms, lamps=lamps)

    def _on_guard(self, verdict: Verdict) -> bool:
        """Its lamps have been given back a moment ago: not all come back in one look."""
        return len(verdict.lamps) > 0 and bool((self.guard[verdict.lamps] > 0).all())

    def _fold(self, chosen: Mapping[Key, Verdict]) -> list[Finding]:
        """Smaller nodes whose lamps a larger one takes in are its own now, and end by themselves."""
        findings = []
        for key, node in list(self._nodes.items()):
            if key in chosen or not len(node.verdict.lamps):
                continue
            above = next((one for one in chosen.values() if _takes_in(one.lamps, node.verdict.lamps)), None)
            if above is not None:
                self._nodes[above.key].within.append(node.verdict.element)
                del self._nodes[key]
                findings += self._closed(node)
        return findings

    def _miss(self, key: Key) -> list[Finding]:
        node = self._nodes[key]
        node.unseen += 1
        if node.told and node.unseen < GONE:
            return []
        del self._nodes[key]
        if node.told:
            self.guard[node.verdict.lamps] = GUARD
        return self._closed(node)

    def _tell(self, key: Key) -> list[Finding]:
        """The verdict when it is ripe, and differs from what was told; another class ends the one before it."""
        node = self._nodes[key]
        verdict = node.verdict
        name, share = verdict.alternatives[0]
        same = name == node.told and abs(share - node.told_share) < CHANGED
        doubtful = verdict.family == SUPPLY and bool(node.told) and name != node.told and share < CERTAIN
        if node.seen < verdict.hold or doubtful or (same and len(verdict.lamps) <= 1.2 * node.told_lamps):
            return []
        before = [] if name == node.told else self._closed(node)
        node.told, node.told_share, node.told_lamps = name, share, len(verdict.lamps)
        return [*before, self._finding(node, verdict.alternatives, is_open=True)]

    def _closed(self, node: _Node) -> list[Finding]:
        """The end of what was told, if anything was."""
        if not node.told:
            return []
        rest = tuple(one for one in node.verdict.alternatives if one[0] != node.told)
        share = 1.0 - sum(part for _, part in rest)
        return [self._finding(node, ((node.told, share), *rest), is_open=False)]

    def _finding(self, node: _Node, alternatives: tuple[tuple[str, float], ...], *, is_open: bool) -> Finding:
        verdict = node.verdict
        members = (Element(ElementKind.LAMP, self._topology.lamps[row]) for row in verdict.lamps.tolist())
        return Finding(
            verdict.element,
            alternatives,
            verdict.onset_ms,
            max(verdict.onset_ms, node.first_ms),
            verdict.evidence,
            (*node.within, *members),
            verdict.settle,
            is_open,
        )

    def export(self) -> NDArray[np.uint8]:
        """The nodes as bytes; lamps by name."""
        kept = [
            _Kept(
                node.verdict.element.kind,
                node.verdict.element.id,
                dict(node.verdict.probability),
                node.verdict.onset_ms,
                node.verdict.hold,
                [self._topology.lamps[row] for row in node.verdict.lamps.tolist()],
                node.verdict.settle,
                node.verdict.family,
                node.verdict.evidence,
                node.first_ms,
                node.seen,
                node.unseen,
                node.told,
                node.told_share,
                node.told_lamps,
                [(one.kind, one.id) for one in node.within],
            )
            for node in self._nodes.values()
        ]
        return np.frombuffer(msgspec.msgpack.encode(kept), np.uint8)

    def restore(self, kept: NDArray[np.uint8]) -> None:
        """Take the nodes back; lamps that are gone are left out."""
        row_of = {name: row for row, name in enumerate(self._topology.lamps)}
        for one in msgspec.msgpack.decode(kept.tobytes(), type=list[_Kept]):
            rows = np.array(sorted(row_of[name] for name in one.lamps if name in row_of), np.int64)
            element = Element(one.kind, one.id)
            verdict = Verdict(
                element, one.probability, one.onset_ms, one.hold, one.evidence, rows, one.settle, one.family
            )
            within = [Element(kind, name) for kind, name in one.within]
            self._nodes[verdict.key] = _Node(
                verdict, one.first_ms, one.seen, one.unseen, one.told, one.told_share, one.told_lamps, within
            )


class _Kept(msgspec.Struct, frozen=True):
    kind: ElementKind
    id: str
    probability: dict[str, float]
    onset_ms: int
    hold: int
    lamps: list[str]
    settle: str
    family: str
    evidence: tuple[EvidenceLine, ...]
    first_ms: int
    seen: int
    unseen: int
    told: str
    told_share: float
    told_lamps: int
    within: list[tuple[ElementKind, str]]


def _distinct(verdicts: Iterable[Verdict]) -> dict[Key, Verdict]:
    """One verdict per key, the first one; what lies wholly within a larger one is that one's."""
    found: dict[Key, Verdict] = {}
    for verdict in sorted(verdicts, key=lambda one: -len(one.lamps)):
        inside = any(len(verdict.lamps) and _takes_in(other.lamps, verdict.lamps) for other in found.values())
        if verdict.key not in found and not inside:
            found[verdict.key] = verdict
    return found


def _takes_in(larger: Rows, smaller: Rows) -> bool:
    return len(larger) >= len(smaller) and bool(np.isin(smaller, larger, assume_unique=True).all())
