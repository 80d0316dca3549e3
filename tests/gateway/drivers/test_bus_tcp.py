import asyncio
import contextlib
import struct
from dataclasses import replace

import pytest

from lamplighter_gateway.config.model import Device, TcpBus
from lamplighter_gateway.drivers.port import Outcome, Point, ReadFailed, Write
from tests.gateway.drivers.rig import PROFILES, lamps, running, tcp, until
from tests.gateway.drivers.units import LAMP, TcpServer, Units


async def test_every_lamp_is_read_with_canonical_values():
    async with TcpServer(Units()) as server, running(tcp(server.port), lamps(4, poll_s=3)) as rig:
        await until(lambda: {reading.device for reading in rig.readings} == {f"lamp-{n}" for n in range(1, 5)})
    values = rig.of("lamp-1")[0].values
    assert values["level_percent"] == 60
    assert values["voltage_v"] == 231.2
    assert values["power_factor"] == 0.97
    assert values["switched_on"] is True
    assert rig.of("lamp-1")[0].quality == 0


async def test_a_lamp_is_one_request():
    async with TcpServer(Units()) as server, running(tcp(server.port), lamps(1)) as rig:
        await until(lambda: len(rig.readings) >= 3)
        assert set(server.units.requests) == {(1, 3, 0, 16)}


async def test_a_dead_unit_costs_the_others_almost_nothing():
    units = Units(range(1, 21))
    units.dead = {7}
    async with TcpServer(units) as server, running(tcp(server.port), lamps(20, poll_s=0.1)) as rig:
        await until(lambda: rig.driver.status().silent == ("lamp-7",))
        asked = sum(request[0] == 7 for request in units.requests)
        seen = len(rig.readings)
        await until(lambda: len(rig.readings) >= seen + 19 * 10)
        assert sum(request[0] == 7 for request in units.requests) - asked <= 1
    assert not rig.of("lamp-7")
    assert rig.driver.status().timeouts >= 3


async def test_a_unit_that_comes_back_is_read_again():
    units = Units(range(1, 4))
    units.dead = {2, 3}
    async with TcpServer(units) as server, running(tcp(server.port, 0.02), lamps(3, poll_s=0.02)) as rig:
        await until(lambda: len(rig.driver.status().silent) == 2)
        units.dead = set()
        await until(lambda: rig.of("lamp-2") and rig.of("lamp-3"), 20)
        assert rig.driver.status().silent == ()


async def test_an_exception_on_a_hole_uncoalesces_and_is_remembered():
    units = Units([1], LAMP[:16] + (0,) * 140)
    units.registers[1] |= {100: 1, 101: 123, 102: 0, 103: 7, 110: 1, 111: 456, 112: 0, 113: 8}
    units.holes = set(range(104, 110))
    profile = PROFILES["circuit-contactor"]
    circuits = [
        Device(f"circuit-{n}", "bus", profile, unit=1, offset=at, poll_s=0.02) for n, at in ((1, 100), (2, 110))
    ]
    async with TcpServer(units) as server, running(tcp(server.port), circuits) as rig:
        await until(lambda: len(rig.of("circuit-2")) >= 4)
    assert rig.of("circuit-1")[0].values["circuit_current_a"] == 1.23
    assert rig.of("circuit-2")[0].values["circuit_current_a"] == 4.56
    assert units.requests.count((1, 3, 100, 14)) == 1
    assert (1, 3, 100, 4) in units.requests
    assert (1, 3, 110, 4) in units.requests


async def test_a_register_the_unit_does_not_have_leaves_the_others_readable():
    units = Units([1])
    units.holes = {9}
    async with TcpServer(units) as server, running(tcp(server.port), lamps(1, poll_s=0.02)) as rig:
        await until(lambda: len(rig.readings) >= 3)
        units.requests.clear()
        await until(lambda: len(rig.readings) >= 6)
    assert rig.readings[-1].values["leakage_ma"] is None
    assert rig.readings[-1].values["tilt_deg"] == 0.5
    assert set(units.requests) == {(1, 3, 0, 9), (1, 3, 10, 6)}


async def test_a_dropped_connection_is_made_again():
    async with TcpServer(Units()) as server, running(tcp(server.port), lamps(2)) as rig:
        await until(lambda: rig.readings)
        for accepted in (2, 3, 4):
            server.drop()
            await until(lambda number=accepted: server.accepted == number)
            seen = len(rig.readings)
            await until(lambda before=seen: len(rig.readings) > before + 4)
            assert len(server.connections) == 1, "two sockets would feed one client"
        assert server.accepted == 4
        assert rig.driver.status().silent == ()


