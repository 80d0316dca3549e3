"""One campaign, step by step: what lamps are told, what ails them, what they draw, what their instruments say."""

from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from lamplighter_firmware_sim.campaign.effects import Effects, Moment
from lamplighter_firmware_sim.campaign.groups import ACTS
from lamplighter_firmware_sim.campaign.kinds import KINDS
from lamplighter_firmware_sim.campaign.luminaires import fleet_of, lit_power_w, power_factor_at, warmth_after
from lamplighter_firmware_sim.campaign.network import Network
from lamplighter_firmware_sim.campaign.programs import Override, Program, overridden
from lamplighter_firmware_sim.campaign.surroundings import Surroundings
from lamplighter_firmware_sim.campaign.truth import Injected, Shows, Truth

Index = NDArray[np.int64]
Array = NDArray[np.float64]
Mask = NDArray[np.bool_]

_STANDBY_W, _STANDBY_PF = 0.45, 0.33
_SPAN_OHM: Final = 0.055
_STRIKE_COLD_S: Final = 150.0
_BODY: Final = 0.7  # of the way to its new temperature in a step
_COMMAND_S: Final = 2.0  # from command to lamp
_SLOW_SHARE: Final = 0.004  # of lamps that take a night's commands minutes late
_SLOWEST_S: Final = 1_500
_DIMMED: Final = 0.9  # below this a lamp that keeps full level is seen
_WORK_BEGINS_MS: Final = 900_000  # after its order


@dataclass
class Lamps:
    """What lamps carry from step to step, and what they are."""

    gain: Array
    meter_gain: Array
    rise_c: Array
    leak_ma: Array
    tilt_deg: Array
    rssi_dbm: Array
    hours: Array
    energy_wh: Array
    starts: Array
    losses: Array
    current_a: Array
    body_c: Array
    was_supplied: Mask
    supplied_ms: Index
    hot_ms: Index
    lag_ms: Index


@dataclass
class Looked:
    """What is true of all lamps at their own moments of one step."""

    time_ms: Index
    told: Array
    level: Array
    supplied: Mask
    lit: Mask
    voltage_v: Array
    power_w: Array
    power_factor: Array
    current_a: Array
    leak_ma: Array
    body_c: Array
    effects: Effects


