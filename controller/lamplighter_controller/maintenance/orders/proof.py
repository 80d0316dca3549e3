"""Whether a repair has helped, by what the element itself tells at the next energised night. Pure; columns of numpy.

Energised is a lamp that its gateway wants lit (`desired_percent`), or a circuit whose contactor says that it is closed,
after the work is done and nothing is locked any more. Two bad readings are needed before a repair has not helped.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import numpy as np
from numpy.typing import NDArray

from lamplighter_controller.diagnosis.incidents.incident import Incident
from lamplighter_controller.diagnosis.incidents.severity import DARK
from lamplighter_controller.lighting.proof.light.evidence import DARK_BELOW_W, DOUBTED
from lamplighter_controller.series.port import Readings

Flags = NDArray[np.bool_]

LAMP_LEAK_MA: Final = 30.0  # where people touch, IEC 60364-4-41
FEEDER_LEAK_MA: Final = 300.0
MOST_BAD_SHARE: Final = 0.1  # of the lamps behind a circuit: single ones may have faults of their own
LEAST_HEARD_SHARE: Final = 0.5
LEAST_SAMPLES: Final = 3
BAD_SAMPLES: Final = 2
PATIENCE: Final = 4  # so many times the settling time diagnosis may take to clear what only it can judge
LIT_CLASSES: Final = DARK | {"driver_dead", "relay_open", "feeder_trip", "phase_loss", "cabinet_off", "cable_cut"}


class Outcome(StrEnum):
    """What may be said of a repair."""

    WAITING = "waiting"
    PROVED = "proved"
    NOT_MENDED = "not_mended"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is said, and by which evidence."""

    outcome: Outcome
    text: str


@dataclass(frozen=True, slots=True)
class Asked:
    """What has to be shown.

    Args:
        since_ms: done, and free of locks; nothing older counts. Civil epoch ms.
        settle_ms: for how long it has to be energised, civil.
        leak_limit_ma: below it a leak is gone.
    """

    class_id: str
    since_ms: int
    settle_ms: int
    leak_limit_ma: float = LAMP_LEAK_MA


def judged(asked: Asked, readings: Readings, devices: Sequence[str], incidents: Sequence[Incident]) -> Verdict:
    """What readings since then, and the incidents of the element that are not over, say together.

    `incidents`: those that stand of the element, whoever they were raised for.
    """
    energised, bad = signs(asked, readings)
    by_device = _by_device(readings, energised, bad, asked.since_ms)
    heard = [seen for name in devices if (seen := by_device.get(name)) is not None]
    if not heard or len(heard) < LEAST_HEARD_SHARE * len(devices):
        return Verdict(Outcome.WAITING, f"energised and heard since: {len(heard)} of {len(devices)}")
    failing = [one for one in heard if one.bad >= BAD_SAMPLES]
    if len(failing) > MOST_BAD_SHARE * len(devices):
        names = ", ".join(one.device for one in failing[:5])
        return Verdict(Outcome.NOT_MENDED, f"{_what(asked)} at {len(failing)} of {len(devices)}: {names}")
    settled = [one for one in heard if one.samples >= LEAST_SAMPLES and one.span_ms >= asked.settle_ms]
    if len(settled) < LEAST_HEARD_SHARE * len(devices) or any(one.bad for one in settled if len(devices) == 1):
        return Verdict(Outcome.WAITING, f"energised for long enough: {len(settled)} of {len(devices)}")
    return _with_diagnosis(asked, settled, len(devices), incidents)


def is_direct(class_id: str) -> bool:
    """The readings themselves show whether it is gone; for all else diagnosis has to say so."""
    return class_id == "leak" or class_id in LIT_CLASSES


