"""What single lamps have to say, once the tree has spoken: held for one batch, silent under a node's verdict."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from lamplighter_controller.diagnosis.findings import Element, ElementKind, EvidenceLine, Finding
from lamplighter_controller.diagnosis.samples import Flags, Rows
from lamplighter_controller.diagnosis.suspicions import LampSuspicions
from lamplighter_controller.diagnosis.topology import Topology
from lamplighter_controller.diagnosis.tree.leaves import Leaves

CHANGED: Final = 0.15
LEAST_SHARE: Final = 0.3  # below that nobody knows what it is yet
SAID_SHARE: Final = 0.005
NOTHING: Final = -1
SHOWS_DARK: Final = frozenset({"lamp_dead", "driver_dead", "relay_open"})
SHOWS_LIT: Final = frozenset({"relay_stuck_on"})
SAME: Final = {"contactor_stuck_on": "relay_stuck_on", "schedule_dev": "relay_stuck_on"}
"""What a node's class looks like at one lamp of it; any other looks like itself."""
CERTAIN: Final = 0.9
SETTLES: Final = (
    (SHOWS_DARK | {"gear_fault"}, "load_side"),
    (frozenset({"driver_drift", "led_partial", "led_short"}), "more_nights"),
    (frozenset({"led_partial", "led_short"}), "name_plate"),
)
"""Classes that only this can part; a level sequence parts all others. The last that fits counts."""


@dataclass(frozen=True, slots=True)
class _Said:
    """What was told of one lamp."""

    class_id: str
    share: float


class Voices:
    """Which lamps wait to be heard, and what was told of the others."""

    def __init__(self, topology: Topology) -> None:
        """Begin with nothing told."""
        self._topology = topology
        self._waited: NDArray[np.bool_] = np.zeros(len(topology.lamps), np.bool_)
        self._folded: NDArray[np.bool_] = np.zeros(len(topology.lamps), np.bool_)
        self._said: dict[int, _Said] = {}

    def look(self, lamps: LampSuspicions, covered: Flags, leaves: Leaves | None = None) -> list[Finding]:
        """New, changed and closed findings of lamps; those that are `covered` wait. Without leaves they are late ones.

        What a node explained once, a lamp has to show again by itself before it is told. What late readings open waits
        for the next look of the tree, which may know why they were late, or why many say the same.
        """
        findings = [self._closed(lamps, row) for row in lamps.cleared.tolist() if row in self._said]
        free = ~covered[lamps.row]
        self._folded[lamps.row[~free]] = True
        self._folded[lamps.cleared] = self._waited[lamps.cleared] = False
        shows = np.zeros(len(free), np.bool_) if leaves is None else _shows(lamps, leaves)
        known = lamps.probability.max(axis=1, initial=0) >= LEAST_SHARE
        speaks = free & known & (~self._folded[lamps.row] | shows)
        waited = self._waited[lamps.row] if leaves is not None else np.isin(lamps.row, list(self._said))
        ripe = speaks & waited
        self._waited[lamps.row] = speaks
        if ripe.any():
            findings += self._told(lamps, np.flatnonzero(ripe))
        return findings

    def fold(self, lamps: LampSuspicions, nodes: Iterable[tuple[str, Rows]]) -> list[Finding]:
        """Lamps that spoke before a node above them was told of the same (class, lamps below): it speaks for them."""
        findings = []
        for class_id, below in nodes:
            alike = [row for row, said in self._said.items() if said.class_id in {class_id, SAME.get(class_id)}]
            for row in np.intersect1d(alike, below).astype(np.int64).tolist():
                self._folded[row] = True
                findings.append(self._closed(lamps, row))
        return findings

    def _told(self, lamps: LampSuspicions, places: Rows) -> list[Finding]:
        first = np.argmax(lamps.probability[places], axis=1)
        share = lamps.probability[places, first]
        findings = []
        for place, class_row, likely in zip(places.tolist(), first.tolist(), share.tolist(), strict=True):
            row, name = int(lamps.row[place]), lamps.classes[class_row]
            self._folded[row] = False
            said = self._said.get(row)
            if said is None or said.class_id != name or abs(said.share - likely) >= CHANGED:
                if said is not None and said.class_id != name:
                    findings.append(self._finding(lamps, row, place, ((said.class_id, 1.0),), is_open=False))
                self._said[row] = _Said(name, likely)
                findings.append(self._finding(lamps, row, place, _alternatives(lamps, place), is_open=True))
        return findings

    def _closed(self, lamps: LampSuspicions, row: int) -> Finding:
        said = self._said.pop(row)
        return self._finding(lamps, row, NOTHING, ((said.class_id, 1.0),), is_open=False)

    def _finding(
        self, lamps: LampSuspicions, row: int, place: int, alternatives: tuple[tuple[str, float], ...], *, is_open: bool
    ) -> Finding:
        element = Element(ElementKind.LAMP, self._topology.lamps[row])
        if place == NOTHING:
            return Finding(element, alternatives, 0, 0, open=is_open)
        onset_ms, first_ms = int(lamps.onset_ms[place]), int(lamps.first_observable_ms[place])
        settle = _settle(alternatives)
        return Finding(element, alternatives, onset_ms, first_ms, _lines(lamps, place), (), settle, is_open)

    def export(self) -> dict[str, NDArray[np.generic]]:
        """What was told, by lamp."""
        rows = sorted(self._said)
        return {
            "said_lamp": np.array([self._topology.lamps[row] for row in rows], np.str_),
            "said_class": np.array([self._said[row].class_id for row in rows], np.str_),
            "said_share": np.array([self._said[row].share for row in rows], np.float64),
        }

    def restore(self, lamp: list[str], class_id: list[str], share: list[float]) -> None:
        """Take it back; lamps that are gone are left out."""
        row_of = {name: row for row, name in enumerate(self._topology.lamps)}
        self._said = {
            row_of[name]: _Said(one, likely)
            for name, one, likely in zip(lamp, class_id, share, strict=True)
            if name in row_of
        }


