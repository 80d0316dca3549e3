"""One reading per lamp: with no history to compare with, peers of the model and life-long counters are the evidence."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import nan
from typing import Final

import numpy as np
from numpy.typing import NDArray

from lamplighter_controller.diagnosis.findings import Element, ElementKind, EvidenceLine, Finding
from lamplighter_controller.diagnosis.models import LampModel
from lamplighter_controller.diagnosis.samples import Columns
from lamplighter_controller.diagnosis.topology import Topology

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
Index = NDArray[np.int64]
Likely = tuple[tuple[str, float], ...]

FEWEST_PEERS: Final = 5
LEAST_SPREAD: Final = 0.01  # of the peers' power; a real fleet's is 0.96 %
FAR_SIGMA: Final = 8.0
FAR_SHARE: Final = 0.06
DARK_SHARE: Final = 0.12
STANDBY_W: Final = 6.0
DISAGREES: Final = 0.15  # of V x I x PF; readings of one snapshot are not of one instant
HOT_C: Final = 65.0
TILTED_DEG: Final = 10.0
LEAKS_MA: Final = 10.0
LOW_FACTOR: Final = 0.65
_MAD_TO_SIGMA: Final = 1.4826

_NO_SUPPLY: Final[Likely] = (("meter_bad", 0.85), ("relay_open", 0.15))
_DEAD: Final[Likely] = (("lamp_dead", 0.6), ("driver_dead", 0.25), ("relay_open", 0.15))
_OPEN: Final[Likely] = (("relay_open", 0.55), ("driver_dead", 0.25), ("lamp_dead", 0.2))
_GEAR: Final[Likely] = (("gear_fault", 0.7), ("lamp_dead", 0.3))
_WEAK: Final[Likely] = (("led_partial", 0.75), ("driver_drift", 0.15), ("dim_fail", 0.1))
_ALWAYS_WEAK: Final[Likely] = (("led_partial", 0.5), ("record_wrong", 0.4), ("driver_drift", 0.1))
_WEAK_ARC: Final[Likely] = (("gear_fault", 0.6), ("record_wrong", 0.4))
_STRONG: Final[Likely] = (("dim_fail", 0.6), ("record_wrong", 0.4))
_ALWAYS_STRONG: Final[Likely] = (("record_wrong", 0.85), ("dim_fail", 0.15))


@dataclass(frozen=True, slots=True)
class Peers:
    """What lamps of the same model at the same level show: (n,) middle and spread, NaN where there are too few."""

    middle: Floats
    sigma: Floats

    def far(self, value: Floats) -> Flags:
        """(n,) beyond what chance and a model's tolerance explain."""
        off = np.abs(value - self.middle)
        far: Flags = (off > FAR_SIGMA * self.sigma) & (off > FAR_SHARE * np.abs(self.middle))
        return far


