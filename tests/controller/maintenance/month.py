"""A month of faults for 1,800 lamps on twelve roads, told to the real desk as it goes, from a seed."""

import heapq
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import count
from pathlib import Path
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, insert

from lamplighter_controller.diagnosis.findings import Element, ElementKind
from lamplighter_controller.lighting.proof.store import tally_table
from lamplighter_controller.maintenance.orders.desk import Taken
from lamplighter_controller.maintenance.orders.life import Action, Wish
from lamplighter_controller.maintenance.orders.opening import Wanted
from lamplighter_controller.maintenance.orders.order import Order, Source, SourceKind
from lamplighter_controller.maintenance.orders.safety import NEEDED, Signature
from tests.controller.maintenance.yard import Yard

ZONE = ZoneInfo("Asia/Shanghai")
MONTH = "2026-03"
BEGIN = datetime(2026, 2, 20, tzinfo=ZONE)
DAYS = 42
LAMPS_PER_ROAD = 150
ROADS = [f"road-{number:02}" for number in range(1, 13)]
FAULTS = 90
CLASSES = {"leak": 5, "lamp_dead": 3, "led_partial": 2, "hi_res": 4, "driver_drift": 2}
MINUTE_MS = 60_000
HOUR_MS = 60 * MINUTE_MS


@dataclass
class Month:
    """What happens when; a heap of moments, each of which may bring the next."""

    yard: Yard
    random: Random

    async def live(self) -> None:
        """Everything of the month, in its order."""
        ties = count()
        heap: list[tuple[int, int, Any]] = []
        for at_ms in sorted(round(self.random.uniform(0, DAYS) * 24 * HOUR_MS) for _ in range(FAULTS)):
            heapq.heappush(heap, (_ms(BEGIN) + at_ms, next(ties), self._fault))
        while heap:
            at_ms, _, happens = heapq.heappop(heap)
            if at_ms > _ms(BEGIN + timedelta(days=DAYS)):
                return
            self.yard.pass_civil(max(at_ms - self.yard.now_ms, 0) / MINUTE_MS)
            for later_ms, follows in await happens():
                heapq.heappush(heap, (self.yard.now_ms + later_ms, next(ties), follows))

    async def _fault(self) -> list[tuple[int, Any]]:
        draw = self.random
        road = draw.choice(ROADS)
        lamp = f"lamp-{road[-2:]}-{draw.randrange(40):03}"  # some of them again and again
        class_id = draw.choice(list(CLASSES))
        onset_ms = self.yard.now_ms - round(draw.uniform(0, 6 * HOUR_MS))
        wanted = Wanted(Element(ElementKind.LAMP, lamp), class_id, CLASSES[class_id], "", onset_ms, self.yard.now_ms)
        taken = await self.yard.room.orders.open(
            wanted, Source(SourceKind.PERSON, f"p-{draw.random()}", self.yard.now_ms), "token:test", "seen"
        )
        assert isinstance(taken, Taken), taken
        if taken.repeated:
            return []
        order = taken.order
        if draw.random() < 0.06:
            return [self._then(order, Action.NOT_OURS, 1, reason="the park's")]
        crew = f"crew-{draw.randrange(3)}"
        return [self._then(order, Action.TAKE, draw.uniform(0.1, 3), self._go, crew=crew)]

    def _go(self, order: Order) -> list[tuple[int, Any]]:
        draw = self.random
        if draw.random() < 0.2:
            return [self._then(order, Action.WAIT_PARTS, draw.uniform(0.1, 2), self._waits, reason="no lamp in store")]
        if draw.random() < 0.05:
            return [self._then(order, Action.CLEARED, 1, reason="lit again")]
        site = {"latitude": 36.6, "longitude": 117.1}
        return [self._then(order, Action.ARRIVE, draw.uniform(0.1, 8), self._works, **site)]

    def _waits(self, order: Order) -> list[tuple[int, Any]]:
        return [self._then(order, Action.RESUME, self.random.uniform(1, 50), self._go)]

    def _works(self, order: Order) -> list[tuple[int, Any]]:
        return [self._then(order, Action.FINISH, self.random.uniform(0.1, 12), self._proof, done="mended")]

    def _proof(self, order: Order) -> list[tuple[int, Any]]:
        draw = self.random
        if draw.random() < 0.15:
            return [self._then(order, Action.SEND_BACK, 9, self._back, reason="dark", text="dark when due")]
        kind = draw.choice(["telemetry", "photo"])
        return [self._then(order, Action.PROVE, draw.uniform(2, 24), self._over, kind=kind, text="lit")]

    def _back(self, order: Order) -> list[tuple[int, Any]]:
        return [self._then(order, Action.TAKE, 1, self._go, crew=order.crew)]

    def _over(self, order: Order) -> list[tuple[int, Any]]:
        return [self._then(order, Action.CLOSE, 0.2)] if self.random.random() < 0.95 else []

    def _then(self, order: Order, action: Action, hours: float, goes_on: Any = None, **told: Any) -> tuple[int, Any]:
        reason = told.pop("reason", "")

        async def happens() -> list[tuple[int, Any]]:
            now_ms = self.yard.now_ms
            if action is Action.FINISH:
                await self._signed(order.id)
            taken = await self.yard.room.orders.act(order.id, Wish(action, "token:test", now_ms, reason, told))
            assert isinstance(taken, Taken), taken
            return goes_on(taken.order) if goes_on else []

        return round(hours * HOUR_MS), happens

    async def _signed(self, order: str) -> None:
        found = await self.yard.room.orders.find(order)
        if found is not None and found.class_id == "leak":
            await self.yard.room.attachments.sign(order, Signature(NEEDED, "李工", "token:test", self.yard.now_ms))


