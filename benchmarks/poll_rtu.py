"""Polling serial lines: how near to what they can carry, commands in between, and never a wrong value.

The lamps are on ptys that keep the pace of a real line (11 bits per character, 10 ms turnaround). The share counts
reads of sixteen registers against question + turnaround + answer + 3.5 characters, which no master can beat.
"""

import asyncio
import logging
import random
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from statistics import mean, median
from tempfile import TemporaryDirectory
from typing import Any, Final

import aiomqtt
import numpy as np

from benchmarks.figure import Effort, Figure
from benchmarks.machine import versions
from benchmarks.meter import measure, wait_for
from benchmarks.parts.centre import acknowledging
from benchmarks.parts.observer import Seen, observe
from benchmarks.parts.orders import ROOT, Orders
from benchmarks.parts.programs import PROFILES, Gateway
from benchmarks.parts.serial_lines import (
    TURNAROUND_MS,
    Lines,
    NumberedLamp,
    lamps_on,
    limit_per_s,
    line_at,
    opened,
    serial_lines,
)
from lamplighter_contract.clock import SystemClock
from lamplighter_contract.commands.signing import encode_key
from lamplighter_gateway.config.model import Device, Parity, SerialBus
from lamplighter_gateway.drivers.modbus.bus import ModbusBus
from lamplighter_gateway.drivers.port import Reading
from lamplighter_gateway.profiles.load import load_profiles
from tests.system.servers import Mosquitto

GATEWAY: Final = "gw-1"
UNITS: Final = 50  # of which one is dead where some are: 2 %
BUSES: Final = 64
TIMEOUT_S: Final = 0.3
_BAUDS: Final = (9600, 19_200)
_GROUP: Final = 8  # lines with a dead lamp, and as many without
_NOISY: Final = 8  # lines of each kind in the search for wrong values
_START_S: Final = 90.0


def run(effort: Effort) -> Iterator[Figure]:
    """The figures of poll-rtu."""
    config = _config(effort)
    yield from _single_lines(effort, config)
    yield _many(effort, config)
    yield _wrong(effort, config)
    yield _dead(effort, config)


def _single_lines(effort: Effort, config: Mapping[str, Any]) -> Iterator[Figure]:
    with ExitStack() as parts:
        broker = parts.enter_context(Mosquitto(lines=["set_tcp_nodelay true"]))
        lines, _, _ = _polled(parts, broker, [line_at(baud) for baud in _BAUDS])
        shares = lines.shares(effort.pick(40, 12))
        details = {f"share_{baud}": round(share, 4) for baud, share in zip(_BAUDS, shares, strict=True)}
        usual = zip(_BAUDS, lines.usual_shares(), strict=True)
        details |= {f"share_{baud}_by_median_interval": round(share, 4) for baud, share in usual}
        limits = {f"limit_{baud}_per_s": round(limit_per_s(line_at(baud)), 2) for baud in _BAUDS}
        yield Figure("poll-rtu.share_9600", shares[0], "of the line's limit", config={**config, **details, **limits})
        delays_ms = 1000 * np.array(asyncio.run(_commanded(broker.port, round(effort.pick(200, 60)))))
        measured = {**config, "commands": len(delays_ms), "max_ms": round(float(delays_ms.max()), 1), "baud": 9600}
        for percent in (50, 95):
            value = float(np.percentile(delays_ms, percent))
            yield Figure(f"poll-rtu.command_p{percent}_ms", value, "ms", config=measured)


def _many(effort: Effort, config: Mapping[str, Any]) -> Figure:
    with ExitStack() as parts:
        broker = parts.enter_context(Mosquitto())
        lines, gateway, acknowledged = _polled(parts, broker, [line_at(_BAUDS[0])] * BUSES)
        begun_s = time.monotonic()
        shares = lines.shares(effort.pick(30, 12))
        window = measure(lambda: acknowledged.value, [gateway.pid], effort.pick(20, 6))
        details = {
            "buses": BUSES,
            "baud": _BAUDS[0],
            "lowest_share": round(min(shares), 4),
            "by_median_interval": round(mean(lines.usual_shares()), 4),
            "gateway_cores": round(window.cores, 3),
            "others_cores": round(window.others_cores, 2),
            "acknowledged_per_s": round(window.rate),
            "seconds": round(time.monotonic() - begun_s),
        }
        return Figure("poll-rtu.share_64_buses", mean(shares), "of the lines' limit", config={**config, **details})


def _dead(effort: Effort, config: Mapping[str, Any]) -> Figure:
    """What 2 % dead lamps cost the living, against lines without any in the same run."""
    with ExitStack() as parts:
        broker = parts.enter_context(Mosquitto())
        sick = range(_GROUP)
        lines, _, _ = _polled(parts, broker, [line_at(_BAUDS[1])] * (2 * _GROUP), sick)
        time.sleep(effort.pick(20, 8))  # until the dead are known as such
        rates = lines.rates(effort.pick(70, 14))
        sick_rate, sound_rate = median(rates[:_GROUP]), median(rates[_GROUP:])
        details = {
            "baud": _BAUDS[1],
            "dead": f"1 of {UNITS} on each of {_GROUP} lines, {_GROUP} lines without",
            "reads_per_s": {"with": round(sick_rate, 2), "without": round(sound_rate, 2)},
        }
    cost = sound_rate / sick_rate - 1 if sick_rate else None
    return Figure("poll-rtu.dead_cost", cost, "of the cycle", config={**config, **details})


