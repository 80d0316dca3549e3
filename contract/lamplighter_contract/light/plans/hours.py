"""Lit hours of a calendar: night by night, the shortest and the longest."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from lamplighter_contract.light.plans.programs import RoadClass, Span
from lamplighter_contract.light.view import View

_HOUR_MS: Final = 3_600_000


@dataclass(frozen=True, slots=True)
class LitNight:
    """Hours of light in the night of a date, and hours at full light weighted by the level."""

    day: date
    lit_h: float
    full_h: float


def lit_nights(
    view: View, calendar: str, road_class: RoadClass | None, first_day: date, days: int
) -> tuple[LitNight, ...]:
    """Every night's hours on roads of a class."""
    found = []
    for number in range(days):
        day = first_day + timedelta(days=number)
        tonight = view.on(calendar, day)
        found.append(_hours(day, tonight.spans(road_class), tonight.night.end_ms))
    return tuple(found)


def shortest_and_longest(nights: Sequence[LitNight]) -> tuple[LitNight, LitNight]:
    """The nights with the fewest and the most hours of light."""
    return min(nights, key=lambda one: one.lit_h), max(nights, key=lambda one: one.lit_h)


def _hours(day: date, spans: Sequence[Span], end_ms: int) -> LitNight:
    """Of a ramp, half counts as before it and half as after."""
    ends = [*(span.start_ms for span in spans[1:]), end_ms]
    lit_ms = full_ms = before_percent = 0.0
    for span, its_end_ms in zip(spans, ends, strict=True):
        lasts_ms = its_end_ms - span.start_ms
        ramp_ms = min(span.ramp_ms, lasts_ms)
        lit_ms += lasts_ms if span.level_percent > 0 else 0
        full_ms += (span.level_percent * (lasts_ms - ramp_ms / 2) + before_percent * ramp_ms / 2) / 100
        before_percent = span.level_percent
    return LitNight(day, lit_ms / _HOUR_MS, full_ms / _HOUR_MS)
