"""Residual current of cabinets, circuits and lamps against the element's own dry baseline."""

from lamplighter_controller.diagnosis.findings import Finding
from lamplighter_controller.diagnosis.samples import Samples
from lamplighter_controller.diagnosis.topology import Topology


class Leakage:
    """Judges every residual current at once, without waiting for the supply tree: people may touch the pole."""

    def __init__(self, topology: Topology) -> None:
        """Begin with no baseline."""
        self._topology = topology

    def step(self, samples: Samples, now_ms: int) -> tuple[Finding, ...]:
        """Findings that are new, changed or closed."""
        raise NotImplementedError