def signs(asked: Asked, readings: Readings) -> tuple[Flags, Flags]:
    """(n,) whether each reading is of an energised element, and whether it shows the fault."""
    n = len(readings.time_ms)
    nothing = np.full(n, np.nan)
    column = {name: readings.values.get(name, nothing) for name in ("desired_percent", "power_w", "leakage_ma")}
    contactor = readings.values.get("contactor_closed", nothing)
    sure = (readings.quality & DOUBTED) == 0
    with np.errstate(invalid="ignore"):
        energised = sure & ((column["desired_percent"] > 0) | (contactor > 0))
        if asked.class_id == "leak":
            known = ~np.isnan(column["leakage_ma"])
            return energised & known, energised & (column["leakage_ma"] >= asked.leak_limit_ma)
        known = energised & ~np.isnan(column["power_w"])
        dark = known & (column["power_w"] < DARK_BELOW_W)
    return known, dark if asked.class_id in LIT_CLASSES else np.zeros(n, np.bool_)


@dataclass(frozen=True, slots=True)
class _Seen:
    device: str
    samples: int
    bad: int
    span_ms: int


def _by_device(readings: Readings, energised: Flags, bad: Flags, since_ms: int) -> Mapping[str, _Seen]:
    names = np.asarray(readings.device, dtype=np.str_)
    counted = energised & (readings.time_ms >= since_ms)
    found: dict[str, _Seen] = {}
    for name in dict.fromkeys(names[counted].tolist()):
        mine = counted & (names == name)
        time_ms = readings.time_ms[mine]
        span_ms = int(time_ms.max() - time_ms.min())
        found[name] = _Seen(name, int(mine.sum()), int((mine & bad).sum()), span_ms)
    return found


def _with_diagnosis(asked: Asked, settled: Sequence[_Seen], of: int, incidents: Sequence[Incident]) -> Verdict:
    samples, span_ms = sum(one.samples for one in settled), max(one.span_ms for one in settled)
    shown = f"{samples} readings of {len(settled)} of {of} over {span_ms // 60_000} min energised"
    standing = [one for one in incidents if one.class_id != asked.class_id or not is_direct(asked.class_id)]
    newer = [one for one in standing if one.raised_ms >= asked.since_ms]
    if newer:
        return Verdict(Outcome.NOT_MENDED, f"{newer[0].class_id} was raised since; {shown}")
    same = [one for one in standing if one.class_id == asked.class_id]
    if same and span_ms < PATIENCE * asked.settle_ms:
        return Verdict(Outcome.WAITING, f"diagnosis has not cleared {asked.class_id} yet; {shown}")
    if same:
        return Verdict(Outcome.NOT_MENDED, f"diagnosis still says {asked.class_id}; {shown}")
    return Verdict(Outcome.PROVED, f"{_not(asked)}: {shown}")


def _what(asked: Asked) -> str:
    return f"leakage of {asked.leak_limit_ma:g} mA or more" if asked.class_id == "leak" else "dark when due"


def _not(asked: Asked) -> str:
    if asked.class_id == "leak":
        return f"leakage below {asked.leak_limit_ma:g} mA"
    return "lit when due" if asked.class_id in LIT_CLASSES else "nothing is wrong any more"


def leak_limit_ma(incident: Incident | None, *, of_people: bool) -> float:
    """Half-way between what is healthy there and what was told, never above the limit for people or feeders."""
    most = LAMP_LEAK_MA if of_people else FEEDER_LEAK_MA
    line = next((one for one in incident.evidence if one.name == "leakage"), None) if incident else None
    if line is None or np.isnan(line.expected) or line.value <= line.expected:
        return most
    return float(min(most, (line.expected + line.value) / 2))


def meter_step(before_w: float, after_w: float, expected_w: float) -> Verdict:
    """Lamps without controllers: the cabinet draws more than before the repair by most of what had been missing."""
    rise_w = after_w - before_w
    text = f"the cabinet's meter went from {before_w:.0f} to {after_w:.0f} W; {expected_w:.0f} W had been missing"
    return Verdict(Outcome.PROVED if rise_w >= 0.5 * expected_w > 0 else Outcome.NOT_MENDED, text)
