import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from pymodbus.client import AsyncModbusSerialClient

from lamplighter_contract.clock import ManualClock
from lamplighter_firmware_sim.scenario import Scenario, SerialLine
from lamplighter_firmware_sim.serve import RunningCity, running_city
from lamplighter_firmware_sim.wires.modbus import crc16
from lamplighter_firmware_sim.wires.rtu import request_length
from tests.firmware_sim.conftest import SMALL, scenario_of

SLOW = scenario_of(SMALL.replace("baud: 115200, turnaround_ms: 2", "baud: 9600, parity: E, turnaround_ms: 10"))


@pytest.fixture
async def city(small: Scenario, night: ManualClock, tmp_path: Path) -> AsyncIterator[RunningCity]:
    async with running_city(small, tmp_path, clock=night) as running:
        yield running


class Line:
    """The master's side of a serial line, bytes only."""

    def __init__(self, device: str) -> None:
        self.file = os.open(device, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
        self._arrived: asyncio.Queue[bytes] = asyncio.Queue()
        asyncio.get_running_loop().add_reader(self.file, lambda: self._arrived.put_nowait(os.read(self.file, 512)))

    def send(self, body: str, crc: bytes | None = None) -> None:
        frame = bytes.fromhex(body)
        os.write(self.file, frame + (crc16(frame) if crc is None else crc))

    async def receive(self, timeout_s: float = 1.0) -> bytes:
        async with asyncio.timeout(timeout_s):
            return await self._arrived.get()

    def close(self) -> None:
        asyncio.get_running_loop().remove_reader(self.file)
        os.close(self.file)


@pytest.fixture
async def line(city: RunningCity) -> AsyncIterator[Line]:
    opened = Line(city.endpoints.devices["cab-02"])
    yield opened
    opened.close()


async def test_pymodbus_reads_and_writes_over_the_pseudo_terminal(city: RunningCity) -> None:
    client = AsyncModbusSerialClient(city.endpoints.devices["cab-02"], baudrate=115_200, timeout=0.5, retries=0)
    assert await client.connect()
    assert (await client.read_holding_registers(0, count=16, device_id=3)).registers[1] == 100
    assert not (await client.write_register(32, 25, device_id=3)).isError()
    assert not (await client.write_registers(32, [35], device_id=4)).isError()
    assert (await client.read_holding_registers(1, count=1, device_id=3)).registers == [25]
    assert city.lamp("lamp-02-004").written_percent == 35
    assert (await client.read_coils(0, count=1, device_id=3)).exception_code == 1
    client.close()


async def test_a_frame_takes_the_time_of_its_characters(night: ManualClock, tmp_path: Path) -> None:
    expected_s = 8 * 11 / 9600 + 0.010 + 37 * 11 / 9600  # request, turnaround, answer
    async with running_city(SLOW, tmp_path, clock=night) as city:
        line, loop = Line(city.endpoints.devices["cab-02"]), asyncio.get_running_loop()
        began = loop.time()
        for _ in range(5):
            line.send("01 03 0000 0010")
            assert len(await line.receive()) == 37
        # Never faster than the line; slower only by what a busy machine takes.
        assert 0.97 * expected_s < (loop.time() - began) / 5 < 1.5 * expected_s
        line.close()


async def test_a_frame_with_a_wrong_check_is_not_answered_and_the_next_one_is(city: RunningCity, line: Line) -> None:
    line.send("01 03 0000 0001", b"\x00\x00")
    with pytest.raises(TimeoutError):
        await line.receive(0.05)
    assert city.buses["cab-02"].corrupt == 1
    line.send("01 03 0001 0001")
    assert (await line.receive())[:5] == bytes.fromhex("0103020064")


async def test_a_broadcast_is_obeyed_and_not_answered(city: RunningCity, line: Line) -> None:
    line.send("00 06 0020 002a")
    with pytest.raises(TimeoutError):
        await line.receive(0.05)
    levels = {city.lamp(f"lamp-02-{n:03}").written_percent for n in range(1, 13)}
    assert levels == {42}


async def test_an_unknown_function_is_answered_after_the_silence(line: Line) -> None:
    line.send("01 2b 0e 01 00")
    assert (await line.receive())[:3] == bytes.fromhex("01ab01")


async def test_talking_into_an_answer_garbles_it_and_loses_the_request(night: ManualClock, tmp_path: Path) -> None:
    crawling = scenario_of(SMALL.replace("baud: 115200", "baud: 1200"))
    async with running_city(crawling, tmp_path, clock=night) as city:
        line, bus = Line(city.endpoints.devices["cab-02"]), city.buses["cab-02"]
        line.send("01 03 0000 0010")  # heard after 67 ms, answered for 308 ms
        await asyncio.sleep(0.2)
        line.send("02 03 0000 0010")
        answer = await line.receive()
        assert crc16(answer[:-2]) != answer[-2:]
        assert (bus.requests, bus.corrupt) == (1, 1)
        line.close()


async def test_a_line_that_ends_leaves_no_link(small: Scenario, night: ManualClock, tmp_path: Path) -> None:
    async with running_city(small, tmp_path, clock=night) as city:
        link = Path(city.endpoints.devices["cab-02"])
        assert link.is_symlink()
    assert not link.is_symlink()


@pytest.mark.parametrize(
    ("head", "length"),
    [("01", None), ("0103", 8), ("0106", 8), ("0110002000", None), ("01100020000204", 13), ("012b", None)],
)
def test_length_of_a_request_by_its_head(head: str, length: int | None) -> None:
    assert request_length(bytes.fromhex(head)) == length


@pytest.mark.parametrize(
    ("line_", "character_us", "silence_us"),
    [
        (SerialLine(baud=9600, parity="E"), 1145.8, 4010.4),
        (SerialLine(baud=115_200), 86.8, 1750),
        (SerialLine(baud=19_200, stop_bits=2), 572.9, 2005.2),
    ],
)
def test_character_and_silence_times(line_: SerialLine, character_us: float, silence_us: float) -> None:
    assert line_.character_s * 1e6 == pytest.approx(character_us, abs=0.1)
    assert line_.silence_s * 1e6 == pytest.approx(silence_us, abs=0.1)
