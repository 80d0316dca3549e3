"""Makes the report of each month when it is over, and any report a person asks for."""

import asyncio
import logging
import zlib
from collections.abc import Callable, Sequence
from datetime import date, datetime
from typing import Final
from zoneinfo import ZoneInfo

import msgspec
from apscheduler.schedulers.asyncio import (  # type: ignore[import-untyped]  # APScheduler 3 has no types
    AsyncIOScheduler,
)
from sqlalchemy import Connection, delete, desc, func, select

from lamplighter_controller.ledger.errors import LedgerUnavailable
from lamplighter_controller.maintenance.around import RULE, Around
from lamplighter_controller.maintenance.figures import figuring, records
from lamplighter_controller.maintenance.figures.columns import By, Orders
from lamplighter_controller.maintenance.figures.figuring import Behind, Figure
from lamplighter_controller.maintenance.figures.report import Report, Used, days_of, month_before
from lamplighter_controller.maintenance.orders import records as order_records
from lamplighter_controller.maintenance.orders.order import Order
from lamplighter_controller.maintenance.parts import records as part_records
from lamplighter_controller.maintenance.store import fitted_table, order_table, report_table
from lamplighter_controller.security import audit

log = logging.getLogger(__name__)

TICK_S: Final = 30.0
MOST_ORDERS: Final = 100_000
READ_S: Final = 60.0


class Reporter:
    """Figures at once, reports by month. Every method raises LedgerUnavailable."""

    def __init__(self, around: Around, city: tuple[str, str] = ("", "")) -> None:
        """`city`: its name in Chinese and English."""
        self._around, self._city = around, city
        self._tick = asyncio.Event()

    async def run(self) -> None:
        """Make what is due, for ever; a missed tick is made good by the next."""
        scheduler = AsyncIOScheduler()
        scheduler.add_job(self._tick.set, "interval", seconds=TICK_S, coalesce=True, misfire_grace_time=None)
        scheduler.start()
        try:
            while True:
                await self._tick.wait()
                self._tick.clear()
                try:
                    await self.look()
                except LedgerUnavailable as error:
                    log.info("the monthly report waits for the ledger: %s", error)
        finally:
            scheduler.shutdown(wait=False)

    async def look(self) -> None:
        """Make the report of the last month, once it is over and its last night was worked out."""
        month = month_before(self.today())
        if await self.kept(month) is None and self._around.proof.is_settled(days_of(month)[1], 0):
            await self.make(month, RULE, "the month is over")

    async def figures(self, groupings: Sequence[By], first_month: str, count: int) -> list[Figure]:
        """Figures of so many months, by each of these groupings."""
        zone = self._around.zone
        first = days_of(first_month)[0]
        months, edges = figuring.month_edges_ms(first, count, zone)
        last = days_of(months[-1])[1]

        def look(connection: Connection) -> tuple[Orders, list[Figure]]:
            found = records.orders(connection, int(edges[0]), int(edges[-1]))
            return found, records.lit_rates(connection, groupings, first, last)

        orders, lit = await self._around.ledger.read(look)

        def work() -> list[Figure]:
            return [one for by in groupings for one in figuring.figures(orders, by, first, count, zone)]

        return [*lit, *await asyncio.to_thread(work)]

    async def behind(self, figure: str, by: By, key: str, month: str) -> list[Behind]:
        """The orders behind a figure."""
        zone = self._around.zone
        _, edges = figuring.month_edges_ms(days_of(month)[0], 1, zone)
        orders = await self._around.ledger.read(
            lambda connection: records.orders(connection, int(edges[0]), int(edges[1]))
        )
        return await asyncio.to_thread(figuring.behind, orders, figure, by, key, month, zone)

    async def make(self, month: str, who: str, reason: str) -> Report:
        """Work a month out from what is known by now; it replaces the one that was kept."""
        found = await self.figures(tuple(By), month, 1)
        _, edges = figuring.month_edges_ms(days_of(month)[0], 1, self._around.zone)
        start_ms, end_ms = int(edges[0]), int(edges[1])

        def look(connection: Connection) -> tuple[list[Order], list[Used]]:
            return _orders(connection, start_ms, end_ms), _used(connection, start_ms, end_ms)

        orders, used = await self._around.ledger.read(look)
        now_ms = self._around.clock.civil_ms()
        report = Report(
            month, self._city, self._around.zone, now_ms, min(now_ms, end_ms), tuple(found), tuple(orders), tuple(used)
        )
        body = await asyncio.to_thread(lambda: zlib.compress(msgspec.json.encode(report)))

        def work(connection: Connection) -> None:
            connection.execute(delete(report_table).where(report_table.c.month == month))
            values = {"month": month, "made_ms": now_ms, "through_ms": report.through_ms, "body": body}
            connection.execute(report_table.insert().values(**values))
            detail = {"figures": len(found), "orders": len(orders)}
            audit.record(
                connection,
                who=who,
                action="report.made",
                subject=f"report:{month}",
                reason=reason,
                result="done",
                time_ms=self._around.clock.wall_ms(),
                detail=detail,
            )

        await self._around.ledger.write(work, READ_S)
        return report

    async def kept(self, month: str) -> Report | None:
        """The report of a month as it was made."""
        query = select(report_table.c.body).where(report_table.c.month == month)
        row = await self._around.ledger.read(lambda connection: connection.execute(query).first())
        if row is None:
            return None
        return await asyncio.to_thread(lambda: msgspec.json.decode(zlib.decompress(row.body), type=Report))

    async def months(self) -> list[tuple[str, int]]:
        """Months that are reported and when that was done (civil), the newest first."""
        query = select(report_table.c.month, report_table.c.made_ms).order_by(desc(report_table.c.month))
        rows = await self._around.ledger.read(lambda connection: connection.execute(query).fetchall())
        return [(row.month, row.made_ms) for row in rows]

    def today(self) -> date:
        """The day it is in the city."""
        return datetime.fromtimestamp(self._around.clock.civil_ms() / 1000, ZoneInfo(self._around.zone)).date()

    @staticmethod
    async def rendered(render: Callable[[], bytes]) -> bytes:
        """A page or document, made beside the event loop."""
        return await asyncio.to_thread(render)


def _orders(connection: Connection, start_ms: int, end_ms: int) -> list[Order]:
    """Orders that began, fell due or were done in the month."""
    columns = order_table.c
    query = select(columns.id).where(
        columns.created_ms.between(start_ms, end_ms - 1)
        | columns.due_ms.between(start_ms, end_ms - 1)
        | columns.done_ms.between(start_ms, end_ms - 1)
    )
    wanted = order_records.Wanted(within=query)
    return order_records.some(connection, wanted, 0, MOST_ORDERS)[0]


def _used(connection: Connection, start_ms: int, end_ms: int) -> list[Used]:
    table = fitted_table.c
    query = (
        select(table.part, func.sum(table.quantity))
        .where(table.at_ms >= start_ms, table.at_ms < end_ms)
        .group_by(table.part)
        .order_by(table.part)
    )
    parts = part_records.parts(connection)
    return [
        Used(name, parts[name].name if name in parts else "", parts[name].unit if name in parts else "", quantity)
        for name, quantity in connection.execute(query)
    ]
