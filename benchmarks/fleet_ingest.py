"""Terminals over real sockets: positions acknowledged, judged and stored, end to end through gateway and controller.

An acknowledgement reaches a terminal once the spool has committed; a position counts once the controller has stored it.
"""

import json
import time
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any, Final
from zoneinfo import ZoneInfo

import httpx
import numpy as np
from shapely.geometry import box

from benchmarks.figure import Effort, Figure
from benchmarks.machine import versions
from benchmarks.meter import Window, measure, spent, wait_for
from benchmarks.parts.controller import Controller
from benchmarks.parts.fleet import Plan, fleet
from benchmarks.parts.frames import ROWS, gateway_id
from benchmarks.parts.programs import PROFILES, Gateway
from benchmarks.parts.terminals import Told, phone, terminals
from benchmarks.parts.worker import counter
from lamplighter_controller.fleet.judging.fixes import Fixes
from lamplighter_controller.fleet.judging.judge import Judge
from lamplighter_controller.fleet.judging.places import Place, PlaceKind, Places, Plane
from tests.system.process import free_port
from tests.system.servers import Mosquitto

POLYGONS: Final = 500
DEMAND: Final = 2_500
GATEWAY: Final = "gw-trucks"
BROKER: Final = ("max_queued_messages 0", "max_inflight_messages 0")
_LOGIN_S: Final = 240.0
_START_S: Final = 120.0


def run(effort: Effort) -> Iterator[Figure]:
    """The figures of fleet-ingest."""
    count, demand, seconds = (300, 200, 5.0) if effort.quick else (5_000, DEMAND, 30.0)
    idle = 500 if effort.quick else 10_000
    told, window, stored_per_s, cost = _end_to_end(count, demand, seconds)
    config = {
        "path": "terminal, gateway (spool fsync), MQTT, controller (judged, DuckDB)",
        "polygons": POLYGONS,
        "demand_per_s": demand,
        "seconds": seconds,
        "stored_per_s": round(stored_per_s),
        "cores": round(window.cores, 2),
        "others_cores": round(window.others_cores, 2),
        "judging_alone_per_s": round(_judging(count)),
        **_controller_alone(count, seconds),
        "idle_held": _idle(idle),
        "idle_asked": idle,
        "quick": effort.quick,
        "versions": versions("lamplighter-gateway", "lamplighter-controller"),
    }
    yield Figure("fleet-ingest.terminals", told.online.value, "connections", {}, config)
    yield Figure("fleet-ingest.positions_per_s", min(window.rate, stored_per_s), "positions/s", {}, config)
    yield Figure("fleet-ingest.ack_p99_ms", told.p99_ms(), "ms", {}, config)
    yield Figure("fleet-ingest.rss_mib", window.rss_mib, "MiB", {}, {**config, **cost})


def _end_to_end(count: int, demand: int, seconds: float) -> tuple[Told, Window, float, dict[str, Any]]:
    with ExitStack() as parts:
        broker = parts.enter_context(Mosquitto())
        controller = parts.enter_context(Controller(broker.port, [GATEWAY]))
        register_trucks(controller, count)
        port = free_port()
        gateway = parts.enter_context(Gateway(_config(broker.port, port, count, controller.root_key())))
        per_s = counter()
        told = parts.enter_context(terminals(port, count, per_s))
        wait_for("all terminals are logged in", lambda: told.online.value >= count, _LOGIN_S)
        per_s.value = demand
        measure(lambda: told.acked.value, [gateway.pid], min(10.0, seconds))
        told.forget()
        before, begun_s = controller.stored(), time.monotonic()
        window = measure(lambda: told.acked.value, [gateway.pid, controller.pid], seconds)
        stored_per_s = (controller.stored() - before) / (time.monotonic() - begun_s)
        cost = {name: round(spent([pid]).rss_bytes / 2**20) for name, pid in _pids(gateway, controller)}
        return told, window, stored_per_s, cost


