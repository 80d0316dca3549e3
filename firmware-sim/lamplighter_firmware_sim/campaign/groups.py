"""Stories in which one cause touches many lamps: the twelve group cases."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from lamplighter_firmware_sim.campaign.effects import Effects, Moment
from lamplighter_firmware_sim.campaign.luminaires import MODELS
from lamplighter_firmware_sim.campaign.network import Network
from lamplighter_firmware_sim.campaign.surroundings import Sag
from lamplighter_firmware_sim.campaign.truth import Injected, Shows

Index = NDArray[np.int64]
_HOUR_MS: Final = 3_600_000


@dataclass(frozen=True, slots=True)
class Story:
    """A group case that was told: its fault, and what else happened with it."""

    fault: Injected
    sags: tuple[Sag, ...] = ()


def _unsupplied(on: Effects, i: Index, _: Injected, __: Moment) -> None:
    on.supplied[i] = False


def _trip(on: Effects, i: Index, fault: Injected, _: Moment) -> None:
    on.supplied[i] = False
    on.tripped[fault.index] = True


def _phase_loss(on: Effects, i: Index, fault: Injected, _: Moment) -> None:
    on.supplied[i] = False
    cabinet, phase = divmod(fault.index, 3)
    on.phase_v[cabinet, phase] = 0.0


def _neutral_loss(on: Effects, _: Index, fault: Injected, __: Moment) -> None:
    high, low = int(fault.draw * 3), int(fault.draw * 3 + 1 + fault.strength) % 3
    on.phase_v[fault.index, high] *= 1.15
    on.phase_v[fault.index, low] *= 0.86


def _cabinet_off(on: Effects, i: Index, fault: Injected, _: Moment) -> None:
    on.supplied[i] = False
    on.phase_v[fault.index] = 0.0


def _transformer_off(on: Effects, i: Index, fault: Injected, _: Moment) -> None:
    on.supplied[i] = False
    on.phase_v[4 * fault.index : 4 * fault.index + 4] = 0.0


def _radio_down(on: Effects, i: Index, _: Injected, __: Moment) -> None:
    on.mute[i] = True


def _gateway_dead(on: Effects, i: Index, fault: Injected, _: Moment) -> None:
    on.mute[i] = True
    on.meter_mute[fault.index] = True


def _contactor_welded(on: Effects, i: Index, fault: Injected, at: Moment) -> None:
    on.relay[i[at.level[i] == 0]] = 1
    on.welded[np.arange(len(on.welded)) // 6 == fault.index] = True  # a cabinet has one contactor for its six feeders


def _frozen(on: Effects, i: Index, _: Injected, __: Moment) -> None:
    on.meter_frozen[i] = True


def _none(_: Effects, __: Index, ___: Injected, ____: Moment) -> None:
    """A wrong schedule acts on what is told, not on the lamp."""


ACTS: Final[dict[str, Callable[[Effects, Index, Injected, Moment], None]]] = {
    "cable_cut": _unsupplied,
    "phase_loss": _phase_loss,
    "neutral_loss": _neutral_loss,
    "feeder_trip": _trip,
    "trip_with_sag": _trip,
    "cabinet_off": _cabinet_off,
    "utility_off": _transformer_off,
    "gateway_mute": _radio_down,
    "gateway_dead": _gateway_dead,
    "contactor_welded": _contactor_welded,
    "wrong_schedule": _none,
    "firmware_bug": _frozen,
}
CASES: Final = tuple(ACTS)
_CLASS: Final = {
    "trip_with_sag": "feeder_trip",
    "utility_off": "utility_loss",
    "gateway_mute": "gw_down",
    "gateway_dead": "gw_down",
    "contactor_welded": "contactor_stuck_on",
    "wrong_schedule": "schedule_dev",
    "firmware_bug": "meter_bad",
}
_SHOWS: Final = {"wrong_schedule": Shows.OTHERWISE, "contactor_welded": Shows.DARK}
_HOURS: Final = {"firmware_bug": (60, 80), "contactor_welded": (30, 40), "wrong_schedule": (40, 60)}


def tell(random: np.random.Generator, network: Network, case: str, cabinet: int, start_ms: int) -> Story:
    """One case at one cabinet, beginning in the evening of the day that starts at `start_ms`."""
    onset = start_ms + round(random.uniform(18.5, 26.0) * _HOUR_MS)
    low, high = _HOURS.get(case, (2.5, 7.0))
    end = onset + round(random.uniform(low, high) * _HOUR_MS)
    element, kind, index, lamps = _place(random, network, case, cabinet)
    fault = Injected(
        kind=_CLASS.get(case, case),
        element=element,
        element_kind=kind,
        lamps=lamps,
        onset_ms=onset,
        end_ms=end,
        strength=float(random.choice((-1, 1)) * random.uniform(35, 60))
        if case == "wrong_schedule"
        else float(random.integers(0, 2)),
        case=case,
        shows=_SHOWS.get(case, Shows.ALWAYS),
        index=index,
        draw=float(random.random()),
    )
    sag = Sag(int(network.cabinet_transformer[cabinet]), onset - 60_000, onset + 1_500_000, 0.1)
    return Story(fault, (sag,) if case == "trip_with_sag" else ())


def _place(random: np.random.Generator, network: Network, case: str, cabinet: int) -> tuple[str, str, int, Index]:  # noqa: PLR0911 - a table of cases
    """Name, kind and number of the element, and the lamps below it."""
    feeder = cabinet * network.size.feeders + int(random.integers(network.size.feeders))
    if case == "cable_cut":
        first = int(random.integers(2, network.size.poles - 2))
        behind = np.flatnonzero((network.feeder == feeder) & (network.order >= first))
        return network.pole_id(feeder * network.size.poles + first), "pole", feeder, behind
    if case in {"feeder_trip", "trip_with_sag"}:
        return network.feeder_id(feeder), "feeder", feeder, np.flatnonzero(network.feeder == feeder)
    if case == "phase_loss":
        phase = int(random.integers(3))
        lamps = np.flatnonzero((network.cabinet == cabinet) & (network.phase == phase))
        return network.phase_id(cabinet, phase), "phase", cabinet * 3 + phase, lamps
    if case == "utility_off":
        transformer = int(network.cabinet_transformer[cabinet])
        return (
            network.transformer_id(transformer),
            "transformer",
            transformer,
            np.flatnonzero(network.transformer == transformer),
        )
    if case in {"gateway_mute", "gateway_dead"}:
        return network.gateway_id(cabinet), "gateway", cabinet, np.flatnonzero(network.cabinet == cabinet)
    if case == "firmware_bug":
        model = int(np.bincount(network.model).argmax())
        return MODELS[model].name, "model", model, np.flatnonzero(network.model == model)
    return network.cabinet_id(cabinet), "cabinet", cabinet, np.flatnonzero(network.cabinet == cabinet)
