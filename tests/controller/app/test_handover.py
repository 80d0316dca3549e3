"""What another box has to take over is before it, signed and retained, before any command may go to it."""

from collections.abc import AsyncIterator
from pathlib import Path

import orjson
import pytest

from lamplighter_contract.clock import ManualClock
from lamplighter_contract.commands.signing import Signer, verify
from lamplighter_contract.wire.documents import GatewayState
from lamplighter_controller.events import Events
from lamplighter_controller.handover_keeper import HandoverKeeper
from lamplighter_controller.hold import Hold, Standing
from lamplighter_controller.intake.engine import Registry
from lamplighter_controller.ledger.engine import Ledger
from lamplighter_controller.link.memory import MemoryLink
from lamplighter_controller.security import enrolment
from tests.controller.ledgers import open_in

SIGNER = Signer("centre-1-1", bytes(range(32)))
GATEWAY = "gw-1"


class Room:
    def __init__(self, ledger: Ledger) -> None:
        self.ledger, self.link, self.hold = ledger, MemoryLink(), Hold()
        self.registry = Registry.begin(ledger, Events(), ManualClock(), 1.0)
        self.registry.gateways.enrol(frozenset({GATEWAY}))
        self.keeper = HandoverKeeper(
            self.link, ledger, SIGNER, self.registry.gateways, self.registry.alarms, lambda: self.hold.held
        )
        self.standing = Standing(self.registry.gateways, self.hold, self.keeper.awaited)

    async def change(self, how):
        await self.ledger.write(lambda ledger: how(ledger, GATEWAY, who="li", reason="flooded", time_ms=1))
        await self.keeper.enrolment_changed()
        await self.keeper.look()

    def says(self, boot: str, generation: int, isolated: tuple[str, ...] = ()) -> None:
        self.registry.gateways.state(GATEWAY, GatewayState(boot, True, isolated=isolated, generation=generation))

    @property
    def told(self):
        return [orjson.loads(payload) for topic, payload, _ in self.link.sent if topic.endswith("/handover")]


@pytest.fixture
async def room(tmp_path: Path) -> AsyncIterator[Room]:
    ledger = await open_in(tmp_path)
    yield Room(ledger)
    await ledger.close()


async def test_a_replaced_box_is_commanded_only_when_it_took_over_what_the_one_before_held(room: Room) -> None:
    await room.change(enrolment.enrol)
    room.says("boot-1", 1, ("circuit-1",))
    assert room.standing.online(GATEWAY)
    await room.change(enrolment.replace)
    assert not room.standing.online(GATEWAY)
    document = room.told[-1]
    assert document["generation"] == 2
    assert [(held["device"], held["kind"]) for held in document["holds"]] == [("circuit-1", "isolated")]
    assert verify(document, SIGNER.public) is None
    assert all(retained for topic, _, retained in room.link.sent if topic.endswith("/handover"))

    room.says("boot-2", 0)  # the new box, before it took anything
    await room.keeper.look()
    assert not room.standing.online(GATEWAY)
    assert room.told[-1] == document, "the last words of the box before are kept for it"
    room.says("boot-2", 2, ("circuit-1",))
    assert room.standing.online(GATEWAY)


async def test_it_is_told_once_again_at_each_connect_and_never_while_held(room: Room) -> None:
    await room.change(enrolment.enrol)
    await room.keeper.look()
    assert len(room.told) == 1
    room.hold.held = True
    await room.keeper.connected()
    await room.keeper.look()
    assert len(room.told) == 1
    room.hold.held = False
    await room.keeper.look()
    assert len(room.told) == 2
