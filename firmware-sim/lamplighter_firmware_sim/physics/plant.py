"""The city as a running plant: state in columns, one step moves all of it."""

import math
from typing import Final

import numpy as np

from lamplighter_contract.quantities import Kind
from lamplighter_firmware_sim.city.inventory import City
from lamplighter_firmware_sim.faults.board import FaultBoard
from lamplighter_firmware_sim.physics import lamps as electric
from lamplighter_firmware_sim.physics import supply
from lamplighter_firmware_sim.physics.ailments import Ailments
from lamplighter_firmware_sim.physics.columns import cabinet_columns, circuit_columns, lamp_columns
from lamplighter_firmware_sim.physics.lamps import Array, Mask
from lamplighter_firmware_sim.physics.sky import Sky, sky_at

LAMP_FAILED: Final = 1  # bit 0 of a lamp's fault bits: told to burn, draws nothing
_STEP_S: Final = 120.0
_LONGEST_S: Final = 86_400.0
_WANDER_S, _WANDER_V = 300.0, 0.8
_BODY_S: Final = 2400.0  # a luminaire warms up in about 40 minutes
_DAWN: Final = 1.5  # a photocell lets go at this many times its dusk threshold
_BLINK_PERCENT: Final = 20.0


class Plant:
    """Physics of a whole city. Deterministic: city, faults and the sequence of steps decide everything."""

    def __init__(self, city: City, board: FaultBoard, civil_ms: int) -> None:
        """Begin at a civil time, with lamps as they would be after half an hour of it."""
        random = np.random.default_rng([city.scenario.seed, 2])
        self.city = city
        self.board = board
        self.tree = supply.tree_of(city)
        self.ails = Ailments(self.tree)
        self.lamps = lamp_columns(city, random, civil_ms)
        self.circuits = circuit_columns(city)
        self.cabinets = cabinet_columns(city, self.lamps.energy_wh)
        self.losses_w = np.zeros(len(city.circuits))
        self._random = random
        self.civil_ms = civil_ms - 1_800_000
        self._running_s = 0.0
        self.sky = self._sky()
        self.advance(civil_ms, 0.0)

    def advance(self, civil_ms: int, running_s: float) -> None:
        """Move everything to a civil time; a jump back moves nothing, one of more than a day only its last day."""
        self._running_s = running_s
        start_ms = max(self.civil_ms, civil_ms - round(_LONGEST_S * 1000)) if civil_ms > self.civil_ms else civil_ms
        steps = max(1, math.ceil((civil_ms - start_ms) / 1000 / _STEP_S))
        for step in range(1, steps + 1):
            self.civil_ms = start_ms + (civil_ms - start_ms) * step // steps
            self._step((civil_ms - start_ms) / 1000 / steps)

    def _sky(self) -> Sky:
        place = self.city.scenario.place
        return sky_at(self.civil_ms, place.latitude, place.longitude, self.city.scenario.zone)

    # What controllers do when they are written to

    def write_level(self, lamp: int, percent: float) -> None:
        """Hold a level until the supply is lost or the lamp is handed back."""
        self.lamps.written_percent[lamp] = self.lamps.level_percent[lamp] = percent

    def resume(self, lamp: int) -> None:
        """Hand the lamp back to its own photocell."""
        self.lamps.written_percent[lamp] = np.nan
        self.lamps.level_percent[lamp] = 100.0 if self.lamps.dark[lamp] else 0.0

    def identify(self, lamp: int, seconds: float) -> None:
        """Blink for some real seconds."""
        self.lamps.identify_until_s[lamp] = self._running_s + seconds

    def switch(self, circuit: int, closed: bool) -> None:
        """Close or open a contactor."""
        self.circuits.closed[circuit] = closed or self.ails.welded[circuit]

    def powered(self, lamp: int) -> bool:
        """Whether the lamp's controller has supply this very moment."""
        circuit = self.tree.lamp_circuit[lamp]
        alive = self.circuits.closed[circuit] and not self.board.strength("breaker_trip", Kind.CIRCUIT)[circuit]
        return bool(alive and not self.ails.unsupplied[lamp])

    # One step

    def _step(self, seconds: float) -> None:
        self.sky = self._sky()
        self.ails.observe(self.board, seconds)
        self.circuits.closed |= self.ails.welded
        self.circuits.tripped[:] = self.board.strength("breaker_trip", Kind.CIRCUIT) > 0
        self._control()
        self._voltages(seconds)
        self._burn(seconds)
        self._balance(seconds)

    def _control(self) -> None:
        """Supply, photocell and written level decide the level that each controller wants."""
        lamps = self.lamps
        supplied = (self.circuits.closed & ~self.circuits.tripped)[self.tree.lamp_circuit] & ~self.ails.unsupplied
        lost = lamps.supplied & ~supplied
        lamps.supplied = supplied
        lamps.supply_losses += lost
        lamps.written_percent[~supplied] = np.nan
        lamps.identify_until_s[~supplied] = -1.0
        lamps.dark = self.sky.lux < np.where(lamps.dark, lamps.dusk_lux * _DAWN, lamps.dusk_lux)
        own = np.where(lamps.dark, 100.0, 0.0)
        lamps.level_percent = np.where(np.isnan(lamps.written_percent), own, lamps.written_percent)

    def _output(self) -> Array:
        """What reaches the light source, %: blinking and a welded relay differ from what the controller wants."""
        lamps, bright = self.lamps, int(self._running_s) % 2 == 0
        blinking = lamps.identify_until_s > self._running_s
        output = np.where(blinking, 100.0 if bright else _BLINK_PERCENT, lamps.level_percent)
        stuck = self.board.strength("stuck_relay", Kind.LAMP) > 0
        output = np.where(stuck & (output == 0), 100.0, self.ails.held_level(output))
        return np.where(lamps.supplied & ~self.ails.open_relay, output, 0.0)

    def _voltages(self, seconds: float) -> None:
        cabinets, keep = self.cabinets, math.exp(-seconds / _WANDER_S)
        fresh = self._random.normal(0, _WANDER_V, cabinets.wander_v.shape)
        cabinets.wander_v = cabinets.wander_v * keep + fresh * math.sqrt(1 - keep * keep)
        source_v = supply.source_voltage(self.sky.local_hour, cabinets.wander_v, cabinets.current_a)
        cabinets.voltage_v = source_v * self.ails.phase_share
        drops, _ = supply.feeder_drops(self.tree, self.lamps.current_a, self.ails.joint_ohm)
        at_head = cabinets.voltage_v[self.tree.circuit_cabinet, self.tree.circuit_phase][self.tree.lamp_circuit]
        self.lamps.voltage_v = np.where(self.lamps.supplied, at_head - drops, 0.0)

    def _burn(self, seconds: float) -> None:
        lamps, output = self.lamps, self._output()
        dead = (self.board.strength("dead_lamp", Kind.LAMP) > 0) | self.ails.dark
        wanted = (output > 0) & ~dead
        arc = electric.arc_burns(lamps.lit & lamps.is_hps, wanted & lamps.is_hps, lamps.voltage_v, lamps.arc_min)
        lit = np.where(lamps.is_hps, arc, wanted & (lamps.voltage_v > 90))
        lamps.arc_min = np.where(lamps.is_hps, electric.arc_warmth(lamps.arc_min, arc, seconds), lamps.arc_min)
        self._draw(output, lit, dead)
        lamps.starts += lit & ~lamps.lit
        lamps.lit = lit
        lamps.burning_h += lit * (seconds / 3600)
        lamps.energy_wh += lamps.power_w * (seconds / 3600)
        goal = self.sky.ambient_c + lamps.power_w / lamps.rated_w * np.where(lamps.is_hps, 45.0, 28.0)
        goal = goal + self.ails.hot_c * lit
        lamps.temperature_c = electric.towards(lamps.temperature_c, goal, seconds, _BODY_S)
        lamps.fault_bits = np.where(dead & (output > 0), LAMP_FAILED, 0) | self.ails.bits(lit)

    def _draw(self, output: Array, lit: Mask, dead: Mask) -> None:
        """Power, power factor and current of every lamp."""
        lamps = self.lamps
        led = electric.led_power_w(lamps.rated_w, output, lamps.voltage_v)
        hps = electric.hps_power_w(lamps.rated_w, output, lamps.voltage_v, lamps.arc_min)
        burning = np.where(lamps.is_hps, hps, led) * lamps.gain * self.ails.load
        tried = np.where(dead, electric.DEAD_W, np.where(lamps.is_hps, electric.IGNITOR_W, 0.0))
        tried = np.where(self.ails.gear_w > 0, self.ails.gear_w, tried)
        unlit = electric.STANDBY_W + np.where(output > 0, tried, 0.0)
        drawn = np.where(lit, burning + electric.STANDBY_W, unlit)
        lamps.power_w = np.where(lamps.supplied & ~self.ails.open_relay, drawn, 0.0)
        factor = np.where(lamps.is_hps, electric.hps_power_factor(lamps.arc_min), electric.led_power_factor(output))
        lamps.power_factor = np.where(lit, factor * self.ails.factor, electric.STANDBY_PF)
        apparent = lamps.power_w / lamps.power_factor
        lamps.current_a = np.divide(apparent, lamps.voltage_v, out=np.zeros_like(apparent), where=lamps.voltage_v > 1)
        lamps.leakage_ma = np.where(lamps.supplied, 0.15 + 0.35 * lit + self.ails.leak_ma, 0.0)

    def _balance(self, seconds: float) -> None:
        """Sum up the tree: what the cabinet's meter sees is its lamps and what the cables lose."""
        lamps, cabinets, circuits = self.lamps, self.cabinets, self.circuits
        apparent = lamps.voltage_v * lamps.current_a
        sign = np.where(lamps.is_hps & lamps.lit, 1.0, -1.0)  # a ballast is inductive, a driver's filter capacitive
        reactive = sign * np.sqrt(np.maximum(apparent**2 - lamps.power_w**2, 0))
        _, self.losses_w = supply.feeder_drops(self.tree, lamps.current_a, self.ails.joint_ohm)
        beside_w = supply.loops_w(self.tree, cabinets.voltage_v) * ~circuits.tripped + self.ails.stolen_w
        losses_w = self.losses_w + beside_w * circuits.closed
        load = supply.sum_load(self.tree, lamps.power_w, reactive, losses_w, cabinets.voltage_v)
        circuits.current_a = load.circuit_a * ~circuits.tripped
        circuits.leakage_ma = supply.sum_by(self.tree.lamp_circuit, lamps.leakage_ma, self.tree.circuits)
        circuits.leakage_ma += self.ails.cable_leak_ma
        cabinets.power_w, cabinets.current_a, cabinets.power_factor = load.phase_w, load.phase_a, load.phase_pf
        cabinets.energy_wh += load.phase_w.sum(axis=1) * (seconds / 3600)
        cabinets.leakage_ma = supply.sum_by(self.tree.circuit_cabinet, circuits.leakage_ma, self.tree.cabinets)
        cabinets.temperature_c = np.full(self.tree.cabinets, self.sky.ambient_c + 6.0)
        cabinets.lux = self.sky.lux
