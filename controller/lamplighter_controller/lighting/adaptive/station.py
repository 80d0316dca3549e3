"""Takes what is said and tells the signals it makes; what waits in it is memory only, for signals end by themselves."""

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


@dataclass(slots=True)
class Station:
    """What every source has heard."""

    _said: dict[str, dict[str, Said]] = field(default_factory=dict)
    _traffic: dict[str, Traffic] = field(default_factory=dict)
    _flags: dict[str, Signal] = field(default_factory=dict)

    def measured(self, source: Lux, sensor: str, lux: float, time_ms: int) -> None:
        """A sensor of light said something; only its newest word counts."""
        known = self._said.setdefault(source.id, {})
        if sensor not in known or known[sensor].time_ms <= time_ms:
            known[sensor] = Said(lux, time_ms)

    def passed_by(self, source: Count, vehicles: int, time_ms: int) -> None:
        """A counter saw vehicles since its last report."""
        self._traffic[source.id] = counted(source, self._traffic.get(source.id, Traffic()), vehicles, time_ms)

    def flagged(self, source: Weather, value: float, until_ms: int) -> None:
        """Somebody says how the weather is until then."""
        self._flags[source.id] = Signal(source.id, value, until_ms)

    def standings(self, sources: Iterable[Source], read: Read, now_ms: int) -> list[Standing]:
        """Every signal as it stands; `read` tells what a sensor that is a device measured last."""
        return [self._standing(source, read, now_ms) for source in sources]

    def _standing(self, source: Source, read: Read, now_ms: int) -> Standing:
        if isinstance(source, Lux):
            return _lit(source, light(source, self._heard(source, read), now_ms))
        if isinstance(source, Count):
            return self._flowing(source, now_ms)
        flag = self._flags.get(source.id)
        if flag is None or flag.until <= now_ms:
            return Standing(source, None, "nobody has said anything that still counts")
        return Standing(source, flag)

    def _heard(self, source: Lux, read: Read) -> Mapping[str, Said]:
        found = dict(self._said.get(source.id, {}))
        for sensor in source.sensors:
            one = read(sensor)
            if one is not None and (sensor not in found or found[sensor].time_ms < one.time_ms):
                found[sensor] = one
        return found

    def _flowing(self, source: Count, now_ms: int) -> Standing:
        state = self._traffic[source.id] = passed(source, self._traffic.get(source.id, Traffic()), now_ms)
        until_ms = state.newest_ms + round(source.valid_s * 1000)
        if state.now is None or until_ms <= now_ms or state.now >= len(source.classes):
            return Standing(source, None, "no counter has said anything that still counts")
        return Standing(source, Signal(source.id, source.classes[state.now].name, until_ms))


def _lit(source: Lux, found: Light) -> Standing:
    if found.lux is None:
        return Standing(source, None, "fewer than three sensors speak", found.broken)
    until_ms = found.newest_ms + round(source.valid_s * 1000)
    return Standing(source, Signal(source.id, round(found.lux, 1), until_ms), "", found.broken)
