"""A city of Jinan's size on one controller: plans made, published, taken up again at a start; one night's lit rate."""

import asyncio
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final
from zoneinfo import ZoneInfo

import aiomqtt
import httpx
import numpy as np

from benchmarks.figure import Effort, Figure
from benchmarks.machine import versions
from benchmarks.meter import BenchmarkError, wait_for
from benchmarks.parts.city_plans import LATITUDES, LONGITUDES, ZONE
from benchmarks.parts.controller import Controller
from benchmarks.parts.survey import RATED_W, Survey, announce
from benchmarks.parts.worker import Counter, counter, worker
from lamplighter_contract.clock import ManualClock
from lamplighter_contract.light.sky.nights import Night, Place, date_of_night, night
from lamplighter_contract.quantities import Kind
from lamplighter_contract.wire import topics
from lamplighter_controller.ledger.engine import open_ledger
from lamplighter_controller.lighting.proof import store as proof_store
from lamplighter_controller.lighting.proof.light.tally import By
from lamplighter_controller.lighting.proof.night_work import NightWork
from lamplighter_controller.series.factory import open_series
from lamplighter_controller.series.port import Readings, Series
from lamplighter_controller.series.settings import SeriesSettings
from lamplighter_controller.twin.columns import Twin
from lamplighter_controller.twin.restore import restore_devices
from tests.system.servers import Mosquitto

FULL: Final = 1_389
QUICK: Final = 139
DEAD_SHARE: Final = 100  # one lamp in so many is dark all night
STEP_MS: Final = 900_000  # the slowest a gateway tells of a lamp that does not change
_LINES: Final = 10_000
_PATIENCE_S: Final = 300.0
_LOOK_S: Final = 0.1


def run(effort: Effort) -> Iterator[Figure]:
    """The figures of city."""
    survey = Survey(round(effort.pick(FULL, QUICK)))
    config: dict[str, Any] = {
        "gateways": survey.cabinets,
        "lamps": survey.lamps,
        "quick": effort.quick,
        "versions": versions("lamplighter-controller", "sqlalchemy", "duckdb"),
    }
    plans = counter()
    with (
        Mosquitto(lines=["set_tcp_nodelay true", "max_queued_messages 10000"]) as broker,
        Controller(broker.port, survey.gateways) as controller,
        worker(_count, broker.port, plans),
    ):
        city = _City(controller, survey, plans)
        config["import_s"] = round(city.settle(broker.port), 2)
        compile_s, publish_s = city.compile(), city.publish()
        yield Figure("city.compile_s", compile_s, "s", {"nights looked at": 365}, config)
        yield Figure("city.publish_s", publish_s, "s", {"plans/s": round(survey.cabinets / publish_s)}, config)
        before_mib = _peak_mib(controller.pid)
        answers_s, restart_s = city.restart()
        yield Figure("city.restart_s", restart_s, "s", {"API answers, s": round(answers_s, 2)}, config)
        rss_mib = max(before_mib, _peak_mib(controller.pid))
        yield Figure("city.rss_mib", rss_mib, "MiB", {"what": "highest of the controller"}, config)
        controller.stop()
        litrate_s, told = asyncio.run(_lit_rate(controller.data, survey))
        yield Figure("city.litrate_s", litrate_s, "s", told, config)