@dataclass(frozen=True)
class Snapshot:
    """The readings of one moment, and what their peers show."""

    topology: Topology
    lamps: Columns
    discharge: Flags

    @classmethod
    def of(cls, topology: Topology, models: Mapping[str, LampModel], lamps: Columns) -> "Snapshot":
        """With the models' kinds of light source."""
        known = [name in models and models[name].discharge for name in topology.models]
        return cls(topology, lamps, np.array([*known, False])[topology.lamp_model])

    def column(self, name: str) -> Floats:
        """(n,) values."""
        return self.lamps.column(name).astype(np.float64)

    def findings(self) -> Iterator[Finding]:
        """What stands out, one finding per lamp at most; what endangers people first."""
        told = self.column("desired_percent")
        on, power = self.lamps.answered & ~(told == 0), self.column("power_w")  # unknown: most around it burn
        like = peers_of(power, self.topology.lamp_model, told, on)
        hours = self.column("burning_h")
        per_hour = np.divide(1000 * self.column("energy_kwh"), hours, out=np.full(len(hours), nan), where=hours > 0)
        life = peers_of(per_hour, self.topology.lamp_model, np.zeros(len(hours)), self.lamps.answered)
        said: Flags = np.zeros(len(power), np.bool_)
        for rows, likely, lines in self._cases(on, told, power, like, per_hour, life):
            for row in np.flatnonzero(rows & ~said).tolist():
                said[row] = True
                element = Element(ElementKind.LAMP, self.topology.lamps[row])
                when = int(self.lamps.time_ms[row])
                yield Finding(element, likely, when, when, tuple(line.at(row) for line in lines if line.known(row)))

    def _cases(
        self, on: Flags, told: Floats, power: Floats, like: Peers, per_hour: Floats, life: Peers
    ) -> Iterator[tuple[Flags, Likely, tuple["Line", ...]]]:
        volts, amperes, factor = self.column("voltage_v"), self.column("current_a"), self.column("power_factor")
        answered, arc = self.lamps.answered, self.discharge
        heat, tilt, leak = self.column("temperature_c"), self.column("tilt_deg"), self.column("leakage_ma")
        drawn = Line("power", power, like.middle, like.sigma, "W")
        life_line = Line("energy_per_hour", per_hour, life.middle, life.sigma, "Wh/h")
        volt_line = Line("voltage", volts, np.full(len(volts), _middle(volts[volts > 0])), None, "V")
        factor_line = Line("power_factor", factor, None, None, "")
        yield (
            answered & (leak > LEAKS_MA),
            (("leak", 0.95), ("meter_bad", 0.05)),
            (Line("leakage", leak, None, None, "mA"),),
        )
        yield (
            answered & (np.abs(tilt) > TILTED_DEG),
            (("tilt", 0.95), ("meter_bad", 0.05)),
            (Line("tilt", tilt, None, None, "°"),),
        )
        nothing = answered & (volts == 0) & (np.nan_to_num(power) == 0)
        yield nothing, _NO_SUPPLY, (volt_line, drawn, life_line)
        apparent = volts * amperes * factor
        wrong = answered & (power > STANDBY_W) & (np.abs(power - apparent) > DISAGREES * power)
        yield wrong, (("meter_bad", 0.9), ("record_wrong", 0.1)), (drawn, Line("power", apparent, power, None, "W"))
        dark = on & (power < DARK_SHARE * like.middle)
        yield dark & arc & (power > 4), _GEAR, (drawn, factor_line)
        yield dark & (power == 0), _OPEN, (drawn, volt_line)
        yield dark, _DEAD, (drawn, factor_line, volt_line)
        lit = answered & (told == 0) & (power > STANDBY_W)
        yield lit, (("relay_stuck_on", 0.8), ("record_wrong", 0.2)), (Line("power", power, None, None, "W"),)
        idle = on & arc & (factor < LOW_FACTOR) & ~like.far(power)
        yield idle, (("pf_cap", 0.9), ("meter_bad", 0.1)), (factor_line, drawn)
        yield (
            on & (heat > HOT_C),
            (("overtemp", 0.9), ("meter_bad", 0.1)),
            (Line("temperature", heat, None, None, "°C"),),
        )
        yield from self._off_peers(on & like.far(power), power < like.middle, life.far(per_hour), (drawn, life_line))
        chronic = answered & ~on & life.far(per_hour)
        yield chronic & (per_hour < life.middle), _ALWAYS_WEAK, (life_line,)
        yield chronic, _ALWAYS_STRONG, (life_line,)

    def _off_peers(
        self, far: Flags, less: Flags, always: Flags, lines: tuple["Line", ...]
    ) -> Iterator[tuple[Flags, Likely, tuple["Line", ...]]]:
        """Counters over a lamp's life say whether it was ever as its peers are."""
        yield far & less & self.discharge, _WEAK_ARC, lines
        yield far & less & always, _ALWAYS_WEAK, lines
        yield far & less, _WEAK, lines
        yield far & always, _ALWAYS_STRONG, lines
        yield far, _STRONG, lines


@dataclass(frozen=True, slots=True)
class Line:
    """One kind of evidence for all lamps; `expected` and `sigma` None = nothing can be expected."""

    name: str
    value: Floats
    expected: Floats | None
    sigma: Floats | None
    unit: str

    def known(self, row: int) -> bool:
        """The lamp told it."""
        return not np.isnan(self.value[row])

    def at(self, row: int) -> EvidenceLine:
        """For one lamp."""
        expected = nan if self.expected is None else float(self.expected[row])
        sigma = nan if self.sigma is None else float(self.sigma[row])
        return EvidenceLine(self.name, float(self.value[row]), expected, sigma, 1, self.unit)


def peers_of(value: Floats, model: NDArray[np.int32], level: Floats, counted: Flags) -> Peers:
    """Middle and robust spread of each lamp's peers: same model, same whole percent of level."""
    middle, sigma = np.full(len(value), nan), np.full(len(value), nan)
    group = model.astype(np.int64) * 1000 + np.nan_to_num(np.round(level), nan=-1).astype(np.int64)
    usable = counted & ~np.isnan(value) & (value != 0)
    for name in np.unique(group[usable]).tolist():
        own = group == name
        shown = value[own & usable]
        if len(shown) >= FEWEST_PEERS:
            middle[own] = np.median(shown)
            mad = _MAD_TO_SIGMA * float(np.median(np.abs(shown - np.median(shown))))
            sigma[own] = max(mad, LEAST_SPREAD * abs(float(np.median(shown))))
    return Peers(middle, sigma)


def _middle(value: Floats) -> float:
    return float(np.median(value)) if len(value) else nan
