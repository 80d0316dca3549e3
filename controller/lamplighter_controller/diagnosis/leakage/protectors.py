"""Residual-current devices and their periodic trip test: one that was never seen to trip protects nobody for sure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from lamplighter_controller.diagnosis.findings import Element, ElementKind, EvidenceLine, Finding

DAY_MS: Final = 86_400_000
PERIOD_DAYS: Final = 90.0
CLASS: Final = "protector_bad"


@dataclass(frozen=True, slots=True)
class TripTest:
    """The last test of a protector; `tripped` False = it did not open."""

    time_ms: int
    tripped: bool


def overdue(
    known: Mapping[str, int], tests: Mapping[str, TripTest], now_ms: int, period_days: float = PERIOD_DAYS
) -> tuple[Finding, ...]:
    """One finding per protector: open when its test is due or failed, closed when neither.

    `known` maps protectors to when each was first listed, which counts for those never tested.
    """
    return tuple(_finding(name, listed_ms, tests.get(name), now_ms, period_days) for name, listed_ms in known.items())


def _finding(name: str, listed_ms: int, test: TripTest | None, now_ms: int, period_days: float) -> Finding:
    last_ms = listed_ms if test is None else test.time_ms
    due_ms = last_ms + round(period_days * DAY_MS)
    failed = test is not None and not test.tripped
    onset_ms = last_ms if failed else due_ms
    lines = [
        EvidenceLine(
            "days_since_test", (now_ms - last_ms) / DAY_MS, period_days, float("nan"), int(test is not None), "d"
        )
    ]
    if test is not None:
        lines.append(EvidenceLine("tripped", float(test.tripped), 1.0, float("nan"), 1, ""))
    element = Element(ElementKind.PROTECTOR, name)
    return Finding(element, ((CLASS, 1.0),), onset_ms, onset_ms, tuple(lines), open=failed or now_ms >= due_ms)
