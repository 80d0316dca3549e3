"""What a diagnosis said, whoever made it: one episode per element and complaint, with how its class changed."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from benchmarks.diagnosis.course import Course
from lamplighter_controller.diagnosis.diagnoser import Diagnoser
from lamplighter_controller.diagnosis.findings import Element, ElementKind, Finding
from lamplighter_controller.diagnosis.replay.steps import Steps


@dataclass(slots=True)
class Episode:
    """One complaint about one element: class and confidence as they were told, in order; closed None = still open."""

    kind: str
    id: str
    said: list[tuple[int, str, float]]
    closed_ms: int | None = None
    members: frozenset[str] = frozenset()

    @property
    def raised_ms(self) -> int:
        """When it was first told."""
        return self.said[0][0]

    @property
    def class_id(self) -> str:
        """What was said last."""
        return self.said[-1][1]

    @property
    def confidence(self) -> float:
        """How sure it was, last."""
        return self.said[-1][2]

    def first_said(self, class_id: str) -> int | None:
        """When it was first called this."""
        return next((time for time, name, _ in self.said if name == class_id), None)

    def over_by(self, end_ms: int) -> int:
        """When it was closed, or the end."""
        return end_ms if self.closed_ms is None else self.closed_ms


@dataclass
class Notes:
    """Collects findings into episodes."""

    done: list[Episode] = field(default_factory=list)
    _open: dict[tuple[Element, str], Episode] = field(default_factory=dict)

    def take(self, findings: Sequence[Finding], now_ms: int) -> None:
        """What was found in one step; as with incidents, a class that ends while another begins has become that one."""
        ended = {finding.element: finding for finding in findings if not finding.open}
        for finding in findings:
            if finding.open:
                self._say(finding, ended.get(finding.element), now_ms)
        for finding in findings:
            if not finding.open:
                self._close(finding, now_ms)

    def _say(self, finding: Finding, ended: Finding | None, now_ms: int) -> None:
        key = (finding.element, finding.class_id)
        episode = self._open.get(key) or self._become(finding, ended)
        if episode is None:
            episode = Episode(str(finding.element.kind), finding.element.id, [])
            self.done.append(episode)
        episode.said.append((int(now_ms), finding.class_id, finding.confidence))
        episode.members |= frozenset(one.id for one in finding.members)
        self._open[key] = episode

    def _become(self, finding: Finding, ended: Finding | None) -> Episode | None:
        """What the element was said to be until now; a lamp's newer class always replaces what was said before."""
        if ended is not None:
            return self._open.pop((ended.element, ended.class_id), None)
        if finding.element.kind is ElementKind.LAMP:
            former = next((key for key in self._open if key[0] == finding.element), None)
            return None if former is None else self._open.pop(former)
        return None

    def _close(self, finding: Finding, now_ms: int) -> None:
        episode = self._open.pop((finding.element, finding.class_id), None)
        if episode is not None:
            episode.closed_ms = int(now_ms)


def diagnose(course: Course) -> list[Episode]:
    """Everything our diagnosis says of a course."""
    diagnoser = Diagnoser(course.topology, course.models, course.settings)
    notes: Final = Notes()
    for step in Steps(course.stream, course.topology, course.models, course.told):
        notes.take(diagnoser.step(step.samples, step.now_ms), step.now_ms)
    return notes.done
