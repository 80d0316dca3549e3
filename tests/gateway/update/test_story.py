"""Real parts: bundles of real wheels, a real launcher and real gateway processes on a real bus; no network."""

import asyncio
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from lamplighter_contract.commands.signing import Signer, encode_key
from lamplighter_gateway.control import NotRunningError, ask
from tests.gateway.drivers.units import TcpServer, Units
from tests.gateway.update.wheels import gateway, unchanged

pytestmark = [pytest.mark.system, pytest.mark.timeout(400)]

ROOT = Signer("root", bytes(range(32)))
PROFILES = Path(__file__).parents[3] / "config" / "profiles"
PATIENCE_S = 90.0


class Box:
    """A gateway under its launcher, as the service manager runs it."""

    def __init__(self, folder: Path, port: int) -> None:
        self.data, self.file, self.key = folder / "data", folder / "gateway.yaml", folder / "root.key"
        self.key.write_text(f"root {encode_key(bytes(range(32)))}\n")
        content = {
            "gateway": "gw-7",
            "data": str(self.data),
            "profiles": str(PROFILES),
            "root_key": encode_key(ROOT.public),
            "uplink": {"host": "127.0.0.1", "port": 9},
            "update": {"health_min": 1},
            "buses": [{"id": "east", "wire": "modbus-tcp", "host": "127.0.0.1", "port": port}],
            "devices": [{"id": "lamp-1", "bus": "east", "profile": "lamp-single", "unit": 1, "poll_s": 0.2}],
        }
        self.file.write_text(yaml.safe_dump(content))

    async def command(self, *arguments: str) -> tuple[int, str]:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "lamplighter_gateway", *arguments, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
        output, _ = await process.communicate()
        return process.returncode or 0, output.decode()

    async def status(self, wanted):
        """The status, once it is as wanted."""
        async with asyncio.timeout(PATIENCE_S):
            while True:
                try:
                    found = await ask(self.data, {"do": "status"})
                except NotRunningError:
                    found = None
                if found is not None and wanted(found):
                    return found
                await asyncio.sleep(0.2)

    def wheels(self, scratch: Path, version: str, *, spoilt: bool = False) -> Path:
        folder = scratch / f"wheels-{version}"
        folder.mkdir()
        for wheel in (scratch / "wheels").iterdir():
            os.link(wheel, folder / wheel.name)
        gateway(folder, scratch, version, spoilt=spoilt)
        return folder

    async def bundle(self, scratch: Path, version: str, *, spoilt: bool = False) -> Path:
        folder = await asyncio.to_thread(self.wheels, scratch, version, spoilt=spoilt)
        target = scratch / f"{version}.bundle"
        code, output = await self.command("bundle", str(folder), "--key", str(self.key), "--output", str(target))
        assert code == 0, output
        return target


async def test_a_good_update_proves_itself_and_a_bad_one_takes_itself_back(tmp_path):
    async with TcpServer(Units()) as server:
        box = Box(tmp_path, server.port)
        await asyncio.to_thread(unchanged, tmp_path / "wheels", tmp_path)
        environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
        running = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "lamplighter_gateway", "start", str(box.file), env=environment
        )
        try:
            before = await box.status(lambda found: found["config"]["version"] and not found["buses"][0]["silent"])
            assert before["update"]["good"]["slot"] == "base"

            code, output = await box.command(
                "update", str(await box.bundle(tmp_path, "99.0.0")), "--config", str(box.file)
            )
            assert code == 0, output
            good = await box.status(lambda found: found["version"] == "99.0.0" and found["update"]["trial"] is None)
            assert good["update"]["good"]["slot"] == "a"
            assert good["boot"] != before["boot"]

            bad = await box.bundle(tmp_path, "99.1.0", spoilt=True)
            code, output = await box.command("update", str(bad), "--config", str(box.file))
            assert code == 0, output
            after = await box.status(lambda found: bool(found["update"]["failed"]))
            assert after["version"] == "99.0.0"
            assert after["update"]["good"] == good["update"]["good"]
            assert "did not live" in after["update"]["failed"][-1][1]
        finally:
            running.terminate()
            await running.wait()
