from dataclasses import replace
from itertools import count

from lamplighter_contract.quality import Quality
from lamplighter_gateway.config.model import Parity, SerialBus
from lamplighter_gateway.drivers.port import Outcome, Reading
from tests.gateway.drivers.rig import lamps, running, serial, until
from tests.gateway.drivers.units import SerialUnits, Units

TIMEOUT_S = 0.05


def numbered(units):
    """Every request changes the unit's energy to the number of the request: an old answer is known by it."""
    numbers = count(1)

    def renumber(unit):
        number = next(numbers)
        units.registers[unit] |= {6: number >> 16, 7: number & 0xFFFF}

    units.on_request = renumber
    return units


def number_in(reading):
    return round(reading.values["energy_kwh"] * 1000)


async def test_lamps_on_a_serial_line_are_read_and_written():
    async with SerialUnits(Units()) as line, running(serial(line.device), lamps(4)) as rig:
        await until(lambda: {reading.device for reading in rig.readings} == {f"lamp-{n}" for n in range(1, 5)})
        (written,) = await rig.write(rig.level("lamp-3", 45))
        assert written.outcome is Outcome.VERIFIED


async def test_a_level_is_read_back_alone_and_a_dark_lamp_with_its_power():
    units = Units([1])
    async with SerialUnits(units) as line, running(serial(line.device), lamps(1, poll_s=60)) as rig:
        await until(lambda: rig.readings)
        units.requests.clear()
        (lit,) = await rig.write(rig.level("lamp-1", 45))
        assert units.requests == [(1, 6, 32, 45), (1, 3, 1, 1)]
        units.registers[1][4] = 0
        (dark,) = await rig.write(rig.level("lamp-1", 0))
        assert units.requests[-1] == (1, 3, 1, 4)
    assert (lit.outcome, dark.outcome) == (Outcome.VERIFIED, Outcome.VERIFIED)
    assert lit.reading.values == {"level_percent": 45}


async def test_a_level_is_read_back_before_the_next_lamp_is_polled():
    units = Units()
    async with SerialUnits(units) as line, running(serial(line.device), lamps(4, poll_s=0)) as rig:
        await until(lambda: len(rig.readings) > 8)
        for level in (20, 30, 40):
            await rig.write(rig.level("lamp-3", level))
            sent = units.requests.index((3, 6, 32, level))
            assert units.requests[sent + 1] == (3, 3, 1, 1)


async def test_no_late_answer_is_ever_taken_for_another():
    units = numbered(Units([1]))
    late = SerialUnits(units, delay=lambda number: TIMEOUT_S + 0.03 if number % 3 == 0 else 0.0)
    good = wrong = 0
    async with late as line, running(serial(line.device, TIMEOUT_S), lamps(1, poll_s=60)) as rig:
        await until(lambda: rig.driver.status().connected)
        for _ in range(50):
            found = await rig.driver.read("lamp-1", 5.0)
            if isinstance(found, Reading):
                good += 1
                wrong += number_in(found) != len(units.requests)
    assert wrong == 0
    assert good >= 10


async def test_a_unit_that_is_always_late_is_silent_and_never_wrong():
    units = numbered(Units([1, 2]))
    late = SerialUnits(units, delay=lambda _: TIMEOUT_S + 0.03 if units.requests[-1][0] == 1 else 0.0)
    async with late as line, running(serial(line.device, TIMEOUT_S), lamps(2, poll_s=0.1)) as rig:
        await until(lambda: rig.driver.status().silent == ("lamp-1",))
        seen = len(rig.of("lamp-2"))
        await until(lambda: len(rig.of("lamp-2")) > seen + 5)
    assert not rig.of("lamp-1")


async def test_a_garbled_answer_is_asked_for_again_without_waiting_for_the_time_out():
    turn = count(1)
    spoiled = SerialUnits(Units([1]), spoil=lambda frame: frame[:-1] if next(turn) % 5 == 0 else frame)
    async with spoiled as line, running(serial(line.device, 1.0), lamps(1, poll_s=0)) as rig:
        await until(lambda: rig.driver.status().crc_errors >= 3, 5)
        assert rig.driver.status().timeouts == 0
        assert len(rig.readings) >= 10
        assert rig.driver.status().silent == ()


async def test_wrong_checksums_are_never_read():
    flipped = SerialUnits(Units([1]), spoil=lambda frame: frame[:5] + bytes([frame[5] ^ 1]) + frame[6:])
    async with flipped as line, running(serial(line.device, 0.2), lamps(1, poll_s=0)) as rig:
        await until(lambda: rig.driver.status().crc_errors >= 3)
    assert not rig.readings


