"""The engine over a stream: findings become incidents as they do in a running city, with no server and no clock."""

from collections.abc import Callable, Mapping, Sequence
from itertools import count

import numpy as np

from lamplighter_contract.quantities import Kind
from lamplighter_controller.diagnosis.catalogue.faults import catalogue
from lamplighter_controller.diagnosis.diagnoser import Diagnoser
from lamplighter_controller.diagnosis.findings import Finding
from lamplighter_controller.diagnosis.incidents.book import Book, Surroundings
from lamplighter_controller.diagnosis.incidents.incident import Incident
from lamplighter_controller.diagnosis.models import LampModel
from lamplighter_controller.diagnosis.replay.snapshot import Snapshot
from lamplighter_controller.diagnosis.replay.steps import Step, Steps, Told
from lamplighter_controller.diagnosis.replay.stream import Stream
from lamplighter_controller.diagnosis.settings import Settings
from lamplighter_controller.diagnosis.topology import Topology


def replay(stream: Stream, topology: Topology, models: Mapping[str, LampModel], told: Told) -> tuple[Incident, ...]:
    """Every incident of the stream as it stood at its end, in order of their raising."""
    judge = _judge(stream, topology, models)
    book = Book(_numbered())
    around = Surroundings(topology, catalogue())
    kept: dict[str, Incident] = {}
    for step in Steps(stream, topology, models, told):
        changed = book.take(judge(step), around, step.now_ms)
        if not step.samples.late:
            changed += book.tick(around, step.now_ms)
        kept.update((incident.id, incident) for incident in changed)
    return tuple(sorted(kept.values(), key=lambda incident: (incident.raised_ms, incident.id)))


def _judge(stream: Stream, topology: Topology, models: Mapping[str, LampModel]) -> Callable[[Step], Sequence[Finding]]:
    """The engine; where no lamp speaks twice there is nothing to follow, and peers are asked instead."""
    place = stream.rows[Kind.LAMP].place
    if len(place) and len(np.unique(place)) == len(place):
        return lambda step: tuple(Snapshot.of(topology, models, step.samples.lamps).findings())
    diagnoser = Diagnoser(topology, models, Settings(period_s=stream.period_s))
    return lambda step: diagnoser.step(step.samples, step.now_ms)


def _numbered() -> Callable[[], str]:
    numbers = count(1)
    return lambda: f"incident-{next(numbers)}"