def _shows(lamps: LampSuspicions, leaves: Leaves) -> Flags:
    """(k,) whether the lamp shows what it is suspected of: in this step, or lately where one step cannot show it."""
    first = np.argmax(lamps.probability, axis=1) if len(lamps.row) else np.empty(0, np.int64)
    dark, lit = ([name in which for name in lamps.classes] for which in (SHOWS_DARK, SHOWS_LIT))
    by_dark, by_lit = np.array(dark, np.bool_)[first], np.array(lit, np.bool_)[first]
    shows: Flags = (~by_dark | leaves.dark[lamps.row]) & (~by_lit | leaves.lit[lamps.row])
    shows &= by_dark | by_lit | lamps.shows
    return shows


def _alternatives(lamps: LampSuspicions, place: int) -> tuple[tuple[str, float], ...]:
    shares = lamps.probability[place]
    kept = [int(one) for one in np.argsort(-shares, kind="stable") if shares[one] >= SAID_SHARE]
    total = float(shares[kept].sum())
    return tuple((lamps.classes[one], float(shares[one]) / total) for one in kept)


def _settle(alternatives: tuple[tuple[str, float], ...]) -> str:
    """What would part the two most likely classes, "" where one is certain."""
    if alternatives[0][1] >= CERTAIN:
        return ""
    doubt = {name for name, _ in alternatives[:2]}
    return next((key for classes, key in reversed(SETTLES) if doubt <= classes), "level_sequence")


def _lines(lamps: LampSuspicions, place: int) -> tuple[EvidenceLine, ...]:
    """Strongest first: by how many standard deviations the value is off, counts and flags after that."""
    lines = [
        EvidenceLine(
            name,
            float(columns.value[place]),
            float(columns.expected[place]),
            float(columns.sigma[place]),
            int(columns.samples[place]),
            columns.unit,
        )
        for name, columns in lamps.evidence.items()
        if not np.isnan(columns.value[place])
    ]
    return tuple(sorted(lines, key=_weight, reverse=True))


def _weight(line: EvidenceLine) -> float:
    off = abs(line.value - line.expected) / line.sigma if line.sigma > 0 else float("nan")
    return 0.0 if np.isnan(off) else off
