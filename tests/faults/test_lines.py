"""Everything that befalls a wire, on the simulator's ptys and sockets: no wrong value, others go on, `status` says it.

Every answer of a lamp carries the lamp's unit and how often it was asked, so that one that is taken for another's, or
for another question's, is known by its number.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

import pytest

from lamplighter_contract.clock import ManualClock, SystemClock
from lamplighter_firmware_sim.serve import RunningCity, running_city
from lamplighter_firmware_sim.wires.modbus import ExceptionCode, Unit
from lamplighter_gateway.config.model import Device, Parity, SerialBus, TcpBus
from lamplighter_gateway.drivers.modbus.bus import ModbusBus
from lamplighter_gateway.drivers.port import BusStatus, Outcome, Point, Reading, Write
from tests.firmware_sim.conftest import civil_ms, scenario_of
from tests.gateway.drivers.rig import PROFILES

pytestmark = [pytest.mark.fault, pytest.mark.timeout(180)]

LAMPS = 6
TIMEOUT_S = 0.1
PATIENCE_S = 60.0
ENERGY = 6  # register of the number, two of them
CITY = scenario_of(f"""
scenario: lines
seed: 5
physics: static
place: {{latitude: 36.65, longitude: 117.12}}
gateways: 1
cabinets:
  - {{wire: modbus-tcp, count: 1, lamps_each: {LAMPS}}}
  - {{wire: modbus-rtu, count: 1, lamps_each: {LAMPS}}}
serial: {{baud: 115200, turnaround_ms: 2}}
lamps: [{{model: LED 100, technology: led, rated_w: 100, share: 1}}]
roads: [{{zh: 云杉路, en: Spruce Road}}]
""")


@dataclass
class Numbered:
    """A lamp whose energy is its unit and how often its sixteen registers were asked for."""

    lamp: Unit
    unit: int
    asked: int = 0
    hears_broadcast: bool = True

    def answers(self) -> bool:
        return self.lamp.answers()

    def strength(self, fault: str) -> float:
        return self.lamp.strength(fault)

    def write(self, address: int, values: Sequence[int]) -> ExceptionCode | None:
        return self.lamp.write(address, values)

    def read(self, address: int, count: int) -> bytes | ExceptionCode:
        found = self.lamp.read(address, count)
        if isinstance(found, ExceptionCode) or count < 16:
            return found
        self.asked += 1
        return found[: 2 * ENERGY] + self.number.to_bytes(4, "big") + found[2 * ENERGY + 4 :]

    @property
    def number(self) -> int:
        return self.unit * 1_000_000 + self.asked


@dataclass
class Line:
    """One bus of the city and the gateway's driver on it."""

    lamps: dict[str, Numbered]
    bus: SerialBus | TcpBus
    read: dict[str, int] = field(default_factory=dict)
    wrong: list[Reading] = field(default_factory=list)

    def __post_init__(self) -> None:
        devices = [
            Device(name, self.bus.id, PROFILES["lamp-single"], unit=lamp.unit, poll_s=0.05)
            for name, lamp in self.lamps.items()
        ]
        self.driver = ModbusBus(self.bus, devices, SystemClock(), self.take, Random(1))

    def take(self, readings: Sequence[Reading]) -> None:
        for reading in readings:
            if "energy_kwh" not in reading.values:
                continue  # a level, read back alone
            energy_kwh = reading.values["energy_kwh"]
            assert isinstance(energy_kwh, float)
            if round(energy_kwh * 1000) != self.lamps[reading.device].number:
                self.wrong.append(reading)
            self.read[reading.device] = self.read.get(reading.device, 0) + 1

    @property
    def status(self) -> BusStatus:
        return self.driver.status()

    async def until(self, condition: Callable[[BusStatus], bool]) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while not condition(self.status):
                await asyncio.sleep(0.01)

    async def goes_on(self, *names: str) -> None:
        """Every lamp that is named is read three times more."""
        aims = {name: self.read.get(name, 0) + 3 for name in names or self.lamps}
        await self.until(lambda _: all(self.read.get(name, 0) >= aim for name, aim in aims.items()))


@dataclass
class Lines:
    """A serial line and a socket beside it."""

    city: RunningCity
    serial: Line
    tcp: Line

    def befalls(self, kind: str, target: str, value: float | None = None) -> None:
        self.city.faults.add(kind, target, value=value)
        self._look()

    def mended(self) -> None:
        self.city.faults.clear()
        self._look()

    def _look(self) -> None:
        for line in self.city.lines:
            line.look()


def _numbered(city: RunningCity, cabinet: str) -> dict[str, Numbered]:
    units = city.buses[cabinet].units
    lamps = {}
    for unit in [one for one in units if one <= LAMPS]:
        one = Numbered(units[unit], unit)
        units[unit] = one
        lamps[f"lamp-{cabinet[-2:]}-{unit:03}"] = one
    return lamps


