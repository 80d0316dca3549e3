"""What a bus can carry of a show."""

import pytest

from lamplighter_contract.light.carrying import Bus, buses_of, too_slow, write_s
from lamplighter_contract.light.scenes import Cue
from lamplighter_contract.quantities import Kind
from lamplighter_contract.wire.documents import BusEntry, DeviceEntry

LAMPS = tuple(f"lamp-01-{number:03}" for number in range(92))
SERIAL = BusEntry("rs485-1", "modbus-rtu", 9_600)
LINE = Bus("gw-1/rs485-1", LAMPS, write_s(SERIAL))


def cues(*times: float, ramp_s: float = 0.0) -> list[Cue]:
    return [Cue(time, 10.0 * number, ramp_s, devices=LAMPS) for number, time in enumerate(times, start=1)]


def test_a_whole_line_of_9600_baud_takes_3_3_seconds():
    assert 92 * write_s(SERIAL) == pytest.approx(3.3, abs=0.1)


@pytest.mark.parametrize(
    ("bus", "expected_s"),
    [
        (BusEntry("a", "modbus-rtu", 19_200), 0.0232),
        (BusEntry("a", "modbus-rtu", 115_200), 0.0150),
        (BusEntry("a", "modbus-tcp"), 0.06),
        (BusEntry("a", "mqtt"), 0.0),
    ],
)
def test_one_write_by_wire(bus: BusEntry, expected_s: float):
    assert write_s(bus) == pytest.approx(expected_s, abs=0.0002)


def test_cues_that_come_too_fast_are_named_with_bus_and_lamp():
    (late,) = too_slow(cues(0, 2), {}, [LINE])
    assert (late.bus, late.lamp, late.writes, late.has_s) == ("gw-1/rs485-1", "lamp-01-055", 92, 2.0)
    assert "92 writes of 3.3 s" in str(late)
    assert "lamp-01-055" in str(late)


@pytest.mark.parametrize(
    ("show", "rate", "late"),
    [
        (cues(0, 4), 1, 0),
        (cues(0, 4), 60, 1),
        (cues(0, 240), 60, 0),
        (cues(0, 4, ramp_s=1), 1, 1),
        (cues(0, 5, ramp_s=1), 1, 0),
        (cues(0, 2, 4, 6), 1, 3),
        ([Cue(0, 10, devices=LAMPS[:46]), Cue(2, 10, devices=LAMPS[46:])], 1, 0),
        ([Cue(0, 10, devices=("elsewhere",)), Cue(0.1, 20, devices=("elsewhere",))], 1, 0),
        ([Cue(0, 10, groups=("all",)), Cue(2, 20, groups=("all",))], 1, 1),
    ],
)
def test_what_fits_between_two_cues_of_a_bus(show: list[Cue], rate: float, late: int):
    assert len(list(too_slow(show, {"all": LAMPS}, [LINE], rate))) == late


def test_one_message_for_the_whole_bus_where_the_wire_has_it():
    together = Bus(LINE.name, LAMPS, LINE.write_s, broadcast=True)
    assert not list(too_slow(cues(0, 0.5), {}, [together]))
    some = [Cue(0, 10, devices=LAMPS[1:]), Cue(0.5, 20, devices=LAMPS[1:])]
    assert len(list(too_slow(some, {}, [together]))) == 1
    mixed = [Cue(0, 10, devices=LAMPS[:1]), Cue(0, 20, devices=LAMPS[1:]), Cue(0.5, 20, devices=LAMPS)]
    assert len(list(too_slow(mixed, {}, [together]))) == 1


def test_buses_are_known_by_addresses_and_count_as_slow_when_nobody_declared_them():
    entries = [DeviceEntry("a", Kind.LAMP, "p", "north/1"), DeviceEntry("b", Kind.LAMP, "p", "south/1")]
    north, south = buses_of("gw-1", entries, [BusEntry("north", "modbus-rtu", 115_200, broadcast=True)])
    assert (north.name, north.devices, north.broadcast) == ("gw-1/north", ("a",), True)
    assert (south.write_s, south.broadcast) == (write_s(SERIAL), False)