def _controller_alone(count: int, seconds: float) -> dict[str, Any]:
    """The real controller at a real broker, gateways as fast as it acknowledges: stored, judged, acknowledged."""
    blocks = max(1, count // ROWS)
    plan = Plan(1, blocks, trucks=True)
    with ExitStack() as parts:
        broker = parts.enter_context(Mosquitto(lines=BROKER))
        controller = parts.enter_context(Controller(broker.port, [gateway_id(0)]))
        register_trucks(controller, blocks * ROWS)
        progress = parts.enter_context(fleet(broker.port, plan))
        wait_for("announcing the trucks", lambda: progress.announced.value == plan.gateways, _START_S)
        progress.go.value = 1
        wait_for("every truck's first position", lambda: progress.readings() >= blocks * ROWS, _START_S)
        measure(progress.readings, [controller.pid], seconds / 3)
        window = measure(progress.readings, [controller.pid], seconds)
        trucks = controller.ask("/fleet/positions")["items"]
        judged = sum(one["trip"] != "unknown" for one in trucks)
    return {
        "controller_alone_per_s": round(window.rate),
        "controller_alone_cores": round(window.cores, 2),
        "controller_alone_others_cores": round(window.others_cores, 2),
        "controller_alone_rss_mib": round(window.rss_mib),
        "controller_alone_judged_trucks": judged,
    }


def _pids(gateway: Gateway, controller: Controller) -> tuple[tuple[str, int], ...]:
    return ("gateway_rss_mib", gateway.pid), ("controller_rss_mib", controller.pid)


def _config(broker: int, port: int, count: int, root_key: str) -> dict[str, Any]:
    lines = {"bus": "trackers", "profile": "zt-8f", "address": "1390{n:07}", "id": "truck-{n}"}
    assert phone(1) == "13900000001"
    return {
        "gateway": GATEWAY,
        "profiles": str(PROFILES),
        "root_key": root_key,
        "uplink": {"host": "127.0.0.1", "port": broker},
        "buses": [{"id": "trackers", "wire": "jt808", "host": "127.0.0.1", "port": port}],
        "devices": [{**lines, "units": f"{at + 1}-{min(count, at + 1_000)}"} for at in range(0, count, 1_000)],
    }


def register_trucks(controller: Controller, count: int) -> None:
    """Put trucks t-1 and on, with terminals truck-1 and on, and 500 places on record."""
    trucks = "id,plate,company,device\n" + "".join(f"t-{n},A{n:05},c,truck-{n}\n" for n in range(1, count + 1))
    features = [
        {
            "type": "Feature",
            "geometry": outline.__geo_interface__,
            "properties": {"id": f"place-{number}", "kind": str(_kind(number))},
        }
        for number, outline in enumerate(_outlines())
    ]
    collection = json.dumps({"type": "FeatureCollection", "features": features})
    for shelf, form, content in (
        ("companies", "csv", "id,name\nc,C\n"),
        ("trucks", "csv", trucks),
        ("places", "geojson", collection),
    ):
        query = {"reason": "benchmark", "dry_run": "false", "form": form, "crs": "wgs84"}
        answer = httpx.post(
            f"{controller.url}/fleet/{shelf}/import",
            params=query,
            content=content.encode(),
            headers=controller.headers(),
            timeout=120,
        )
        answer.raise_for_status()


def _kind(number: int) -> PlaceKind:
    return (PlaceKind.SITE, PlaceKind.GROUND, PlaceKind.SPEED, PlaceKind.NO_GO, PlaceKind.WASH)[number % 5]


def _outlines() -> list[Any]:
    corners = [(117.0 + number % 25 * 0.012, 36.5 + number // 25 * 0.015) for number in range(POLYGONS)]
    return [box(east, north, east + 0.004, north + 0.004) for east, north in corners]


def _judging(count: int) -> float:
    """The rules alone: reports per second of one process, with as many trucks and polygons."""
    found = [Place(f"place-{n}", _kind(n), outline) for n, outline in enumerate(_outlines())]
    judge = Judge(count, Places(found, Plane(36.65, 117.12)), ZoneInfo("Asia/Shanghai"))
    rng = np.random.default_rng(1)
    codes = np.zeros(count, np.int8)
    places = rng.uniform(36.5, 36.8, count), rng.uniform(117.0, 117.3, count)
    turns, begun_s = 20, time.process_time()
    for turn in range(turns):
        time_ms = np.full(count, 1_795_000_000_000 + turn * 10_000, np.int64)
        speed_kmh, odometer_km = rng.uniform(0, 60, count), np.full(count, 1000.0 + turn)
        judge.judge(Fixes(np.arange(count), time_ms, time_ms, *places, speed_kmh, odometer_km, *[codes] * 6))
    return turns * count / (time.process_time() - begun_s)


def _idle(count: int) -> int:
    """Terminals that only keep up their connection; how many still do after a while."""
    with ExitStack() as parts:
        broker = parts.enter_context(Mosquitto())
        port, per_s = free_port(), counter()
        root_key = "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="
        parts.enter_context(Gateway(_config(broker.port, port, count, root_key)))
        told = parts.enter_context(terminals(port, count, per_s))
        wait_for("all idle terminals are logged in", lambda: told.online.value >= count, _LOGIN_S)
        time.sleep(20)
        return int(told.online.value)
