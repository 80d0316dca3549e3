"""The disk under a gateway runs full or fails: no false promise, a word to the centre, and it goes on by itself."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from lamplighter_contract.commands.states import CommandState
from tests.system.process import find_program
from tests.system.world import World
from tests.system.world_api import eventually
from tests.system.world_checks import nothing_lost
from tests.system.world_programs import SmallDisk

pytestmark = [pytest.mark.fault, pytest.mark.system, pytest.mark.timeout(180)]

DISK_MIB = 8
SOON_S = 20.0
BACK_S = 45.0
DISK_EXIT = 74


@pytest.fixture
def world() -> Iterator[World]:
    """One gateway."""
    with World(gateways=1) as running:
        yield running


@pytest.fixture
def disk(world: World) -> Iterator[SmallDisk]:
    """A disk of its own for the gateway, which is started on it."""
    gateway = world.gateway()
    gateway.stop()
    try:
        disk = SmallDisk(gateway.data, DISK_MIB)
    except OSError as error:
        pytest.skip(str(error))
    gateway.disk = disk
    gateway.start()
    world.wait_for_news(within_s=BACK_S)
    yield disk
    disk.close()


def _fill(folder: Path) -> Path:
    """Take all the room there is."""
    ballast = folder / "ballast"
    with ballast.open("wb", buffering=0) as file:
        for piece in (65_536, 4_096):
            with contextlib.suppress(OSError):
                while True:
                    file.write(bytes(piece))
    return ballast


def _spool_state(world: World) -> str:
    """As the gateway says."""
    state: str = world.gateway().ask("status")["spool"].get("state", "ok")
    return state


def _told(world: World) -> str:
    """As the centre knows it."""
    state: str = world.api.get("/gateways/gw-1")["health"]["spool"].get("state", "ok")
    return state


@pytest.mark.usefixtures("disk")
def test_a_full_disk(world: World) -> None:
    gateway, lamp = world.gateway(), world.lamps[0]
    ballast = _fill(gateway.seen_data)
    eventually(lambda: _spool_state(world) == "full", SOON_S, "the gateway notices")
    eventually(lambda: _told(world) == "full", SOON_S, "the centre is told")
    request = world.api.set_level(45, lamp)
    eventually(lambda: world.city.lamp(lamp).level_percent == 45, SOON_S, "the lamp obeys from the reserve")
    gateway.kill()
    gateway.start()  # on a disk that is still full
    assert [override["level_percent"] for override in gateway.ask("status")["overrides"]] == [45]
    eventually(lambda: _told(world) == "full", SOON_S, "the centre is told again")
    ballast.unlink()
    eventually(lambda: _spool_state(world) == "ok", SOON_S, "there is room again")
    eventually(lambda: _told(world) == "ok", SOON_S, "the centre is told")
    assert world.api.ended(request, BACK_S)["state"] == CommandState.VERIFIED
    world.wait_for_news(within_s=BACK_S)
    assert nothing_lost(world).acknowledged > 20


@pytest.mark.skipif(find_program("strace") is None, reason="strace is not installed (Debian package strace)")
def test_an_fsync_that_fails(world: World) -> None:
    gateway = world.gateway()
    gateway.stop()
    failing = ["-e", "trace=fsync,fdatasync", "-e", "inject=fsync,fdatasync:error=EIO:when=40+"]
    gateway.before = ["strace", "-f", "-qq", "--seccomp-bpf", "-o", "/dev/null", *failing]
    gateway.start()
    assert gateway.wait(90) == DISK_EXIT
    assert "disk failed" in gateway.log
    eventually(lambda: "gateway-offline:gw-1" in world.api.alarms(), SOON_S, "the centre is alarmed")
    gateway.before = ()
    gateway.start()
    world.wait_for_news(within_s=BACK_S)
    assert nothing_lost(world).acknowledged > 20