@pytest.fixture
async def lines(tmp_path: Path) -> AsyncIterator[Lines]:
    night = ManualClock(now_ms=civil_ms("2025-11-20 22:00"))
    async with running_city(CITY, tmp_path, clock=night) as city:
        device, port = city.endpoints.devices["cab-02"], city.endpoints.ports["cab-01"]
        serial = Line(_numbered(city, "cab-02"), SerialBus("serial", device, 115_200, Parity.NONE, 1, TIMEOUT_S))
        tcp = Line(_numbered(city, "cab-01"), TcpBus("tcp", "127.0.0.1", port, TIMEOUT_S))
        tasks = [asyncio.create_task(line.driver.run(), name=line.bus.id) for line in (serial, tcp)]
        both = Lines(city, serial, tcp)
        await serial.goes_on()
        await tcp.goes_on()
        yield both
        both.mended()
        for line in (serial, tcp):  # a silent lamp is found by its probe, which takes longer than this test may
            await line.goes_on(*(line.lamps.keys() - line.status.silent))
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        assert serial.wrong == []
        assert tcp.wrong == []


ONE = "lamp-02-001"
OTHERS = tuple(f"lamp-02-{unit:03}" for unit in range(2, LAMPS + 1))


def says(word: str) -> Callable[[BusStatus], bool]:
    return lambda status: any(word in finding for finding in status.findings)


def is_silent(*names: str) -> Callable[[BusStatus], bool]:
    return lambda status: set(status.silent) >= set(names)


@pytest.mark.parametrize(
    ("fault", "target", "value", "shown", "go_on"),
    [
        ("slow", ONE, 3000, is_silent(ONE), OTHERS),
        ("third_late", ONE, 130, lambda status: status.late > 2, (ONE, *OTHERS)),
        ("wrong_unit", ONE, 2, says("two units have one id"), OTHERS),
        ("refuses", ONE, 4, lambda status: "device failure" in status.last_error, OTHERS),
        ("line_noise", "cab-02", 10, says("garbled"), (ONE, *OTHERS)),
        ("noise_byte", "cab-02", 100, lambda status: not status.silent, (ONE, *OTHERS)),
        ("line_echo", "cab-02", None, says("hands back what is sent"), (ONE, *OTHERS)),
        ("second_master", "cab-02", 60, says("another master"), (ONE, *OTHERS)),
        ("line_short", "cab-02", None, lambda status: status.last_error == "connected, but nobody answers", ()),
        ("unplugged", "cab-02", None, lambda status: not status.connected, ()),
    ],
)
async def test_a_serial_line(
    lines: Lines, fault: str, target: str, value: float | None, shown: Callable[[BusStatus], bool], go_on: Sequence[str]
) -> None:
    lines.befalls(fault, target, value)
    await lines.serial.until(shown)
    await lines.tcp.goes_on()
    if go_on:
        await lines.serial.goes_on(*go_on)


@pytest.mark.parametrize(
    ("fault", "target", "value", "shown"),
    [
        ("slow", "lamp-01-001", 3000, is_silent("lamp-01-001")),
        ("third_late", "lamp-01-001", 130, lambda status: status.timeouts > 2),
        ("refuses", "lamp-01-001", 11, is_silent("lamp-01-001")),
        ("wrong_unit", "lamp-01-001", 2, says("two units have one id")),
    ],
)
async def test_a_unit_behind_a_socket(
    lines: Lines, fault: str, target: str, value: float, shown: Callable[[BusStatus], bool]
) -> None:
    lines.befalls(fault, target, value)
    await lines.tcp.until(shown)
    await lines.tcp.goes_on(*(name for name in lines.tcp.lamps if name != target))
    await lines.serial.goes_on()


async def test_a_server_that_accepts_and_stalls(lines: Lines) -> None:
    lines.befalls("stalled", "cab-01")
    await lines.tcp.until(lambda status: status.last_error == "connected, but nobody answers")
    await lines.serial.goes_on()


async def test_writes_are_proven_past_an_echo_and_noise(lines: Lines) -> None:
    lines.befalls("line_echo", "cab-02")
    await lines.serial.until(says("hands back"))
    lines.befalls("line_noise", "cab-02", 5)
    for level in (20, 40, 60):
        deadline_s = SystemClock().monotonic_s() + PATIENCE_S
        (written,) = await lines.serial.driver.write(
            [Write(ONE, Point.LEVEL, level, deadline_s)], lambda _device: None, broadcast=False
        )
        assert written.outcome is Outcome.VERIFIED
        assert lines.city.lamp(ONE).written_percent == level
