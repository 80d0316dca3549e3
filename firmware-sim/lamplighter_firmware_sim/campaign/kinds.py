"""The ways one lamp or one part goes wrong. A kind is one function that writes into the columns of effects."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from lamplighter_firmware_sim.campaign.effects import (
    DERATED,
    GEAR_SILENT,
    LAMP_FAILED,
    STRINGS_SHORTED,
    Effects,
    Moment,
)
from lamplighter_firmware_sim.campaign.programs import DAY_MS
from lamplighter_firmware_sim.campaign.truth import Injected, Shows

Index = NDArray[np.int64]
Act = Callable[[Effects, Index, Injected, Moment], None]


@dataclass(frozen=True, slots=True)
class Kind:
    """One way of going wrong.

    Args:
        strength: least and most of it, drawn evenly.
        source: `led` or `hps` where only one of them can have it.
        of: what the element is.
    """

    act: Act
    shows: Shows = Shows.ALWAYS
    strength: tuple[float, float] = (1.0, 1.0)
    source: str = ""
    of: str = "lamp"


def _lamp_dead(on: Effects, i: Index, fault: Injected, at: Moment) -> None:
    on.unlit_w[i] = fault.strength
    on.bits[i] |= np.where(at.digital[i] & (at.level[i] > 0), LAMP_FAILED, 0)


def _driver_dead(on: Effects, i: Index, fault: Injected, at: Moment) -> None:
    on.unlit_w[i] = fault.strength
    on.bits[i] |= np.where(at.digital[i], GEAR_SILENT, 0)


def _gear_hps(on: Effects, i: Index, fault: Injected, _: Moment) -> None:
    on.unlit_w[i], on.unlit_pf[i] = fault.strength, 0.22


def _led_partial(on: Effects, i: Index, fault: Injected, _: Moment) -> None:
    on.load[i] *= 1 - fault.strength
    on.factor[i] *= 1 - 0.12 * fault.strength


def _led_short(on: Effects, i: Index, fault: Injected, at: Moment) -> None:
    on.load[i] *= 1 - fault.strength
    on.bits[i] |= np.where(at.digital[i] & (at.level[i] > 0), STRINGS_SHORTED, 0)


def _driver_drift(on: Effects, i: Index, fault: Injected, at: Moment) -> None:
    days = (at.time_ms[i] - fault.onset_ms) / DAY_MS
    on.load[i] *= np.exp(-fault.strength * days)
    on.factor[i] *= np.exp(-0.3 * fault.strength * days)
    on.extra_law[i] += 0.04 * days
    on.warm_c[i] += 1.2 * days


def _relay_stuck_on(on: Effects, i: Index, _: Injected, __: Moment) -> None:
    on.relay[i] = 1


def _relay_open(on: Effects, i: Index, _: Injected, __: Moment) -> None:
    on.relay[i] = -1


def _dim_fail(on: Effects, i: Index, fault: Injected, _: Moment) -> None:
    on.held_level[i] = fault.strength


def _pf_cap(on: Effects, i: Index, fault: Injected, _: Moment) -> None:
    on.factor[i] *= fault.strength


def _cycling(on: Effects, i: Index, fault: Injected, at: Moment) -> None:
    burns_ms, cools_ms = 60_000 * (6 + 12 * fault.draw), 60_000 * (2 + 3 * fault.strength)
    within = (at.time_ms[i] - fault.onset_ms) % (burns_ms + cools_ms)
    out = i[within >= burns_ms]
    on.unlit_w[out], on.unlit_pf[out] = 7.0, 0.3


def _node_comm(on: Effects, i: Index, _: Injected, __: Moment) -> None:
    on.mute[i] = True


def _meter_zero(on: Effects, i: Index, _: Injected, __: Moment) -> None:
    on.meter_zero[i] = True


def _meter_frozen(on: Effects, i: Index, _: Injected, __: Moment) -> None:
    on.meter_frozen[i] = True


def _meter_gain(on: Effects, i: Index, fault: Injected, _: Moment) -> None:
    on.meter_gain[i] = fault.strength


def _leak(on: Effects, i: Index, fault: Injected, at: Moment) -> None:
    wet = 1 + 0.5 * at.rain_mm_h
    on.leak_ma[i] += fault.strength * wet


def _overtemp(on: Effects, i: Index, fault: Injected, at: Moment) -> None:
    lit = at.level[i] > 0
    on.warm_c[i] += np.where(lit, fault.strength, 0)
    on.load[i] *= np.where(lit, 0.85 if fault.draw > 0.5 else 0.9, 1)
    on.bits[i] |= np.where(at.digital[i] & lit, DERATED, 0)


def _tilt(on: Effects, i: Index, fault: Injected, _: Moment) -> None:
    on.tilt_deg[i] += fault.strength


def _hi_res(on: Effects, _: Index, fault: Injected, at: Moment) -> None:
    on.span_ohm[fault.index] += fault.strength * (1.3 if at.raining else 1.0)


def _theft(on: Effects, _: Index, fault: Injected, __: Moment) -> None:
    on.stolen_w[fault.index] += fault.strength


def _wet_cable(on: Effects, _: Index, fault: Injected, at: Moment) -> None:
    on.feeder_leak_ma[fault.index] += fault.strength * (0.4 + 0.3 * at.rain_mm_h)


def _door(on: Effects, _: Index, fault: Injected, __: Moment) -> None:
    on.door[fault.index] = True


def _phase_factor(on: Effects, _: Index, fault: Injected, __: Moment) -> None:
    cabinet, phase = divmod(fault.index, 3)
    on.phase_v[cabinet, phase] *= fault.strength


KINDS: Final[dict[str, Kind]] = {
    "lamp_dead": Kind(_lamp_dead, Shows.LIT, (1.1, 3.0), "led"),
    "driver_dead": Kind(_driver_dead, Shows.LIT, (0.2, 0.9), "led"),
    "gear_fault": Kind(_gear_hps, Shows.LIT, (6.0, 19.0), "hps"),
    "led_partial": Kind(_led_partial, Shows.LIT, (0.12, 0.5), "led"),
    "led_short": Kind(_led_short, Shows.LIT, (0.04, 0.14), "led"),
    "driver_drift": Kind(_driver_drift, Shows.LIT, (0.02, 0.02), "led"),
    "relay_stuck_on": Kind(_relay_stuck_on, Shows.DARK),
    "relay_open": Kind(_relay_open, Shows.LIT),
    "dim_fail": Kind(_dim_fail, Shows.DIMMED, (1.0, 1.0), "led"),
    "pf_cap": Kind(_pf_cap, Shows.LIT, (0.5, 0.6), "hps"),
    "cycling": Kind(_cycling, Shows.LIT, (0.0, 1.0), "hps"),
    "node_comm": Kind(_node_comm),
    "meter_bad": Kind(_meter_zero),
    "meter_frozen": Kind(_meter_frozen),
    "meter_gain": Kind(_meter_gain, Shows.LIT, (1.14, 1.3)),
    "leak": Kind(_leak, Shows.ALWAYS, (8.0, 40.0)),
    "overtemp": Kind(_overtemp, Shows.LIT, (45.0, 60.0)),
    "tilt": Kind(_tilt, Shows.ALWAYS, (11.0, 35.0)),
    "hi_res": Kind(_hi_res, Shows.LIT, (2.5, 5.0), of="feeder"),
    "wet_cable": Kind(_wet_cable, Shows.ALWAYS, (40.0, 160.0), of="feeder"),
    "energy_theft": Kind(_theft, Shows.ALWAYS, (350.0, 900.0), of="feeder"),
    "door": Kind(_door, of="cabinet"),
    "ov": Kind(_phase_factor, Shows.ALWAYS, (1.12, 1.15), of="phase"),
    "uv": Kind(_phase_factor, Shows.ALWAYS, (0.83, 0.87), of="phase"),
}
CLASS_OF: Final = {
    "meter_frozen": "meter_bad",
    "meter_gain": "meter_bad",
    "wet_cable": "leak",
}  # several ways, one class
