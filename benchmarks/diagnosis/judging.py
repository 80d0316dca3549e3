"""What was said against what was true: which fault was found, as what, when, and which raises were for nothing."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np

from benchmarks.diagnosis.episodes import Episode
from benchmarks.diagnosis.scores import Found, Scores
from lamplighter_firmware_sim.campaign.generate import Campaign
from lamplighter_firmware_sim.campaign.groups import CASES
from lamplighter_firmware_sim.campaign.network import Network
from lamplighter_firmware_sim.campaign.truth import Injected

HOUR_MS: Final = 3_600_000
AFTERWARDS_MS: Final = 12 * HOUR_MS  # what is said so long after a fault is still about it
SECOND_NIGHT_MS: Final = 24 * HOUR_MS
NODES: Final = frozenset({"city", "transformer", "gateway", "cabinet", "phase", "circuit", "feeder", "model"})


@dataclass(frozen=True)
class Judge:
    """One campaign's truth, asked by element."""

    campaign: Campaign
    end_ms: int

    @cached_property
    def _named(self) -> dict[int, set[tuple[str, str]]]:
        return {id(one): elements_of(self.campaign.network, one, exact=False) for one in self.campaign.truth.faults}

    @cached_property
    def _touched(self) -> dict[int, set[int]]:
        return {id(one): touched_lamps(self.campaign.network, one) for one in self.campaign.truth.faults}

    def score(self, episodes: list[Episode]) -> Scores:
        """How well these episodes tell the campaign's faults."""
        scores = Scores(campaigns=1, lamp_days=len(self.campaign.network) * self.campaign.order.days)
        scores.cabinet_days = self.campaign.network.size.cabinets * self.campaign.order.days
        faults = [one for one in self.campaign.truth.faults if one.first_observable_ms is not None]
        for fault in faults:
            scores.add_fault(fault.kind, fault.case, self._found(fault, episodes, faults))
        for episode in episodes:
            self._raise(episode, faults, scores)
        groups = [fault for fault in faults if fault.case in CASES]
        scores.incidents += len(groups)
        scores.lamp_alarms += sum(self._leaked(fault, episodes, faults) for fault in groups)
        return scores

    def _found(self, fault: Injected, episodes: list[Episode], faults: list[Injected]) -> Found:
        """Whether its class was told of its element and stood, and after how long."""
        until, noticed = self._next_of_the_same(fault, faults), False
        for episode in self._about(fault, episodes):
            noticed |= fault.onset_ms <= episode.raised_ms < until + AFTERWARDS_MS
            when = self._when_said(episode, fault.kind, fault.onset_ms, until + AFTERWARDS_MS)
            if when is None:
                continue
            if self._stood(episode, fault.kind, until):
                first = fault.first_observable_ms or fault.onset_ms
                exact = (episode.kind, episode.id) in elements_of(self.campaign.network, fault, exact=True)
                return Found(True, True, exact, (when - fault.onset_ms) / HOUR_MS, (when - first) / HOUR_MS)
        return Found(False, noticed)

    def _about(self, fault: Injected, episodes: list[Episode]) -> list[Episode]:
        """Episodes of the elements that may be named for the fault."""
        named = self._named[id(fault)]
        return [one for one in episodes if (one.kind, one.id) in named]

    def _next_of_the_same(self, fault: Injected, faults: list[Injected]) -> int:
        later = [one.onset_ms for one in faults if one.element == fault.element and one.onset_ms > fault.onset_ms]
        return min([fault.end_ms, *later])

    @staticmethod
    def _when_said(episode: Episode, class_id: str, start_ms: int, end_ms: int) -> int | None:
        return next((time for time, name, _ in episode.said if name == class_id and start_ms <= time < end_ms), None)

    @staticmethod
    def _stood(episode: Episode, class_id: str, until_ms: int) -> bool:
        """The class that held when the fault, or the time in which it was alone, was over."""
        before = [name for time, name, _ in episode.said if time <= until_ms] or [episode.said[0][1]]
        return class_id in {before[-1], episode.class_id}

    def _is_of(self, episode: Episode, fault: Injected) -> bool:
        return (episode.kind, episode.id) in self._named[id(fault)]

    def _raise(self, episode: Episode, faults: list[Injected], scores: Scores) -> None:
        """What one episode is worth: right, the wrong class, an echo of something else, or for nothing."""
        if self._odd(episode):
            return
        over = episode.over_by(self.end_ms)
        there = [one for one in faults if episode.raised_ms <= one.end_ms + AFTERWARDS_MS and over >= one.onset_ms]
        own = [one for one in there if self._is_of(episode, one)]
        right = any(one.kind in {name for _, name, _ in episode.said} for one in own)
        lamp = episode.kind not in NODES
        if not any(one.kind == episode.class_id for one in own):
            scores.false_of(episode.class_id)
        scores.calibration.append((episode.confidence, any(one.kind == episode.class_id for one in own)))
        touched = own or any(self._touches(one, episode) for one in there)
        if not touched:
            scores.false_lamp += lamp
            scores.false_node += not lamp
        if over - episode.raised_ms >= SECOND_NIGHT_MS or not lamp:
            scores.trips += 1
            scores.wasted += not (own and right) and not touched

    def _odd(self, episode: Episode) -> bool:
        """Whether it tells something that is so, and no fault."""
        return any(
            (one.element, one.kind) == (episode.id, episode.class_id) and one.start_ms <= episode.raised_ms < one.end_ms
            for one in self.campaign.truth.quirks
        )

    def _touches(self, fault: Injected, episode: Episode) -> bool:
        """Whether the episode's element hangs below the fault's, or the other way round."""
        return not below(self.campaign.network, episode).isdisjoint(self._touched[id(fault)])

    def _leaked(self, fault: Injected, episodes: list[Episode], faults: list[Injected]) -> int:
        """Alarms of single lamps that say nothing but what the group's fault says already."""
        lamps = {self.campaign.network.lamp_id(lamp) for lamp in fault.lamps}
        own = {one.element for one in faults if one.element_kind == "lamp"}
        return sum(
            episode.kind == "lamp"
            and episode.id in lamps - own
            and fault.onset_ms <= episode.raised_ms < fault.end_ms + AFTERWARDS_MS
            for episode in episodes
        )


