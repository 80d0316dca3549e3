"""What the cabinet's meter misses or has too much of, and spans of cable that fall too much."""

from dataclasses import replace

import numpy as np
import pytest

from lamplighter_controller.diagnosis.findings import Element, ElementKind, Finding
from lamplighter_controller.diagnosis.suspicions import MeterSuspicions
from tests.controller.diagnosis.street import LAMP_W, STEP_MS, Street, of, street


def said(column: int, missing_w: float, expected_w: float = 1000.0, peak_w: float = 0.0) -> MeterSuspicions:
    """Cabinet 1 misses (or has too much, negative) that power under one phase."""
    zeros, nothing = np.zeros((4, 4)), np.full((4, 4), np.nan)
    power, expected, missing, sigma = nothing.copy(), nothing.copy(), zeros.copy(), nothing.copy()
    power[0, column], expected[0, column] = max(expected_w - missing_w, peak_w), expected_w
    missing[0, column], sigma[0, column] = missing_w, 5.0
    raised = np.zeros((4, 4), np.bool_)
    raised[0, column] = True
    none = np.zeros((4, 4), np.bool_)
    times, blocks = np.full((4, 4), 1_763_650_000_000), np.full((4, 4), 5, np.int32)
    low, high = (raised, none) if missing_w > 0 else (none, raised)
    return MeterSuspicions(power, expected, sigma, missing, zeros, zeros, low, high, times, blocks, nothing)


def judged(scene: Street, meters: MeterSuspicions, looks: int = 1) -> list[Finding]:
    found: list[Finding] = []
    for _ in range(looks):
        scene.now_ms += STEP_MS
        suspicions = replace(scene._suspicions(), meters=meters)
        found += scene.tree.step(scene._samples(), suspicions, scene.now_ms)
    return found


@pytest.mark.parametrize(
    ("missing_w", "expected"),
    [(100.0, "lamp_dead"), (400.0, "feeder_trip"), (950.0, "feeder_trip")],
)
def test_what_is_missing_where_nobody_tells_of_lamps_is_told_of_the_phase(missing_w: float, expected: str) -> None:
    (found,) = judged(Street(street(controlled=False)), said(1, missing_w))
    assert (found.class_id, found.element) == (expected, Element(ElementKind.PHASE, "cab-1/b"))
    assert found.evidence[0].name == "cabinet_power"


def test_what_the_meter_misses_and_every_lamp_draws_is_the_meters_after_a_day() -> None:
    scene = Street(street())
    assert judged(scene, said(1, 400.0), looks=95) == []
    assert [one.class_id for one in judged(scene, said(1, 400.0), looks=5)] == ["meter_bad"]


def test_a_meter_that_has_not_calmed_down_after_a_trip_says_nothing() -> None:
    scene = Street(street())
    scene.unpowered = of(scene.topology, "cab-1", "b")
    judged(scene, said(1, 900.0), looks=4)
    scene.unpowered = set()
    assert [one.open for one in judged(scene, said(1, 900.0), looks=20)] == [False]


def test_what_a_silent_lamp_explains_is_not_told_again() -> None:
    scene = Street(street())
    scene.silent = {"cab-1-b-4"}
    assert judged(scene, said(1, LAMP_W), looks=4) == []


@pytest.mark.parametrize("controlled", [True, False])
@pytest.mark.parametrize(
    ("surplus_w", "expected_w", "expected"),
    [(150.0, 1000.0, None), (400.0, 1000.0, "energy_theft"), (900.0, 0.0, "contactor_stuck_on")],
)
def test_too_much_is_theft_or_a_contactor_by_what_is_due_and_by_what_lamps_say(
    surplus_w: float, expected_w: float, expected: str | None, controlled: bool
) -> None:
    """Lamps that can speak would say that they are lit."""
    scene = Street(street(controlled=controlled))
    expected = "energy_theft" if controlled and expected else expected
    found = judged(scene, said(0, -surplus_w, expected_w, peak_w=1000.0), looks=8)
    assert [one.class_id for one in found] == ([expected] if expected else [])


def feeder_volts(scene: Street, level: float, bad: str, ohm: float, random: np.random.Generator) -> np.ndarray:
    """Volts along every feeder: 0.05 ohm a span, more before the bad pole; each meter has an error of its own."""
    tree = scene.topology
    amperes = LAMP_W * level / 100 / 230
    volts = np.empty(len(tree.lamps))
    for feeder in range(len(tree.feeders)):
        rows = tree.lamps_of_feeder(feeder)
        fall = 0.0
        for place, row in enumerate(rows):
            resistance = 0.05 + (ohm if tree.lamps[row] == bad else 0.0)
            fall += resistance * amperes * (len(rows) - place)
            volts[row] = 231 - fall
    return volts + (np.arange(len(volts)) % 7 - 3) * 0.4 + 0.2 * random.standard_normal(len(volts))


@pytest.mark.parametrize(
    ("ohm", "elsewhere", "found"),
    [(0.0, False, []), (1.5, False, [("hi_res", "pole-cab-2-b-3")]), (1.5, True, [])],
    ids=["sound", "bad joint", "a lamp that hangs elsewhere"],
)
@pytest.mark.parametrize("levels", [(100.0, 100.0, 50.0, 50.0, 30.0), (100.0,)], ids=["dimmed", "never dimmed"])
def test_a_bad_joint_is_seen_by_how_its_fall_grows_with_the_current_or_by_the_fall_itself(
    ohm: float, elsewhere: bool, found: list[tuple[str, str]], levels: tuple[float, ...]
) -> None:
    scene, random = Street(street(poles=12)), np.random.default_rng(1)
    told: list[Finding] = []
    bad = scene.topology.row_of_lamp["cab-2-b-3"]
    for look in range(90):
        scene.level = levels[look % len(levels)]
        samples = scene._samples()
        current = np.full(len(scene.topology.lamps), LAMP_W * scene.level / 100 / 230)
        volts = feeder_volts(scene, scene.level, "" if elsewhere else "cab-2-b-3", ohm, random)
        if elsewhere:
            volts[bad] -= ohm * 9 * LAMP_W * scene.level / 100 / 230
        values = dict(samples.lamps.values) | {"voltage_v": volts, "current_a": current}
        scene.now_ms += STEP_MS
        samples = replace(samples, lamps=replace(samples.lamps, values=values))
        told += scene.tree.step(samples, scene._suspicions(), scene.now_ms)
    assert [(one.class_id, one.element.id) for one in told if one.open] == found
