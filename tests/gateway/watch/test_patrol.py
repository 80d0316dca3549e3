"""What is told of devices that fall silent, and of those that are without power by plan."""

from lamplighter_contract.clock import ManualClock
from lamplighter_gateway.drivers.port import Reading
from lamplighter_gateway.light.registry import Registry
from lamplighter_gateway.light.supply import GRACE_S, Supply
from lamplighter_gateway.watch.patrol import Patrol
from tests.gateway.fakes import MemoryBus, lamp_entry

LAMPS = ("lamp-1", "lamp-2")


class Said:
    def __init__(self):
        self.events: list[tuple[str, str | None]] = []

    def say(self, event, device=None, /, subject="", **detail):
        self.events.append((event, device))


def patrol_of(expected):
    clock, said = ManualClock(), Said()
    rows: list[Reading] = []
    bus = MemoryBus("bus-1", LAMPS, lambda _: None, clock)
    registry = Registry({lamp: lamp_entry(lamp) for lamp in LAMPS}, dict.fromkeys(LAMPS, "bus-1"), {"bus-1": bus})
    patrol = Patrol(registry, said, clock, lambda: expected, rows.extend, lambda: None)  # type: ignore[arg-type]  # only what it says matters
    return patrol, bus, said, rows


def looks(patrol, count=3):
    for _ in range(count):
        patrol.look()


def test_a_silent_lamp_is_one_event_and_one_row_without_values():
    patrol, bus, said, rows = patrol_of(set())
    patrol.look()
    bus.silent.add("lamp-1")
    looks(patrol)
    assert said.events == [("device.silent", "lamp-1")]
    assert [(row.device, dict(row.values)) for row in rows] == [("lamp-1", {})]


def test_a_lamp_without_power_by_plan_is_off_and_not_silent():
    expected = set(LAMPS)
    patrol, bus, said, rows = patrol_of(expected)
    patrol.look()
    bus.silent.update(LAMPS)
    looks(patrol)
    assert (said.events, rows) == ([], [])
    expected.clear()
    bus.silent.remove("lamp-1")
    looks(patrol)
    assert said.events == [("device.silent", "lamp-2")], "the one that does not come back with the power is missed"


def test_a_lamp_that_was_silent_before_its_power_went_is_not_taken_for_repaired():
    expected: set[str] = set()
    patrol, bus, said, _ = patrol_of(expected)
    patrol.look()
    bus.silent.add("lamp-1")
    looks(patrol)
    expected.update(LAMPS)
    bus.silent.add("lamp-2")
    looks(patrol)
    expected.clear()
    bus.silent.remove("lamp-2")
    looks(patrol)
    assert said.events == [("device.silent", "lamp-1")]


def test_power_that_is_just_back_leaves_lamps_time_to_answer():
    supply = Supply()
    supply.note({"lamp-1"}, 100.0)
    assert set(supply.expected_silent(100.0 + GRACE_S - 1)) == {"lamp-1"}
    assert set(supply.expected_silent(100.0 + GRACE_S)) == set()
