"""Frames in, acknowledged when stored: what the controller takes from the broker, with each series store.

Beside it in the same run: the store's own bulk load with as many rows per commit, and a bare aiomqtt loop that does
nothing with the same frames.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import numpy as np

from benchmarks.figure import Effort, Figure
from benchmarks.machine import versions
from benchmarks.meter import Spent, Window, measure, middle, spent, wait_for
from benchmarks.parts.bulk import bare_loop, duckdb_load, influx_load
from benchmarks.parts.controller import Controller
from benchmarks.parts.fleet import Plan, Progress, fleet
from benchmarks.parts.frames import QUANTITIES, ROWS, gateway_id
from tests.system.servers import Influxd, Mosquitto

FLOOD: Final = Plan(gateways=16, blocks=10)
FLOOD_LAMPS: Final = FLOOD.gateways * FLOOD.blocks * ROWS
MILLION: Final = Plan(gateways=400, blocks=10, period_s=60)
QUARTER_MILLION: Final = Plan(gateways=100, blocks=10, period_s=15)  # as many readings per second, of fewer lamps
BROKER: Final = ("max_queued_messages 0", "max_inflight_messages 0")
UNIT: Final = "readings per CPU-second of the controller"
LINES_PER_REQUEST: Final = 5000  # most that the controller posts to influxd at once
STEP_S: Final = 3.0  # longest wait for a commit
_RUNS: Final = 3
_START_S: Final = 120.0
KEEPING_UP: Final = 64  # frames on their way: what 16,700 readings/s amount to in a second


@dataclass(frozen=True, slots=True)
class Taken:
    """What went through, what the store's server spent meanwhile, and how many rows a commit held."""

    window: Window
    server: Spent
    rows_per_commit: int


def run(effort: Effort) -> Iterator[Figure]:
    """The figures of ingest."""
    bare = _bare(effort)
    yield from _duckdb(effort, bare)
    yield from _influx(effort, bare)
    yield _million(effort)


def _duckdb(effort: Effort, bare: Window) -> Iterator[Figure]:
    ours = _flood(effort, None)
    blocks = max(1, round(ours.rows_per_commit / ROWS))
    with TemporaryDirectory(prefix="lamplighter-") as folder, duckdb_load(Path(folder), blocks) as (process, loaded):
        own = _settled(effort, lambda: loaded.value, process.pid or 0)
    peer, config = _beside("DuckDB", own, blocks, bare), _config(effort, ours)
    yield Figure("ingest.duckdb_per_s", ours.window.per_cpu_s, UNIT, peer, config)
    # DuckDB works inside the process that calls it, so CPU time compares like with like.
    share = {"of_its_wall_rate": round(ours.window.rate / own.rate, 3)}
    unit = "of DuckDB's own bulk load per CPU-second"
    yield Figure("ingest.duckdb_share", ours.window.per_cpu_s / own.per_cpu_s, unit, peer, {**config, **share})


