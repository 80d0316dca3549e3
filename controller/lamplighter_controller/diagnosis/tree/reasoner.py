"""The supply tree's verdict of one step: which nodes are at fault, and which lamps stand on their own."""

from lamplighter_controller.diagnosis.findings import Finding
from lamplighter_controller.diagnosis.samples import Samples
from lamplighter_controller.diagnosis.settings import Settings
from lamplighter_controller.diagnosis.suspicions import Suspicions
from lamplighter_controller.diagnosis.topology import Topology


class SupplyTree:
    """Folds what hangs together and lets single lamps speak after one batch; `late` samples open and close nothing."""

    def __init__(self, topology: Topology, settings: Settings) -> None:
        """Begin with nothing standing."""
        self._topology, self._settings = topology, settings

    def step(self, samples: Samples, suspicions: Suspicions, now_ms: int) -> tuple[Finding, ...]:
        """Findings that are new, changed or closed: of lamps under suspicion and silent ones, and of nodes above."""
        raise NotImplementedError
