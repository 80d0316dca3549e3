import asyncio
import struct
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from pymodbus import ModbusException
from pymodbus.client import AsyncModbusTcpClient

from lamplighter_contract.clock import ManualClock
from lamplighter_firmware_sim.scenario import Scenario
from lamplighter_firmware_sim.serve import RunningCity, running_city


@pytest.fixture
async def city(small: Scenario, night: ManualClock, tmp_path: Path) -> AsyncIterator[RunningCity]:
    async with running_city(small, tmp_path, clock=night) as running:
        yield running


@pytest.fixture
async def master(city: RunningCity) -> AsyncIterator[AsyncModbusTcpClient]:
    client = AsyncModbusTcpClient("127.0.0.1", port=city.endpoints.ports["cab-01"], timeout=0.3, retries=0)
    assert await client.connect()
    yield client
    client.close()


async def test_a_lamp_is_read_and_dimmed(city: RunningCity, master: AsyncModbusTcpClient) -> None:
    before = await master.read_holding_registers(0, count=16, device_id=5)
    assert before.registers[1] == 100
    assert not (await master.write_register(32, 60, device_id=5)).isError()
    after = await master.read_holding_registers(0, count=16, device_id=5)
    assert after.registers[1] == 60
    assert city.lamp("lamp-01-005").written_percent == 60
    async with asyncio.timeout(2):  # power follows with the next step
        while (await master.read_holding_registers(4, count=1, device_id=5)).registers[0] > 0.7 * before.registers[4]:
            await asyncio.sleep(0.02)


async def test_a_contactor_opens_and_its_lamps_fall_silent(city: RunningCity, master: AsyncModbusTcpClient) -> None:
    lamp = next(lamp for lamp in city.simulation.city.lamps if lamp.circuit == 0)
    assert not (await master.write_register(100, 0, device_id=240)).isError()
    with pytest.raises(ModbusException):
        await master.read_holding_registers(0, count=1, device_id=lamp.unit)
    async with asyncio.timeout(2):
        while (await master.read_holding_registers(100, count=2, device_id=240)).registers != [0, 0]:
            await asyncio.sleep(0.02)


@pytest.mark.parametrize(
    ("address", "count", "unit", "code"), [(10, 16, 1, 2), (0, 65, 1, 3), (23, 1, 240, 2), (130, 1, 240, 2)]
)
async def test_exceptions_reach_the_master(
    master: AsyncModbusTcpClient, address: int, count: int, unit: int, code: int
) -> None:
    answer = await master.read_holding_registers(address, count=count, device_id=unit)
    assert answer.isError()
    assert answer.exception_code == code


async def test_wrong_functions_are_refused(master: AsyncModbusTcpClient) -> None:
    assert (await master.read_coils(0, count=1, device_id=1)).exception_code == 1


async def test_a_silent_unit_answers_nothing_and_its_neighbour_does(
    city: RunningCity, master: AsyncModbusTcpClient
) -> None:
    city.faults.add("silent", "lamp-01-002")
    with pytest.raises(ModbusException):
        await master.read_holding_registers(0, count=16, device_id=2)
    assert len((await master.read_holding_registers(0, count=16, device_id=3)).registers) == 16
    city.faults.clear()
    assert len((await master.read_holding_registers(0, count=16, device_id=2)).registers) == 16


async def test_nobody_answers_for_a_unit_that_is_not_there(master: AsyncModbusTcpClient) -> None:
    with pytest.raises(ModbusException):
        await master.read_holding_registers(0, count=1, device_id=99)


def frame(transaction: int, unit: int, address: int = 1, count: int = 1) -> bytes:
    return struct.pack(">HHHBBHH", transaction, 0, 6, unit, 3, address, count)


async def test_a_late_unit_holds_up_nobody_else(city: RunningCity) -> None:
    city.faults.add("slow", "lamp-01-002", value=150)
    reader, writer = await asyncio.open_connection("127.0.0.1", city.endpoints.ports["cab-01"])
    loop = asyncio.get_running_loop()
    began = loop.time()
    writer.write(frame(1, 2) + frame(2, 3))
    async with asyncio.timeout(2):
        assert (await reader.readexactly(11))[:2] == b"\x00\x02"
        assert loop.time() - began < 0.1
        assert (await reader.readexactly(11))[:2] == b"\x00\x01"
    assert loop.time() - began >= 0.149
    writer.close()


async def test_frames_in_pieces_and_in_a_row_are_the_same(city: RunningCity) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", city.endpoints.ports["cab-01"])
    for piece in (frame(1, 1)[:5], frame(1, 1)[5:] + frame(2, 2) + frame(3, 3)[:8], frame(3, 3)[8:]):
        writer.write(piece)
        await writer.drain()
    async with asyncio.timeout(2):
        answers = [(await reader.readexactly(11))[1] for _ in range(3)]
    assert answers == [1, 2, 3]
    writer.close()


@pytest.mark.parametrize("garbage", [b"GET / HTTP/1.1\r\n\r\n", struct.pack(">HHHBB", 1, 0, 1, 1, 3), b"\x00" * 300])
async def test_what_is_not_modbus_ends_the_connection_and_is_counted(city: RunningCity, garbage: bytes) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", city.endpoints.ports["cab-01"])
    writer.write(garbage)
    async with asyncio.timeout(2):
        with pytest.raises((asyncio.IncompleteReadError, ConnectionResetError)):
            await reader.readexactly(1)
    assert city.buses["cab-01"].corrupt == 1
    writer.close()