@dataclass
class Plant:
    """The city of one campaign; `look` moves it one step on."""

    random: np.random.Generator
    network: Network
    programs: list[Program]
    overrides: list[Override]
    outside: Surroundings
    truth: Truth
    interval_ms: int
    clo_per_day: float = 0.0
    lamps: Lamps = field(init=False)

    def __post_init__(self) -> None:
        self.fleet = fleet_of(self.network.model)
        self.lamps = _lamps(self.random, self.network, self.fleet.rated_w)
        self.offset_ms = self.random.integers(0, self.interval_ms - 15_000, len(self.network))
        self.program = self.network.program[self.network.cabinet]

    def look(self, step: int) -> Looked:
        """The next step."""
        start_ms = int(self.outside.step_ms[step])
        if step % 96 == 0:
            self.lamps.lag_ms = _lags(self.random, len(self.network))
        time_ms = start_ms + self.offset_ms + self.random.integers(0, 12_000, len(self.network))
        told, level, since_ms = self._levels(time_ms)
        rain = float(self.outside.rain_mm_h[step])
        moment = Moment(time_ms, level, rain > 0, rain, start_ms, self.fleet.digital)
        effects = self._effects(moment)
        supplied = self._supply(effects, told, time_ms)
        level = np.where(np.isnan(effects.held_level) | (level == 0), level, effects.held_level)
        voltage = self._voltage(step, effects)
        return self._burn(
            Looked(
                time_ms, told, level, supplied, supplied, voltage, voltage, voltage, voltage, voltage, voltage, effects
            ),
            since_ms,
            float(self.outside.air_c[step]),
            rain,
        )

    def _levels(self, time_ms: Index) -> tuple[Array, Array, Index]:
        """What each lamp is told, what it has taken by now, and since when it is told to burn."""
        told, taken, since = np.zeros(len(time_ms)), np.zeros(len(time_ms)), np.zeros(len(time_ms), np.int64)
        lag = self.lamps.lag_ms + self._shift(time_ms)
        for number, program in enumerate(self.programs):
            own = self.program == number
            told[own] = program.at(time_ms[own])
            taken[own] = program.at(time_ms[own] - lag[own])
            since[own] = program.lit_since(time_ms[own] - lag[own]) + lag[own]
        return (
            overridden(told, time_ms, self.overrides),
            overridden(taken, time_ms - self.lamps.lag_ms, self.overrides),
            since,
        )

    def _shift(self, time_ms: Index) -> Index:
        """How wrong the schedule of each lamp is, in milliseconds; a wrong schedule has its own clock."""
        shift = np.zeros(len(time_ms), np.int64)
        for fault in self.truth.faults:
            if fault.case == "wrong_schedule":
                now = fault.lamps[(time_ms[fault.lamps] >= fault.onset_ms) & (time_ms[fault.lamps] < fault.end_ms)]
                shift[now] = round(fault.strength * 60_000)
        return shift

    def _effects(self, at: Moment) -> Effects:
        effects = Effects.none(self.network)
        for fault in self.truth.faults:
            if at.step_ms >= fault.end_ms or at.step_ms + self.interval_ms <= fault.onset_ms:
                continue
            now = at.time_ms[fault.lamps]
            here = fault.lamps[(now >= fault.onset_ms) & (now < fault.end_ms)]
            act = ACTS[fault.case] if fault.case in ACTS else KINDS[fault.case].act
            act(effects, here, fault, at)
        return effects

    def _supply(self, on: Effects, told: Array, time_ms: Index) -> Mask:
        """Which lamps have voltage: by day a switched cabinet's have none, nor those people work on."""
        network = self.network
        for work in self.truth.excused:
            now = time_ms[work.lamps]
            on.supplied[
                work.lamps[(now >= work.start_ms + _WORK_BEGINS_MS) & (now < work.end_ms - _WORK_BEGINS_MS)]
            ] = False
        by_night = ~network.switched[network.cabinet] | on.welded[network.feeder]
        return on.supplied & (by_night | (told > 0))

    def _voltage(self, step: int, on: Effects) -> Array:
        network = self.network
        head = (self.outside.cabinet_v[step] * on.phase_v)[network.cabinet, network.phase]
        poles = network.feeders * network.size.poles
        drawn = np.bincount(network.pole, self.lamps.current_a, poles).reshape(network.feeders, -1)
        through = drawn[:, ::-1].cumsum(axis=1)[:, ::-1]
        ohm = _SPAN_OHM + on.span_ohm.reshape(network.feeders, -1)
        drop = (through * ohm).cumsum(axis=1).ravel()
        return np.asarray(head - drop[network.pole] + on.volts)

    def _burn(self, seen: Looked, since_ms: Index, air_c: float, rain: float) -> Looked:
        lamps, on, hps = self.lamps, seen.effects, self.fleet.hps
        back = seen.supplied & ~lamps.was_supplied
        lamps.supplied_ms = np.where(
            back, seen.time_ms - self.random.integers(5_000, 600_000, len(back)), lamps.supplied_ms
        )
        burning_s = (seen.time_ms - np.maximum(since_ms, lamps.supplied_ms)) / 1000
        restrikes = (
            hps & (lamps.hot_ms > 0) & (lamps.supplied_ms - lamps.hot_ms < 900_000) & (burning_s < _STRIKE_COLD_S)
        )
        wanted = seen.supplied & (on.relay >= 0) & ((seen.level > 0) | (on.relay == 1))
        output = np.where((on.relay == 1) & (seen.level == 0), 1.0, seen.level)
        seen.lit = wanted & np.isnan(on.unlit_w) & ~restrikes & (seen.voltage_v > np.where(hps, 178, 95))
        warmth = warmth_after(burning_s, hps)
        power = lit_power_w(self.fleet, output, seen.voltage_v, warmth, lamps.hours) * lamps.gain * on.load
        power *= np.maximum(seen.voltage_v / 230, 0.3) ** on.extra_law * (1 - 0.0004 * (air_c - 10))
        power *= 1 + self.clo_per_day * (seen.time_ms - self.outside.step_ms[0]) / 86_400_000
        tried = np.where(np.isnan(on.unlit_w), 6.5, on.unlit_w)
        unlit = np.where(wanted, tried, _STANDBY_W)
        seen.power_w = np.where(seen.supplied, np.where(seen.lit, power, unlit), 0.0)
        seen.power_w = np.where((on.relay == -1) & seen.supplied, 0.0, seen.power_w)
        factor = np.where(
            seen.lit,
            power_factor_at(self.fleet, output, warmth) * on.factor,
            np.where(wanted, on.unlit_pf, _STANDBY_PF),
        )
        seen.power_factor = np.clip(factor, 0.02, 0.998)
        seen.current_a = np.where(seen.supplied, seen.power_w / np.maximum(seen.voltage_v, 20) / seen.power_factor, 0.0)
        self._count(seen, air_c)
        seen.leak_ma = np.where(
            seen.supplied, lamps.leak_ma * (0.6 + 0.8 * seen.lit) * (1 + 0.02 * rain) + on.leak_ma, 0.0
        )
        return seen

    def _count(self, seen: Looked, air_c: float) -> None:
        lamps, hours = self.lamps, self.interval_ms / 3_600_000
        lamps.losses += lamps.was_supplied & ~seen.supplied
        lamps.starts += seen.lit & (lamps.current_a < 0.05)
        lamps.hot_ms = np.where(seen.lit, seen.time_ms, lamps.hot_ms)
        lamps.was_supplied = seen.supplied
        lamps.current_a = seen.current_a
        lamps.hours += hours * seen.lit
        lamps.energy_wh += hours * seen.power_w
        goal = air_c + 3 + lamps.rise_c * seen.power_w / self.fleet.rated_w + seen.effects.warm_c
        lamps.body_c += _BODY * (goal - lamps.body_c)
        seen.body_c = lamps.body_c.copy()


