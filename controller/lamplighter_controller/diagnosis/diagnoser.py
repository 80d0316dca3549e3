"""The whole of diagnosis as one pure machine: samples of a step in, changed findings out."""

from collections.abc import Mapping

from numpy.typing import NDArray

from lamplighter_controller.diagnosis.findings import Finding
from lamplighter_controller.diagnosis.models import LampModel
from lamplighter_controller.diagnosis.samples import Samples
from lamplighter_controller.diagnosis.settings import Settings
from lamplighter_controller.diagnosis.topology import Topology

State = dict[str, NDArray]


class Diagnoser:
    """Used alike by the running city, by replay over a file, and by benchmarks."""

    def __init__(self, topology: Topology, models: Mapping[str, LampModel], settings: Settings | None = None) -> None:
        """Begin with nothing known of any lamp."""
        self.topology = topology
        self.models = models
        self.settings = settings or Settings()

    def step(self, samples: Samples, now_ms: int) -> tuple[Finding, ...]:
        """Findings that are new, changed or closed by these samples; `now_ms` is civil time."""
        raise NotImplementedError

    def export(self) -> State:
        """Everything learned, as named arrays with the ids their rows belong to; `restore` takes it back."""
        raise NotImplementedError

    def restore(self, state: State) -> None:
        """Take up where `export` left off, lamp by lamp: a topology that changed in between is no obstacle."""
        raise NotImplementedError
