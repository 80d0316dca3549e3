"""What a diagnosis said, whoever made it: one episode per element and complaint, with how its class changed."""

from collections.abc import Iterable
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

    def take(self, findings: Iterable[Finding], now_ms: int) -> None:
        """What was found in one step."""
        for finding in findings:
            key = (finding.element, finding.class_id)
            if not finding.open:
                self._close(finding, now_ms)
                continue
            episode = self._open.get(key) or self._of_the_same_lamp(finding)
            if episode is None:
                episode = Episode(str(finding.element.kind), finding.element.id, [])
                self.done.append(episode)
            episode.said.append((now_ms, finding.class_id, finding.confidence))
            episode.members |= frozenset(one.id for one in finding.members)
            self._open[key] = episode

    def _close(self, finding: Finding, now_ms: int) -> None:
        for key in [key for key in self._open if key[0] == finding.element]:
            if key[1] == finding.class_id or finding.element.kind is ElementKind.LAMP:
                self._open.pop(key).closed_ms = now_ms

    def _of_the_same_lamp(self, finding: Finding) -> Episode | None:
        """A lamp's newer class replaces what was said of it before."""
        if finding.element.kind is not ElementKind.LAMP:
            return None
        for key in [key for key in self._open if key[0] == finding.element]:
            return self._open.pop(key)
        return None


def diagnose(course: Course) -> list[Episode]:
    """Everything our diagnosis says of a course."""
    diagnoser = Diagnoser(course.topology, course.models, course.settings)
    notes: Final = Notes()
    for step in Steps(course.stream, course.topology, course.models, course.told):
        notes.take(diagnoser.step(step.samples, step.now_ms), step.now_ms)
    return notes.done
