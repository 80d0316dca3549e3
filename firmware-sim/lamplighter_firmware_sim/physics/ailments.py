"""What faults do to the physics: the board's strengths turned into columns that the plant's formulas take up."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from lamplighter_contract.quantities import Kind
from lamplighter_firmware_sim.faults.board import FaultBoard
from lamplighter_firmware_sim.physics.lamps import Array, Mask
from lamplighter_firmware_sim.physics.supply import Tree

GEAR_SILENT: Final = 2  # bits of a lamp's fault bits, beside that of a failed lamp
STRINGS_SHORTED: Final = 4
THROTTLED: Final = 8
_BREAK_MIN: Final = 4.0  # a cycling tube cools down for so long
_THROTTLED_TO: Final = 0.88
_CAPACITOR: Final = 0.55  # of the power factor stays without one


class Ailments:
    """Columns over lamps, circuits and (cabinet, phase); 0, 1 or False where all is well."""

    def __init__(self, tree: Tree) -> None:
        """All well."""
        lamps = len(tree.lamp_circuit)
        self._tree = tree
        self._drifted = np.zeros(lamps)
        self._cycled_min = np.zeros(lamps)
        self.unsupplied: Mask = np.zeros(lamps, dtype=bool)
        self.welded: Mask = np.zeros(tree.circuits, dtype=bool)
        self.phase_share: Array = np.ones((tree.cabinets, 3))

    def observe(self, board: FaultBoard, seconds: float) -> None:
        """Take the faults that hold now; `seconds` of civil time have passed."""

        def lamp(kind: str) -> Array:
            return board.strength(kind, Kind.LAMP)

        self._drifted = np.where(lamp("drift") > 0, self._drifted + lamp("drift") / 100 * seconds / 86_400, 0.0)
        self._cycled_min = np.where(lamp("cycling") > 0, self._cycled_min + seconds / 60, 0.0)
        self.welded = board.strength("welded_contactor", Kind.CIRCUIT) > 0
        self.phase_share = self._phases(board)
        head = self.phase_share[self._tree.circuit_cabinet, self._tree.circuit_phase] > 0
        self.unsupplied = ~head[self._tree.lamp_circuit] | self._behind_cuts(lamp("cable_cut") > 0)
        self._take_lamps(board)
        self.stolen_w: Array = board.strength("stolen_power", Kind.CIRCUIT)
        self.cable_leak_ma: Array = board.strength("wet_cable", Kind.CIRCUIT)

    def _take_lamps(self, board: FaultBoard) -> None:
        def lamp(kind: str) -> Array:
            return board.strength(kind, Kind.LAMP)

        cycling = lamp("cycling")
        out = (cycling > 0) & (self._cycled_min % (cycling + _BREAK_MIN) >= cycling)
        self.open_relay: Mask = lamp("open_relay") > 0
        self.gear_w: Array = lamp("bad_gear")
        self._silent_gear: Mask = lamp("dead_driver") > 0
        self.dark: Mask = self._silent_gear | (self.gear_w > 0) | out
        self._shorted = lamp("strings_shorted")
        self.hot_c: Array = lamp("hot")
        lost = np.maximum(lamp("strings_open"), self._shorted) / 100
        throttled = np.where(self.hot_c > 0, _THROTTLED_TO, 1.0)
        self.load: Array = (1 - lost) * np.exp(-self._drifted) * throttled
        self.factor: Array = np.where(lamp("dead_capacitor") > 0, _CAPACITOR, 1.0)
        self._stuck: Array = lamp("stuck_level")
        self.leak_ma: Array = lamp("leak")
        self.tilt_deg: Array = lamp("tilt")
        self.joint_ohm: Array = lamp("bad_joint")

    def held_level(self, output_percent: Array) -> Array:
        """Level that reaches the light sources; gear with a dead dim line keeps its own while it is on."""
        return np.where((self._stuck > 0) & (output_percent > 0), self._stuck, output_percent)

    def bits(self, lit: Mask) -> NDArray[np.int64]:
        """What the gear says of itself, as far as its controller can ask it."""
        told = np.where(self._silent_gear, GEAR_SILENT, 0)
        told |= np.where((self._shorted > 0) & lit, STRINGS_SHORTED, 0)
        return np.asarray(told | np.where((self.hot_c > 0) & lit, THROTTLED, 0))

    def _phases(self, board: FaultBoard) -> Array:
        """(cabinet, phase) share of the voltage that is there."""

        def cabinet(kind: str) -> Array:
            return board.strength(kind, Kind.CABINET)

        low = 1 - cabinet("undervoltage") / 100
        share = np.repeat(np.where(cabinet("supply_loss") > 0, 0.0, low)[:, None], 3, axis=1)
        share[:, 0] *= 1 + cabinet("neutral_loss") / 100
        share[:, 1] *= 1 - cabinet("neutral_loss") / 100
        for phase in range(3):
            share[cabinet("phase_loss").astype(np.int64) == phase + 1, phase] = 0.0
        return share

    def _behind_cuts(self, cut: Mask) -> Mask:
        """Lamps at a cut and behind it on its cable."""
        if not cut.any():
            return cut
        tree = self._tree
        along = np.cumsum(cut[tree.cable])
        before_cable: NDArray[np.int64] = along[tree.first] - cut[tree.cable][tree.first]
        behind = np.empty_like(cut)
        behind[tree.cable] = along > before_cable
        return behind
