"""Many real gateways in one process: everything of theirs but the wire, which is a bus of lamps in memory."""

import asyncio
import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from multiprocessing.context import SpawnProcess
from pathlib import Path
from typing import Final

from benchmarks.meter import BenchmarkError
from benchmarks.parts.memory_lamps import MemoryLamps
from benchmarks.parts.programs import PROFILES
from benchmarks.parts.worker import Counter, counter, worker
from lamplighter_contract.clock import Clock, SystemClock
from lamplighter_contract.commands.signing import decode_key
from lamplighter_gateway.app import Gateway
from lamplighter_gateway.assembly import DWELL_S, entry
from lamplighter_gateway.config.model import Device, Reporting
from lamplighter_gateway.drivers.port import Driver, Sink
from lamplighter_gateway.light.switching import Switching
from lamplighter_gateway.link.mqtt import Broker, MqttLink
from lamplighter_gateway.profiles.load import load_profiles
from lamplighter_gateway.profiles.model import Profile
from lamplighter_gateway.report import Reporter
from lamplighter_gateway.settings import Settings

BUS: Final = "bus-1"
_LOOK_S: Final = 0.02
_REPORTING: Final = Reporting(interval_s=60, heartbeat_s=900, compress=False)
_BEGUN_AT_ONCE: Final = 50


@dataclass(frozen=True, slots=True)
class Crew:
    """What the gateways of one process are: `lamps` each, which show `percent` at first.

    `ons_per_s`: lamps switched on per bus and second, 0 = all at once. `deaf`: lamps that answer no write.
    """

    numbers: range
    lamps: int
    percent: float
    ons_per_s: float = 0.0
    deaf: frozenset[str] = frozenset()

    def names(self, number: int) -> list[str]:
        """The lamps of one gateway."""
        return [lamp_id(number, place) for place in range(self.lamps)]


@dataclass(frozen=True, slots=True)
class Seen:
    """What running gateways let see: how many of them are connected."""

    process: SpawnProcess
    connected: Counter

    def expect_alive(self) -> None:
        """Raise a BenchmarkError when the process has ended."""
        if not self.process.is_alive():
            raise BenchmarkError(f"a process of gateways ended with {self.process.exitcode}")


def connected(crews: Sequence[Seen]) -> int:
    """Gateways that are connected."""
    for crew in crews:
        crew.expect_alive()
    return sum(crew.connected.value for crew in crews)


def gateway_id(number: int) -> str:
    """Name of a gateway."""
    return f"gw-{number:04}"


def lamp_id(number: int, place: int) -> str:
    """Name of a lamp behind it."""
    return f"lamp-{number:04}-{place:03}"


@contextmanager
def gateways(port: int, root_key: str, folder: Path, crews: Iterable[Crew]) -> Iterator[list[Seen]]:
    """Run crews, each in a process of its own, with their data under `folder`."""
    with ExitStack() as stack:
        seen = []
        for crew in crews:
            ready = counter()
            process = stack.enter_context(worker(_run, port, root_key, folder, crew, ready))
            seen.append(Seen(process, ready))
        yield seen


def _run(port: int, root_key: str, folder: Path, crew: Crew, connected: Counter) -> None:
    logging.basicConfig(level=logging.ERROR)
    asyncio.run(_serve(port, root_key, folder, crew, connected))


async def _serve(port: int, root_key: str, folder: Path, crew: Crew, connected: Counter) -> None:
    profile = load_profiles(PROFILES, [])["lamp-single"]
    running: list[Gateway] = []
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(_watch(running, connected), name="watch")
        for number in crew.numbers:
            gateway = _gateway(number, port, root_key, folder, crew, profile)
            running.append(gateway)
            tasks.create_task(gateway.run(), name=gateway_id(number))
            while sum(not one.uplink.connected for one in running) >= _BEGUN_AT_ONCE:
                await asyncio.sleep(_LOOK_S)


async def _watch(running: Sequence[Gateway], connected: Counter) -> None:
    while True:
        connected.value = sum(one.uplink.connected for one in running)
        await asyncio.sleep(0.5)


def _gateway(number: int, port: int, root_key: str, folder: Path, crew: Crew, profile: Profile) -> Gateway:
    clock: Clock = SystemClock()
    name = gateway_id(number)
    devices = [Device(lamp, BUS, profile, unit=place) for place, lamp in enumerate(crew.names(number), start=1)]

    def drivers(sink: Sink) -> Mapping[str, Driver]:
        return {BUS: MemoryLamps(BUS, (device.id for device in devices), sink, clock, crew.percent, crew.deaf)}

    return Gateway(
        Settings(
            gateway=name,
            data=folder / name,
            root_key=decode_key(root_key),
            switching=Switching(DWELL_S, crew.ons_per_s),
        ),
        [entry(device) for device in devices],
        {device.id: device.bus for device in devices},
        drivers,
        MqttLink(Broker("127.0.0.1", port, name)),
        clock,
        Reporter(devices, _REPORTING),
    )
