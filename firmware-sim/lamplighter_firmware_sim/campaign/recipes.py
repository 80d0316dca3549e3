"""What goes wrong in a campaign: every kind singly, pairs, the twelve group cases, or nothing but what confounds."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

import numpy as np
from numpy.typing import NDArray

from lamplighter_firmware_sim.campaign.groups import CASES, tell
from lamplighter_firmware_sim.campaign.kinds import CLASS_OF, KINDS, Kind
from lamplighter_firmware_sim.campaign.luminaires import fleet_of
from lamplighter_firmware_sim.campaign.network import PHASES, Network
from lamplighter_firmware_sim.campaign.programs import DAY_MS, UNDIMMED, Override
from lamplighter_firmware_sim.campaign.radio import Burst
from lamplighter_firmware_sim.campaign.surroundings import Sag, Storm
from lamplighter_firmware_sim.campaign.truth import Excused, Injected, Quirk, Shows, Truth

Index = NDArray[np.int64]
_HOUR_MS: Final = 3_600_000
_LEARNING_DAYS: Final = 2  # before anything breaks


class What(StrEnum):
    """The four campaigns."""

    SINGLES = "singles"
    PAIRS = "pairs"
    GROUPS = "groups"
    CONFOUNDERS = "confounders"


@dataclass(slots=True)
class Script:
    """Everything that will happen, decided before the first step."""

    truth: Truth = field(default_factory=Truth)
    sags: list[Sag] = field(default_factory=list)
    storms: list[Storm] = field(default_factory=list)
    bursts: list[Burst] = field(default_factory=list)
    overrides: list[Override] = field(default_factory=list)
    clo_per_day: float = 0.0
    clock_drift_s_per_h: dict[int, float] = field(default_factory=dict)  # cabinet -> drift of its gateway's clock
    misdated: Index = field(default_factory=lambda: np.empty(0, np.int64))  # lamps whose clocks are a day ahead


@dataclass(frozen=True, slots=True)
class Span:
    """The campaign in time."""

    start_ms: int
    days: int

    @property
    def end_ms(self) -> int:
        """When it is over."""
        return self.start_ms + self.days * DAY_MS

    def sometime(self, random: np.random.Generator, first_day: float, last_day: float) -> int:
        """A moment between two days of it."""
        return self.start_ms + round(random.uniform(first_day, last_day) * DAY_MS)


def script_of(random: np.random.Generator, network: Network, span: Span, what: What, each: int) -> Script:
    """What happens in a campaign of this sort; `each` is how often a single kind strikes."""
    script = Script()
    _everyday(random, network, span, script)
    {What.SINGLES: _singles, What.PAIRS: _pairs, What.GROUPS: _groups, What.CONFOUNDERS: _confounders}[what](
        random, network, span, script, each
    )
    script.truth.quirks.extend(_quirks(network, span, script))
    return script


def _quirks(network: Network, span: Span, script: Script) -> Iterator[Quirk]:
    """What is odd and no fault of a lamp: wrong books, wrong clocks, gateways that keep their readings for hours."""

    def always(kind: str, element: str) -> Quirk:
        return Quirk(kind=kind, element=element, start_ms=span.start_ms, end_ms=span.end_ms)

    wrongly_booked = (network.book_model != network.model) | (network.book_pole != network.pole)
    for lamp in np.flatnonzero(wrongly_booked).tolist():
        yield always("record_wrong", network.lamp_id(lamp))
    for lamp in script.misdated.tolist():
        yield always("clock_bad", network.lamp_id(lamp))
    for cabinet in script.clock_drift_s_per_h:
        yield always("clock_bad", network.gateway_id(cabinet))
        yield always("clock_bad", network.cabinet_id(cabinet))
        for lamp in np.flatnonzero(network.cabinet == cabinet).tolist():
            yield always("clock_bad", network.lamp_id(lamp))
    for burst in script.bursts:
        for element in (network.gateway_id(burst.cabinet), network.cabinet_id(burst.cabinet)):
            yield Quirk(kind="gw_down", element=element, start_ms=burst.start_ms, end_ms=burst.end_ms + _HOUR_MS)


def _everyday(random: np.random.Generator, network: Network, span: Span, script: Script) -> None:
    """What no city is ever without."""
    for _ in range(span.days):
        script.sags.append(_sag(random, network, span))
        start = span.sometime(random, 0, span.days)
        script.bursts.append(
            Burst(int(random.integers(network.size.cabinets)), start, start + int(random.integers(2, 9)) * 900_000)
        )
        script.overrides.append(_override(random, network, span))
    start = span.sometime(random, 1, span.days - 1)
    script.storms.append(Storm(start, start + int(random.uniform(2, 6) * _HOUR_MS), float(random.uniform(2, 9)), 0.04))


def _sag(random: np.random.Generator, network: Network, span: Span) -> Sag:
    start = span.sometime(random, 0, span.days)
    length = round(random.uniform(4, 55) * 60_000)
    return Sag(int(random.integers(network.transformers)), start, start + length, float(random.uniform(0.06, 0.14)))


def _override(random: np.random.Generator, network: Network, span: Span) -> Override:
    """A hand on a few lamps: by night another level, by day a test."""
    lamps = np.flatnonzero(network.feeder == random.integers(network.feeders))
    start = span.sometime(random, 0.3, span.days - 0.3)
    return Override(lamps, start, start + int(random.uniform(0.5, 5) * _HOUR_MS), float(random.choice((0.3, 0.7, 1.0))))


# Single kinds


def _singles(random: np.random.Generator, network: Network, span: Span, script: Script, each: int) -> None:
    places = _Places(random, network)
    for name, kind in KINDS.items():
        for _ in range(each if kind.of == "lamp" else 1):
            script.truth.faults.append(
                places.fault(name, span.sometime(random, _LEARNING_DAYS, span.days - 2), span.end_ms)
            )
    start = span.sometime(random, span.days - 2.5, span.days - 1.5)
    script.storms.append(Storm(start, start + 5 * _HOUR_MS, 6.0, 0.03))


class _Places:
    """Lamps, feeders and cabinets for faults, none near another."""

    def __init__(self, random: np.random.Generator, network: Network) -> None:
        self._random, self._network = random, network
        self._free = np.ones(len(network), np.bool_)
        self._feeders = list(random.permutation(network.feeders))

    def lamp(self, source: str, *, dimmed: bool) -> int:
        """A lamp whose pole and neighbouring poles are sound; `dimmed`: one whose program dims at all."""
        fit = self._free & _of_source(self._network, source)
        if dimmed:
            fit &= self._network.program[self._network.cabinet] != UNDIMMED
        lamp = int(self._random.choice(np.flatnonzero(fit)))
        near = (self._network.feeder == self._network.feeder[lamp]) & (
            np.abs(self._network.order - self._network.order[lamp]) <= 1
        )
        self._free &= ~near
        return lamp

    def feeder(self) -> int:
        """A feeder of its own."""
        feeder = int(self._feeders.pop())
        self._free &= self._network.feeder != feeder
        return feeder

    def fault(self, name: str, onset_ms: int, end_ms: int) -> Injected:
        """One fault of a kind, at a place of its own."""
        kind, network = KINDS[name], self._network
        element, index, lamps = self._element(kind)
        strength = float(self._random.uniform(*kind.strength))
        return Injected(
            kind=CLASS_OF.get(name, name),
            case=name,
            element=element,
            element_kind=kind.of,
            lamps=lamps,
            onset_ms=onset_ms,
            end_ms=end_ms,
            strength=strength,
            shows=kind.shows,
            index=index * network.size.poles + network.size.poles // 2 if name == "hi_res" else index,
            draw=float(self._random.random()),
        )

    def _element(self, kind: Kind) -> tuple[str, int, Index]:
        network, of = self._network, kind.of
        if of == "lamp":
            lamp = self.lamp(kind.source, dimmed=kind.shows is Shows.DIMMED)
            return network.lamp_id(lamp), lamp, np.array([lamp])
        feeder = self.feeder()
        cabinet = int(network.feeder_cabinet[feeder])
        if of == "feeder":
            return network.feeder_id(feeder), feeder, np.empty(0, np.int64)
        if of == "phase":
            phase = int(network.feeder_phase[feeder])
            return network.phase_id(cabinet, phase), cabinet * len(PHASES) + phase, np.empty(0, np.int64)
        return network.cabinet_id(cabinet), cabinet, np.empty(0, np.int64)


def _of_source(network: Network, source: str) -> NDArray[np.bool_]:
    hps = fleet_of(network.model).hps
    return {"": np.ones(len(network), np.bool_), "hps": hps, "led": ~hps}[source]


# Pairs: two things at once, on one lamp or side by side


def _pairs(random: np.random.Generator, network: Network, span: Span, script: Script, each: int) -> None:
    places = _Places(random, network)
    for first, second, apart in _PAIRS:
        for _ in range(max(1, each // 2)):
            script.truth.faults.extend(_pair(random, network, span, places, first, second, apart))


_PAIRS: Final = (  # kinds, and how many poles apart; 0 is the same lamp
    ("node_comm", "lamp_dead", 0),
    ("node_comm", "led_partial", 0),
    ("tilt", "leak", 0),
    ("lamp_dead", "relay_stuck_on", 1),
    ("lamp_dead", "lamp_dead", 1),
    ("led_partial", "meter_bad", 1),
    ("driver_drift", "led_partial", 1),
    ("dim_fail", "node_comm", 1),
    ("pf_cap", "cycling", 1),
)


def _pair(
    random: np.random.Generator, network: Network, span: Span, places: _Places, first: str, second: str, apart: int
) -> Iterator[Injected]:
    onset = span.sometime(random, _LEARNING_DAYS, span.days - 2.2)
    hidden = first == "node_comm" and apart == 0
    one = places.fault(first, onset, onset + 20 * _HOUR_MS if hidden else span.end_ms)
    two = places.fault(second, onset + round(random.uniform(0.5, 12) * _HOUR_MS), span.end_ms)
    place = int(one.lamps[0])
    if apart == 0:
        two.lamps, two.element = one.lamps, one.element
    else:
        near = (network.feeder == network.feeder[place]) & (np.abs(network.order - network.order[place]) == apart)
        beside = np.flatnonzero(near & _of_source(network, KINDS[second].source))
        if len(beside):
            two.lamps, two.element = beside[:1], network.lamp_id(int(beside[0]))
    if hidden and KINDS[second].source == "led" and not _of_source(network, "led")[place]:
        two.kind = two.case = "gear_fault" if second == "lamp_dead" else "pf_cap"
        two.strength = float(random.uniform(*KINDS[two.case].strength))
    yield one
    yield two


# Groups and confounders


def _groups(random: np.random.Generator, network: Network, span: Span, script: Script, _: int) -> None:
    whole_transformer = network.transformers - 1
    free = [
        int(one)
        for one in random.permutation(network.size.cabinets)
        if network.cabinet_transformer[one] != whole_transformer
    ]
    for number, case in enumerate(CASES):
        day = _LEARNING_DAYS + number % max(1, span.days - _LEARNING_DAYS - 1)
        if case == "firmware_bug":
            day = span.days - 2
        cabinet = whole_transformer * 4 if case == "utility_off" else free.pop()
        if case == "contactor_welded":
            network.switched[cabinet] = True
        story = tell(random, network, case, cabinet, span.start_ms - _HOUR_MS * 12 + day * DAY_MS)
        script.truth.faults.append(story.fault)
        script.sags.extend(story.sags)


def _confounders(random: np.random.Generator, network: Network, span: Span, script: Script, _: int) -> None:
    script.sags.extend(_sag(random, network, span) for _ in range(2 * span.days))
    start = span.sometime(random, 2, span.days - 1)
    script.storms.append(Storm(start, start + 4 * _HOUR_MS, 8.0, 0.3))
    script.clo_per_day = 0.0015
    script.clock_drift_s_per_h = {int(random.integers(network.size.cabinets)): 1.5}
    script.misdated = random.choice(len(network), 3, replace=False)
    evening = span.start_ms + round(4.2 * _HOUR_MS)
    people: tuple[Callable[[], Override], ...] = (
        lambda: _city_wide(network, 0, evening + 2 * DAY_MS, 1.6, 1.0),  # fog: on before dusk
        lambda: _city_wide(network, 1, evening + 3 * DAY_MS + 2 * _HOUR_MS, 10.0, 1.0),  # festival: full all night
        lambda: _city_wide(network, 2, evening + 2 * DAY_MS + 4 * _HOUR_MS, 1.0, 0.35),  # a scene
    )
    script.overrides.extend(person() for person in people)
    for _ in range(3):
        start = span.sometime(random, 1, span.days - 1)
        lamps = np.flatnonzero(network.feeder == random.integers(network.feeders))
        script.truth.excused.append(Excused(lamps=lamps, start_ms=start - 900_000, end_ms=start + 3 * _HOUR_MS))


def _city_wide(network: Network, program: int, start_ms: int, hours: float, level: float) -> Override:
    lamps = np.flatnonzero(network.program[network.cabinet] == program)
    return Override(lamps, start_ms, start_ms + round(hours * _HOUR_MS), level)
