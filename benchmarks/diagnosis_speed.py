"""How long one step of diagnosis takes, and how much memory it holds per lamp, for 10⁵ and 10⁶ lamps.

A night's steps of a healthy city: every lamp reports, one in a thousand is broken. Median CPU time of the steps after
ten that warm up (one process, one thread: on a quiet machine the wall says the same); memory is what the process
grew by at most since before the engine was built, beside the readings.
"""

import gc
import os
import time
from collections.abc import Iterator
from multiprocessing import get_context
from multiprocessing.connection import Connection
from statistics import median
from typing import Any, Final

import numpy as np
import psutil

from benchmarks.figure import Effort, Figure
from benchmarks.machine import versions
from lamplighter_controller.diagnosis.assembling import Places, assemble
from lamplighter_controller.diagnosis.diagnoser import Diagnoser
from lamplighter_controller.diagnosis.models import LampModel
from lamplighter_controller.diagnosis.places import CabinetPlace, LampPlace
from lamplighter_controller.diagnosis.samples import Columns, Samples, nothing_from
from lamplighter_controller.diagnosis.topology import Topology

_PERIOD_MS: Final = 900_000
_BEGIN_MS: Final = 1_768_046_400_000
_PER_FEEDER, _PER_CABINET = 16, 96
_BROKEN: Final = 1e-3
_WARM_UP: Final = 10
_MODELS: Final = {
    "led": LampModel("led", 100.0, "led", ((10.0, 12.0), (50.0, 52.0), (100.0, 100.0))),
    "hps": LampModel("hps", 150.0, "hps"),
}


def run(effort: Effort) -> Iterator[Figure]:
    """The figures of diagnosis-speed, each size in a process of its own."""
    sizes = {"ms_100k": 100_000, "ms_1m": round(effort.pick(1_000_000, 300_000))}
    bytes_per_lamp = 0.0
    for name, lamps in sizes.items():
        steps = round(effort.pick(40, 15))
        cpu_s, wall_s, peak = _apart(lamps, steps)
        bytes_per_lamp = peak / lamps
        told = {"least": min(cpu_s), "worst": max(cpu_s), "wall": median(wall_s)}
        config: dict[str, Any] = {f"{key}_ms": round(1000 * seconds, 1) for key, seconds in told.items()}
        config |= {"lamps": lamps, "steps": steps, **versions("numpy")}
        yield Figure(f"diagnosis-speed.{name}", 1000 * median(cpu_s), "ms of CPU per step", config=config)
    yield Figure("diagnosis-speed.bytes_per_lamp", bytes_per_lamp, "B", config={"lamps": sizes["ms_1m"]})


def _apart(lamps: int, steps: int) -> tuple[list[float], list[float], int]:
    ours, theirs = get_context("spawn").Pipe()
    process = get_context("spawn").Process(target=_measured, args=(lamps, steps, theirs), name=f"diagnosis of {lamps}")
    process.start()
    try:
        cpu_s, wall_s, peak = ours.recv()
    finally:
        process.join()
    return list(cpu_s), list(wall_s), int(peak)


def _measured(lamps: int, steps: int, answer: Connection) -> None:
    topology, random = _city(lamps), np.random.default_rng(1)
    broken = random.random(lamps) < _BROKEN
    samples = [_samples(random, topology, step, broken) for step in range(_WARM_UP + steps)]
    gc.collect()
    process = psutil.Process(os.getpid())
    before, peak = process.memory_info().rss, 0
    cpu_s, wall_s = [], []
    diagnoser = Diagnoser(topology, _MODELS)
    for number, one in enumerate(samples):
        begun_s, used_s = time.perf_counter(), time.process_time()
        diagnoser.step(one, _BEGIN_MS + (number + 1) * _PERIOD_MS)
        cpu_s.append(time.process_time() - used_s)
        wall_s.append(time.perf_counter() - begun_s)
        peak = max(peak, process.memory_info().rss - before)
    answer.send((cpu_s[_WARM_UP:], wall_s[_WARM_UP:], peak))


def _city(lamps: int) -> Topology:
    places = [
        LampPlace(
            id=f"l{n}",
            device=f"l{n}",
            cabinet=f"c{n // _PER_CABINET}",
            circuit=f"c{n // _PER_CABINET}-{n // _PER_FEEDER % 6}",
            phase="abc"[n // _PER_FEEDER % 3],
            feeder=f"f{n // _PER_FEEDER % 6}",
            pole=f"p{n}",
            order=n % _PER_FEEDER,
            model="hps" if n // _PER_CABINET % 10 == 0 else "led",
        )
        for n in range(lamps)
    ]
    cabinets = [CabinetPlace(f"c{n}", f"c{n}-meter") for n in range(-(-lamps // _PER_CABINET))]
    return assemble(Places(lamps=places, cabinets=cabinets))


def _samples(random: np.random.Generator, topology: Topology, step: int, broken: np.ndarray) -> Samples:
    count = len(topology.lamps)
    everyone = np.ones(count, np.bool_)
    hps = topology.lamp_model == (topology.models.index("hps") if "hps" in topology.models else -2)
    level = np.where(hps | (step < _WARM_UP + 10), np.float32(100), np.float32(50))
    rated = np.where(hps, np.float32(165), np.float32(100))
    power = rated * level / 100 * (1 + random.normal(0, 0.003, count).astype(np.float32))
    values = {
        "power_w": np.where(broken, np.float32(1.5), power).astype(np.float32),
        "voltage_v": (230 + random.normal(0, 1, count)).astype(np.float32),
        "current_a": (power / 230 / 0.95).astype(np.float32),
        "power_factor": np.full(count, 0.95, np.float32),
        "temperature_c": np.full(count, 30, np.float32),
        "level_percent": level,
        "desired_percent": level,
    }
    now_ms = _BEGIN_MS + step * _PERIOD_MS
    time_ms = now_ms + random.integers(0, _PERIOD_MS, count)
    lamps = Columns(everyone, everyone, time_ms, values, None, np.full(count, _BEGIN_MS - 3_600_000))
    return Samples(lamps, nothing_from(len(topology.cabinets)), nothing_from(len(topology.circuits)))
