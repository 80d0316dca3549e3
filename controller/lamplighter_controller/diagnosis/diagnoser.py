"""The whole of diagnosis as one pure machine: samples of a step in, changed findings out."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from lamplighter_controller.diagnosis.arrays import Arrays
from lamplighter_controller.diagnosis.findings import Element, Finding
from lamplighter_controller.diagnosis.lamps.expectation.tables import ModelTables
from lamplighter_controller.diagnosis.lamps.seen import Seen
from lamplighter_controller.diagnosis.lamps.suspects.suspecting import LampSuspector
from lamplighter_controller.diagnosis.leakage import Leakage
from lamplighter_controller.diagnosis.meters.watch import MeterWatch, PhaseSums
from lamplighter_controller.diagnosis.models import LampModel
from lamplighter_controller.diagnosis.samples import Flags, Floats, Rows, Samples
from lamplighter_controller.diagnosis.settings import Settings
from lamplighter_controller.diagnosis.suspicions import Suspicions
from lamplighter_controller.diagnosis.topology import Topology
from lamplighter_controller.diagnosis.tree.reasoner import SupplyTree

State = Arrays


class Diagnoser:
    """Used alike by the running city, by replay over a file, and by benchmarks."""

    def __init__(self, topology: Topology, models: Mapping[str, LampModel], settings: Settings | None = None) -> None:
        """Begin with nothing known of any lamp."""
        self.topology = topology
        self.settings = settings or Settings()
        lamps = np.bincount(topology.lamp_model % (len(topology.models) + 1), minlength=len(topology.models) + 1)
        self._tables = ModelTables(topology.models, models, lamps)
        self._lamps = LampSuspector(topology, self._tables, self.settings)
        phase = topology.feeder_phase[topology.lamp_feeder]
        self._by_phase = PhaseSums(topology.lamp_cabinet, phase, len(topology.cabinets))
        rated_w = self._tables.rated_w[self._lamps.watch.model]
        self._meters = MeterWatch(self._by_phase(rated_w), self.settings.period_s)
        self._tree = SupplyTree(topology, self.settings)
        self._leakage = Leakage(topology)

    @property
    def silent(self) -> Flags:
        """(n,) lamps that missed their last report."""
        return np.asarray(self._lamps.watch.held.missed > 0)

    def step(self, samples: Samples, now_ms: int) -> tuple[Finding, ...]:
        """Findings that are new, changed or closed by these samples; `now_ms` is civil time."""
        danger = self._leakage.step(samples, now_ms)
        return (*danger, *self._tree.step(samples, self.suspect(samples, now_ms), now_ms))

    def leak_closed(self, element: Element) -> None:
        """Somebody has closed what was told of a leak: what is still wrong is told anew."""
        self._leakage.forget(element)

    def suspect(self, samples: Samples, now_ms: int) -> Suspicions:
        """What the detectors say, before the supply tree has spoken."""
        lamps, seen = self._lamps.step(samples, now_ms)
        meters = self._meters.step(samples.cabinets, self._by_phase(self._drawn_w(samples, seen)))
        held = self._lamps.watch.held
        return Suspicions(
            lamps=lamps,
            meters=meters,
            silence=held.missed.astype(np.int32),
            silent_since_ms=np.where(held.missed > 0, held.heard.astype(np.int64) * 1000, 0),
            power_w=samples.lamps.column("power_w"),
            expected_w=seen.expected_w,
            dark=seen.dark,
            lit=seen.lit,
            astray=np.asarray(held.astray > 0),
            feeder_common=seen.common,
        )

    def _drawn_w(self, samples: Samples, seen: Seen) -> Floats:
        """(n,) as read, else as expected; one that burnt when it should not, and is silent now, burns on."""
        held = self._lamps.watch.held
        drawn_w: Floats = np.where(seen.usable, samples.lamps.column("power_w"), seen.expected_w)
        suspect = np.flatnonzero(self._lamps.suspect)
        off = (held.desired_percent[suspect] < 1) & (seen.expected_w[suspect] == 0)
        rows = suspect[off & ~samples.lamps.answered[suspect]]
        drawn_w[rows] = np.fmax(held.power_w[rows], 0)
        return drawn_w

    def export(self) -> State:
        """Everything learned, as named arrays with the ids their rows belong to; `restore` takes it back."""
        names = {"ids.lamps": np.array(self.topology.lamps), "ids.cabinets": np.array(self.topology.cabinets)}
        tables = {f"model.{name}": array for name, array in self._tables.export().items()}
        tree = {f"tree.{name}": array for name, array in self._tree.export().items()}
        leakage = {f"leakage.{name}": array for name, array in self._leakage.export().items()}
        return names | tables | self._lamps.export() | self._meters.export() | tree | leakage

    def restore(self, state: State) -> None:
        """Take up where `export` left off, lamp by lamp: a topology that changed in between is no obstacle."""
        self._tables.take({name[6:]: array for name, array in state.items() if name.startswith("model.")})
        self._lamps.take(state, _source(self.topology.lamps, state["ids.lamps"]))
        self._meters.take(state, _source(self.topology.cabinets, state["ids.cabinets"]))
        self._tree.restore({name[5:]: array for name, array in state.items() if name.startswith("tree.")})
        self._leakage.restore({name[8:]: array for name, array in state.items() if name.startswith("leakage.")})


def _source(ids: Sequence[str], former: NDArray[np.generic]) -> Rows:
    """Former row of each id, -1 = new."""
    row_of = {str(name): row for row, name in enumerate(former)}
    return np.fromiter((row_of.get(name, -1) for name in ids), np.int64, len(ids))
