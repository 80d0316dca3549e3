"""Burning hours and switch counts of a lamp: from its own counters where it has them, else summed up from readings."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

STARTS_WRAP: Final = 65_535  # the largest count of a 16-bit register but one: 65,535 says "not available"
NEAR_WRAP: Final = 64  # starts between two readings that are still taken for a wrap, not for a new counter


class Source(StrEnum):
    """Where the hours come from."""

    COUNTER = "counter"
    INTEGRATED = "integrated"


@dataclass(frozen=True, slots=True)
class Burning:
    """A lamp's hours and starts.

    Args:
        lamp: luminaire, or the device where there is none.
        device: its controller.
        source: where hours and starts come from.
        as_of_ms: the newest reading that is counted.
        since_ms: the first reading, or when its element was replaced.
        counter_h: what its own counter of hours showed last; None without one.
        counter_starts: what its own counter of starts showed last.
        burning_h: all hours that are known of it.
        starts: all starts.
        from_h: hours at which its element was replaced.
        from_starts: starts at which its element was replaced.
    """

    lamp: str
    device: str | None
    source: Source
    as_of_ms: int
    since_ms: int
    counter_h: float | None = None
    counter_starts: float | None = None
    burning_h: float = 0.0
    starts: float = 0.0
    from_h: float = 0.0
    from_starts: float = 0.0

    @property
    def shown_h(self) -> float:
        """Hours of the element that is in it now."""
        return self.burning_h - self.from_h

    @property
    def shown_starts(self) -> float:
        """Starts of the element that is in it now."""
        return self.starts - self.from_starts


@dataclass(frozen=True, slots=True)
class Counted:
    """What a lamp's own counters showed at one time; None = not read."""

    time_ms: int
    hours: float | None
    starts: float | None


def counted(lamp: str, device: str, readings: Sequence[Counted], before: Burning | None) -> Burning | None:
    """Hours by a lamp's counters, from readings in order of time; those not newer than `before` are known already.

    A counter that falls was reset, or belongs to a new controller: what it shows since then is added. One of starts
    that falls from its end has wrapped.
    """
    now = before if before is not None and before.source is Source.COUNTER else None
    for one in readings:
        if one.hours is None or (now is not None and one.time_ms <= now.as_of_ms):
            continue
        now = _begun(lamp, device, one, before) if now is None else _further(now, device, one)
    return now


def integrated(
    lamp: str, device: str | None, through_ms: int, gained: tuple[float, float], before: Burning | None
) -> Burning:
    """Hours summed up: `gained` is (hours, starts) of a night less what an earlier pass over that night has added."""
    hours, starts = gained
    if before is None:
        return Burning(lamp, device, Source.INTEGRATED, through_ms, through_ms, burning_h=hours, starts=starts)
    return replace(
        before,
        device=device,
        source=Source.INTEGRATED,
        as_of_ms=max(before.as_of_ms, through_ms),
        burning_h=before.burning_h + hours,
        starts=before.starts + starts,
    )


def replaced(before: Burning, time_ms: int) -> Burning:
    """Count anew: the element was replaced at a time."""
    return replace(before, since_ms=time_ms, from_h=before.burning_h, from_starts=before.starts)


def _begun(lamp: str, device: str, one: Counted, before: Burning | None) -> Burning:
    """The first reading of a counter; it stands for all before it, unless hours were summed up here until now."""
    hours, starts = one.hours or 0.0, one.starts or 0.0
    if before is None:
        return Burning(lamp, device, Source.COUNTER, one.time_ms, one.time_ms, one.hours, one.starts, hours, starts)
    return replace(
        before,
        device=device,
        source=Source.COUNTER,
        as_of_ms=one.time_ms,
        counter_h=one.hours,
        counter_starts=one.starts,
        burning_h=max(before.burning_h, hours),
        starts=max(before.starts, starts),
    )


def _further(now: Burning, device: str, one: Counted) -> Burning:
    assert one.hours is not None
    hours = one.hours if now.counter_h is None or one.hours < now.counter_h else one.hours - now.counter_h
    return replace(
        now,
        device=device,
        as_of_ms=one.time_ms,
        counter_h=one.hours,
        counter_starts=now.counter_starts if one.starts is None else one.starts,
        burning_h=now.burning_h + hours,
        starts=now.starts + _more_starts(now.counter_starts, one.starts),
    )


def _more_starts(before: float | None, now: float | None) -> float:
    if now is None:
        return 0.0
    if before is None:
        return now
    if now >= before:
        return now - before
    wrapped = now + STARTS_WRAP - before
    return wrapped if 0 <= wrapped <= NEAR_WRAP else now