class _City:
    """The running controller, asked as a person would ask it."""

    def __init__(self, controller: Controller, survey: Survey, plans: Counter) -> None:
        self._controller, self._survey, self._plans = controller, survey, plans
        self._number = 0

    def settle(self, broker_port: int) -> float:
        """Import the inventory, load the presets, and have all gateways announced; seconds of the import."""
        begun_s = time.monotonic()
        for kind, text in self._survey.files():
            header, *lines = text.splitlines(keepends=True)
            for start in range(0, len(lines), _LINES):
                path = f"/{kind}/import?dry_run=false&crs=wgs84&reason=benchmark"
                self._post(path, content=(header + "".join(lines[start : start + _LINES])).encode())
        import_s = time.monotonic() - begun_s
        self._post("/presets", json={"reason": "benchmark"})
        with worker(announce, broker_port, self._survey):
            wait_for("every lamp in the controller", self._knows_all, _PATIENCE_S)
        return import_s

    def compile(self) -> float:
        """Draft and validate a plan: compiled for every gateway, and a year of nights looked at."""
        begun_s = time.monotonic()
        self._number = self._post("/plans", json={"reason": "benchmark"})["number"]
        checked = self._post(f"/plans/{self._number}/validate", json={"reason": "benchmark"})
        if checked["state"] != "validated":
            raise BenchmarkError(f"the plan is not valid: {checked['problems'][:3]}")
        return time.monotonic() - begun_s

    def publish(self) -> float:
        """Publish it: until the last gateway's plan, signed, has passed the broker."""
        begun_s, before = time.monotonic(), self._plans.value
        self._post(f"/plans/{self._number}/publish", json={"reason": "benchmark"})
        self._all_told(before)
        return time.monotonic() - begun_s

    def restart(self) -> tuple[float, float]:
        """Stop and start the controller: until it answers; until it knows all and all plans are at the broker again."""
        self._controller.stop()
        begun_s, before = time.monotonic(), self._plans.value
        self._controller.start()
        answers_s = time.monotonic() - begun_s
        wait_for("every lamp in the controller", self._knows_all, _PATIENCE_S)
        self._all_told(before)
        return answers_s, time.monotonic() - begun_s

    def _all_told(self, before: int) -> None:
        wait_for("every plan at the broker", lambda: self._plans.value >= before + self._survey.cabinets, _PATIENCE_S)

    def _knows_all(self) -> bool:
        time.sleep(_LOOK_S)
        return int(self._controller.ask("/devices?kind=lamp&limit=1")["total"]) == self._survey.lamps

    def _post(self, path: str, **what: Any) -> Any:
        answer = httpx.post(
            f"{self._controller.url}{path}", headers=self._controller.headers(), timeout=_PATIENCE_S, **what
        )
        if answer.is_error:
            raise BenchmarkError(f"{path}: {answer.text[:500]}")
        return answer.json()


async def _listen(port: int, plans: Counter) -> None:
    async with aiomqtt.Client("127.0.0.1", port, identifier="plans") as client:
        await client.subscribe(topics.down("+", topics.Down.PLAN), qos=1, timeout=10)
        async for _ in client.messages:
            plans.value += 1


def _count(port: int, plans: Counter) -> None:
    asyncio.run(_listen(port, plans))


async def _lit_rate(data: Path, survey: Survey) -> tuple[float, dict[str, Any]]:
    """Work out the night after the plan was published, from readings every 15 minutes; seconds, and what it says.

    Raises:
        BenchmarkError: it does not say what the readings do.
    """
    zone = ZoneInfo(ZONE)
    day = date_of_night(time.time_ns() // 1_000_000, zone) + timedelta(days=1)
    during = night(day, Place(sum(LATITUDES) / 2, sum(LONGITUDES) / 2, zone))
    with TemporaryDirectory() as folder:
        ledger = await open_ledger(f"sqlite:///{data / 'ledger.sqlite'}")
        series = await open_series(SeriesSettings(url=f"duckdb:///{folder}/night.duckdb"))
        try:
            readings = await _fill(series, survey, during)
            twin = Twin()
            await restore_devices(twin, ledger)
            work = NightWork(ledger, series, twin, ManualClock(during.end_ms + STEP_MS), ZONE)
            begun_s = time.monotonic()
            await work.work_out(day, even_empty=True)
            spent_s = time.monotonic() - begun_s
            (tally,) = await ledger.read(lambda connection: proof_store.tallies(connection, day, By.CITY))
        finally:
            await series.close()
            await ledger.close()
    percent = tally.reported_percent or 0.0
    if abs(percent - 100 * (1 - 1 / DEAD_SHARE)) > 0.2:
        raise BenchmarkError(f"the lit rate is {percent:.2f} %, and one lamp in {DEAD_SHARE} was dark")
    return spent_s, {"readings": readings, "reported, %": round(percent, 2)}


async def _fill(series: Series, survey: Survey, during: Night) -> int:
    """A reading of every lamp each quarter of an hour from two hours before dusk to two after dawn."""
    names = [name for number in range(survey.cabinets) for name in survey.names(number)]
    lit = np.arange(len(names)) % DEAD_SHARE != 0
    darkness = during.darkness(-3.0)
    times = range(darkness.dusk_ms - 8 * STEP_MS, darkness.dawn_ms + 8 * STEP_MS, STEP_MS)
    for time_ms in times:
        power_w = np.where(lit & (darkness.dusk_ms <= time_ms < darkness.dawn_ms), float(RATED_W), 0.0)
        at = np.full(len(names), time_ms, np.int64)
        await series.write([Readings(Kind.LAMP, names, at, {"power_w": power_w}, np.zeros(len(names), np.uint8))])
    return len(names) * len(times)


def _peak_mib(pid: int) -> float:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:")) / 1024