async def nights(yard: Yard, random: Random) -> None:
    """Lit rates of every night and road, as the proof has worked them out."""

    def work(connection: Connection) -> None:
        for day in range(DAYS):
            name = f"{(BEGIN + timedelta(days=day)).date()}"
            rows = [_tally(name, "road", road, random) for road in ROADS]
            whole = {key: sum(row[key] for row in rows) for key in rows[0] if key not in {"night", "grouped", "key"}}
            connection.execute(insert(tally_table), [*rows, {"night": name, "grouped": "city", "key": "", **whole}])

    await yard.world.ledger.write(work)


def _tally(night: str, grouped: str, key: str, random: Random) -> dict[str, Any]:
    required_ms = LAMPS_PER_ROAD * 13 * HOUR_MS
    dark_ms = random.uniform(0, 0.03) * required_ms
    unknown_ms = random.uniform(0, 0.01) * required_ms
    lit_ms = required_ms - dark_ms - unknown_ms
    return {
        "night": night,
        "grouped": grouped,
        "key": key,
        "lamps": LAMPS_PER_ROAD,
        "required_ms": required_ms,
        "lit_ms": lit_ms,
        "dark_ms": dark_ms,
        "unknown_ms": unknown_ms,
        "own_ms": lit_ms + dark_ms,
        "patrol_ms": 0.0,
        "meter_ms": 0.0,
        "dark_lamps": 3,
        "unknown_lamps": 1,
    }


def rows_of(folder: Path, query: str, *values: Any) -> list[sqlite3.Row]:
    """Raw rows of the ledger's file, past everything of the program."""
    with closing(sqlite3.connect(folder / "ledger.sqlite")) as ledger:
        ledger.row_factory = sqlite3.Row
        return ledger.execute(query, values).fetchall()


def in_month(time_ms: int) -> bool:
    """Whether a time lies in the month, on the city's clocks."""
    return datetime.fromtimestamp(time_ms / 1000, ZONE).strftime("%Y-%m") == MONTH


def lives(folder: Path) -> Iterator[tuple[sqlite3.Row, list[sqlite3.Row]]]:
    """Each order's row with its steps, by number."""
    steps = rows_of(folder, 'SELECT * FROM maintenance_step ORDER BY "order", number')
    for order in rows_of(folder, "SELECT * FROM maintenance_order ORDER BY number"):
        yield order, [one for one in steps if one["order"] == order["id"]]


def _ms(time: datetime) -> int:
    return round(time.timestamp() * 1000)
