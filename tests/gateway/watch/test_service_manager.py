import asyncio
import socket

import pytest

from lamplighter_gateway.watch.service_manager import ServiceManager
from tests.gateway.fakes import until
from tests.gateway.rig import Rig


@pytest.fixture
def manager(tmp_path):
    """The service manager's end of the socket."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as heard:
        heard.bind(str(tmp_path / "notify"))
        heard.setblocking(False)
        yield heard


def words(heard):
    found = []
    while True:
        try:
            found.append(heard.recv(100).decode())
        except BlockingIOError:
            return found


async def test_a_gateway_says_that_it_is_ready_lives_and_stops(tmp_path, manager):
    rig = Rig(tmp_path)
    gateway = rig.build()
    environment = {"NOTIFY_SOCKET": str(tmp_path / "notify"), "WATCHDOG_USEC": "30000000"}
    said = []
    running = asyncio.create_task(gateway.run(ServiceManager(environment)))

    def heard(word, count=1):
        said.extend(words(manager))
        return said.count(word) >= count

    await until(lambda: heard("READY=1"))
    await until(lambda: heard("WATCHDOG=1", 2))
    gateway.stop()
    await running
    assert heard("STOPPING=1")


async def test_the_watchdog_is_fed_by_the_loop_that_keeps_the_lamps_and_by_nothing_else(tmp_path, manager, monkeypatch):
    gateway = Rig(tmp_path).build()
    stuck = asyncio.Event()
    steps = []

    async def step(_writes):
        steps.append(1)
        if len(steps) == 2:
            await stuck.wait()

    monkeypatch.setattr(gateway._autonomy, "step", step)
    environment = {"NOTIFY_SOCKET": str(tmp_path / "notify"), "WATCHDOG_USEC": "30000000"}
    running = asyncio.create_task(gateway.run(ServiceManager(environment)))
    await until(lambda: len(steps) == 2)
    words(manager)
    await asyncio.sleep(1.5)  # longer than two of its rounds: everything else goes on
    assert "WATCHDOG=1" not in words(manager)
    gateway.stop()
    await running


def test_nobody_is_told_who_did_not_ask(tmp_path, manager):
    ServiceManager({}).ready()
    ServiceManager({"NOTIFY_SOCKET": str(tmp_path / "notify")}).alive()
    assert words(manager) == []


def test_a_manager_that_is_gone_harms_nobody(tmp_path, caplog):
    told = ServiceManager({"NOTIFY_SOCKET": str(tmp_path / "gone")})
    told.ready()
    told.ready()
    assert len(caplog.records) == 1
