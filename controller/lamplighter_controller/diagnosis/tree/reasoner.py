"""The supply tree's verdict of one step: which nodes are at fault, and which lamps stand on their own."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lamplighter_controller.diagnosis.findings import Finding
from lamplighter_controller.diagnosis.samples import Samples
from lamplighter_controller.diagnosis.settings import Settings
from lamplighter_controller.diagnosis.suspicions import Suspicions
from lamplighter_controller.diagnosis.topology import Topology
from lamplighter_controller.diagnosis.tree.batches import batches
from lamplighter_controller.diagnosis.tree.branches import Branches, count_up
from lamplighter_controller.diagnosis.tree.causes import Scene, cause
from lamplighter_controller.diagnosis.tree.contacts import open_doors
from lamplighter_controller.diagnosis.tree.gathering import gather
from lamplighter_controller.diagnosis.tree.joints import Joints
from lamplighter_controller.diagnosis.tree.leaves import LeafMemory, Leaves
from lamplighter_controller.diagnosis.tree.metering import Metering
from lamplighter_controller.diagnosis.tree.outages import outages
from lamplighter_controller.diagnosis.tree.silences import Silences
from lamplighter_controller.diagnosis.tree.standing import Standing
from lamplighter_controller.diagnosis.tree.switching import Switching
from lamplighter_controller.diagnosis.tree.verdicts import Verdict
from lamplighter_controller.diagnosis.tree.voices import Voices
from lamplighter_controller.diagnosis.tree.voltages import Voltages
from lamplighter_controller.diagnosis.tree.witness import Statement, Witness

State = dict[str, NDArray[Any]]


class SupplyTree:
    """Folds what hangs together and lets single lamps speak after one batch; late samples move no node."""

    def __init__(self, topology: Topology, settings: Settings) -> None:
        """Begin with nothing standing."""
        self._topology = topology
        self._branches = Branches(topology)
        self._leaves = LeafMemory(topology)
        self._witness = Witness(self._branches)
        self._voltages = Voltages(self._branches, settings.nominal_voltage_v)
        self._switching = Switching(self._branches)
        self._metering = Metering(self._branches)
        self._joints = Joints(topology)
        self._silences = Silences(self._branches, settings.period_s)
        self._voices = Voices(topology)
        self._standing = Standing(topology)

    def step(self, samples: Samples, suspicions: Suspicions, now_ms: int) -> tuple[Finding, ...]:
        """Findings that are new, changed or closed: of lamps under suspicion and silent ones, and of nodes above."""
        if samples.late:
            return tuple(self._voices.look(suspicions.lamps, self._standing.covered()))
        scene = self._scene(samples, suspicions)
        findings = self._standing.look(self._verdicts(scene, now_ms), now_ms)
        covered = self._standing.covered()
        if samples.excused is not None:
            covered |= samples.excused
        findings += self._silences.look(scene, covered, now_ms)
        findings += self._voices.fold(suspicions.lamps, self._standing.told())
        findings += self._voices.look(suspicions.lamps, covered, scene.leaves)
        return tuple(findings)

    def _scene(self, samples: Samples, suspicions: Suspicions) -> Scene:
        found = self._leaves.leaves(samples, suspicions)
        statement = self._hear(samples, suspicions, found)
        return Scene(self._branches, found, samples, suspicions, statement)

    def _hear(self, samples: Samples, suspicions: Suspicions, found: Leaves) -> Statement:
        """A cabinet is calm, and teaches what its meter usually says, when all of its lamps that were asked answer."""
        odd = self._branches.by_feeder(found.silent | found.dark | found.lit)
        heard = self._branches.by_feeder(found.heard)
        cabinets, of = len(self._topology.cabinets), self._topology.feeder_cabinet
        calm = (count_up(of, odd, cabinets) == 0) & (count_up(of, heard, cabinets) > 0)
        expected_w = np.asarray(suspicions.expected_w, np.float64)
        return self._witness.hear(samples.cabinets, expected_w, calm)

    def _verdicts(self, scene: Scene, now_ms: int) -> list[Verdict]:
        out = [cause(scene, one) for one in outages(self._branches, scene.leaves)]
        return [
            *gather(scene, out),
            *self._voltages.look(scene.statement.voltage_v, scene.statement.answered, now_ms),
            *self._switching.look(scene, now_ms),
            *self._metering.look(scene, self._standing.covered(), now_ms),
            *self._joints.look(scene, now_ms),
            *batches(self._topology, scene, now_ms),
            *open_doors(self._topology, scene.samples.cabinets),
        ]

    def export(self) -> State:
        """Everything learned and standing, as arrays under the names of what their rows belong to."""
        return {
            "tree_cabinet": np.array(self._topology.cabinets, np.str_),
            "tree_scale": self._witness.scale,
            "tree_peak_w": self._metering.peak_w,
            "tree_lamp": np.array(self._topology.lamps, np.str_),
            "tree_guard": self._standing.guard,
            "tree_missed": self._silences.missed,
            "tree_missed_since": self._silences.since_s,
            "tree_missed_told": self._silences.told,
            "tree_joint_looks": self._joints.looks,
            "tree_joint_sums": self._joints.sums,
            "tree_nodes": self._standing.export(),
            **{f"tree_{name}": column for name, column in self._voices.export().items()},
        }

    def restore(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Take up where `export` left off, name by name."""
        mine, theirs = _meeting(self._topology.cabinets, state["tree_cabinet"].tolist())
        self._witness.scale[mine] = state["tree_scale"][theirs]
        self._metering.peak_w[mine] = state["tree_peak_w"][theirs]
        mine, theirs = _meeting(self._topology.lamps, state["tree_lamp"].tolist())
        self._standing.guard[mine] = state["tree_guard"][theirs]
        self._silences.missed[mine] = state["tree_missed"][theirs]
        self._silences.since_s[mine] = state["tree_missed_since"][theirs]
        self._silences.told[mine] = state["tree_missed_told"][theirs]
        self._joints.looks[mine] = state["tree_joint_looks"][theirs]
        self._joints.sums[:, mine] = state["tree_joint_sums"][:, theirs]
        self._standing.restore(state["tree_nodes"])
        self._voices.restore(*(state[f"tree_said_{name}"].tolist() for name in ("lamp", "class", "share")))


def _meeting(mine: tuple[str, ...], theirs: list[str]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Rows here and rows there of the names in both."""
    row_of = {name: row for row, name in enumerate(theirs)}
    pairs = [(row, row_of[name]) for row, name in enumerate(mine) if name in row_of]
    both = np.array(pairs, np.int64).reshape(-1, 2)
    return both[:, 0], both[:, 1]
