"""A lamp's night ahead, and what an ageing luminaire is held to."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lamplighter_contract.level import Winner
from lamplighter_contract.light.level import level
from lamplighter_contract.light.output import EXAMPLE, constant_percent
from lamplighter_contract.light.preview import preview
from lamplighter_contract.light.signals import Signal
from lamplighter_contract.light.view import View
from tests.contract.light.samples import FEW, LAMPS, MINUTE_MS, NOW_MS, SAMPLE, jinan_ms, plans, signals

VIEW = View(SAMPLE)


def test_the_night_of_the_show():
    changes = preview(VIEW, "lamp-3", date(2026, 2, 16), {})
    told = [(change.level.why.winner.value, change.level.level_percent) for change in changes]
    assert told == [
        ("program", 0),
        ("program", 100),
        ("scene", 20),
        ("scene", 20),  # a cue with a ramp begins where it was
        ("scene", 60),
        ("program", 100),
        ("program", 100),
        ("program", 60),
        ("program", 60),
        ("program", 100),
        ("program", 0),
    ]


def test_an_override_ends_within_the_night_and_a_signal_too():
    fog = {"fog-north": Signal("fog-north", 1, jinan_ms("2026-02-17 02:00"))}
    changes = preview(VIEW, "lamp-1", date(2026, 2, 16), fog)
    starts = {change.start_ms: change.level.why.winner for change in changes}
    assert starts[jinan_ms("2026-02-16 23:00")] is Winner.ADAPTIVE
    assert starts[jinan_ms("2026-02-17 02:00")] is Winner.PROGRAM


@FEW
@given(st.data(), st.integers(0, 1439))
def test_between_two_changes_nothing_changes_but_ramps(data, minute):
    view = View(data.draw(plans(NOW_MS)))
    offered = data.draw(signals(NOW_MS))
    day = view.date_at(NOW_MS)
    night = view.night(day)
    time_ms = night.start_ms + minute * MINUTE_MS
    for device in LAMPS:
        changes = preview(view, device, day, offered)
        assert changes[0].start_ms == night.start_ms
        if time_ms < night.end_ms:
            before = [change for change in changes if change.start_ms <= time_ms][-1]
            assert before.level.why.winner == level(view, device, time_ms, offered).why.winner


@pytest.mark.parametrize(
    ("curve", "burning_h", "percent"),
    [
        (EXAMPLE, 0, 80),
        (EXAMPLE, 10_000, 90),
        (EXAMPLE, 20_000, 100),
        (EXAMPLE, 50_000, 100),
        ([(100, 70)], 0, 70),
        ([(0, 80), (10_000, 82), (30_000, 100)], 20_000, 91),
    ],
)
def test_constant_light_output(curve, burning_h, percent):
    assert constant_percent(curve, burning_h) == pytest.approx(percent)
