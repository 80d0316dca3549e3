"""The cabinet's meter as the witness that tells lost power from lost radio."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from lamplighter_controller.diagnosis.findings import EvidenceLine
from lamplighter_controller.diagnosis.samples import Columns, Flags, Floats
from lamplighter_controller.diagnosis.tree.branches import Branches

PHASE_NAMES: Final = ("a", "b", "c")
DEAD_V: Final = 50.0  # what a dead conductor picks up from its neighbours stays below
LEARN: Final = 0.05
LEAST_W: Final = 20.0
SHARE: Final = 0.06  # metered against expected power, one standard deviation
MOST_NATS: Final = 12.0
ALL: Final = 3


@dataclass(frozen=True, slots=True)
class Statement:
    """What the meters say in one step; (C, 4) columns phase a, b, c, all. NaN = not said."""

    power_w: Floats
    expected_w: Floats
    voltage_v: Floats
    scale: Floats
    answered: Flags
    asked: Flags

    def share(self, cabinet: int, column: int) -> float:
        """Watts the meter says per watt that its lamps draw."""
        return float(self.scale[cabinet, column])

    def sigma_w(self, cabinet: int, column: int) -> float:
        """Standard deviation of the metered power around what is expected."""
        return float(max(SHARE * self.expected_w[cabinet, column], LEAST_W))

    def dead(self, cabinet: int, column: int) -> bool:
        """The meter is heard and says that there is no voltage; of `ALL`, on no phase."""
        voltages = self.voltage_v[cabinet, :3] if column == ALL else self.voltage_v[cabinet, column : column + 1]
        return bool(self.answered[cabinet] and _highest(voltages) < DEAD_V)

    def supply_nats(self, cabinet: int, column: int, missing_w: float) -> float:
        """Log-likelihood that `missing_w` is not drawn against that it is drawn all the same; 0 = no word on it."""
        power_w, expected_w = float(self.power_w[cabinet, column]), float(self.expected_w[cabinet, column])
        if np.isnan(power_w) or missing_w <= 0 or expected_w <= 0:
            return 0.0
        sigma_w = self.sigma_w(cabinet, column)
        drawn, lost = (power_w - expected_w) / sigma_w, (power_w - expected_w + missing_w) / sigma_w
        return float(np.clip((drawn**2 - lost**2) / 2, -MOST_NATS, MOST_NATS))

    def line(self, cabinet: int, column: int) -> EvidenceLine:
        """The metered power as a line of evidence."""
        sigma_w = self.sigma_w(cabinet, column)
        power_w, expected_w = float(self.power_w[cabinet, column]), float(self.expected_w[cabinet, column])
        return EvidenceLine("cabinet_power", power_w, expected_w, sigma_w, 1, "W")

    def volts(self, cabinet: int, column: int) -> EvidenceLine:
        """The voltage of a phase, or the highest of the three, as a line of evidence."""
        voltages = self.voltage_v[cabinet, :3] if column == ALL else self.voltage_v[cabinet, column : column + 1]
        return EvidenceLine("phase_voltage", _highest(voltages), 230.0, 8.0, 1, "V")


class Witness:
    """Learns for each phase how much its meter says per watt its lamps should draw: losses, lamps without a meter."""

    def __init__(self, branches: Branches) -> None:
        """Begin with 4 % of loss."""
        self._branches = branches
        self.scale: Floats = np.full((len(branches.topology.cabinets), 4), 1.04)

    def hear(self, cabinets: Columns, lamp_expected_w: Floats, calm: Flags) -> Statement:
        """What the meters say now; learns where `calm` (C,) says that every lamp of the cabinet was heard."""
        power_w = _by_phase(cabinets, "power_{}_w", "power_w")
        voltage_v = _by_phase(cabinets, "voltage_{}_v", "")
        expected_w = self._branches.metered(lamp_expected_w)
        told = cabinets.answered[:, None] & ~np.isnan(power_w) & (expected_w > 5 * LEAST_W)
        ratio = np.divide(power_w, expected_w, out=np.ones_like(expected_w), where=told)
        learning = told & calm[:, None] & (np.abs(ratio / self.scale - 1) < 0.2)
        self.scale = np.where(learning, self.scale + LEARN * (ratio - self.scale), self.scale)
        return Statement(power_w, expected_w * self.scale, voltage_v, self.scale, cabinets.answered, cabinets.asked)


def _highest(voltages: Floats) -> float:
    return float("nan") if np.isnan(voltages).all() else float(np.nanmax(voltages))


def _by_phase(cabinets: Columns, phases: str, total: str) -> Floats:
    columns = np.column_stack([cabinets.column(phases.format(name)) for name in PHASE_NAMES]).astype(np.float64)
    whole = cabinets.column(total).astype(np.float64) if total else np.full(len(cabinets), np.nan)
    summed = np.where(np.isnan(columns).any(axis=1), np.nan, np.nan_to_num(columns).sum(axis=1))
    found = np.column_stack([columns, np.where(np.isnan(whole), summed, whole)])
    found[~cabinets.answered] = np.nan
    return found
