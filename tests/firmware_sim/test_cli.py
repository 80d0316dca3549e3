import asyncio
import json
import signal
import socket
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner

from lamplighter_firmware_sim.cli import main
from tests.firmware_sim.conftest import CONFIG, SMALL

CITY = str(CONFIG / "sim" / "city.yaml")


def sim(*arguments: str) -> tuple[int, str, str]:
    result = CliRunner().invoke(main, arguments)
    return result.exit_code, result.stdout, result.stderr


def test_check_and_city() -> None:
    code, text, _ = sim("check", "--scenario", CITY)
    assert code == 0
    assert "4 gateways, 20 supply points, 68 circuits, 1808 lamps" in text
    code, text, _ = sim("city", "--scenario", CITY, "--json")
    assert len(json.loads(text)["lamps"]) == 1808


def test_every_mistake_is_listed_and_the_exit_code_is_2(tmp_path: Path) -> None:
    path = tmp_path / "wrong.yaml"
    path.write_text(SMALL.replace("seed: 7", "seed: x\nlamp: 1").replace("wire: mqtt", "wire: m"), "utf-8")
    code, _, errors = sim("run", "--scenario", str(path), "--directory", str(tmp_path / "run"))
    assert code == 2
    assert [line.split(": ")[1] for line in errors.splitlines()] == ["seed", "cabinets[2].wire", "lamp"]
    assert not (tmp_path / "run").exists()


def test_a_fault_of_nothing_in_the_city_is_a_mistake_in_the_file(tmp_path: Path) -> None:
    path = tmp_path / "wrong.yaml"
    faults = "faults:\n  - {kind: silent, target: lamp-01-001}\n  - {kind: dead_lamp, target: cab-01}\n"
    path.write_text(SMALL + faults, "utf-8")
    code, _, errors = sim("check", "--scenario", str(path))
    assert code == 2
    assert "faults[1].target: 'cab-01' - expected the id of a lamp" in errors
    assert len(errors.splitlines()) == 1


def test_gateway_config_is_printed() -> None:
    code, text, _ = sim(
        "gateway-config", "--scenario", CITY, "--gateway", "gw-2", "--directory", "run/sim", "--data", "run/gw-2",
        "--root-key", "k", "--clock", "run/clock.json", "--ranges",
    )  # fmt: skip
    document = yaml.safe_load(text)
    assert code == 0
    assert "name" in document["devices"][0]
    assert (document["gateway"], document["clock"]) == ("gw-2", "run/clock.json")
    assert document["buses"][0]["port"] == 15_006


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["gateway-config", "--scenario", CITY, "--gateway", "gw-9", "--data", "d", "--root-key", "k"], "gw-1, gw-2"),
        (["gateway-config", "--scenario", CITY, "--gateway", "gw-1", "--data", "d", "--root-key", "k"], "--directory"),
        (["fault", "list", "--directory", "."], "no simulator answers there"),
        (["run", "--scenario", CITY, "--directory", "x", "--field-broker", "nowhere"], "expected host:port"),
    ],
)
def test_a_wrong_call_is_told_so(arguments: list[str], said: str) -> None:
    code, _, errors = sim(*arguments)
    assert code == 2
    assert said in errors


def test_a_port_that_is_taken_is_told_and_nothing_is_left(tmp_path: Path) -> None:
    scenario, directory = tmp_path / "small.yaml", tmp_path / "run"
    scenario.write_text(SMALL, "utf-8")
    with socket.create_server(("127.0.0.1", 0)) as other:
        base = other.getsockname()[1] - 1
        code, _, errors = sim(
            "run", "--scenario", str(scenario), "--directory", str(directory), "--port-base", str(base)
        )
    assert code == 2
    assert str(base + 1) in errors
    assert not list(directory.glob("rtu-*"))
    assert not (directory / "sim.sock").exists()


class Running:
    """`lamplighter-sim run` as a child process."""

    def __init__(self, process: asyncio.subprocess.Process, directory: Path, endpoints: dict[str, object]) -> None:
        self.process, self.directory, self.endpoints = process, directory, endpoints

    async def ask(self, *arguments: str) -> tuple[int, str, str]:
        return await asyncio.to_thread(sim, *arguments, "--directory", str(self.directory))


async def start(scenario: Path, directory: Path) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable, "-c", "from lamplighter_firmware_sim.cli import main; main()", "run",
        "--scenario", str(scenario), "--directory", str(directory),
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip


@pytest.fixture
async def running(tmp_path: Path) -> AsyncIterator[Running]:
    scenario, directory = tmp_path / "small.yaml", tmp_path / "run"
    scenario.write_text(SMALL, "utf-8")
    process = await start(scenario, directory)
    assert process.stdout is not None
    async with asyncio.timeout(20):
        word, _, document = (await process.stdout.readline()).decode().partition(" ")
    assert word == "ready"
    yield Running(process, directory, json.loads(document))
    if process.returncode is None:
        process.kill()
    await process.communicate()


@pytest.mark.system
async def test_run_serves_takes_faults_and_stops_clean(running: Running) -> None:
    assert running.endpoints == json.loads((running.directory / "endpoints.json").read_text("utf-8"))
    assert (running.directory / "rtu-cab-02").is_symlink()
    assert (running.directory / "sim.sock").stat().st_mode & 0o777 == 0o600
    assert (await running.ask("fault", "add", "silent", "lamp-01-*", "--seconds", "60"))[0] == 0
    rows = json.loads((await running.ask("fault", "list", "--json"))[1])
    assert [(row["kind"], row["devices"], row["holds"]) for row in rows] == [("silent", 30, True)]
    assert json.loads((await running.ask("lamp", "lamp-01-001"))[1])["id"] == "lamp-01-001"
    assert (await running.ask("fault", "add", "silent", "lamp-77-001"))[0] == 2
    assert "1 fault(s) cleared" in (await running.ask("fault", "clear"))[1]
    running.process.send_signal(signal.SIGTERM)
    async with asyncio.timeout(10):
        _, errors = await running.process.communicate()
    assert running.process.returncode == 0
    assert errors.count(b"\n") == 1
    assert b"the 12 lamps that speak MQTT stay unreachable" in errors
    assert {path.name for path in running.directory.iterdir()} == {"memory.npz"}


@pytest.mark.system
async def test_a_second_simulator_in_the_same_directory_is_refused(running: Running, tmp_path: Path) -> None:
    second = await start(tmp_path / "small.yaml", running.directory)
    async with asyncio.timeout(20):
        _, errors = await second.communicate()
    assert second.returncode == 2
    assert b"another simulator is running" in errors
    assert (await running.ask("fault", "list"))[0] == 0
    assert (running.directory / "rtu-cab-02").is_symlink()
