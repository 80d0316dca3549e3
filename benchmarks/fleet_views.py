"""What people wait for at the fleet's screen: the last hour of a truck, and the whole fleet played again, over HTTP.

The real controller, on a store that holds a day of positions of every truck, each ten seconds; one caller, one call
after the other.
"""

import asyncio
import time
from collections.abc import Iterator
from typing import Any, Final

import httpx
import numpy as np

from benchmarks.figure import Effort, Figure
from benchmarks.fleet_ingest import register_trucks
from benchmarks.machine import versions
from benchmarks.parts.controller import Controller
from lamplighter_contract.quantities import Kind
from lamplighter_controller.series.factory import open_series
from lamplighter_controller.series.port import Readings
from lamplighter_controller.series.settings import SeriesSettings
from tests.system.servers import Mosquitto

TRUCKS: Final = 124
HOURS: Final = 24
EVERY_S: Final = 10
HOUR_MS: Final = 3_600_000
_QUANTITIES: Final = ("latitude", "longitude", "speed_kmh", "heading_deg", "odometer_km", "lift", "cover", "load")


def run(effort: Effort) -> Iterator[Figure]:
    """The figures of fleet-views."""
    hours = effort.pick(HOURS, 2)
    with Mosquitto() as broker, _Stocked(broker.port, int(hours)) as controller:
        register_trucks(controller, TRUCKS)
        with httpx.Client(base_url=controller.url, headers=controller.headers(), timeout=60) as client:
            now_ms = int(client.get("/clock").json()["civil_ms"])
            tracks = [_ms(client, f"/fleet/trucks/t-{number}/track") for number in range(1, TRUCKS + 1)]
            span = f"start={now_ms - round(hours) * HOUR_MS}&end={now_ms}"
            replays = [_ms(client, f"/fleet/replay?{span}&step=60") for _ in range(3)]
    times, config = np.array(tracks), _config(int(hours), quick=effort.quick)
    spread = {"median_ms": round(float(np.median(times)), 1), "max_ms": round(float(times.max()), 1)}
    yield Figure("fleet-views.last_hour_p95_ms", float(np.percentile(times, 95)), "ms", {}, {**config, **spread})
    yield Figure("fleet-views.replay_s", float(np.median(replays)) / 1000, "s", {}, {**config, "step_s": 60})


class _Stocked(Controller):
    """A controller that finds a day of trucks in its store."""

    def __init__(self, broker_port: int, hours: int) -> None:
        super().__init__(broker_port, [])
        self._hours = hours

    def prepare(self) -> None:
        """Write its configuration and its store."""
        super().prepare()
        self.data.mkdir(parents=True, exist_ok=True)
        asyncio.run(_fill(f"duckdb:///{self.data / 'series.duckdb'}", self._hours))


async def _fill(url: str, hours: int) -> None:
    series = await open_series(SeriesSettings(url=url))
    now_ms, rng = time.time_ns() // 1_000_000, np.random.default_rng(1)
    for hour in range(hours):
        await series.write([_hour(now_ms - (hours - hour) * HOUR_MS, rng)])
    await series.close()


def _hour(start_ms: int, rng: np.random.Generator) -> Readings:
    """Every truck's reports of one hour, as they came: all trucks, then all trucks again."""
    turns = 3600 // EVERY_S
    count = turns * TRUCKS
    names = [f"truck-{number}" for number in range(1, TRUCKS + 1)] * turns
    time_ms = start_ms + np.repeat(np.arange(turns, dtype=np.int64) * EVERY_S * 1000, TRUCKS)
    values = {name: rng.uniform(0, 2, count).round(3) for name in _QUANTITIES}
    values |= {"latitude": 36.65 + rng.uniform(-0.1, 0.1, count), "longitude": 117.12 + rng.uniform(-0.1, 0.1, count)}
    return Readings(Kind.TRUCK, names, time_ms, values, np.zeros(count, np.uint8))


def _ms(client: httpx.Client, path: str) -> float:
    begun_s = time.monotonic()
    client.get(path).raise_for_status()
    return (time.monotonic() - begun_s) * 1000


def _config(hours: int, *, quick: bool) -> dict[str, Any]:
    return {
        "trucks": TRUCKS,
        "stored_h": hours,
        "every_s": EVERY_S,
        "store": "duckdb",
        "quick": quick,
        "versions": versions("lamplighter-controller", "duckdb"),
    }
