"""Configurations from the centre: signed, each with a version above the last, told once and at each connect."""

from collections.abc import AsyncIterator
from pathlib import Path

import orjson
import pytest

from lamplighter_contract.clock import ManualClock
from lamplighter_contract.commands.signing import Signer, verify
from lamplighter_contract.errors import Refusal
from lamplighter_contract.wire.config import ConfigDocument, read_config
from lamplighter_controller.events import Events
from lamplighter_controller.intake.engine import Registry
from lamplighter_controller.link.memory import MemoryLink
from lamplighter_controller.rollout.configs import ConfigKeeper
from tests.controller.ledgers import open_in

SIGNER = Signer("centre-1-1", bytes(range(32)))
WANTED = ConfigDocument("gw-1", 1, [{"id": "east"}], [{"id": "lamp-1"}])


@pytest.fixture
async def room(tmp_path: Path) -> AsyncIterator[tuple[ConfigKeeper, MemoryLink]]:
    ledger = await open_in(tmp_path)
    registry, link = Registry.begin(ledger, Events(), ManualClock(), 1.0), MemoryLink()
    registry.gateways.enrol(frozenset({"gw-1"}))
    yield ConfigKeeper(link, ledger, SIGNER, registry.gateways, registry.alarms, ManualClock(), lambda: False), link
    await ledger.close()


async def test_each_version_is_above_the_last_and_is_told_signed_and_retained(room) -> None:
    keeper, link = room
    first = await keeper.give(WANTED, who="user:li", reason="new street")
    second = await keeper.give(WANTED, who="user:li", reason="again")
    assert second.version > first.version
    await keeper.look()
    await keeper.look()
    [(topic, payload, retained)] = link.sent
    document = orjson.loads(payload)
    assert (topic, retained) == ("lamplighter/1/down/gw-1/config", True)
    assert verify(document, SIGNER.public) is None
    read = read_config(document)
    assert not isinstance(read, Refusal)
    assert (read.version, read.buses) == (second.version, WANTED.buses)
    await keeper.connected()
    await keeper.look()
    assert len(link.sent) == 2


async def test_one_that_could_not_be_sent_is_refused(room) -> None:
    keeper, _ = room
    large = ConfigDocument("gw-1", 1, [], [{"id": "x" * 1000}] * 1000)
    assert isinstance(await keeper.give(large, who="user:li", reason="x"), Refusal)
    assert await keeper.given("gw-1") is None
