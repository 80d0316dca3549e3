"""The API over a real dispatch: commands go over a wire in memory to gateways that keep the contract."""

import asyncio
import random
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from msgspec import structs
from sqlalchemy import Connection

from lamplighter_contract.clock import ManualClock
from lamplighter_contract.errors import Refusal
from lamplighter_contract.light.plans.programs import RoadClass
from lamplighter_contract.wire.documents import DeviceEntry
from lamplighter_controller.commands.dispatch import Dispatch, Surroundings
from lamplighter_controller.events import Events
from lamplighter_controller.ledger.engine import Ledger
from lamplighter_controller.lighting import store
from lamplighter_controller.lighting.inventory import District, Group, Luminaire, Road, Thing
from lamplighter_controller.twin.columns import Twin
from tests.controller.api.world import World, entry, open_world
from tests.controller.commands.city import SIGNER, Box, Wire

LAMPS = [f"lamp-{gateway}-{number:02}" for gateway in (1, 2) for number in range(1, 31)]
RATE = 1.0


@dataclass
class LitWorld:
    """Sixty lamps behind two gateways, on two roads, and whoever commands them."""

    world: World
    boxes: dict[str, Box]
    clock: ManualClock
    dispatch: Dispatch
    gone: set[str] = field(default_factory=set)

    async def send(
        self, method: str, path: str, body: object = None, name: str = "operator", **headers: str
    ) -> httpx.Response:
        return await self.world.client.request(
            method, "/api/v1" + path, json=body, headers=self.world.bearer(name) | headers
        )

    async def post(self, path: str, body: object, name: str = "operator", **headers: str) -> httpx.Response:
        return await self.send("POST", path, body, name, **headers)

    async def get(self, path: str) -> httpx.Response:
        return await self.send("GET", path, name="reader")

    async def settle(self, name: str, what: str = "overrides") -> Any:
        """Results are carried to the centre until all lamps of an override, or of a request, are verified."""
        async with asyncio.timeout(10):
            while True:
                for box in self.boxes.values():
                    told, box.spool = box.spool, []
                    if told:
                        await self.dispatch.take_results([(box.name, result) for result in told])
                found = (await self.get(f"/{what}/{name}")).json()
                if set(found.get("states", ())) == {"verified"}:
                    return found
                await asyncio.sleep(0.005)


@dataclass
class _Standing:
    """What commanding asks about gateways."""

    boxes: Mapping[str, Box]
    gone: set[str]

    def refusal(self, gateway: str) -> Refusal | None:
        return None

    def online(self, gateway: str) -> bool:
        return gateway not in self.gone

    def highest_seq(self, gateway: str) -> int:
        return self.boxes[gateway].highest


def served() -> dict[str, Sequence[DeviceEntry]]:
    """Lamps stand from west to east, 0.001 degrees apart."""
    found: dict[str, Sequence[DeviceEntry]] = {}
    for gateway in (1, 2):
        mine = [name for name in LAMPS if name.startswith(f"lamp-{gateway}-")]
        found[f"gw-{gateway}"] = [_on_the_line(name) for name in mine]
    return found


def _on_the_line(name: str) -> DeviceEntry:
    return structs.replace(entry(name, longitude=117 + int(name[-2:]) / 1000), address=f"line/{int(name[-2:])}")


@asynccontextmanager
async def open_lit(folder: Path) -> AsyncIterator[LitWorld]:
    """With an inventory: `spruce` in the west district has gw-1's lamps, `linden` in the east gw-2's."""
    clock = ManualClock(rate=RATE)
    boxes = {name: Box(name, clock) for name in ("gw-1", "gw-2")}
    gone: set[str] = set()
    made: list[Dispatch] = []

    def dispatch(ledger: Ledger, twin: Twin, events: Events) -> Dispatch:
        wire = Wire(boxes, random.Random(7))
        around = Surroundings(ledger, wire, SIGNER, twin, _Standing(boxes, gone), events, clock, random.Random(7))
        made.append(Dispatch(around))
        return made[0]

    async with open_world(folder, clock, served(), folder / "web", dispatch, RATE) as world:
        running = asyncio.create_task(made[0].run(), name="commands")
        lit = LitWorld(world, boxes, clock, made[0], gone)
        await _survey(lit)
        yield lit
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def _survey(lit: LitWorld) -> None:
    luminaires = [
        Luminaire(
            f"l-{name}",
            36.65,
            117 + int(name[-2:]) / 1000,
            name,
            "spruce" if "-1-" in name else "linden",
            pole_order=int(name[-2:]),
        )
        for name in LAMPS
    ]
    things: list[list[Thing]] = [
        [District("west"), District("east")],
        [
            Road("spruce", RoadClass.MAIN, district="west"),
            Road("linden", RoadClass.BRANCH, district="east"),
        ],
        [*luminaires],
        [
            Group("mains", road_classes=(RoadClass.MAIN,)),
            Group("few", luminaires=("l-lamp-1-01", "l-lamp-2-01")),
        ],
    ]

    def work(connection: Connection) -> None:
        for some in things:
            store.put(connection, some)

    await lit.world.ledger.write(work)
