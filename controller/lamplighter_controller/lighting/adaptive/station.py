"""Takes what is said and tells the signals it makes; what it has heard can be taken out, kept and put back."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from lamplighter_contract.light.signals import Signal
from lamplighter_controller.lighting.adaptive.judging import Light, Said, Traffic, counted, light, passed
from lamplighter_controller.lighting.adaptive.rules import Count, Lux, Source, Weather

FUTURE_MS: Final = 60_000
Read = Callable[[str], Said | None]


@dataclass(frozen=True, slots=True)
class Standing:
    """A signal as it stands: what is told (None: nothing can be), why not, and broken sensors by name."""

    source: Source
    signal: Signal | None
    silent: str = ""
    broken: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Heard:
    """All that one source has heard and still goes by."""

    said: dict[str, Said] = field(default_factory=dict)
    traffic: Traffic = field(default_factory=Traffic)
    flag: Signal | None = None


NOTHING: Final = Heard()


@dataclass(slots=True)
class Station:
    """What every source has heard."""

    _heard: dict[str, Heard] = field(default_factory=dict)
    _kept: dict[str, Heard] = field(default_factory=dict)

    def take_up(self, kept: Mapping[str, Heard]) -> None:
        """Go on from what was kept; what was said since goes before it."""
        self._kept = dict(kept)
        self._heard = {**kept, **self._heard}

    def news(self) -> dict[str, Heard]:
        """What has been heard since it was last kept, by source."""
        return {name: one for name, one in self._heard.items() if self._kept.get(name) != one}

    def is_kept(self, news: Mapping[str, Heard]) -> None:
        """These were kept."""
        self._kept |= news

    def forget(self, known: Iterable[str]) -> frozenset[str]:
        """Sources other than these are gone; those forgotten."""
        gone = (self._heard.keys() | self._kept.keys()) - set(known)
        for name in gone:
            self._heard.pop(name, None)
            self._kept.pop(name, None)
        return frozenset(gone)

    def measured(self, source: Lux, sensor: str, lux: float, time_ms: int) -> None:
        """A sensor of light said something; only its newest word counts."""
        known = self._of(source).said
        if sensor not in known or known[sensor].time_ms <= time_ms:
            self._heard[source.id] = Heard(known | {sensor: Said(lux, time_ms)})

    def passed_by(self, source: Count, vehicles: int, time_ms: int) -> None:
        """A counter saw vehicles since its last report."""
        self._heard[source.id] = Heard(traffic=counted(source, self._of(source).traffic, vehicles, time_ms))

    def flagged(self, source: Weather, value: float, until_ms: int) -> None:
        """Somebody says how the weather is until then."""
        self._heard[source.id] = Heard(flag=Signal(source.id, value, until_ms))

    def standings(self, sources: Iterable[Source], read: Read, now_ms: int) -> list[Standing]:
        """Every signal as it stands; `read` tells what a sensor that is a device measured last."""
        return [self._standing(source, read, now_ms) for source in sources]

    def _standing(self, source: Source, read: Read, now_ms: int) -> Standing:
        if isinstance(source, Lux):
            return _lit(source, light(source, self._spoken(source, read), now_ms))
        if isinstance(source, Count):
            return self._flowing(source, now_ms)
        flag = self._of(source).flag
        if flag is None or flag.until <= now_ms:
            return Standing(source, None, "nobody has said anything that still counts")
        return Standing(source, flag)

    def _of(self, source: Source) -> Heard:
        return self._heard.get(source.id, NOTHING)

    def _spoken(self, source: Lux, read: Read) -> Mapping[str, Said]:
        found = dict(self._of(source).said)
        for sensor in source.sensors:
            one = read(sensor)
            if one is not None and (sensor not in found or found[sensor].time_ms < one.time_ms):
                found[sensor] = one
        return found

    def _flowing(self, source: Count, now_ms: int) -> Standing:
        state = passed(source, self._of(source).traffic, now_ms)
        self._heard[source.id] = Heard(traffic=state)
        until_ms = state.newest_ms + round(source.valid_s * 1000)
        if state.now is None or until_ms <= now_ms or state.now >= len(source.classes):
            return Standing(source, None, "no counter has said anything that still counts")
        return Standing(source, Signal(source.id, source.classes[state.now].name, until_ms))


def _lit(source: Lux, found: Light) -> Standing:
    if found.lux is None:
        return Standing(source, None, "fewer than three sensors speak", found.broken)
    until_ms = found.newest_ms + round(source.valid_s * 1000)
    return Standing(source, Signal(source.id, round(found.lux, 1), until_ms), "", found.broken)
