"""What diagnosis may be told: the false alarms it may spend, and limits that hold for any lamp."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Settings:
    """Settings of the statistical core.

    Args:
        false_raises_per_1000_lamp_days: budget of the step detectors; limits follow from it.
        period_s: usual time between two readings of a lamp; samples a night, hence limits, follow from it.
        nominal_voltage_v: of the city's network.
        common_mode, learned_gain: False only to measure what each is worth.
    """

    false_raises_per_1000_lamp_days: float = 0.02
    period_s: float = 900.0
    nominal_voltage_v: float = 230.0
    common_mode: bool = True
    learned_gain: bool = True
