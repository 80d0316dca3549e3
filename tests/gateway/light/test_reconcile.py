"""What is to be done for one lamp."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lamplighter_contract.level import OWN_SCHEDULE, Level, Override, Why, Winner
from lamplighter_gateway.drivers.port import Point
from lamplighter_gateway.light.desired import Desired
from lamplighter_gateway.light.reconcile import Action, Shown, Tried, reconcile

FULL = Level(100, Why(Winner.OVERRIDE))
OFF = Level(0, Why(Winner.PROGRAM))
ROWS = [
    ("never seen", FULL, None, None, None),
    ("as wanted", FULL, Shown(99.5, 10), None, None),
    ("off", OFF, Shown(0, 10), None, None),
    ("low is not off", OFF, Shown(1, 10), None, Action(Point.LEVEL, 0)),
    ("another level", FULL, Shown(40, 10), None, Action(Point.LEVEL, 100)),
    ("level not told", FULL, Shown(None, 10), None, Action(Point.LEVEL, 100)),
    ("nothing heard since the write", FULL, Shown(40, 10), Tried(11, 1), None),
    ("heard, but too soon", FULL, Shown(40, 12), Tried(11, 1), None),
    ("heard, and the pause is over", FULL, Shown(40, 12), Tried(9, 0), Action(Point.LEVEL, 100)),
    ("back after long silence", FULL, Shown(40, 20), Tried(11, 1), Action(Point.LEVEL, 100)),
    ("nothing wanted", OWN_SCHEDULE, Shown(100, 10), None, Action(Point.RESUME)),
    ("nothing wanted, nothing heard", OWN_SCHEDULE, None, None, None),
]


@pytest.mark.parametrize("row", ROWS, ids=[row[0] for row in ROWS])
def test_reconcile(row):
    _, wanted, shown, tried, action = row
    assert reconcile(wanted, shown, tried, now_s=max(shown.at_s if shown else 0, 12)) == action


def override(identity, seq, level, until_ms, issued_ms=None):
    return Override(identity, seq, seq if issued_ms is None else issued_ms, "lamp-1", level, until_ms)


def test_the_newest_wins_and_an_older_one_comes_back_when_it_lasts_longer():
    desired = Desired([override("a", 1, 30, 1000), override("b", 2, 80, 500)])
    assert desired.level("lamp-1", 100).level_percent == 80
    assert [record.id for record in desired.drop_ended(500)] == ["b"]
    assert desired.level("lamp-1", 500).level_percent == 30


def test_an_override_displaces_no_emergency_and_a_resume_ends_both():
    emergency = replace(override("e", 1, 100, 1000), emergency=True)
    desired = Desired([emergency, override("b", 2, 30, 2000)])
    assert desired.level("lamp-1", 100).why.source == "e"
    assert desired.level("lamp-1", 1000).why.source == "b"
    desired.end(["lamp-1"], 2)
    assert (desired.overrides(), desired.resumed) == ([], {"lamp-1": 2})
    desired.end(["lamp-1"], 1)
    assert desired.resumed == {"lamp-1": 2}, "the highest number of a resume is kept"


def test_what_a_plan_leaves_in_force_replaces_all_others():
    desired = Desired([override("a", 1, 30, 1000)])
    desired.replace([override("b", 2, 80, 1000)])
    assert [record.id for record in desired.overrides()] == ["b"]


def test_a_resume_ends_what_is_at_or_below_its_number():
    desired = Desired([override("a", 5, 30, 1000)])
    desired.end(["lamp-1"], 4)
    assert desired.levels(0) == {"lamp-1": 30}
    desired.end(["lamp-1"], 5)
    assert desired.levels(0) == {}
    assert desired.held == {"lamp-1"}


@given(
    st.lists(
        st.tuples(st.integers(0, 20), st.integers(0, 100), st.integers(1, 50)), max_size=12, unique_by=lambda t: t[0]
    ),
    st.integers(0, 50),
)
def test_leaving_out_what_can_never_decide_changes_no_level(records, now_ms):
    overrides = [override(str(issued), issued, float(percent), until) for issued, percent, until in records]
    from lamplighter_contract.level import level

    assert Desired(overrides).level("lamp-1", now_ms).level_percent == level(overrides, "lamp-1", now_ms).level_percent
