"""A small city under maintenance: an API, two lamps' incidents, crews, and readings that the test writes."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import httpx
import numpy as np

from lamplighter_contract.commands.states import CommandState
from lamplighter_contract.quantities import Kind
from lamplighter_controller.diagnosis.assembling import Places, assemble
from lamplighter_controller.diagnosis.findings import Element, ElementKind, EvidenceLine, Finding
from lamplighter_controller.diagnosis.incidents.incident import Incident
from lamplighter_controller.diagnosis.places import CabinetPlace, CircuitPlace, LampPlace
from lamplighter_controller.lighting import store as inventory_store
from lamplighter_controller.lighting.inventory import Cabinet, Circuit, District, Luminaire, Model, Road
from lamplighter_controller.series.port import Readings
from tests.controller.api.world import LAMPS, World

CIRCUIT = "circuit-01-a"
WHY = {"reason": "story"}
HOUR_MS = 3_600_000
MINUTE_MS = 60_000
JPEG = b"\xff\xd8\xff\xe0" + bytes(range(256)) * 4
SITE = {"latitude": 36.65, "longitude": 117.12, "accuracy_m": 8}
STEPS = ["isolated", "tested", "grounded", "fenced", "insulation"]


@dataclass
class ToldSeries:
    """Readings as the test has written them."""

    rows: list[tuple[str, int, dict[str, float]]] = field(default_factory=list)

    async def range(
        self, kind: Kind, devices: Sequence[str], quantities: Sequence[str], start_ms: int, end_ms: int, limit: int
    ) -> Readings:
        found = [row for row in self.rows if row[0] in devices and start_ms <= row[1] < end_ms][:limit]
        values = {name: np.array([row[2].get(name, np.nan) for row in found]) for name in quantities}
        times = np.array([row[1] for row in found], np.int64)
        return Readings(kind, [row[0] for row in found], times, values, np.zeros(len(found), np.uint8))


class Yard:
    """The world with what a crew needs."""

    def __init__(self, world: World) -> None:
        self.world, self.told = world, ToldSeries()
        self.room = world.services.maintenance
        self.room._around.series.range = self.told.range  # type: ignore[method-assign]  # readings of this test

    @property
    def now_ms(self) -> int:
        return self.world.clock.civil_ms()

    def pass_civil(self, minutes: float) -> None:
        self.world.clock.advance(minutes * 60 / self.world.clock.rate)

    async def enter(self) -> None:
        """One road with ten lamps on one circuit, and its supply tree."""
        things: list[Any] = [
            District("lixia", "历下区"),
            Road("road-01", "main", "经十路", "lixia"),  # type: ignore[arg-type]  # its word
            Cabinet("cab-01"),
            Circuit(CIRCUIT, "cab-01"),
            Model("led-150", 150.0),
        ]
        for thing in things:
            await self.world.ledger.write(partial(inventory_store.put, things=[thing]))
        lamps = [
            Luminaire(
                f"l-{number:03}",
                36.65,
                117.12,
                name,
                "road-01",
                "cab-01",
                CIRCUIT,
                pole=f"p-{number:03}",
                model="led-150",
            )
            for number, name in enumerate(LAMPS)
        ]
        await self.world.ledger.write(lambda connection: inventory_store.put(connection, lamps))
        places = Places(
            [LampPlace(name, name, "cab-01", CIRCUIT) for name in LAMPS],
            [CabinetPlace("cab-01")],
            [CircuitPlace(CIRCUIT, "cab-01")],
        )
        self.world.services.diagnosis.desk.topology = assemble(places)

    async def incident(self, lamp: str, class_id: str = "leak", value: float = 60.0) -> Incident:
        """Evidence of a fault that is worth a trip; what diagnosis would make of it."""
        line = EvidenceLine("leakage", value, 2.0, 0.5, 9, "mA")
        element = Element(ElementKind.LAMP, lamp)
        finding = Finding(element, ((class_id, 1.0),), self.now_ms - HOUR_MS, self.now_ms - HOUR_MS, (line,))
        diagnosis = self.world.services.diagnosis
        await diagnosis.acted([finding], self.now_ms)
        return next(one for one in diagnosis.desk.open() if one.element == element and one.class_id == class_id)

    async def look(self) -> None:
        """One round of the room's own loop; what must not be asked too often is asked all the same."""
        self.room.prover._next_s.clear()
        await self.room.look()

    async def ask(self, path: str, body: Any = None, key: str | None = None, who: str = "operator") -> httpx.Response:
        headers = {"Idempotency-Key": key} if key else {}
        return await self.world.post(path, WHY if body is None else body, who, **headers)

    async def step(self, order: str, action: str, key: str | None = None, **body: Any) -> httpx.Response:
        return await self.ask(f"/orders/{order}/steps/{action}", body, key)

    async def did(self, order: str, action: str, **body: Any) -> dict[str, Any]:
        answer = await self.step(order, action, **body)
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    async def order(self, identity: str) -> dict[str, Any]:
        return dict((await self.world.get(f"/orders/{identity}")).json())

    async def orders(self, query: str = "") -> list[dict[str, Any]]:
        return list((await self.world.get(f"/orders?limit=1000{query}")).json()["items"])

    async def end_commands(self, state: CommandState = CommandState.VERIFIED, reason: str = "") -> None:
        """Every command goes to its end, and the room looks at it."""
        for name in self.world.commands.taken:
            self.world.commands.move(name, state, reason)
        await self.look()

    def reads(self, device: str, minutes: Sequence[float], **values: float) -> None:
        """Readings at so many civil minutes from now on."""
        begin_ms = self.now_ms
        self.told.rows += [(device, begin_ms + round(one * MINUTE_MS), values) for one in minutes]

    async def on_site(self, order: str) -> None:
        """A crew takes it, drives there and signs."""
        await self.did(order, "take", crew="east-1")
        await self.did(order, "depart")
        await self.did(order, "arrive", **SITE)
        signed = await self.ask(f"/orders/{order}/safety", {"steps": STEPS, "name": "李工"})
        assert signed.status_code == 201, signed.text
