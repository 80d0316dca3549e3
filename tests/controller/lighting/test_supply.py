"""A lamp on a circuit that is open by plan is off; one of its lamps that is to be lit closes it."""

from datetime import date

from lamplighter_contract.level import Override
from lamplighter_contract.light.plans import presets
from lamplighter_contract.light.plans.plan import Assignment, Circuit, Plan
from lamplighter_contract.light.view import View
from lamplighter_controller.lighting.supply import open_circuit

LAMPS = ("lamp-1", "lamp-2", "lamp-3")
HOUR_MS = 3_600_000
VIEW = View(
    Plan(
        "gw-1",
        1,
        0,
        "Asia/Shanghai",
        36.65,
        117.12,
        programs=presets.PROGRAMS,
        calendars=presets.CALENDARS,
        circuits=(Circuit("circuit-1", lamps=LAMPS[:2]),),
        assignments=(Assignment(presets.SEASONS.id, devices=LAMPS),),
    )
)
NOON_MS = VIEW.night(date(2026, 1, 15)).start_ms


def by_hand(device: str, level_percent: float) -> dict[str, list[Override]]:
    return {device: [Override("o-1", 1, NOON_MS, device, level_percent, NOON_MS + 10 * HOUR_MS)]}


def test_by_day_its_circuit_is_open_and_at_night_it_is_not():
    assert [open_circuit(VIEW, lamp, NOON_MS + HOUR_MS, {}, {}) for lamp in LAMPS] == ["circuit-1", "circuit-1", None]
    assert open_circuit(VIEW, "lamp-1", NOON_MS + 8 * HOUR_MS, {}, {}) is None


def test_a_level_by_hand_for_a_neighbour_or_the_circuit_itself_decides():
    assert open_circuit(VIEW, "lamp-1", NOON_MS + HOUR_MS, {}, by_hand("lamp-2", 80)) is None
    assert open_circuit(VIEW, "lamp-1", NOON_MS + HOUR_MS, {}, by_hand("circuit-1", 100)) is None
    assert open_circuit(VIEW, "lamp-1", NOON_MS + 8 * HOUR_MS, {}, by_hand("circuit-1", 0)) == "circuit-1"


def test_without_circuits_every_lamp_is_fed():
    assert open_circuit(VIEW, "lamp-9", NOON_MS, {}, {}) is None
