"""A gateway assembled from its file as in service; only wires, broker and clock are in memory."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import yaml

from lamplighter_contract.clock import ManualClock
from lamplighter_contract.commands.signing import encode_key
from lamplighter_contract.wire.topics import Down
from lamplighter_gateway import assembly
from lamplighter_gateway.app import Ending, Gateway
from lamplighter_gateway.change import desk
from lamplighter_gateway.change.starting import Start, start
from tests.gateway.fakes import MemoryBus, MemoryLink, until
from tests.gateway.rig import GATEWAY, KEY, ROOT, keys_document

PROFILES = Path(__file__).parents[3] / "config" / "profiles"
TRIAL_S = 600.0


def lamp(name: str, bus: str, unit: int = 1) -> dict[str, Any]:
    return {"id": name, "bus": bus, "profile": "lamp-single", "unit": unit}


def bus(name: str, port: int, host: str = "127.0.0.1") -> dict[str, Any]:
    return {"id": name, "wire": "modbus-tcp", "host": host, "port": port}


def tree(**changes: Any) -> dict[str, Any]:
    """Two buses of one lamp each."""
    usual: dict[str, Any] = {
        "gateway": GATEWAY,
        "data": "data",
        "profiles": str(PROFILES),
        "root_key": encode_key(ROOT.public),
        "uplink": {"host": "127.0.0.1", "port": 1883},
        "buses": [bus("east", 1501), bus("west", 1502)],
        "devices": [lamp("lamp-e", "east"), lamp("lamp-w", "west")],
    }
    return {key: value for key, value in (usual | changes).items() if value is not None}


class Site:
    """A bus whose host is `dead` has nobody on it."""

    def __init__(self, folder: Path, monkeypatch: Any) -> None:
        self.file = folder / "gateway.yaml"
        self.clock = ManualClock()
        self.link = MemoryLink(GATEWAY)
        self.buses: list[MemoryBus] = []
        self.gateway: Gateway
        self.ending: asyncio.Task[Ending]
        monkeypatch.setattr(desk, "LOOK_S", 0.02)
        monkeypatch.setattr(assembly, "SystemClock", lambda _scale: self.clock)
        monkeypatch.setattr(assembly, "MqttLink", lambda _broker: self.link)
        monkeypatch.setattr(assembly, "_driver", self._driver)

    def write(self, content: dict[str, Any] | str) -> None:
        self.file.write_text(content if isinstance(content, str) else yaml.safe_dump(content))

    def start(self) -> Start:
        found = start(self.file, {})
        assert isinstance(found, Start), found
        return found

    def bus(self, name: str) -> MemoryBus:
        """The newest driver of a bus."""
        return next(driver for driver in reversed(self.buses) if driver.bus == name)

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[Gateway]:
        self.gateway = assembly.assemble(self.start(), {})
        self.ending = asyncio.create_task(self.gateway.run(), name="gateway")
        try:
            await until(lambda: self.ending.done() or self.gateway.uplink.connected or not self.link.reachable)
            if self.link.connection is not None:
                self.link.send(Down.KEYS, keys_document(), retained=True)
            yield self.gateway
        finally:
            self.gateway.stop()
            async with asyncio.timeout(10):
                await self.ending

    async def reload(self) -> dict[str, Any]:
        return await self.gateway.requests["reload"]({}, "wang")

    def about(self) -> Any:
        return self.gateway.shown["config"]()

    async def proven(self) -> None:
        """Wait until what is in force is kept as good."""
        await until(lambda: (self.kept().get("good") or {}).get("version") == self.about()["version"])

    def kept(self) -> Any:
        file = self.file.parent / "data" / "config.json"
        return json.loads(file.read_bytes()) if file.exists() else {}

    def said(self, event: str) -> list[dict[str, Any]]:
        return [one for one in self.link.events() if one["event"] == event]

    def central(self, version: int, **changes: Any) -> bytes:
        parts = tree()
        document = {
            "v": 1,
            "gateway": GATEWAY,
            "version": version,
            "buses": parts["buses"],
            "devices": parts["devices"],
            "profiles": {"lamp-single": yaml.safe_load((PROFILES / "lamp-single.yaml").read_text())},
        }
        return KEY.sign(document | changes)

    def _driver(self, its: Any, config: Any, clock: Any, sink: Any) -> MemoryBus:
        driver = MemoryBus(its.id, [device.id for device in config.devices_on(its.id)], sink, clock)
        if its.host == "dead":
            driver.silent.update(driver.levels)
        self.buses.append(driver)
        return driver