async def test_an_endpoint_that_accepts_and_stalls_is_left_and_no_unit_is_blamed_for_long():
    async with TcpServer(Units()) as server, running(tcp(server.port, 0.03), lamps(4, poll_s=0.02)) as rig:
        await until(lambda: rig.readings)
        server.stalled = True
        await until(lambda: server.accepted >= 2)
        server.stalled = False
        seen = len(rig.readings)
        await until(lambda: len(rig.readings) > seen + 8)


async def test_lamps_that_lose_their_power_together_cost_no_connection_while_something_else_answers():
    units = Units(range(1, 13))
    units.registers[240] = dict.fromkeys(range(100, 104), 1)
    circuit = Device("circuit-1", "bus", PROFILES["circuit-contactor"], unit=240, offset=100, poll_s=0.2)
    async with TcpServer(units) as server, running(tcp(server.port, 0.03), [*lamps(12), circuit]) as rig:
        await until(lambda: rig.of("circuit-1") and rig.of("lamp-12"))
        units.dead = set(range(1, 13))
        await until(lambda: len(rig.driver.status().silent) == 12)
        seen = len(rig.of("circuit-1"))
        await until(lambda: len(rig.of("circuit-1")) >= seen + 3)
        assert server.accepted == 1
        assert rig.driver.status().connected
        units.dead, seen = set(), len(rig.of("lamp-12"))
        await until(lambda: len(rig.of("lamp-12")) > seen and rig.driver.status().silent == (), 60)


async def test_without_an_endpoint_reads_and_writes_fail_at_once():
    async with TcpServer(Units()) as server:
        port = server.port
    async with running(tcp(port), lamps(1)) as rig:
        await until(lambda: rig.driver.status().last_error)
        (written,) = await rig.write(rig.level("lamp-1", 30))
        assert written.outcome is Outcome.FAILED
        assert isinstance(await rig.driver.read("lamp-1", 1.0), ReadFailed)
        assert not rig.driver.status().connected


async def test_a_write_is_verified_by_reading_back():
    async with TcpServer(Units()) as server, running(tcp(server.port), lamps(4, poll_s=0)) as rig:
        await until(lambda: rig.readings)
        results = await rig.write(*(rig.level(f"lamp-{n}", 30 + n) for n in range(1, 5)))
    assert [written.outcome for written in results] == [Outcome.VERIFIED] * 4
    assert [written.reading.values["level_percent"] for written in results] == [31, 32, 33, 34]
    assert sorted(rig.applied) == ["lamp-1", "lamp-2", "lamp-3", "lamp-4"]


async def test_a_write_that_does_not_take_is_failed_with_what_was_read():
    units = Units()
    units.on_request = lambda unit: units.registers.get(unit, {}).update({1: 80})
    async with TcpServer(units) as server, running(tcp(server.port), lamps(1)) as rig:
        await until(lambda: rig.readings)
        (written,) = await rig.write(rig.level("lamp-1", 30, seconds=0.5))
    assert written.outcome is Outcome.FAILED
    assert written.reason == "read back 80, expected 30"


async def test_a_write_to_a_dead_unit_is_unconfirmed():
    units = Units()
    units.dead = {1}
    async with TcpServer(units) as server, running(tcp(server.port), lamps(2)) as rig:
        await until(lambda: rig.readings)
        results = await rig.write(rig.level("lamp-1", 30), rig.level("lamp-2", 30))
    assert [written.outcome for written in results] == [Outcome.UNCONFIRMED, Outcome.VERIFIED]


async def test_writes_out_of_range_without_a_point_or_too_late_are_failed_and_nothing_is_sent():
    async with TcpServer(Units()) as server, running(tcp(server.port), lamps(1)) as rig:
        await until(lambda: rig.readings)
        results = await rig.write(
            rig.level("lamp-1", 101),
            Write("lamp-1", Point.CONTACTOR, 1, rig.clock.monotonic_s() + 5),
            rig.level("lamp-1", 50, seconds=-1),
        )
        assert not any(function == 6 for _, function, _, _ in server.units.requests)
    assert [written.outcome for written in results] == [Outcome.FAILED] * 3
    assert "expected 0 to 100" in results[0].reason
    assert "deadline" in results[2].reason


async def test_resume_has_no_read_back_and_is_applied():
    async with TcpServer(Units()) as server, running(tcp(server.port), lamps(1)) as rig:
        await until(lambda: rig.readings)
        (written,) = await rig.write(Write("lamp-1", Point.RESUME, 0, rig.clock.monotonic_s() + 5))
        assert (1, 6, 33, 1) in server.units.requests
    assert written.outcome is Outcome.APPLIED


