"""A year of work orders and nights of a city of 128,000 lamps: all figures of it, and one month's report in every form.

Orders and lit rates are made from a seed and stand in a real SQLite ledger; what is timed reads them from there.
"""

import asyncio
import random
import tempfile
import time
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any, Final, cast
from zoneinfo import ZoneInfo

import msgspec
from sqlalchemy import Connection, insert

from benchmarks.figure import Effort, Figure
from benchmarks.machine import versions
from lamplighter_contract.clock import ManualClock
from lamplighter_controller.diagnosis.findings import ElementKind
from lamplighter_controller.ledger.engine import Ledger, open_ledger
from lamplighter_controller.lighting.proof.store import tally_table
from lamplighter_controller.maintenance.around import Around
from lamplighter_controller.maintenance.figures.columns import By
from lamplighter_controller.maintenance.figures.pages.document import document
from lamplighter_controller.maintenance.figures.pages.page import page
from lamplighter_controller.maintenance.figures.report import LANGUAGES, Report, order_rows, rows
from lamplighter_controller.maintenance.orders.order import Order, ProofKind, State
from lamplighter_controller.maintenance.reporting import Reporter
from lamplighter_controller.maintenance.store import order_table

ZONE: Final = "Asia/Shanghai"
LAMPS: Final = 128_000
ROADS: Final = 1_500
CREWS: Final = 40
COMPANIES: Final = 8
DAYS: Final = 365
ORDERS_A_LAMP: Final = 0.3  # a year; one lamp in fifteen is changed a year in Jinan, most orders change none
FIRST: Final = date(2025, 11, 1)
MONTH: Final = "2026-10"
HOUR_MS: Final = 3_600_000
_RUNS: Final = 3


def run(effort: Effort) -> Iterator[Figure]:
    """The figures of maintenance."""
    share = effort.pick(1.0, 0.1)
    with tempfile.TemporaryDirectory(prefix="lamplighter-bench-") as folder:
        took = asyncio.run(_measured(Path(folder), share))
    config = {
        "lamps": round(LAMPS * share),
        "orders": round(LAMPS * share * ORDERS_A_LAMP),
        "roads": round(ROADS * share),
        "crews": CREWS,
        "nights": DAYS,
        "ledger": "sqlite",
        "quick": effort.quick,
        "versions": versions("SQLAlchemy", "numpy", "reportlab"),
        **took,
    }
    yield Figure("maintenance.report_month_s", took["report_s"], "s", config=config)
    yield Figure("maintenance.figures_128k_s", took["figures_s"], "s", config=config)


async def _measured(folder: Path, share: float) -> dict[str, Any]:
    ledger = await open_ledger(f"sqlite:///{folder / 'ledger.sqlite'}")
    try:
        draw = random.Random(5)
        await ledger.write(lambda connection: _nights(connection, draw, round(ROADS * share)), 600)
        await ledger.write(lambda connection: _orders(connection, draw, share), 600)
        reporter = Reporter(_around(ledger), ("济南", "Jinan"))
        seconds = []
        begun_cpu_s = time.process_time()
        for _ in range(_RUNS):
            begun_s = time.perf_counter()
            found = await reporter.figures(tuple(By), f"{FIRST:%Y-%m}", 12)
            seconds.append(time.perf_counter() - begun_s)
        cpu_s = (time.process_time() - begun_cpu_s) / _RUNS
        begun_s = time.perf_counter()
        report = await reporter.make(MONTH, "token:bench", "benchmark")
        made_s = time.perf_counter() - begun_s
        size = _rendered(report)
        took_s = time.perf_counter() - begun_s
    finally:
        await ledger.close()
    return {
        "figures_s": sorted(seconds)[_RUNS // 2],
        "figures_cpu_s": round(cpu_s, 2),
        "figures": len(found),
        "report_s": took_s,
        "report_made_s": round(made_s, 2),
        "report_bytes": size,
    }


def _rendered(report: Report) -> int:
    """Every form in every language; how many bytes that is."""
    size = len(msgspec.json.encode(rows(report))) + len(msgspec.json.encode(order_rows(report.orders)))
    for language in LANGUAGES:
        size += len(page(report, language).encode()) + len(document(report, language))
    return size


def _around(ledger: Ledger) -> Around:
    nobody = cast("Any", None)  # figures ask the ledger and the clock alone
    now = datetime(2026, 11, 2, tzinfo=ZoneInfo(ZONE))
    clock = ManualClock(round(now.timestamp() * 1000))
    return Around(ledger, nobody, nobody, nobody, nobody, nobody, nobody, nobody, clock, nobody, lambda: "", zone=ZONE)


def _nights(connection: Connection, draw: random.Random, roads: int) -> None:
    required_ms = LAMPS / ROADS * 13 * HOUR_MS
    for day in range(DAYS):
        night = f"{FIRST + timedelta(days=day)}"
        found = []
        for number in range(roads + 1):
            dark_ms = draw.random() * 0.02 * required_ms
            times = {"required_ms": required_ms, "lit_ms": required_ms - dark_ms, "dark_ms": dark_ms, "unknown_ms": 0.0}
            proofs = {"own_ms": required_ms, "patrol_ms": 0.0, "meter_ms": 0.0, "dark_lamps": 1, "unknown_lamps": 0}
            key = {"grouped": "road", "key": f"road-{number:04}"} if number < roads else {"grouped": "city", "key": ""}
            found.append({"night": night, "lamps": 85, **key, **times, **proofs})
        connection.execute(insert(tally_table), found)


def _orders(connection: Connection, draw: random.Random, share: float) -> None:
    begin_ms = round(datetime.combine(FIRST, datetime.min.time(), ZoneInfo(ZONE)).timestamp() * 1000)
    count = round(LAMPS * share * ORDERS_A_LAMP)
    found = []
    for number in range(count):
        created_ms = begin_ms + round(DAYS * 24 * HOUR_MS * number / count)
        lamp = draw.randrange(round(LAMPS * share))
        done_ms = created_ms + round(draw.expovariate(1 / 20) * HOUR_MS)
        order = Order(
            id=f"WO-{number:06}",
            element_kind=ElementKind.LAMP,
            element=f"lamp-{lamp:06}",
            class_id="lamp_dead",
            severity=3,
            priority=3,
            state=State.CLOSED,
            created_ms=created_ms,
            changed_ms=done_ms + 9 * HOUR_MS,
            road=f"road-{lamp % round(ROADS * share):04}",
            crew=f"crew-{lamp % CREWS:02}",
            company=f"company-{lamp % COMPANIES}",
            onset_ms=created_ms - HOUR_MS,
            detected_ms=created_ms,
            due_ms=created_ms + 24 * HOUR_MS,
            arrived_ms=done_ms - HOUR_MS // 2,
            done_ms=done_ms,
            proved_ms=done_ms + 8 * HOUR_MS,
            closed_ms=done_ms + 9 * HOUR_MS,
            outcome="proved",
            proof=draw.choice([ProofKind.TELEMETRY, ProofKind.PHOTO]),
        )
        found.append({**msgspec.structs.asdict(order), "number": number + 1})
    connection.execute(insert(order_table), found)
