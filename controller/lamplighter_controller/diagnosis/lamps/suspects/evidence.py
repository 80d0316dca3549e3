"""What was measured against what was expected, of every lamp under suspicion."""

from typing import Final

import numpy as np

from lamplighter_controller.diagnosis.arrays import F32, Flags
from lamplighter_controller.diagnosis.lamps.sequences.triggers import Trigger
from lamplighter_controller.diagnosis.lamps.signs.showing import HOT_C, TILT_DEG
from lamplighter_controller.diagnosis.lamps.suspects.cases import Cases
from lamplighter_controller.diagnosis.suspicions import EvidenceColumns

INSTRUMENT: Final = Trigger.BAD | Trigger.FROZEN | Trigger.UNREAD | Trigger.AHEAD


def evidence(cases: Cases) -> dict[str, EvidenceColumns]:
    """Columns by name of the evidence; NaN where a case does not rest on it."""
    sigma = np.nan_to_num(cases.sigma, nan=0.01)
    mean = cases.residual / np.maximum(cases.tested, 1)
    lit = (cases.bits & np.uint32(Trigger.LIT)) != 0
    dark = (cases.bits & np.uint32(Trigger.DARK)) != 0
    power = Trigger.DARK | Trigger.LIT | Trigger.LOW | Trigger.HIGH | Trigger.DRIFT | Trigger.STUCK
    expected = np.where(lit & ~dark, 0, cases.expected_w)
    return {
        "power": _line(cases, power, cases.power_w, expected, sigma * np.maximum(cases.expected_w, 1), "W"),
        "power_share": _line(
            cases,
            Trigger.LOW | Trigger.HIGH | Trigger.DRIFT | Trigger.STUCK,
            100 * (1 + np.where(cases.tested > 0, mean, np.nan)),
            100.0,
            100 * sigma,
            "%",
        ),
        "current_idle": _line(cases, Trigger.DARK, cases.glow_a, 0.0, np.nan, "A"),
        "power_factor": _line(cases, Trigger.REACTIVE, cases.factor, cases.usual_factor, 0.03, ""),
        "edges": _line(cases, Trigger.CYCLING, cases.edges, 0.0, np.nan, ""),
        "readings_refused": _line(cases, INSTRUMENT, cases.readings, 0.0, np.nan, ""),
        "temperature": _line(cases, Trigger.HOT, cases.hot_c, HOT_C, np.nan, "°C"),
        "tilt": _line(cases, Trigger.TILTED, cases.tilt_deg, TILT_DEG, np.nan, "°"),
        "voltage": _line(cases, Trigger.OVER | Trigger.UNDER | Trigger.DARK, cases.voltage_v, np.nan, np.nan, "V"),
    }


def _line(
    cases: Cases, trigger: Trigger, value: F32, expected: F32 | float, sigma: F32 | float, unit: str
) -> EvidenceColumns:
    rests: Flags = (cases.bits & np.uint32(trigger)) != 0
    k = len(cases)
    return EvidenceColumns(
        np.where(rests, value, np.nan).astype(np.float32),
        np.broadcast_to(np.asarray(expected, np.float32), (k,)),
        np.broadcast_to(np.asarray(sigma, np.float32), (k,)),
        cases.readings.astype(np.int32),
        unit,
    )
