"""A whole gateway on in-memory ports, and the centre's half of the conversation."""

import asyncio
import contextlib
import secrets
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from lamplighter_contract.clock import ManualClock, SystemClock
from lamplighter_contract.commands.command import Command, Operation, Target
from lamplighter_contract.commands.signing import KeysDocument, PublicKey, Signer, encode_key
from lamplighter_contract.ids import uuid7
from lamplighter_contract.wire.topics import Down
from lamplighter_gateway.app import Gateway
from lamplighter_gateway.drivers.port import Driver, Reading, Sink
from lamplighter_gateway.faults import FaultHook, no_fault
from lamplighter_gateway.link.port import Link
from lamplighter_gateway.settings import Settings
from lamplighter_gateway.uplink.lanes import Timing
from tests.gateway.fakes import MemoryBus, MemoryLink, lamp_entry, until

GATEWAY = "gw-7"
LAMPS = ("lamp-1", "lamp-2", "lamp-3")
ROOT = Signer("root", bytes(range(32)))
KEY = Signer("k1", bytes(range(1, 33)))
FAST = Timing(ack_timeout_s=0.5, backlog_delay_s=0.0, backlog_per_s=500)


def keys_document(*, begins: int = 0, ends: int = 2**52, version: int = 1) -> bytes:
    document = KeysDocument(version, (PublicKey(KEY.kid, encode_key(KEY.public), begins, ends),))
    return ROOT.sign(document.as_json())


class Centre:
    """Makes commands as the controller does."""

    def __init__(self, link: MemoryLink, clock: ManualClock | SystemClock) -> None:
        self.link = link
        self.clock = clock
        self.seq = 100

    def command(
        self, operation: Operation, args: Mapping[str, Any], devices: tuple[str, ...] = (), **changes: Any
    ) -> Command:
        self.seq += 1
        now = self.clock.wall_ms()
        fields: dict[str, Any] = {
            "id": uuid7(now, secrets.token_bytes(10)),
            "seq": self.seq,
            "gateway": GATEWAY,
            "issued": now,
            "expires": now + 60_000,
            "by": "user:wang",
            "reason": "test",
            "target": Target(devices),
            "op": operation,
            "args": dict(args),
        }
        return Command(**(fields | changes))

    def light_set(
        self, level: float, devices: tuple[str, ...] = ("lamp-1",), last_s: float = 3600, **changes: Any
    ) -> Command:
        until_ms = self.clock.civil_ms() + round(last_s * 1000)
        return self.command(Operation.LIGHT_SET, {"level_percent": level, "until": until_ms}, devices, **changes)

    def send(self, command: Command, *, signer: Signer = KEY, retained: bool = False) -> Command:
        self.link.send(Down.COMMAND, signer.sign(command.as_json()), retained=retained)
        return command

    async def final(self, command: Command) -> dict[str, Any]:
        """The last result, once it says that the command has ended."""
        ends = {"verified", "rejected", "failed", "expired", "superseded", "unconfirmed"}
        await until(lambda: any(r["state"] in ends for r in self.link.results(command.id)))
        return self.link.results(command.id)[-1]


class Everything:
    """Reports every reading, and remembers them."""

    def __init__(self) -> None:
        self.offered: set[tuple[str, int]] = set()

    def offer(self, readings: Sequence[Reading], now_s: float) -> Sequence[Reading]:
        self.offered.update((reading.device, reading.time_ms) for reading in readings)
        return readings

    def overdue(self, now_s: float) -> Sequence[Reading]:
        return ()

    def presses(self, now_s: float) -> bool:
        return True


class Rig:
    """Starts gateways one after the other on the same data folder."""

    def __init__(self, folder: Path, real_link: Link | None = None) -> None:
        self.folder = folder
        self.real_link = real_link
        self.clock = SystemClock()
        self.link = MemoryLink(GATEWAY)
        self.centre = Centre(self.link, self.clock)
        self.reports = Everything()
        self.levels: dict[str, float] = {}
        self.bus: MemoryBus
        self.gateway: Gateway

    def _drivers(self, sink: Sink) -> dict[str, Driver]:
        self.bus = MemoryBus("bus-1", LAMPS, sink, self.clock)
        self.bus.levels.update(self.levels)
        self.levels = self.bus.levels
        return {"bus-1": self.bus}

    def build(self, fault: FaultHook = no_fault) -> Gateway:
        settings = Settings(GATEWAY, self.folder, ROOT.public, timing=FAST)
        self.gateway = Gateway(
            settings,
            [lamp_entry(lamp) for lamp in LAMPS],
            dict.fromkeys(LAMPS, "bus-1"),
            self._drivers,
            self.real_link or self.link,
            self.clock,
            self.reports,
            fault,
        )
        return self.gateway

    @contextlib.asynccontextmanager
    async def running(self, fault: FaultHook = no_fault) -> AsyncIterator[Gateway]:
        gateway = self.build(fault)
        task = asyncio.create_task(gateway.run(), name="gateway")
        try:
            await until(lambda: task.done() or gateway.uplink.connected or not self.link.reachable)
            if self.link.connection is not None:
                self.link.send(Down.KEYS, keys_document(), retained=True)
            yield gateway
        finally:
            gateway.stop()
            async with asyncio.timeout(5):
                await task
