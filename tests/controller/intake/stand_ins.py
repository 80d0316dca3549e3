"""A centre in memory: the link and the series are ours to break, the ledger is a real SQLite."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

from lamplighter_contract.clock import ManualClock
from lamplighter_contract.commands.results import Result
from lamplighter_contract.errors import Reason, Refusal
from lamplighter_contract.quantities import Kind
from lamplighter_contract.wire import documents
from lamplighter_contract.wire.ack import Ack, decode_ack
from lamplighter_contract.wire.documents import DeviceEntry, DevicesDocument, GatewayState
from lamplighter_contract.wire.frame import Envelope, readings_body, seal
from lamplighter_contract.wire.topics import Up, up
from lamplighter_controller.events import Events
from lamplighter_controller.intake.engine import Identity, Intake, Registry
from lamplighter_controller.ledger.engine import Ledger
from lamplighter_controller.ledger.errors import LedgerUnavailable
from lamplighter_controller.link.memory import MemoryLink
from lamplighter_controller.security import enrolment
from lamplighter_controller.series.port import Readings, Rejection, Series, SeriesRejected, SeriesUnavailable
from lamplighter_controller.twin.columns import Twin
from tests.controller.ledgers import open_in

NOW_MS = 1_763_650_000_000


class MemorySeries:
    """Keeps rows by key; hangs, fails and rejects when told to."""

    def __init__(self) -> None:
        self.rows: dict[tuple[str, int], dict[str, float]] = {}
        self.open = asyncio.Event()
        self.open.set()
        self.failures = 0
        self.rejects: Callable[[str], bool] = lambda _device: False
        self.commits = 0

    async def write(self, batches: Sequence[Readings]) -> None:
        await self.open.wait()
        if self.failures:
            self.failures -= 1
            raise SeriesUnavailable("made to fail")
        rejected = []
        for batch in batches:
            for row, (device, time_ms) in enumerate(zip(batch.device, batch.time_ms.tolist(), strict=True)):
                if self.rejects(device):
                    rejected.append(Rejection(batch.kind, device, time_ms, "made to reject"))
                    continue
                known = self.rows.setdefault((device, time_ms), {})
                known |= {
                    name: float(column[row]) for name, column in batch.values.items() if column[row] == column[row]
                }
        self.commits += 1
        if rejected:
            raise SeriesRejected(rejected)


@dataclass
class Results:
    """Takes results, fails when told to."""

    taken: list[tuple[str, Result]] = field(default_factory=list)
    failures: int = 0

    async def take_results(self, told: Sequence[tuple[str, Result]]) -> Sequence[tuple[str, Result, Refusal]]:
        if self.failures:
            self.failures -= 1
            raise LedgerUnavailable("made to fail")
        self.taken += told
        refusal = Refusal(Reason.OPERATION, "no such command")
        return [(gateway, result, refusal) for gateway, result in told if result.id == "unknown"]


@dataclass
class Centre:
    """One intake and everything around it."""

    intake: Intake
    link: MemoryLink
    ledger: Ledger
    series: MemorySeries
    twin: Twin
    results: Results
    clock: ManualClock
    events: Events

    def acks(self, gateway: str = "gw-1") -> list[Ack]:
        found = [decode_ack(payload) for topic, payload, _ in self.link.sent if topic.endswith(f"/{gateway}/ack")]
        return [ack for ack in found if isinstance(ack, Ack)]

    def acked(self, gateway: str = "gw-1") -> set[int]:
        return {n for ack in self.acks(gateway) for first, last in ack.seq for n in range(first, last + 1)}

    def send(self, channel: Up, payload: bytes, gateway: str = "gw-1") -> None:
        self.link.deliver(up(gateway, channel), payload)

    def birth(self, gateway: str = "gw-1", boot: str = "boot-a", *, online: bool = True) -> None:
        self.send(Up.STATE, documents.encode(GatewayState(boot, online)), gateway)

    def devices(self, *names: str, gateway: str = "gw-1") -> None:
        entries = tuple(DeviceEntry(name, Kind.LAMP, "lamp-single", "cab-01:1") for name in names)
        self.send(Up.DEVICES, documents.encode(DevicesDocument(entries)), gateway)


def frame(
    seq: int, *devices: str, time_ms: int = NOW_MS, power_w: float | None = 60.0, boot: str = "boot-a", **more: object
) -> bytes:
    columns = {"power_w": [power_w] * len(devices)} | {name: [value] * len(devices) for name, value in more.items()}
    body = readings_body(Kind.LAMP, devices, [time_ms] * len(devices), columns, [0] * len(devices))  # type: ignore[arg-type]  # wrong on purpose in some tests
    return seal(body, Envelope(seq, boot, NOW_MS))


async def until(condition: Callable[[], object], timeout_s: float = 5) -> None:
    async with asyncio.timeout(timeout_s):
        while not condition():
            await asyncio.sleep(0.005)


@contextlib.asynccontextmanager
async def centre(folder: Path, *enrolled: str, series: MemorySeries | None = None) -> AsyncIterator[Centre]:
    """A running intake with gateways enrolled; gw-1 serves lamp-1 to lamp-4."""
    ledger = await open_in(folder)
    clock, events, twin, results = ManualClock(NOW_MS), Events(), Twin(), Results()
    link, series = MemoryLink(), series or MemorySeries()
    port = cast("Series", series)  # only what intake asks of a series
    for name in enrolled or ("gw-1",):
        await ledger.write(lambda c, name=name: enrolment.enrol(c, name, who="test", reason="test", time_ms=NOW_MS))  # type: ignore[misc]  # bound now
    intake = Intake(
        Identity("centre", "boot-c", 7),
        link,
        ledger,
        port,
        twin,
        results,
        events,
        clock,
        Registry.begin(ledger, events, clock),
        future_ms=600_000,
    )
    await intake.load()
    link.handler = intake.reception.receive
    task = asyncio.create_task(intake.run(), name="intake")
    try:
        here = Centre(intake, link, ledger, series, twin, results, clock, events)
        here.devices("lamp-1", "lamp-2", "lamp-3", "lamp-4")
        yield here
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        await ledger.close()
