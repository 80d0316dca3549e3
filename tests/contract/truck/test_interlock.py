"""The interlock: tables of its rules, and random journeys on which none may ever break."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lamplighter_contract.truck.interlock import (
    DEFAULT,
    STANDSTILL_KMH,
    Bounds,
    Deny,
    Known,
    Locate,
    Rule,
    Send,
    Step,
    Wait,
    Warn,
    check_end,
    fresh,
    lift_limit,
    speed_limit,
)

NOW = 1_800_000_000_000
LONG_AGO = NOW - 60_000
MOVING = Known(seen_ms=NOW - 1_000, speed_kmh=58.0, ignition=True, lift="flat")
LOCKS = replace(DEFAULT, lift_lock=True)


@pytest.mark.parametrize(
    ("target_kmh", "truck", "warned_ms", "last", "expected"),
    [
        (40, MOVING, None, None, Warn(10.0)),
        (40, MOVING, NOW - 9_999, None, Wait(Rule.UNWARNED)),
        (40, MOVING, NOW + 1, None, Warn(10.0)),
        (40, MOVING, LONG_AGO, None, Send(58.0)),
        (40, MOVING, LONG_AGO, Step(58.0, NOW - 4_999), Wait(Rule.RAMP)),
        (40, MOVING, LONG_AGO, Step(58.0, NOW - 5_000), Send(48.0)),
        (40, MOVING, LONG_AGO, Step(48.0, NOW - 4_000), Send(40.0)),
        (40, replace(MOVING, speed_kmh=45.0), LONG_AGO, None, Send(40)),
        (40, replace(MOVING, speed_kmh=None), LONG_AGO, None, Locate()),
        (40, replace(MOVING, seen_ms=None), LONG_AGO, None, Locate()),
        (40, replace(MOVING, seen_ms=NOW - 10_001), LONG_AGO, None, Locate()),
        (40, replace(MOVING, seen_ms=NOW + 10_001), LONG_AGO, None, Locate()),
        (40, replace(MOVING, forbidden_place=True), LONG_AGO, None, Wait(Rule.PLACE)),
        (40, replace(MOVING, foreign=True), LONG_AGO, None, Deny(Rule.FOREIGN, "no limit of somebody else in force")),
        (20, MOVING, LONG_AGO, None, Wait(Rule.SEVERE)),
        (20, replace(MOVING, speed_kmh=0.0), LONG_AGO, None, Send(20)),
        (9, replace(MOVING, speed_kmh=0.0), LONG_AGO, None, Deny(Rule.FLOOR, "at least 10 km/h")),
        (60, replace(MOVING, speed_kmh=None, seen_ms=None, limit_kmh=40.0), None, None, Send(60)),
    ],
)
def test_a_speed_limit_goes_on_by_the_rules(target_kmh, truck, warned_ms, last, expected):
    assert speed_limit(target_kmh, truck, NOW, warned_ms=warned_ms, last=last) == expected


@pytest.mark.parametrize(
    ("truck", "warned_ms", "bounds", "expected"),
    [
        (MOVING, LONG_AGO, DEFAULT, Rule.SWITCHED_OFF),
        (MOVING, LONG_AGO, LOCKS, None),
        (MOVING, None, LOCKS, None),
        (replace(MOVING, lift="raised"), LONG_AGO, LOCKS, Rule.BODY),
        (replace(MOVING, lift="unknown"), LONG_AGO, LOCKS, Rule.BODY),
        (replace(MOVING, lift="fault"), LONG_AGO, LOCKS, Rule.BODY),
        (replace(MOVING, lift=None), LONG_AGO, LOCKS, Rule.BODY),
        (replace(MOVING, seen_ms=None), LONG_AGO, LOCKS, Rule.UNKNOWN),
        (replace(MOVING, forbidden_place=True), LONG_AGO, LOCKS, Rule.PLACE),
        (replace(MOVING, foreign=True), LONG_AGO, LOCKS, Rule.FOREIGN),
    ],
)
def test_a_lift_lock_needs_a_body_that_is_known_to_be_down(truck, warned_ms, bounds, expected):
    verdict = lift_limit(truck, NOW, warned_ms=warned_ms, bounds=bounds)
    if expected is None:
        assert isinstance(verdict, Send if warned_ms else Warn)
    else:
        assert getattr(verdict, "rule", None) is expected


@pytest.mark.parametrize("until_ms", [None, NOW - 1, NOW, NOW + 72 * 3_600_000 + 1])
def test_a_limit_without_a_near_end_is_denied(until_ms):
    denied = check_end(until_ms, NOW)
    assert denied is not None
    assert denied.rule is Rule.END
    assert check_end(NOW + 72 * 3_600_000, NOW) is None


TRUCKS = st.builds(
    Known,
    st.none() | st.integers(NOW - 20_000, NOW + 20_000),
    st.none() | st.floats(0, 120),
    st.none() | st.booleans(),
    st.sampled_from([None, "flat", "raised", "fault", "unknown"]),
    st.booleans(),
    st.none() | st.floats(10, 120),
    st.booleans(),
)
WARNED = st.none() | st.integers(NOW - 60_000, NOW + 60_000)
LAST = st.none() | st.builds(Step, st.floats(10, 120), st.integers(NOW - 30_000, NOW))
TARGETS = st.floats(1, 120)


@pytest.mark.timeout(300)  # as many cases as the rules are promised to hold in
@settings(max_examples=10_000, deadline=None)
@given(TARGETS, TRUCKS, WARNED, LAST)
def test_whatever_is_sent_to_tighten_keeps_every_rule(target_kmh, truck, warned_ms, last):
    verdict = speed_limit(target_kmh, truck, NOW, warned_ms=warned_ms, last=last)
    if not isinstance(verdict, Send):
        return
    assert verdict.limit_kmh >= max(target_kmh, DEFAULT.floor_kmh)
    assert not truck.foreign
    if truck.limit_kmh is not None and verdict.limit_kmh >= truck.limit_kmh:
        return
    assert fresh(truck, NOW)
    assert not truck.forbidden_place
    assert warned_ms is not None
    assert NOW - warned_ms >= DEFAULT.warning_s * 1000
    assert truck.speed_kmh is not None
    if verdict.limit_kmh <= DEFAULT.severe_kmh:
        assert truck.speed_kmh <= STANDSTILL_KMH
    slow_enough = truck.speed_kmh <= verdict.limit_kmh + DEFAULT.margin_kmh
    stepped = last is not None and last.limit_kmh - verdict.limit_kmh <= (NOW - last.sent_ms) / 1000 * 2 + 1e-9
    assert slow_enough or stepped


@settings(max_examples=2_000, deadline=None)
@given(TRUCKS, WARNED)
def test_no_lift_lock_goes_to_a_body_that_may_be_up(truck, warned_ms):
    if isinstance(lift_limit(truck, NOW, warned_ms=warned_ms, bounds=LOCKS), Send):
        assert truck.lift == "flat"
        assert fresh(truck, NOW)


@given(st.floats(15, 110), st.sampled_from([25, 30, 40, 60, 80]), st.integers(1, 12))
def test_a_driven_ramp_reaches_its_target_without_a_jerk(speed_kmh, target_kmh, every_s):
    """A truck that keeps to the bound it was given last, asked about every few seconds."""
    last, sent, now_ms = None, [], NOW
    for _ in range(200):
        truck = Known(seen_ms=now_ms, speed_kmh=speed_kmh, ignition=True, lift="flat")
        verdict = speed_limit(target_kmh, truck, now_ms, warned_ms=LONG_AGO, last=last)
        if isinstance(verdict, Send):
            last = Step(verdict.limit_kmh, now_ms)
            sent.append(verdict.limit_kmh)
            speed_kmh = min(speed_kmh, verdict.limit_kmh)
            if verdict.limit_kmh == target_kmh:
                break
        now_ms += every_s * 1000
    assert sent[-1] == target_kmh
    assert sent == sorted(sent, reverse=True)


def test_bounds_can_be_stricter_than_the_default():
    assert speed_limit(
        15, replace(MOVING, speed_kmh=0.0), NOW, warned_ms=LONG_AGO, last=None, bounds=Bounds(floor_kmh=20)
    ) == (Deny(Rule.FLOOR, "at least 20 km/h"))