def _influx(effort: Effort, bare: Window) -> Iterator[Figure]:
    with Influxd() as influxd:
        ours = _flood(effort, influxd)
    blocks = max(1, min(ours.rows_per_commit, LINES_PER_REQUEST) // ROWS)
    with Influxd() as influxd, influx_load(influxd.port, FLOOD, blocks) as (_, loaded):
        wait_for("every lamp's series in influxd", lambda: loaded.value >= FLOOD_LAMPS, _START_S)
        own = _settled(effort, lambda: loaded.value, influxd.pid)
    peer = _beside("influxd", own, blocks, bare)
    config = {**_config(effort, ours), "influxd_cores": round(ours.server.cpu_s / ours.window.seconds, 2)}
    yield Figure("ingest.influx_per_s", ours.window.per_cpu_s, UNIT, peer, config)
    yield Figure("ingest.influx_share", ours.window.rate / own.rate, "of influxd's own wall rate", peer, config)


def _flood(effort: Effort, influxd: Influxd | None) -> Taken:
    url = None if influxd is None else f"influx+v1://127.0.0.1:{influxd.port}/lamplighter"
    server = [] if influxd is None else [influxd.pid]
    with _receiving(FLOOD, url) as (controller, progress):
        # A store makes room for a lamp at its first reading, which takes longer than all later ones.
        wait_for("every lamp's first reading", lambda: progress.readings() >= FLOOD_LAMPS, _START_S)
        measure(progress.readings, [controller.pid], effort.pick(5, 2))
        frames, acks, before = progress.acked.value, progress.acks.value, spent(server)
        windows = [
            measure(progress.readings, [controller.pid], effort.pick(10, 2), STEP_S) for _ in range(_runs(effort))
        ]
        after, frames, acks = spent(server), progress.acked.value - frames, progress.acks.value - acks
    # Every commit acknowledges each gateway once.
    per_commit = round(frames * ROWS * FLOOD.gateways / max(1, acks))
    return Taken(middle(windows), Spent((after.cpu_s - before.cpu_s) / _RUNS, after.rss_bytes), per_commit)


def _million(effort: Effort) -> Figure:
    plan = QUARTER_MILLION if effort.quick else MILLION
    with _receiving(plan, None) as (controller, progress):
        # At first the controller also writes every lamp it has never heard of into its ledger.
        wait_for("keeping up with the fleet", lambda: progress.behind() < KEEPING_UP, _START_S)
        measure(progress.readings, [controller.pid], effort.pick(30, 2))
        first = progress.acked.value
        window = measure(progress.readings, [controller.pid], effort.pick(120, 5))
        delays, behind = np.array(progress.delays(first)), progress.behind()
    config = {
        "lamps": plan.gateways * plan.blocks * ROWS,
        "period_s": plan.period_s,
        "gateways": plan.gateways,
        "store": "duckdb",
        **_rates(window),
        "rss_mib": round(window.rss_mib),
        "frames": len(delays),
        "p50_s": round(float(np.percentile(delays, 50)), 4),
        "frames_behind_at_end": behind,
        "seconds": round(window.seconds),
        "quick": effort.quick,
    }
    return Figure("ingest.million_p99_s", float(np.percentile(delays, 99)), "s from sending to ack", config=config)


@contextmanager
def _receiving(plan: Plan, series_url: str | None) -> Iterator[tuple[Controller, Progress]]:
    """The real controller at a real broker, and a fleet whose frames it has begun to acknowledge."""
    with ExitStack() as parts:
        broker = parts.enter_context(Mosquitto(lines=BROKER))
        names = [gateway_id(number) for number in range(plan.gateways)]
        controller = parts.enter_context(Controller(broker.port, names, series_url))
        progress = parts.enter_context(fleet(broker.port, plan))
        wait_for("announcing the fleet", lambda: progress.announced.value == plan.gateways, _START_S)
        progress.go.value = 1
        wait_for("the first acks", lambda: progress.acked.value > 0, _START_S)
        yield controller, progress


def _bare(effort: Effort) -> Window:
    plan = Plan(FLOOD.gateways, FLOOD.blocks, acked=False)
    with (
        Mosquitto(lines=BROKER) as broker,
        bare_loop(broker.port) as (process, taken),
        fleet(broker.port, plan) as sent,
    ):
        wait_for("announcing the fleet", lambda: sent.announced.value == plan.gateways, _START_S)
        sent.go.value = 1
        return _settled(effort, lambda: taken.value, process.pid or 0)


def _settled(effort: Effort, count: Callable[[], int], pid: int) -> Window:
    wait_for("the first rows", lambda: count() > 0, _START_S)
    measure(count, [pid], effort.pick(2, 0.5))
    return middle([measure(count, [pid], effort.pick(5, 1), STEP_S) for _ in range(_runs(effort))])


def _beside(name: str, own: Window, blocks: int, bare: Window) -> dict[str, Any]:
    bulk = {"name": f"{name}, its own bulk load", "rows_per_commit": blocks * ROWS, **_rates(own)}
    return {**bulk, "bare_aiomqtt": _rates(bare)}


def _config(effort: Effort, ours: Taken) -> dict[str, Any]:
    return {
        "path": "broker, decode, store (committed), twin, ack",
        "rows_per_frame": ROWS,
        "quantities": len(QUANTITIES),
        "gateways": FLOOD.gateways,
        "lamps": FLOOD_LAMPS,
        "rows_per_commit": ours.rows_per_commit,
        **_rates(ours.window),
        "rss_mib": round(ours.window.rss_mib),
        "seconds": f"median of {_runs(effort)} x {effort.pick(10, 2):g}",
        "quick": effort.quick,
        "versions": versions("lamplighter-controller", "aiomqtt", "duckdb", "orjson"),
    }


def _rates(window: Window) -> dict[str, Any]:
    return {
        "per_s": round(window.rate),
        "cores": round(window.cores, 2),
        "per_cpu_s": round(window.per_cpu_s),
        "others_cores": round(window.others_cores, 2),
    }


def _runs(effort: Effort) -> int:
    return 1 if effort.quick else _RUNS
