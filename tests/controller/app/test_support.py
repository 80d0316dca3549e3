"""Support bundles: taken when a command asked its gateway for one, and from nobody else."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from lamplighter_contract.commands.command import Operation
from lamplighter_contract.commands.states import CommandState
from lamplighter_contract.wire.pieces import SUPPORT_NAME, pieces_of
from lamplighter_controller.commands import store
from lamplighter_controller.commands.model import Order, Request
from lamplighter_controller.intake.pieces import Nobody
from lamplighter_controller.support import SupportDesk
from tests.controller.ledgers import open_in

FILE = bytes(range(256)) * 600
REQUEST = Request("request-1", Operation.GATEWAY_SUPPORT, {}, "why", (), "user:li", None, "x", 1, 2)
ORDER = Order("command-1", REQUEST, "gw-1", 1, CommandState.SENT, "", False, {})


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[SupportDesk]:
    ledger = await open_in(tmp_path)
    probe = replace(REQUEST, id="request-2", op=Operation.GATEWAY_PROBE)
    await ledger.write(lambda connection: store.add(connection, REQUEST, [ORDER]))
    await ledger.write(
        lambda connection: store.add(connection, probe, [replace(ORDER, id="command-2", request=probe, seq=2)])
    )
    desk = SupportDesk(tmp_path, ledger, Nobody())
    desk.open()
    yield desk
    await ledger.close()


async def test_it_is_there_when_its_last_piece_is_and_a_repeat_harms_nothing(desk: SupportDesk) -> None:
    first, second = pieces_of("command-1", "gw-1", SUPPORT_NAME, FILE)
    assert await desk.take("gw-1", [second]) == 0
    assert await desk.find("gw-1", "command-1") is None
    assert await desk.take("gw-1", [first, second, first]) == 0
    assert await desk.find("gw-1", "command-1") == FILE
    assert await desk.find("gw-2", "command-1") is None
    assert await desk.find("gw-1", "..") is None


@pytest.mark.parametrize(
    ("command", "gateway", "device"),
    [
        ("command-1", "gw-2", "gw-2"),  # another gateway
        ("command-1", "gw-1", "gw-2"),  # of another gateway
        ("command-2", "gw-1", "gw-1"),  # a command that asked for something else
        ("command-9", "gw-1", "gw-1"),  # no command
    ],
)
async def test_what_nobody_asked_for_is_not_kept(desk: SupportDesk, command: str, gateway: str, device: str) -> None:
    pieces = list(pieces_of(command, device, SUPPORT_NAME, FILE))
    assert await desk.take(gateway, pieces) == len(pieces)
    assert await desk.find(gateway, command) is None


async def test_a_file_that_is_too_large_is_not_kept_and_evidence_goes_its_own_way(desk: SupportDesk) -> None:
    [piece] = pieces_of("command-1", "gw-1", SUPPORT_NAME, b"x")
    assert await desk.take("gw-1", [msgspec.structs.replace(piece, size=300_000)]) == 1
    assert await desk.take("gw-1", [msgspec.structs.replace(piece, name="frames.bin")]) == 1
