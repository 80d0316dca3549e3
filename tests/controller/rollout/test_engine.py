"""Rollouts in a ledger, with a centre that answers for its gateways; pieces of bundles as they are asked for."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from lamplighter_contract.clock import ManualClock
from lamplighter_contract.commands.command import Operation
from lamplighter_contract.commands.states import CommandState
from lamplighter_contract.errors import Refusal
from lamplighter_contract.wire.files import FileName, Wants, decode_part
from lamplighter_controller.commands.model import Order, Request, Submitted
from lamplighter_controller.events import Events
from lamplighter_controller.intake.engine import Registry
from lamplighter_controller.link.memory import MemoryLink
from lamplighter_controller.link.port import Message
from lamplighter_controller.rollout.engine import RolloutKeeper, Wish
from lamplighter_controller.rollout.files import Bundles, FileServer, NotABundle
from lamplighter_controller.rollout.rules import State
from tests.controller.ledgers import open_in

GATEWAYS = tuple(f"gw-{number}" for number in range(1, 6))


class Centre:
    """Commanding, as far as rollouts need it."""

    def __init__(self) -> None:
        self.states: dict[str, CommandState] = {}
        self.asked: list[str] = []

    async def submit(self, wanted, who):
        assert wanted.op is Operation.GATEWAY_UPDATE
        [gateway] = wanted.gateways
        self.asked.append(gateway)
        self.states[f"r-{gateway}"] = CommandState.SENT
        return await self.request(f"r-{gateway}")

    async def request(self, request):
        asked = Request(request, Operation.GATEWAY_UPDATE, {}, "", (), "", None, "", 1, 2)
        state = self.states[request]
        return Submitted(asked, state, (Order(f"c-{request}", asked, request[2:], 1, state, "", True, {}),))


class Room:
    def __init__(self, ledger, folder: Path) -> None:
        self.link, self.centre = MemoryLink(), Centre()
        registry = Registry.begin(ledger, Events(), ManualClock(), 1.0)
        registry.gateways.enrol(frozenset(GATEWAYS))
        self.bundles = Bundles(folder)
        self.alarms = registry.alarms
        self.keeper = RolloutKeeper(
            ledger, self.centre, registry.gateways, self.bundles, registry.alarms, ManualClock(), bytes
        )
        self.files = FileServer(self.link, registry.gateways, self.bundles)
        (folder / "a.bundle").write_bytes(bytes(range(256)) * 2000)
        self.name = self.bundles.add(folder / "a.bundle")

    async def begin(self, **changes):
        usual = {"bundle": self.name, "gateways": GATEWAYS, "canaries": 1, "share_percent": 40, "tolerated_percent": 5}
        return await self.keeper.begin(Wish(**{**usual, **changes}, reason="newer"), "user:li")

    async def step(self):
        [rollout, *_] = await self.keeper.every()
        return await self.keeper.step(rollout)

    def all_say(self, state):
        self.centre.states = {
            request: CommandState(state) if its is CommandState.SENT else its
            for request, its in self.centre.states.items()
        }


@pytest.fixture
async def room(tmp_path: Path) -> AsyncIterator[Room]:
    ledger = await open_in(tmp_path)
    yield Room(ledger, tmp_path)
    await ledger.close()


async def test_waves_go_on_when_the_one_before_is_good_and_stop_when_it_is_not(room: Room) -> None:
    await room.begin()
    await room.step()
    assert room.centre.asked == ["gw-1"]
    await room.step()
    assert room.centre.asked == ["gw-1"]
    room.all_say("verified")
    await room.step()
    assert room.centre.asked == ["gw-1", "gw-2"]
    room.all_say("failed")
    rollout = await room.step()
    assert rollout.state is State.STOPPED
    assert room.centre.asked == ["gw-1", "gw-2"]
    assert room.alarms.is_raised(f"rollout:{rollout.id}")


async def test_a_person_stops_it(room: Room) -> None:
    begun = await room.begin()
    assert not isinstance(begun, Refusal)
    await room.keeper.stop(begun.id, "user:wang", "not tonight")
    rollout = await room.step()
    assert rollout.state is State.STOPPED
    assert room.centre.asked == []
    assert await room.keeper.stop("nothing", "user:wang", "x") is None


@pytest.mark.parametrize("changes", [{"gateways": ("gw-9",)}, {"gateways": ()}, {"bundle": FileName("0" * 64, 5)}])
async def test_what_cannot_be_brought_is_refused(room: Room, changes) -> None:
    assert isinstance(await room.begin(**changes), Refusal)


async def test_pieces_come_as_they_are_asked_for_and_to_nobody_else(room: Room) -> None:
    wants = Wants(room.name.sha256, 4, 4)
    assert room.files.receive(Message("lamplighter/1/up/gw-1/wants", wants.encode(), retained=False))
    assert room.files.receive(Message("lamplighter/1/up/gw-9/wants", wants.encode(), retained=False))
    assert room.files.receive(Message("lamplighter/1/up/gw-2/wants", b"{", retained=False))
    assert not room.files.receive(Message("lamplighter/1/up/gw-1/live", b"", retained=False))
    [(gateway, wanted)] = room.files._wanted.items()
    await room.files._bring(gateway, wanted)
    told = [(topic, decode_part(payload)) for topic, payload, _ in room.link.sent]
    content = bytes(range(256)) * 2000
    assert [part[1] for _, part in told if not isinstance(part, Refusal)] == [4, 5]
    assert b"".join(part[2] for _, part in told if not isinstance(part, Refusal)) == content[4 * 98_304 :]
    assert {topic for topic, _ in told} == {"lamplighter/1/down/gw-1/file"}


def test_no_file_is_no_bundle(tmp_path: Path) -> None:
    (tmp_path / "empty").touch()
    with pytest.raises(NotABundle):
        Bundles(tmp_path).add(tmp_path / "empty")
