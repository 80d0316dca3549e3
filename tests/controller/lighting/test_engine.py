"""The keeper: every enrolled gateway has its newest plan before it, signed, and nobody while the controller is held."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import orjson
import pytest

from lamplighter_contract.clock import ManualClock
from lamplighter_contract.commands.signing import Signer, verify
from lamplighter_contract.light.plans.plan import Plan, encode_plan, read_plan
from lamplighter_contract.wire.documents import GatewayState
from lamplighter_controller.events import Events
from lamplighter_controller.hold import Hold, begin
from lamplighter_controller.intake.engine import Registry
from lamplighter_controller.ledger.engine import Ledger
from lamplighter_controller.lighting import records
from lamplighter_controller.lighting.engine import PlanKeeper
from lamplighter_controller.link.memory import MemoryLink
from tests.controller.ledgers import open_in

SIGNER = Signer("centre-1-1", bytes(range(32)))


@dataclass
class Room:
    """A keeper at work, and everything around it."""

    ledger: Ledger
    registry: Registry
    link: MemoryLink = field(default_factory=MemoryLink)
    hold: Hold = field(default_factory=Hold)

    def __post_init__(self) -> None:
        self.keeper = PlanKeeper(
            self.link, self.ledger, SIGNER, self.registry.gateways, self.registry.alarms, lambda: self.hold.held
        )

    async def publish(self, **versions: int) -> None:
        documents = {
            name.replace("_", "-"): (
                version,
                encode_plan(Plan(name.replace("_", "-"), version, 0, "Asia/Shanghai", 36.65, 117.12)),
            )
            for name, version in versions.items()
        }

        def work(connection):
            number = records.draft(connection, who="li", reason="", time_ms=1).number
            records.published(connection, number, documents, "li", 1)

        await self.ledger.write(work)
        self.keeper.wake()

    @property
    def told(self) -> list[tuple[str, int]]:
        return [(topic.split("/")[3], orjson.loads(payload)["version"]) for topic, payload, _ in self.link.sent]

    async def until_told(self, *wanted: tuple[str, int]) -> None:
        async with asyncio.timeout(5):
            while self.told != list(wanted):
                await asyncio.sleep(0.01)


@pytest.fixture
async def room(tmp_path: Path) -> AsyncIterator[Room]:
    ledger = await open_in(tmp_path)
    room = Room(ledger, Registry.begin(ledger, Events(), ManualClock()))
    room.registry.gateways.enrol(frozenset({"gw-1", "gw-2"}))
    task = asyncio.create_task(room.keeper.run(), name="plans")
    yield room
    task.cancel()
    await asyncio.wait([task])
    await ledger.close()


async def test_a_published_plan_is_signed_retained_and_told_once_and_again_at_each_connect(room: Room):
    await room.publish(gw_1=1)
    await room.until_told(("gw-1", 1))
    topic, payload, retained = room.link.sent[0]
    assert (topic, retained) == ("lamplighter/1/down/gw-1/plan", True)
    document = orjson.loads(payload)
    assert verify(document, SIGNER.public) is None
    assert isinstance(read_plan(document), Plan)
    await room.publish(gw_2=1)
    await room.until_told(("gw-1", 1), ("gw-2", 1))
    await room.keeper.connected()
    await room.until_told(("gw-1", 1), ("gw-2", 1), ("gw-1", 1), ("gw-2", 1))


async def test_only_the_newest_version_is_told_and_only_to_who_is_enrolled(room: Room):
    room.link.up = False
    await room.publish(gw_1=1, gw_9=1)
    await room.publish(gw_1=2)
    room.link.up = True
    await room.keeper.connected()
    await room.until_told(("gw-1", 2))


async def test_nobody_is_told_anything_while_held(room: Room):
    room.hold.held = True
    await room.publish(gw_1=1)
    await room.keeper.look()
    assert room.link.sent == []
    room.hold.held = False
    room.keeper.wake()
    await room.until_told(("gw-1", 1))


async def test_a_gateway_with_a_newer_plan_is_told_none_and_the_alarm_names_it(room: Room):
    room.registry.gateways.state("gw-1", GatewayState("b", online=True, plan_version=7))
    await room.publish(gw_1=6, gw_2=1)
    await room.until_told(("gw-2", 1))
    assert room.registry.alarms.is_raised("plan-behind:gw-1")
    await room.publish(gw_1=8)
    await room.until_told(("gw-2", 1), ("gw-1", 8))
    assert not room.registry.alarms.is_raised("plan-behind:gw-1")


async def test_a_broker_that_refuses_one_plan_gets_the_others(room: Room):
    room.link.denied = lambda topic: "gw-1" in topic
    await room.publish(gw_1=1, gw_2=1)
    await room.until_told(("gw-2", 1))
    assert room.registry.alarms.is_raised("plan-denied")


async def test_after_a_restore_versions_go_on_from_the_time_of_it(room: Room):
    await room.ledger.write(lambda connection: begin(connection, time_ms=1_763_650_000_000))
    assert await room.ledger.read(records.floor) == 1_763_650_000_000
