"""One command after the other: from the HTTP request to the lamp's read-back over Modbus TCP.

On the way: API, ledger, signature, broker, gateway, its own ledger, the simulated lamp, and the result back at the
broker, where the clock stops.
"""

import asyncio
import random
import time
from collections.abc import Iterator
from typing import Final

import httpx
import numpy as np

from benchmarks.figure import Effort, Figure
from benchmarks.machine import versions
from benchmarks.meter import BenchmarkError
from benchmarks.parts.observer import Seen, observe
from benchmarks.parts.stack import LAMPS, WholePath, whole_path

FULL: Final = 500
QUICK: Final = 200
POLL_S: Final = 10.0
_TIMEOUT_S: Final = 20.0
_PAUSE_S: Final = 0.02


def run(effort: Effort) -> Iterator[Figure]:
    """The figures of command-one."""
    times = round(effort.pick(FULL, QUICK))
    with whole_path(POLL_S) as path:
        delays_ms = np.array(asyncio.run(_command(path, times))) * 1000
    config = {
        "commands": times,
        "path": "HTTP POST, broker, gateway, Modbus TCP write and read-back, result at the broker",
        "lamps": LAMPS,
        "polled_every_s": POLL_S,
        "max_ms": round(float(delays_ms.max()), 1),
        "quick": effort.quick,
        "versions": versions("lamplighter-gateway", "lamplighter-controller", "pymodbus", "fastapi"),
    }
    for percent in (50, 99):
        yield Figure(f"command-one.p{percent}_ms", float(np.percentile(delays_ms, percent)), "ms", config=config)


async def _command(path: WholePath, times: int) -> list[float]:
    lamps = path.controller.ask("/latest?kind=lamp&quantities=power_w")["ids"]
    draw, seen, listening = random.Random(1), Seen(), asyncio.Event()
    async with asyncio.TaskGroup() as tasks:
        observer = tasks.create_task(observe(path.broker.port, seen, listening), name="observer")
        async with asyncio.timeout(_TIMEOUT_S):
            await listening.wait()
        async with httpx.AsyncClient(headers=path.controller.headers(), timeout=_TIMEOUT_S) as client:
            delays = []
            for number in range(times):
                url = f"{path.controller.url}/devices/{draw.choice(lamps)}/level"
                delays.append(await _one(client, url, draw.randint(10, 90), seen))
                await asyncio.sleep(_PAUSE_S if number else 1)
        observer.cancel()
    return delays[1:] if len(delays) > 1 else delays


async def _one(client: httpx.AsyncClient, url: str, level_percent: int, seen: Seen) -> float:
    begun_s = time.monotonic()
    answer = await client.post(url, json={"level_percent": level_percent, "reason": "benchmark"})
    answer.raise_for_status()
    (command,) = answer.json()["commands"]
    while command["id"] not in seen.verified_s:
        if time.monotonic() - begun_s > _TIMEOUT_S:
            raise BenchmarkError(f"{url}: not verified within {_TIMEOUT_S:g} s")
        await asyncio.sleep(0.001)
    return seen.verified_s[command["id"]] - begun_s