def _wrong(effort: Effort, config: Mapping[str, Any]) -> Figure:
    """Readings that the driver handed on with another answer's number: late answers, then a noisy line."""
    late_ms = 1000 * TIMEOUT_S + 30
    logging.getLogger("lamplighter_gateway").setLevel(logging.ERROR)
    found = {
        "every_third_late": asyncio.run(_search({"third_late": late_ms}, {}, effort.pick(60, 8))),
        "noise_1_percent": asyncio.run(_search({}, {"line_noise": 1.0}, effort.pick(30, 6))),
    }
    details = {
        name: {"readings": readings, "wrong": wrong, "timeouts": timeouts, "garbled": garbled}
        for name, (readings, wrong, timeouts, garbled) in found.items()
    }
    wrong = sum(wrong for _, wrong, _, _ in found.values())
    return Figure("poll-rtu.wrong_values", wrong, "values", config={**config, **details, "late_ms": late_ms})


async def _search(
    unit_faults: Mapping[str, float], line_faults: Mapping[str, float], seconds: float
) -> tuple[int, int, int, int]:
    profile = load_profiles(PROFILES, [])["lamp-single"]
    counts = [0, 0]
    with TemporaryDirectory() as folder, ExitStack() as lines:
        drivers = []
        for place in range(_NOISY):
            lamps, line, link = lamps_on(6, unit_faults), line_at(_BAUDS[1]), Path(folder) / f"line-{place}"
            lines.callback(opened(lamps, line, link, line_faults).close)
            devices = [Device(f"lamp-{unit}", "line", profile, unit=unit, poll_s=0) for unit in lamps]
            bus = SerialBus("line", str(link), line.baud, Parity.NONE, line.stop_bits, TIMEOUT_S)
            drivers.append(ModbusBus(bus, devices, SystemClock(), _checking(lamps, counts), random.Random(place)))
        tasks = [asyncio.create_task(driver.run(), name="line") for driver in drivers]
        await asyncio.sleep(seconds)
        statuses = [driver.status() for driver in drivers]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    return counts[0], counts[1], sum(s.timeouts for s in statuses), sum(s.crc_errors for s in statuses)


def _checking(lamps: Mapping[int, NumberedLamp], counts: list[int]) -> Any:
    numbers = {f"lamp-{unit}": lamp for unit, lamp in lamps.items()}

    def check(readings: Sequence[Reading]) -> None:
        for reading in readings:
            energy_kwh = reading.values["energy_kwh"]
            counts[0] += 1
            counts[1] += not isinstance(energy_kwh, float) or round(1000 * energy_kwh) != numbers[reading.device].number

    return check


def _polled(
    parts: ExitStack, broker: Mosquitto, wires: Sequence[Any], dead: Sequence[int] | range = ()
) -> tuple[Lines, Gateway, Any]:
    """A gateway that polls every lamp of these lines without pause, once every line was read."""
    folder = Path(parts.enter_context(TemporaryDirectory()))
    lines = parts.enter_context(serial_lines(folder, wires, UNITS, dead))
    acknowledged = parts.enter_context(acknowledging(broker.port))
    gateway = parts.enter_context(Gateway(_polling(broker.port, lines)))
    wait_for("a read on every line", lambda: min(lines.answered[:]) > 1, _START_S)
    time.sleep(2)
    return lines, gateway, acknowledged


def _polling(broker_port: int, lines: Lines) -> dict[str, Any]:
    return {
        "gateway": GATEWAY,
        "profiles": str(PROFILES),
        "root_key": encode_key(ROOT.public),
        "uplink": {"host": "127.0.0.1", "port": broker_port},
        "report": {"interval_s": 0, "heartbeat_s": 900},
        "buses": [
            {
                "id": f"line-{place}",
                "wire": "modbus-rtu",
                "device": str(link),
                "baud": line.baud,
                "stop_bits": line.stop_bits,
                "timeout_s": TIMEOUT_S,
            }
            for place, (link, line) in enumerate(zip(lines.links, lines.line, strict=True))
        ],
        "devices": [
            {
                "id": f"lamp-{place}-{{n:03}}",
                "bus": f"line-{place}",
                "profile": "lamp-single",
                "units": f"1-{UNITS}",
                "poll_s": 0,
            }
            for place in range(len(lines.links))
        ],
    }


async def _commanded(port: int, times: int) -> list[float]:
    """Levels for lamps of the slow line, at moments that its polling knows nothing of."""
    draw, seen, listening = random.Random(1), Seen(), asyncio.Event()
    async with asyncio.TaskGroup() as tasks:
        observer = tasks.create_task(observe(port, seen, listening), name="observer")
        async with asyncio.timeout(20):
            await listening.wait()
        async with aiomqtt.Client("127.0.0.1", port, identifier="orders") as client:
            orders = Orders(client, GATEWAY, seen)
            await orders.introduce()
            await asyncio.sleep(1)
            delays = []
            for number in range(times + 1):
                lamp = f"lamp-0-{draw.randint(1, UNITS):03}"
                delays.append(await orders.level(lamp, 20 + number % 70))
                await asyncio.sleep(draw.uniform(0.02, 0.15))
        observer.cancel()
    return delays[1:]


def _config(effort: Effort) -> dict[str, Any]:
    return {
        "line": "pty in real time, 11 bits per character",
        "turnaround_ms": TURNAROUND_MS,
        "units_per_bus": UNITS,
        "registers": 16,
        "quick": effort.quick,
        "versions": versions("lamplighter-gateway", "pymodbus"),
    }
