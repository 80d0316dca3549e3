"""A whole campaign: columns of telemetry in order of arrival, commands, and the truth."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from lamplighter_firmware_sim.campaign.instruments import CabinetInstruments, LampInstruments
from lamplighter_firmware_sim.campaign.network import Network, Size, build_network
from lamplighter_firmware_sim.campaign.plant import Looked, Plant, shows
from lamplighter_firmware_sim.campaign.programs import (
    DAY_MS,
    Commands,
    Program,
    commands_of,
    local_midnight_ms,
    night_program,
)
from lamplighter_firmware_sim.campaign.radio import Channel
from lamplighter_firmware_sim.campaign.readings import Book, Readings
from lamplighter_firmware_sim.campaign.recipes import Script, Span, What, script_of
from lamplighter_firmware_sim.campaign.surroundings import Surroundings, surroundings_of
from lamplighter_firmware_sim.campaign.truth import Truth

Index = NDArray[np.int64]
Array = NDArray[np.float64]

FIRST_DAY_MS: Final = 1_767_974_400_000  # 2026-01-10 00:00 in the city


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What kind of campaign is wanted.

    Args:
        each: how many lamps each single kind strikes.
        wrong_share: lamps of which the books name another model; less than half as many stand on another feeder.
    """

    what: What
    size: Size = Size()  # noqa: RUF009 - frozen
    days: int = 6
    interval_s: int = 900
    each: int = 3
    wrong_share: float = 0.0


@dataclass(frozen=True)
class Campaign:
    """What came in, what was told, and what was true. `rain_mm_h` has one value per step from `step_ms`."""

    order: Order
    network: Network
    step_ms: Index
    lamps: Readings
    feeders: Readings
    cabinets: Readings
    commands: Commands
    feeder_commands: Commands
    rain_mm_h: Array
    truth: Truth


def generate(random: np.random.Generator, order: Order) -> Campaign:
    """Make the telemetry of one campaign."""
    confounded = order.what is What.CONFOUNDERS
    network = build_network(random, order.size, wrong_share=order.wrong_share or (0.05 if confounded else 0.0))
    span = Span(local_midnight_ms(FIRST_DAY_MS) + DAY_MS // 2, order.days)
    script = script_of(random, network, span, order.what, order.each)
    step_ms = np.arange(span.start_ms, span.end_ms, order.interval_s * 1000)
    outside = surroundings_of(random, network, step_ms, script.sags, script.storms)
    programs = [night_program(kind, FIRST_DAY_MS, order.days + 1) for kind in range(4)]
    plant = Plant(
        random, network, programs, script.overrides, outside, script.truth, order.interval_s * 1000, script.clo_per_day
    )
    books = _run(random, plant, outside, script)
    return Campaign(
        order=order,
        network=network,
        step_ms=step_ms,
        lamps=books[0],
        feeders=books[1],
        cabinets=books[2],
        commands=commands_of(programs, plant.program, script.overrides, span.start_ms),
        feeder_commands=_contactors(network, programs, span.start_ms),
        rain_mm_h=outside.rain_mm_h,
        truth=script.truth,
    )


def _contactors(network: Network, programs: list[Program], start_ms: int) -> Commands:
    """What the contactors of switched cabinets are told; `lamp` counts feeders."""
    ways = [Program(one.time_ms, (one.level > 0).astype(np.float64)) for one in programs]
    program_of = np.where(network.switched, network.program, -1)[network.feeder_cabinet]
    return commands_of(ways, program_of, [], start_ms)


def _run(
    random: np.random.Generator, plant: Plant, outside: Surroundings, script: Script
) -> tuple[Readings, Readings, Readings]:
    """Every step of the plant, measured and sent."""
    network = plant.network
    lamps, feeders, cabinets = Book(), Book(), Book()
    channel = Channel(random, len(network), script.bursts)
    chips, meters = LampInstruments(random, plant), CabinetInstruments(random, plant)
    for step, start_ms in enumerate(outside.step_ms):
        seen = plant.look(step)
        values = chips.read(seen)
        storm = sum(one.loss for one in script.storms if one.start_ms <= start_ms < one.end_ms)
        heard = seen.supplied & ~seen.effects.mute & ~channel.lost(storm)
        _observe(script.truth, seen, heard)
        _send(lamps, channel, network, seen, heard, values, script)
        end_ms = np.int64(start_ms + plant.interval_ms - 8_000)
        speaking = np.flatnonzero(~seen.effects.meter_mute)
        _tell(cabinets, speaking, end_ms, meters.read_cabinets(step, seen, _lux(plant, seen)))
        _tell(
            feeders, np.flatnonzero(~seen.effects.meter_mute[network.feeder_cabinet]), end_ms, meters.read_feeders(seen)
        )
    return lamps.close(), feeders.close(), cabinets.close()


def _lux(plant: Plant, seen: Looked) -> float:
    return 4.0 if plant.programs[3].at(seen.time_ms[:1])[0] > 0 else 9_000.0


def _tell(book: Book, device: Index, time_ms: np.int64, values: dict[str, Array]) -> None:
    book.write(
        device,
        np.full(len(device), time_ms),
        np.full(len(device), time_ms + 1_500),
        {k: v[device] for k, v in values.items()},
    )


def _send(
    book: Book,
    channel: Channel,
    network: Network,
    seen: Looked,
    heard: NDArray[np.bool_],
    values: dict[str, Array],
    script: Script,
) -> None:
    device = np.flatnonzero(heard)
    device = np.concatenate((device, device[channel.again(len(device))]))
    cabinet = network.cabinet[device]
    arrival = channel.arrival_ms(seen.time_ms[device], cabinet)
    told_ms = seen.time_ms[device].copy()
    for drifting, rate in script.clock_drift_s_per_h.items():
        hours = (told_ms - FIRST_DAY_MS) / 3_600_000
        told_ms = np.where(cabinet == drifting, told_ms + np.round(rate * 1000 * hours).astype(np.int64), told_ms)
    told_ms = np.where(np.isin(device, script.misdated), told_ms + DAY_MS, told_ms)
    book.write(device, told_ms, arrival, {name: column[device] for name, column in values.items()})


def _observe(truth: Truth, seen: Looked, heard: NDArray[np.bool_]) -> None:
    """Note for every fault the first reading, or missing one, that differs."""
    for fault in truth.faults:
        if fault.first_observable_ms is not None or fault.onset_ms > int(seen.time_ms.max()):
            continue
        if not len(fault.lamps):
            fault.first_observable_ms = max(fault.onset_ms, int(seen.time_ms.min()))
            continue
        gone = seen.effects.mute[fault.lamps] | ~seen.effects.supplied[fault.lamps]
        differs = shows(fault, seen) & (heard[fault.lamps] | gone)
        if differs.any():
            fault.first_observable_ms = int(seen.time_ms[fault.lamps][differs].min())