def _lamps(random: np.random.Generator, network: Network, rated_w: Array) -> Lamps:
    count = len(network)
    hours = random.uniform(1_500, 16_000, count)
    return Lamps(
        gain=np.exp(random.normal(0, 0.01, count)),
        meter_gain=1 + random.normal(0, 0.004, count),
        rise_c=random.uniform(22, 32, count),
        leak_ma=random.uniform(0.15, 0.6, count),
        tilt_deg=random.normal(0, 0.7, count),
        rssi_dbm=random.uniform(-98, -60, count),
        hours=hours,
        energy_wh=hours * rated_w * random.normal(0.78, 0.008, count),
        starts=np.round(hours / 10.5),
        losses=random.integers(0, 30, count).astype(np.float64),
        current_a=np.zeros(count),
        body_c=np.full(count, 10.0),
        was_supplied=np.ones(count, np.bool_),
        supplied_ms=np.zeros(count, np.int64),
        hot_ms=np.zeros(count, np.int64),
        lag_ms=_lags(random, count),
    )


def _lags(random: np.random.Generator, count: int) -> Index:
    slow = random.random(count) < _SLOW_SHARE
    lag_s = np.where(slow, random.uniform(120, _SLOWEST_S, count), random.uniform(0.2, _COMMAND_S, count))
    return np.round(lag_s * 1000).astype(np.int64)


def shows(fault: Injected, seen: Looked) -> Mask:
    """Of the fault's lamps: whose reading of this step differs from that of a healthy lamp, supply permitting."""
    now = seen.time_ms[fault.lamps]
    during = (now >= fault.onset_ms) & (now < fault.end_ms)
    told = seen.told[fault.lamps]
    when: dict[Shows, Mask] = {
        Shows.ALWAYS: during,
        Shows.LIT: during & (told > 0),
        Shows.DARK: during & (told == 0),
        Shows.DIMMED: during & (told > 0) & (told < _DIMMED),
        Shows.OTHERWISE: during & (told != seen.level[fault.lamps]),
    }
    return when[fault.shows]
