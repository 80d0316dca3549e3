"""Real parts: a gateway process on a real bus is given a configuration that cuts it off, and one with mistakes."""

import asyncio
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from lamplighter_gateway.control import NotRunningError, ask
from tests.gateway.change.site import PROFILES
from tests.gateway.drivers.units import TcpServer, Units

pytestmark = [pytest.mark.system, pytest.mark.timeout(400)]

PATIENCE_S = 90.0
NOBODY = 9  # discard: nobody speaks Modbus there


def content(folder: Path, *ports: int) -> dict[str, Any]:
    buses = [{"id": f"b-{n}", "wire": "modbus-tcp", "host": "127.0.0.1", "port": p} for n, p in enumerate(ports)]
    rows = [
        {"id": f"lamp-{n}", "bus": f"b-{n}", "profile": "lamp-single", "unit": 1, "poll_s": 0.2}
        for n, _ in enumerate(ports)
    ]
    return {
        "gateway": "gw-7",
        "data": str(folder / "data"),
        "profiles": str(PROFILES),
        "root_key": "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=",
        "uplink": {"host": "127.0.0.1", "port": NOBODY},
        "config": {"trial_min": 0.1},
        "buses": buses,
        "devices": rows,
    }


async def status(data: Path, wanted: Callable[[Any], bool]) -> Any:
    async with asyncio.timeout(PATIENCE_S):
        while True:
            try:
                found = await ask(data, {"do": "status"})
                if wanted(found):
                    return found
            except NotRunningError:
                pass
            await asyncio.sleep(0.1)


async def reload(file: Path) -> Any:
    command = [sys.executable, "-m", "lamplighter_gateway", "reload", str(file)]
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(*command, stdout=pipe, stderr=pipe)
    output, errors = await process.communicate()
    return json.loads(output) if output else {"code": process.returncode, "problems": errors.decode().splitlines()}


def reads(found: Any, bus: str) -> int:
    return next(int(one["requests"]) for one in found["buses"] if one["bus"] == bus)


async def test_a_bad_configuration_takes_itself_back_and_the_other_bus_notices_nothing(tmp_path):
    file, data = tmp_path / "gateway.yaml", tmp_path / "data"
    async with TcpServer(Units()) as east, TcpServer(Units()) as west:
        file.write_text(yaml.safe_dump(content(tmp_path, east.port)))
        command = [sys.executable, "-m", "lamplighter_gateway", "run", str(file)]
        running = await asyncio.create_subprocess_exec(*command)
        try:
            good = await status(data, lambda found: (data / "config.json").exists() and reads(found, "b-0") > 3)
            version = good["config"]["version"]

            two = content(tmp_path, east.port, west.port)
            file.write_text(yaml.safe_dump(two))
            assert (await reload(file))["buses"] == ["b-1"]
            both = await status(data, lambda found: len(found["buses"]) == 2 and reads(found, "b-1") > 0)
            assert both["boot"] == good["boot"]
            assert reads(both, "b-0") >= reads(good, "b-0"), "it was not begun anew"
            better = both["config"]["version"]
            await status(data, lambda found: not found["config"]["trial"])

            two["buses"][0]["port"] = two["buses"][1]["port"] = 0
            file.write_text(yaml.safe_dump(two))
            refused = await reload(file)
            assert refused["code"] == 2
            assert {problem.split(": ")[1] for problem in refused["problems"]} >= {"buses[0].port", "buses[1].port"}
            assert (await ask(data, {"do": "status"}))["config"]["version"] == better

            file.write_text(yaml.safe_dump(content(tmp_path, NOBODY)))
            assert (await reload(file))["outcome"] == "on trial"
            back = await status(data, lambda found: bool(found["config"]["taken_back"]))
            assert back["config"]["version"] == better != version
            assert back["boot"] == good["boot"]
            await status(data, lambda found: len(found["buses"]) == 2 and reads(found, "b-1") > 0)
        finally:
            running.terminate()
            await running.wait()
