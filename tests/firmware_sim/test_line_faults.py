"""What is wrong with a wire, as a master sees it on the pty or the socket: raw bytes only."""

import asyncio
import os
import struct
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from lamplighter_contract.clock import ManualClock
from lamplighter_firmware_sim.serve import RunningCity, running_city
from lamplighter_firmware_sim.wires.modbus import crc16
from tests.firmware_sim.conftest import SMALL, scenario_of

STILL = scenario_of(SMALL + "physics: static\n")
LEVEL = "{:02x} 03 0001 0001"


@pytest.fixture
async def city(night: ManualClock, tmp_path: Path) -> AsyncIterator[RunningCity]:
    async with running_city(STILL, tmp_path, clock=night) as running:
        yield running


class Master:
    """One end of the line of cab-02, and everything that was heard on it since the last question."""

    def __init__(self, city: RunningCity) -> None:
        self.file = os.open(city.endpoints.devices["cab-02"], os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
        self.heard = b""
        asyncio.get_running_loop().add_reader(self.file, self._read)

    def _read(self) -> None:
        data = os.read(self.file, 512)
        self.heard += data
        if not data:  # the other end is gone
            self.close()

    def ask(self, unit: int) -> bytes:
        body = bytes.fromhex(LEVEL.format(unit))
        self.heard = b""
        os.write(self.file, body + crc16(body))
        return body + crc16(body)

    async def hears(self, count: int, timeout_s: float = 5.0) -> bytes:
        async with asyncio.timeout(timeout_s):
            while len(self.heard) < count:
                await asyncio.sleep(0.002)
        return self.heard

    def close(self) -> None:
        if self.file >= 0:
            asyncio.get_running_loop().remove_reader(self.file)
            os.close(self.file)
            self.file = -1


@pytest.fixture
async def master(city: RunningCity) -> AsyncIterator[Master]:
    one = Master(city)
    yield one
    one.close()


def sound(frame: bytes) -> bool:
    return crc16(frame[:-2]) == frame[-2:]


async def test_a_noisy_line_turns_one_bit(city: RunningCity, master: Master) -> None:
    city.faults.add("line_noise", "cab-02", value=40)
    ends: set[bool | None] = set()
    for _ in range(40):
        master.ask(1)
        try:
            ends.add(sound(await master.hears(7, 0.05)))
        except TimeoutError:  # the question was garbled
            ends.add(None)
    assert ends == {True, False, None}


async def test_a_stray_byte_comes_before_a_sound_answer(city: RunningCity, master: Master) -> None:
    city.faults.add("noise_byte", "cab-02")
    master.ask(1)
    heard = await master.hears(8)
    assert not sound(heard)
    assert sound(heard[1:])


async def test_an_echo_comes_before_the_answer(city: RunningCity, master: Master) -> None:
    city.faults.add("line_echo", "cab-02")
    question = master.ask(1)
    heard = await master.hears(15)
    assert heard[:8] == question
    assert sound(heard[8:])


@pytest.mark.parametrize(
    ("fault", "value", "head"), [("wrong_unit", 2, "030302"), ("refuses", 6, "018306"), ("refuses", 11, "01830b")]
)
async def test_a_unit_that_is_wrong_in_itself(
    city: RunningCity, master: Master, fault: str, value: float, head: str
) -> None:
    city.faults.add(fault, "lamp-02-001", value=value)
    master.ask(1)
    heard = await master.hears(5)
    assert heard[:3] == bytes.fromhex(head)
    master.ask(2)
    assert (await master.hears(7))[:3] == bytes.fromhex("020302")


async def test_every_third_answer_is_late(city: RunningCity, master: Master) -> None:
    city.faults.add("third_late", "lamp-02-001", value=120)
    loop, took_s = asyncio.get_running_loop(), []
    for _ in range(6):
        began_s = loop.time()
        master.ask(1)
        await master.hears(7)
        took_s.append(loop.time() - began_s)
    assert took_s[2] >= 0.12
    assert took_s[5] >= 0.12
    assert sorted(took_s)[3] < 0.12


async def test_a_second_master_is_heard_with_its_answers(city: RunningCity, master: Master) -> None:
    city.faults.add("second_master", "cab-02", value=20)
    heard = await master.hears(3 * (8 + 13))
    question = bytes.fromhex("f0 03 0000 0004")
    assert question + crc16(question) in heard or b"\x01\x03\x00\x00\x00\x04" in heard


async def test_on_a_shorted_line_nobody_is_heard(city: RunningCity, master: Master) -> None:
    fault = city.faults.add("line_short", "cab-02")
    master.ask(1)
    with pytest.raises(TimeoutError):
        await master.hears(1, 0.05)
    city.faults.clear(fault.number)
    master.ask(1)
    assert sound(await master.hears(7))


async def test_an_adapter_goes_and_comes_back_under_its_name(city: RunningCity, master: Master) -> None:
    link = Path(city.endpoints.devices["cab-02"])
    fault = city.faults.add("unplugged", "cab-02")
    async with asyncio.timeout(10):
        while link.exists() or master.file >= 0:
            await asyncio.sleep(0.01)
    city.faults.clear(fault.number)
    async with asyncio.timeout(10):
        while not link.exists():
            await asyncio.sleep(0.01)
    again = Master(city)
    again.ask(1)
    assert sound(await again.hears(7))
    again.close()


async def test_a_stalled_server_accepts_and_says_nothing(city: RunningCity) -> None:
    city.faults.add("stalled", "cab-01")
    reader, writer = await asyncio.open_connection("127.0.0.1", city.endpoints.ports["cab-01"])
    writer.write(struct.pack(">HHHBBHH", 1, 0, 6, 1, 3, 1, 1))
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.1):
            await reader.readexactly(1)
    writer.close()