async def test_one_broadcast_for_the_whole_bus_then_every_lamp_is_read_back():
    async with TcpServer(Units()) as server, running(tcp(server.port), lamps(4, poll_s=5)) as rig:
        await until(lambda: rig.readings)
        results = await rig.write(*(rig.level(f"lamp-{n}", 20) for n in range(1, 5)), broadcast=True)
        writes = [request for request in server.units.requests if request[1] == 6]
    assert writes == [(0, 6, 32, 20)]
    assert [written.outcome for written in results] == [Outcome.VERIFIED] * 4


@pytest.mark.parametrize(("deaf", "first"), [(True, (0, 6, 32, 20)), (False, (1, 6, 32, 20))])
async def test_a_supply_point_on_the_line_stops_a_broadcast_only_if_it_would_hear_it(deaf, first):
    meter = PROFILES["cabinet-meter"]
    assert meter.modbus is not None
    profile = replace(meter, modbus=replace(meter.modbus, deaf=deaf))
    devices = [*lamps(3, poll_s=5), Device("cab-1", "bus", profile, unit=4, poll_s=5)]
    async with TcpServer(Units()) as server, running(tcp(server.port), devices) as rig:
        await until(lambda: rig.readings)
        await rig.write(*(rig.level(f"lamp-{n}", 20) for n in range(1, 4)), broadcast=True)
        assert next(request for request in server.units.requests if request[1] == 6) == first


async def test_no_broadcast_when_a_unit_is_not_a_target_or_values_differ():
    async with TcpServer(Units()) as server, running(tcp(server.port), lamps(4, poll_s=5)) as rig:
        await until(lambda: rig.readings)
        await rig.write(*(rig.level(f"lamp-{n}", 20) for n in range(1, 4)), broadcast=True)
        await rig.write(*(rig.level(f"lamp-{n}", 20 + n) for n in range(1, 5)), broadcast=True)
        assert not any(unit == 0 for unit, _, _, _ in server.units.requests)
        assert server.units.registers[4][1] == 24


async def test_a_read_now_comes_ahead_of_polls():
    async with TcpServer(Units()) as server, running(tcp(server.port), lamps(4, poll_s=60)) as rig:
        await until(lambda: rig.readings)
        reading = await rig.driver.read("lamp-4", 1.0)
        assert reading.device == "lamp-4"
        assert reading in rig.readings


class Juggler:
    """Answers when `window` questions are underway or no more come: the last one first, in two packets."""

    def __init__(self, units, window):
        self.units, self.window, self.most = units, window, 0

    async def __aenter__(self):
        self.server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self.server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_):
        self.server.close()

    async def _serve(self, reader, writer):
        held: list[bytes] = []
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                try:
                    async with asyncio.timeout(0.02 if held else None):
                        number, _, length, unit = struct.unpack(">HHHB", await reader.readexactly(7))
                        answer = self.units.answer(unit, await reader.readexactly(length - 1))
                except TimeoutError:
                    answer = None
                else:
                    held.append(struct.pack(">HHHB", number, 0, len(answer) + 1, unit) + answer)
                self.most = max(self.most, len(held))
                if answer is None or len(held) == self.window:
                    whole = b"".join(reversed(held))
                    writer.write(whole[:11])
                    await writer.drain()
                    await asyncio.sleep(0.002)
                    writer.write(whole[11:])
                    held.clear()
        writer.close()


@pytest.mark.parametrize("window", [1, 4])
async def test_as_many_questions_are_underway_as_the_endpoint_takes(window):
    units = Units(range(1, 21))
    for unit, registers in units.registers.items():
        registers |= {6: 0, 7: unit}
    bus = TcpBus("bus", "127.0.0.1", 0, 1.0, window)
    async with Juggler(units, window) as server, running(replace(bus, port=server.port), lamps(20, poll_s=0)) as rig:
        await until(lambda: len(rig.readings) >= 200, 60)
        assert rig.driver.status().timeouts == 0
        (written,) = await rig.write(rig.level("lamp-7", 33))
    assert server.most == window
    assert written.outcome is Outcome.VERIFIED
    assert all(round(1000 * r.values["energy_kwh"]) == int(r.device.rpartition("-")[2]) for r in rig.readings)


async def test_what_is_no_modbus_ends_the_connection_and_is_read_again_on_the_next():
    units = Units([1])
    async with TcpServer(units) as server, running(tcp(server.port), lamps(1)) as rig:
        await until(lambda: rig.readings)
        for writer in server.connections:
            writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        await until(lambda: server.accepted >= 2, 30)
        seen = len(rig.readings)
        await until(lambda: len(rig.readings) > seen, 30)
