"""Leakage: the element's own dry baseline, the weather of all, and a person's safety at once."""

import math

import numpy as np
import pytest

from lamplighter_controller.diagnosis.assembling import Places, assemble
from lamplighter_controller.diagnosis.findings import Element, ElementKind, Finding
from lamplighter_controller.diagnosis.leakage import Leakage
from lamplighter_controller.diagnosis.leakage.isolation import circuits_to_open
from lamplighter_controller.diagnosis.leakage.protectors import DAY_MS, TripTest, overdue
from lamplighter_controller.diagnosis.places import CabinetPlace, CircuitPlace, LampPlace
from lamplighter_controller.diagnosis.samples import Columns, Samples, nothing_from
from lamplighter_controller.diagnosis.topology import Topology

STEP_MS = 900_000
START_MS = 1_763_650_000_000


def tree(*, isolates: bool = False) -> Topology:
    lamps = [
        LampPlace(f"l-{c}-{k}-{n}", f"l-{c}-{k}-{n}", f"c-{c}", f"k-{c}-{k}", order=n)
        for c in range(3)
        for k in range(2)
        for n in range(4)
    ]
    cabinets = [CabinetPlace(f"c-{c}", f"c-{c}", isolates=isolates and c == 1) for c in range(3)]
    circuits = [CircuitPlace(f"k-{c}-{k}", f"c-{c}") for c in range(3) for k in range(2)]
    return assemble(Places(lamps, cabinets, circuits))


class Rainy:
    """Lamps leak 0.4 mA each, circuits 4 mA, more in the rain; unless told otherwise."""

    def __init__(self, topology: Topology) -> None:
        self.topology, self.watch = topology, Leakage(topology)
        self.random = np.random.default_rng(3)
        self.now_ms, self.rain = START_MS, 0.0
        self.more: dict[str, float] = {}
        self.cabinets_measure = False

    def look(self, times: int = 1) -> list[Finding]:
        found: list[Finding] = []
        for _ in range(times):
            self.now_ms += STEP_MS
            found += self.watch.step(self.samples(), self.now_ms)
        return found

    def samples(self) -> Samples:
        wet = 0.0 if math.isnan(self.rain) else self.rain
        lamps = self._column(self.topology.lamps, 0.4 + 0.3 * wet, {"power_w": 80.0})
        circuits = self._column(self.topology.circuits, 4.0 + 2.0 * wet, {"contactor_closed": 1.0})
        cabinets = self._column(self.topology.cabinets, 8.0, {"power_w": 640.0})
        return Samples(lamps, cabinets if self.cabinets_measure else nothing_from(3), circuits, rain_mm_h=self.rain)

    def _column(self, names: tuple[str, ...], leakage: float, more: dict[str, float]) -> Columns:
        n = len(names)
        value = leakage * (1 + 0.05 * self.random.standard_normal(n)) + [self.more.get(name, 0.0) for name in names]
        ones = np.ones(n, np.bool_)
        values = {"leakage_ma": value} | {name: np.full(n, one) for name, one in more.items()}
        return Columns(ones, ones, np.full(n, self.now_ms), values)


def elements(findings: list[Finding]) -> list[str]:
    return [one.element.id for one in findings if one.open]


@pytest.mark.parametrize("rain", [0.0, 6.0, math.nan])
def test_weather_alone_raises_nothing(rain: float) -> None:
    scene = Rainy(tree())
    scene.look(30)
    scene.rain = rain
    assert scene.look(60) == []


def test_a_pole_that_would_hurt_is_told_at_the_first_reading_and_once_for_its_circuit() -> None:
    scene = Rainy(tree())
    scene.look(30)
    scene.more = {"l-1-0-2": 45.0, "k-1-0": 45.0}
    (found,) = scene.look(1)
    assert (found.element, found.class_id) == (Element(ElementKind.LAMP, "l-1-0-2"), "leak")
    assert found.confidence > 0.95
    assert scene.look(20) == []


@pytest.mark.parametrize(("rain", "expected"), [(0.0, ["l-1-0-2"]), (6.0, []), (math.nan, [])])
def test_the_same_excess_is_judged_sooner_where_it_is_known_to_be_dry(rain: float, expected: list[str]) -> None:
    scene = Rainy(tree())
    scene.look(30)
    scene.rain = rain
    scene.more = dict.fromkeys(scene.topology.lamps, 4.0) | {"l-1-0-2": 13.5}  # dew on all, and one that gains more
    assert elements(scene.look(3)) == expected


def test_what_is_wet_dries_for_hours_in_which_nothing_is_learned() -> None:
    scene = Rainy(tree())
    scene.look(30)
    before = scene.watch.export()["leakage_lamp_count"].copy()
    scene.rain = 3.0
    scene.look(1)
    scene.rain = 0.0
    scene.look(20)
    assert (scene.watch.export()["leakage_lamp_count"] == before).all()
    scene.look(8)
    assert (scene.watch.export()["leakage_lamp_count"] > before).any()


