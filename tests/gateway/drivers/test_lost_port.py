"""A serial port that goes away in the middle of work: bad news for whoever waits, and the bus goes on."""

import asyncio

import pytest

from lamplighter_contract.clock import SystemClock
from lamplighter_gateway.config.model import Parity, SerialBus
from lamplighter_gateway.drivers.modbus.answers import Cause, Trouble
from lamplighter_gateway.drivers.modbus.bus_queue import BusQueue
from lamplighter_gateway.drivers.modbus.questions import write_registers
from lamplighter_gateway.drivers.modbus.serial_wire import SerialWire
from tests.gateway.drivers.rig import until
from tests.gateway.drivers.units import SerialUnits, Units

SLOW_BAUD = 300  # the gap between two frames is longer than the port needs to go away


async def test_a_port_lost_before_a_broadcast_went_out_is_told():
    async with SerialUnits(Units([1])) as line:
        wire = SerialWire(SerialBus("bus", line.device, SLOW_BAUD, Parity.NONE, 1, 1.0), SystemClock())
        assert await wire.open()
        await wire.ask(write_registers(1, 1, [50]))
        told = asyncio.create_task(wire.tell_all(write_registers(0, 1, [50]), 0.1))
        await asyncio.sleep(0)
        line.unplug()
        await until(lambda: not wire.connected)
        assert not told.done(), "the port went away too late for this test"
        assert await asyncio.wait_for(told, 5) == Trouble(Cause.LOST)
        wire.close()


async def test_a_job_that_breaks_leaves_nobody_waiting():
    async def breaks():
        raise OSError("gone")

    queue = BusQueue()
    answer = queue.leave(breaks, 10.0)
    with pytest.raises(OSError, match="gone"):
        await queue.do_next(0.0)
    assert answer.result() == Trouble(Cause.LOST)
