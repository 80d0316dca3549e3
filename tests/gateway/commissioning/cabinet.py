"""A simulated cabinet of 92 lamps on a serial line, an inventory with mistakes, and an installer with eyes."""

import asyncio
import contextlib
import json
import os
import re
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from click.testing import CliRunner

from lamplighter_firmware_sim.gateway_config import GatewayOptions, gateway_config
from lamplighter_firmware_sim.serve import RunningCity, running_city
from lamplighter_firmware_sim.survey.files import to_csv
from lamplighter_firmware_sim.survey.tables import tables
from lamplighter_gateway.cli.program import main
from tests.firmware_sim.conftest import scenario_of

PROFILES = Path(__file__).parents[3] / "config" / "profiles"
LAMPS = 92
MIXED = (10, 25, 40, 61, 88)  # units that hang at one another's pole
SCENARIO = f"""
scenario: cabinet
seed: 3
place: {{latitude: 36.65, longitude: 117.12}}
gateways: 1
cabinets: [{{wire: modbus-rtu, count: 1, lamps_each: {LAMPS}}}]
serial: {{baud: 115200, turnaround_ms: 1}}
lamps: [{{model: LED 100, technology: led, rated_w: 100, share: 1}}]
roads: [{{zh: 云杉路, en: Spruce Road}}]
"""
PROMPT = re.compile(r"\[(\d+)/(\d+)\] (\S+) blinks for .*?Pole (\S+)\?.*?q = stop: ", re.DOTALL)


def lamp(unit):
    return f"lamp-01-{unit:03}"


class Cabinet:
    """The city, the gateway's file beside it, and the files an installer takes along."""

    def __init__(self, folder: Path, city: RunningCity) -> None:
        self.folder = folder
        self.city = city
        self.file = folder / "gateway.yaml"
        found = tables(city.simulation.city)
        self.pole_of = {row["device"]: row["pole"] for row in found["luminaires"]}
        self._write_config()
        self.luminaires = folder / "luminaires.csv"
        self.luminaires.write_text(to_csv(found["luminaires"]), "utf-8")
        self.circuits = folder / "circuits.csv"
        wrong = [{**row, "phase": "c"} if row["id"] == "circuit-01-b" else row for row in found["circuits"]]
        self.circuits.write_text(to_csv(wrong), "utf-8")

    def _write_config(self) -> None:
        options = GatewayOptions(
            data=str(self.folder / "data"),
            root_key="11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=",
            profiles=str(PROFILES),
            uplink_port=9,
            poll_s=600,
            names=False,
        )
        text = gateway_config(self.city.simulation.city, "gw-1", self.city.endpoints, options)
        turned = dict(zip(MIXED, (*MIXED[1:], MIXED[0]), strict=True))

        def mixed(match: re.Match[str]) -> str:
            unit = int(match[2])
            return f"{match[1]}unit: {turned.get(unit, unit)}"

        text = re.sub(r"(\{id: lamp-[^}]*?)unit: (\d+)", mixed, text)
        self.file.write_text(text + "light: {switch_ons_per_s: 0}\n", "utf-8")

    def seen_pole(self) -> str:
        """Where the installer sees a lamp blink: that of the newest order to blink."""
        newest = next(write for write in reversed(self.city.writes) if write.what == "identify")
        return str(self.pole_of[newest.device])

    async def run(self, *args: str) -> tuple[int, str]:
        """One command to its end: exit code and what it printed."""
        process = await self.start(*args)
        async with asyncio.timeout(120):
            out, err = await process.communicate()
        return process.returncode or 0, out.decode() or err.decode()

    async def start(self, *args: str) -> asyncio.subprocess.Process:
        command = (sys.executable, "-m", "lamplighter_gateway", *args)
        pipe = asyncio.subprocess.PIPE
        return await asyncio.create_subprocess_exec(
            *command, stdin=pipe, stdout=pipe, stderr=pipe, env=os.environ | {"TZ": "UTC"}
        )

    async def commission(self, step: str, *args: str) -> tuple[int, str]:
        return await self.run("commission", step, "--config", str(self.file), *args)

    async def walk(self, answers: int | None = None) -> int:
        """Answer what is asked as one who sees the street; killed hard after so many answers."""
        process = await self.start("commission", "walk", "--config", str(self.file), "--seconds", "5")
        assert process.stdin is not None
        assert process.stdout is not None
        given, said = 0, ""
        try:
            async with asyncio.timeout(120):
                while piece := await process.stdout.read(4096):
                    said += piece.decode()
                    asked = PROMPT.search(said)
                    if asked is None:
                        continue
                    if answers is not None and given >= answers:
                        process.send_signal(signal.SIGKILL)
                        break
                    pole = self.seen_pole()
                    process.stdin.write((("" if pole == asked[4] else pole) + "\n").encode())
                    given, said = given + 1, said[asked.end() :]
                await process.wait()
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        return given

    @contextlib.asynccontextmanager
    async def service(self) -> AsyncIterator[None]:
        """The gateway as the service manager starts it."""
        log = self.folder / "service.log"
        with log.open("wb") as file:
            command = (sys.executable, "-m", "lamplighter_gateway", "run", str(self.file))
            process = await asyncio.create_subprocess_exec(*command, stdout=file, stderr=file)
        try:
            async with asyncio.timeout(60):
                while not (self.folder / "data" / "control.sock").exists():
                    assert process.returncode is None, log.read_text()
                    await asyncio.sleep(0.05)
            yield
        finally:
            if process.returncode is None:
                process.terminate()
            async with asyncio.timeout(30):
                await process.wait()

    async def without_a_gateway(self, step: str, *args: str) -> tuple[int, str]:
        """A step that only reads the disk, in a thread of ours."""
        command = ["commission", step, "--config", str(self.file), *args]
        result = await asyncio.to_thread(CliRunner().invoke, main, command)
        return result.exit_code, result.output

    async def sheet(self) -> Any:
        _, told = await self.without_a_gateway("sheet", "--json")
        return json.loads(told)


@contextlib.asynccontextmanager
async def cabinet(folder: Path) -> AsyncIterator[Cabinet]:
    async with running_city(scenario_of(SCENARIO), folder) as city:
        yield Cabinet(folder, city)