def test_a_single_circuit_in_known_rain_may_gain_a_share_of_its_own_baseline() -> None:
    scene = Rainy(assemble(Places((), (CabinetPlace("c-0", "c-0"),), (CircuitPlace("k-0-0", "c-0"),))))
    scene.more = {"k-0-0": 70.0}
    scene.look(30)
    scene.rain, scene.more = 2.0, {"k-0-0": 70.0 + 50.0}
    assert elements(scene.look(4)) == []
    scene.rain = math.nan
    assert elements(scene.look(4)) == ["k-0-0"]


def test_a_moderate_excess_has_to_be_seen_twice_and_is_found_in_the_rain_too() -> None:
    scene = Rainy(tree())
    scene.look(30)
    scene.rain = 4.0
    scene.look(4)
    scene.more = {"l-2-1-1": 15.0}
    assert scene.look(1) == []
    assert elements(scene.look(1)) == ["l-2-1-1"]


def test_a_lamp_accounts_for_its_whole_cabinet_too() -> None:
    """Else all circuits of the cabinet would be proposed to be opened for one pole."""
    scene = Rainy(tree())
    scene.cabinets_measure = True
    assert scene.look(30) == []
    scene.more = dict.fromkeys(("l-1-0-2", "k-1-0", "c-1"), 60.0)
    assert {one.element.id for one in scene.look(6) if one.open} == {"l-1-0-2"}


def test_a_cable_that_leaks_where_no_lamp_does_is_its_circuits() -> None:
    scene = Rainy(tree())
    scene.look(30)
    scene.more = {"k-0-1": 80.0}
    assert elements(scene.look(2)) == ["k-0-1"]


def test_a_circuit_told_first_is_taken_back_for_the_lamp_that_explains_it() -> None:
    scene = Rainy(tree())
    scene.look(30)
    scene.more = {"k-1-0": 60.0}
    assert elements(scene.look(2)) == ["k-1-0"]
    scene.more = {"k-1-0": 60.0, "l-1-0-2": 60.0}
    assert [(one.element.id, one.open) for one in scene.look(1)] == [("l-1-0-2", True), ("k-1-0", False)]
    assert scene.look(5) == []


def test_dry_again_is_not_repaired_until_a_day_has_passed() -> None:
    scene = Rainy(tree())
    scene.look(30)
    scene.more = {"l-1-0-2": 45.0}
    scene.look(3)
    scene.more = {}
    assert scene.look(95) == []
    assert [one.open for one in scene.look(5)] == [False]


def test_a_leak_that_somebody_has_closed_is_told_anew_when_it_is_there_again() -> None:
    """Within the day in which diagnosis would not have cleared it."""
    rainy = Rainy(tree())
    rainy.look(40)
    rainy.more = {"l-1-0-2": 60.0}
    assert "l-1-0-2" in elements(rainy.look(2))
    rainy.more = {}
    rainy.look(3)
    rainy.watch.forget(Element(ElementKind.LAMP, "l-1-0-2"))
    assert elements(rainy.look(4)) == [], "it is well"
    rainy.more = {"l-1-0-2": 60.0}
    assert elements(rainy.look(2)) == ["l-1-0-2"]


def test_a_new_element_is_judged_by_what_is_dangerous_alone() -> None:
    scene = Rainy(tree())
    scene.more = {"l-1-0-2": 45.0}
    assert elements(scene.look(1)) == ["l-1-0-2"]


def test_a_restart_keeps_baselines_and_tells_nothing_twice() -> None:
    scene = Rainy(tree())
    scene.look(30)
    scene.more = {"l-1-0-2": 45.0}
    scene.look(2)
    again = Rainy(scene.topology)
    again.watch.restore(scene.watch.export())
    again.more = {"l-1-0-2": 45.0, "l-2-1-1": 12.0}
    assert elements(again.look(2)) == ["l-2-1-1"]


@pytest.mark.parametrize(
    ("element", "circuits", "allowed"),
    [
        (Element(ElementKind.LAMP, "l-1-0-2"), ("k-1-0",), True),
        (Element(ElementKind.CIRCUIT, "k-0-1"), ("k-0-1",), False),
        (Element(ElementKind.CABINET, "c-1"), ("k-1-0", "k-1-1"), True),
        (Element(ElementKind.LAMP, "nobody"), (), False),
    ],
)
def test_what_is_to_be_opened_and_who_may_say_so(element: Element, circuits: tuple[str, ...], allowed: bool) -> None:
    assert circuits_to_open(tree(isolates=True), element) == (circuits, allowed)


def test_a_trip_test_is_due_by_its_date_and_again_when_it_failed() -> None:
    known = {"r1": 0, "r2": 0, "r3": 0}
    tests = {"r2": TripTest(80 * DAY_MS, tripped=True), "r3": TripTest(80 * DAY_MS, tripped=False)}
    found = overdue(known, tests, 91 * DAY_MS)
    assert {one.element.id: one.open for one in found} == {"r1": True, "r2": False, "r3": True}
