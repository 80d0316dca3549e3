"""A running bus for tests: its driver, what it read, and a wait on conditions."""

import asyncio
import contextlib
from pathlib import Path
from random import Random

from lamplighter_contract.clock import SystemClock
from lamplighter_gateway.config.model import Device, Parity, SerialBus, TcpBus
from lamplighter_gateway.drivers.modbus.bus import ModbusBus
from lamplighter_gateway.drivers.port import Point, Reading, Write
from lamplighter_gateway.profiles.load import load_profiles

PROFILES = load_profiles(Path(__file__).parents[3] / "config" / "profiles", [])


def lamps(count, *, poll_s=0.05, first=1):
    profile = PROFILES["lamp-single"]
    return [Device(f"lamp-{n}", "bus", profile, unit=n, poll_s=poll_s) for n in range(first, first + count)]


def tcp(port, timeout_s=0.1):
    return TcpBus("bus", "127.0.0.1", port, timeout_s)


def serial(device, timeout_s=0.05):
    return SerialBus("bus", device, 115_200, Parity.NONE, 1, timeout_s)


class Rig:
    """The driver and all readings so far."""

    def __init__(self, bus, devices):
        self.clock = SystemClock()
        self.readings: list[Reading] = []
        self.applied: list[str] = []
        self.driver = ModbusBus(bus, devices, self.clock, self.readings.extend, Random(1))

    def of(self, device):
        return [reading for reading in self.readings if reading.device == device]

    def level(self, device, value, seconds=5.0):
        return Write(device, Point.LEVEL, value, self.clock.monotonic_s() + seconds)

    async def write(self, *writes, broadcast=False):
        return await self.driver.write(writes, self.applied.append, broadcast=broadcast)


@contextlib.asynccontextmanager
async def running(bus, devices):
    rig = Rig(bus, devices)
    task = asyncio.create_task(rig.driver.run(), name="bus under test")
    try:
        yield rig
    finally:
        task.cancel()
        async with asyncio.timeout(5):
            await asyncio.gather(task, return_exceptions=True)
        assert task.cancelled()


async def until(condition, seconds=10.0):
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.005)
