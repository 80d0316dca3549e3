"""The controller as a child process, and a gateway that speaks the contract to it."""

import asyncio
import re
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Self

import aiomqtt
import httpx
from click.testing import CliRunner, Result

from lamplighter_contract.quantities import Kind
from lamplighter_contract.wire import documents
from lamplighter_contract.wire.ack import Ack, decode_ack
from lamplighter_contract.wire.documents import ControllerState, DeviceEntry, DevicesDocument, GatewayState
from lamplighter_contract.wire.frame import Envelope, readings_body, seal
from lamplighter_contract.wire.topics import CONTROLLER_STATE, Up, down_filter, up
from lamplighter_controller.cli.controller import main

START_S = 120.0  # it starts within 3 s on a machine that does nothing else


class Controller:
    """One controller on a folder; may be killed and started again."""

    def __init__(self, folder: Path, broker_port: int, *more: str, name: str = "centre-1") -> None:
        self.folder = folder
        self.config = folder / "controller.yaml"
        self.log = folder / "controller.log"
        self.url = self.token = ""
        self._process: subprocess.Popen[bytes] | None = None
        lines = [
            f"controller: {name}",
            "data: data",
            f"broker: {{host: 127.0.0.1, port: {broker_port}, keepalive_s: 5}}",
            "http: {port: 0}",
            "enrolled: [gw-1]",
            *more,
        ]
        folder.mkdir(exist_ok=True)
        self.config.write_text("\n".join(lines) + "\n")

    def run_tool(self, *words: str) -> Result:
        """Run another command of the program on the same configuration, in a thread of ours: starting costs seconds."""
        with ThreadPoolExecutor(1) as thread:
            return thread.submit(CliRunner().invoke, main, [words[0], str(self.config), *words[1:]]).result(60)

    def run_gateway(self, verb: str, name: str) -> Result:
        """Run `gateway <verb>` on the same configuration, likewise."""
        words = ["gateway", verb, str(self.config), name, "--reason", "test"]
        with ThreadPoolExecutor(1) as thread:
            return thread.submit(CliRunner().invoke, main, words).result(60)

    def fail_to_start(self) -> subprocess.CompletedProcess[str]:
        """Run it where it is expected to end by itself."""
        command = [sys.executable, "-m", "lamplighter_controller", "run", str(self.config)]
        return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)

    def start(self) -> Self:
        command = [sys.executable, "-m", "lamplighter_controller", "run", str(self.config)]
        out = self.folder / "controller.out"
        with out.open("wb") as stdout, self.log.open("ab") as stderr:
            self._process = subprocess.Popen(command, stdout=stdout, stderr=stderr)
        deadline = time.monotonic() + START_S
        while not (found := re.search(r"console: (https?://[^/]*)/(?:#token=(\S+))?\n", out.read_text())):
            assert self._process.poll() is None, self.log.read_text()
            assert time.monotonic() < deadline, self.log.read_text()
            time.sleep(0.02)
        self.url = found[1]
        kept = self.folder / "data" / "admin.token"
        if kept.exists():
            self.token = kept.read_text()
        return self

    def stop(self) -> float:
        """SIGTERM; returns the seconds it took. It must end well."""
        assert self._process
        begun = time.monotonic()
        self._process.send_signal(signal.SIGTERM)
        assert self._process.wait(10) == 0, self.log.read_text()
        self._process = None
        return time.monotonic() - begun

    def kill(self) -> None:
        if self._process:
            self._process.kill()
            self._process.wait(10)
            self._process = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.kill()

    def client(self) -> httpx.AsyncClient:
        """An HTTP client with the administrator's token."""
        headers = {"authorization": f"Bearer {self.token}"}
        return httpx.AsyncClient(base_url=f"{self.url}/api/v1", headers=headers, timeout=10)


class Gateway:
    """A gateway that sends what it is told to and collects the acks."""

    def __init__(self, client: aiomqtt.Client, name: str, boot: str) -> None:
        self.client, self.name, self.boot = client, name, boot
        self.acks: list[Ack] = []
        self.others: list[aiomqtt.Message] = []
        self.centre: ControllerState | None = None

    @property
    def acked(self) -> set[int]:
        return {n for ack in self.acks for first, last in ack.seq for n in range(first, last + 1)}

    async def centre_after(self, epoch: int = 0) -> None:
        """Wait for a controller that stores, of a later epoch."""
        await until(lambda: self.centre and self.centre.online and self.centre.epoch > epoch)

    async def born(self, *devices: str) -> None:
        """Wait for the controller, then introduce ourselves."""
        await self.centre_after()
        birth = documents.encode(GatewayState(self.boot, online=True))
        await self.client.publish(up(self.name, Up.STATE), birth, 1, retain=True)
        entries = tuple(DeviceEntry(device, Kind.LAMP, "lamp-single", "bus:1", ("light.set",)) for device in devices)
        await self.client.publish(up(self.name, Up.DEVICES), documents.encode(DevicesDocument(entries)), 1, retain=True)

    async def send(self, seq: int, *devices: str, time_ms: int, power_w: float = 60.0, lane: Up = Up.LIVE) -> None:
        rows = len(devices)
        body = readings_body(Kind.LAMP, devices, [time_ms] * rows, {"power_w": [power_w] * rows}, [0] * rows)
        await self.client.publish(up(self.name, lane), seal(body, Envelope(seq, self.boot, time_ms)), 1)

    async def listen(self) -> None:
        async for message in self.client.messages:
            if str(message.topic).endswith("/ack"):
                assert isinstance(message.payload, bytes)
                ack = decode_ack(message.payload)
                assert isinstance(ack, Ack)
                self.acks.append(ack)
            elif str(message.topic) == CONTROLLER_STATE:
                assert isinstance(message.payload, bytes)
                state = documents.decode(message.payload, ControllerState)
                assert isinstance(state, ControllerState)
                self.centre = state
            else:
                self.others.append(message)


@asynccontextmanager
async def gateway(port: int, name: str = "gw-1", boot: str = "boot-a") -> AsyncIterator[Gateway]:
    async with aiomqtt.Client("127.0.0.1", port, identifier=f"{name}-{boot}") as client:
        here = Gateway(client, name, boot)
        await client.subscribe([(down_filter(name), 1), (CONTROLLER_STATE, 1)])
        task = asyncio.create_task(here.listen(), name=name)
        try:
            yield here
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


async def until(condition: Callable[[], object], timeout_s: float = 15) -> None:
    async with asyncio.timeout(timeout_s):
        while not condition():
            await asyncio.sleep(0.02)


def now_ms() -> int:
    return time.time_ns() // 1_000_000


def mode_of(path: Path) -> int:
    return path.stat().st_mode & 0o777