def elements_of(network: Network, fault: Injected, *, exact: bool) -> set[tuple[str, str]]:
    """Elements that a finding about this fault may name; exact: only the one that a crew would be sent to."""
    kind, name = fault.element_kind, fault.element
    if kind == "lamp":
        pole = network.pole_id(int(network.book_pole[fault.lamps[0]]))
        return {(kind, name), ("pole", pole)} if fault.kind in {"leak", "tilt"} else {(kind, name)}
    if kind == "feeder":
        return set(_of_feeder(network, fault, exact=exact))
    if kind == "pole" and not exact:
        feeder = fault.index
        poles = range(feeder * network.size.poles, (feeder + 1) * network.size.poles)
        return {("pole", network.pole_id(pole)) for pole in poles}
    if kind == "phase":
        return {(kind, name), ("cabinet", name.partition("/")[0])}
    if kind == "gateway":
        return {(kind, name), ("cabinet", network.cabinet_id(fault.index))}
    return {(kind, name)}


def _of_feeder(network: Network, fault: Injected, *, exact: bool) -> Iterator[tuple[str, str]]:
    name = fault.element
    feeder = int(name.rpartition("-f")[2]) + int(name[1:4]) * network.size.feeders
    phase = network.phase_id(int(network.feeder_cabinet[feeder]), int(network.feeder_phase[feeder]))
    yield "circuit", name
    yield "feeder", f"{network.cabinet_id(int(network.feeder_cabinet[feeder]))}/{name}/{name}/{phase[-1]}"
    if fault.kind == "energy_theft":
        yield "phase", phase
    if fault.kind == "hi_res":
        reach = 0 if exact else 1
        yield from (("pole", network.pole_id(fault.index + step)) for step in range(-reach, reach + 1))


def touched_lamps(network: Network, fault: Injected) -> set[int]:
    """Lamps that may show something of this fault."""
    if len(fault.lamps):
        same_pole = np.flatnonzero(np.isin(network.pole, network.pole[fault.lamps]))
        return {int(one) for one in np.union1d(same_pole, fault.lamps)}
    feeder = _feeder_of(network, fault)
    if fault.element_kind == "cabinet":
        return {int(one) for one in np.flatnonzero(network.cabinet == fault.index)}
    cabinet = network.feeder_cabinet[feeder]
    return {
        int(one)
        for one in np.flatnonzero((network.cabinet == cabinet) & (network.phase == network.feeder_phase[feeder]))
    }


def _feeder_of(network: Network, fault: Injected) -> int:
    if fault.element_kind == "phase":
        cabinet, phase = divmod(fault.index, 3)
        return cabinet * network.size.feeders + phase
    return fault.index // network.size.poles if fault.kind == "hi_res" else fault.index


def below(network: Network, episode: Episode) -> set[int]:
    """Lamps that hang below the element of an episode."""
    return set(_below(network, episode.kind, episode.id)) if episode.kind != "city" else set(range(len(network)))


def _below(network: Network, kind: str, name: str) -> Iterable[int]:  # noqa: PLR0911 - a table of kinds
    if kind == "lamp":
        return [int(name.rpartition("-")[2])]
    if kind == "pole":
        return (int(one) for one in np.flatnonzero(network.book_pole == int(name[1:])))
    if kind in {"circuit", "feeder"}:
        parts = name.split("/")
        cable = parts[1] if kind == "feeder" and len(parts) > 1 else parts[0]
        feeder = int(cable.rpartition("-f")[2]) + int(cable[1:4]) * network.size.feeders
        return (int(one) for one in np.flatnonzero(network.feeder == feeder))
    if kind == "phase":
        cabinet, _, phase = name.partition("/")
        return (
            int(one)
            for one in np.flatnonzero((network.cabinet == int(cabinet[1:])) & (network.phase == "abc".find(phase)))
        )
    if kind in {"cabinet", "gateway"}:
        return (int(one) for one in np.flatnonzero(network.cabinet == int(name[1:4])))
    if kind == "transformer":
        return (int(one) for one in np.flatnonzero(network.transformer == int(name[1:])))
    return range(len(network)) if kind == "model" else ()