async def test_more_than_the_line_carries_is_shared_fairly_and_marked():
    units = Units(range(1, 9))
    slow = SerialUnits(units, delay=lambda _: 0.02)
    async with slow as line, running(serial(line.device, 0.3), lamps(8, poll_s=0.05)) as rig:
        await until(lambda: len(rig.readings) > 80, 60)
        counts = [len(rig.of(f"lamp-{n}")) for n in range(1, 9)]
        status = rig.driver.status()
    assert max(counts) - min(counts) <= 2
    assert all(reading.quality & Quality.PERIOD_MISSED for reading in rig.readings[40:])
    assert status.utilisation > 0.5
    assert status.cycle_s > 0.1
    assert status.turnaround_s >= 0.015


async def test_a_dead_unit_is_waited_for_no_longer_than_its_line_needs():
    """What is learned of a unit bounds its first silence; after that it has all its time again."""
    units = Units([1, 2])
    async with SerialUnits(units) as line, running(serial(line.device, 1.0), lamps(2, poll_s=60)) as rig:
        await until(lambda: rig.driver.status().connected)
        for _ in range(3):
            assert isinstance(await rig.driver.read("lamp-1", 5.0), Reading)
        patience_s = rig.driver._asking.wire.turnarounds.patience_s
        assert patience_s(1, 1.0) < 0.7
        units.dead.add(1)
        await rig.driver.read("lamp-1", 5.0)
        assert patience_s(1, 1.0) == 1.0


async def test_the_line_is_idle_for_three_and_a_half_characters_before_each_question():
    """At 1200 baud that is 29 ms, which no other wait in the driver comes near."""
    units, asked_s, answered_s = Units([1, 2]), [], []

    def spoil(frame):
        answered_s.append(rig.clock.monotonic_s())
        return frame

    units.on_request = lambda _: asked_s.append(rig.clock.monotonic_s())
    slow = SerialBus("bus", "", 1200, Parity.NONE, 1, 0.3)
    async with SerialUnits(units, spoil=spoil) as line, running(replace(slow, device=line.device), lamps(2)) as rig:
        await until(lambda: len(asked_s) > 20, 30)
    gaps_s = [asked - answered for answered, asked in zip(answered_s, asked_s[1:], strict=False)]
    assert min(gaps_s) >= 3.5 * 10 / 1200 - 0.002  # the unit's own clock is read before its frame is out


async def test_what_lies_in_the_buffer_is_older_than_the_question():
    """A frame that looks like the answer, and came before the question was asked."""
    units = numbered(Units([1]))
    async with SerialUnits(units) as line, running(serial(line.device, 0.3), lamps(1, poll_s=60)) as rig:
        await until(lambda: rig.readings)
        body = bytes([1, 3, 32]) + bytes(32)
        for _ in range(5):
            line.say(body)
            found = await rig.driver.read("lamp-1", 5.0)
            assert isinstance(found, Reading)
            assert number_in(found) == len(units.requests)
        assert rig.driver.status().timeouts == 0


async def test_a_port_that_is_not_there_is_waited_for():
    async with running(serial("/dev/does-not-exist"), lamps(1)) as rig:
        await until(lambda: rig.driver.status().last_error == "cannot connect")
        assert not rig.driver.status().connected


async def test_an_answer_later_than_the_quiet_time_is_caught_by_the_guard():
    units = numbered(Units([1]))
    free_s = 0.0

    def one_at_a_time(number):
        """A unit that thinks about one request at a time, and very long about every fifth."""
        nonlocal free_s
        now_s = rig.clock.monotonic_s()
        free_s = max(free_s, now_s) + (3 * TIMEOUT_S if number % 5 == 0 else 0.0)
        return free_s - now_s

    good = 0
    slow = SerialUnits(units, delay=one_at_a_time)
    async with slow as line, running(serial(line.device, TIMEOUT_S), lamps(1, poll_s=60)) as rig:
        await until(lambda: rig.driver.status().connected)
        for _ in range(20):
            found = await rig.driver.read("lamp-1", 5.0)
            if isinstance(found, Reading):
                good += 1
                assert number_in(found) == len(units.requests)
    assert good >= 5


async def test_a_silent_unit_asked_again_and_again_stops_nobody():
    units = Units([1])
    async with SerialUnits(units) as line, running(serial(line.device, TIMEOUT_S), lamps(2, poll_s=0.2)) as rig:
        await until(lambda: rig.driver.status().connected)
        for _ in range(20):
            assert not isinstance(await rig.driver.read("lamp-2", 5.0), Reading)
        seen = len(rig.of("lamp-1"))
        await until(lambda: len(rig.of("lamp-1")) > seen)
