"""The plan and signals as documents: bounds, names that lead nowhere, and what was released before."""

from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lamplighter_contract.commands.signing import Keyring, Signer, decode_key, open_keys
from lamplighter_contract.errors import Reason, Refusal
from lamplighter_contract.light.level import level
from lamplighter_contract.light.plans.calendars import Calendar, Rule
from lamplighter_contract.light.plans.plan import Assignment, Group, Plan, decode_plan, encode_plan, read_plan, unfit
from lamplighter_contract.light.signals import SignalsDocument, by_name, read_signals
from lamplighter_contract.light.view import View
from lamplighter_contract.wire.bounded import read_object
from lamplighter_contract.wire.limits import MAX_DOCUMENT_BYTES
from tests.contract.light.samples import FEW, SAMPLE, jinan_ms, plans

GOLDEN = Path(__file__).parent.parent / "golden" / "v1"
ROOT_PUBLIC = "iojj3XQJ8ZX9UtstPLpdcspnCb8dlBIb83SIAbQPb1w="


def recorded(name: str):
    ring = open_keys((GOLDEN / "keys.json").read_bytes(), decode_key(ROOT_PUBLIC), Keyring())
    assert isinstance(ring, Keyring)
    document = read_object((GOLDEN / name).read_bytes(), MAX_DOCUMENT_BYTES)
    assert isinstance(document, dict)
    assert ring.check(document, 1_771_230_000_000) is None
    return document


def test_the_recorded_plan_still_verifies_and_is_understood():
    plan = read_plan(recorded("plan.json"))
    assert isinstance(plan, Plan)
    decided = level(View(plan), "lamp-1", jinan_ms("2026-02-16 23:00"), {})
    assert (decided.level_percent, decided.why.program) == (60, "saving-winter")


def test_the_recorded_signals_still_verify_and_are_understood():
    document = read_signals(recorded("signals.json"))
    assert isinstance(document, SignalsDocument)
    assert by_name(document)["lux-north"].value == 30.5


@FEW
@given(plans(1_771_230_000_000))
def test_a_plan_is_read_as_it_was_written(plan):
    assert decode_plan(encode_plan(plan)) == plan
    signed = Signer("k", bytes(32)).sign(plan.as_json())
    assert decode_plan(signed) == plan


def test_a_plan_is_written_the_same_way_every_time():
    days = frozenset(f"2026-02-{day}" for day in range(10, 20))
    holidays = Calendar("h", "half-night", (Rule("r", "half-night", dates=days),), {"list": days})
    written = msgspec.structs.replace(SAMPLE, calendars=(*SAMPLE.calendars, holidays)).as_json()["calendars"][-1]
    assert written["rules"][0]["dates"] == written["holidays"]["list"] == sorted(days)


def changed(**values):
    return SAMPLE.as_json() | values


@pytest.mark.parametrize(
    ("document", "says"),
    [
        ({}, "v is None"),
        (changed(v=2), "v is 2"),
        (changed(zone="Asia/Jinan"), "zone is 'Asia/Jinan'"),
        (changed(zone="../../etc"), "zone is '../../etc'"),
        (changed(zone="Asia"), "zone is 'Asia'"),
        (changed(latitude=91), "latitude"),
        (changed(gateway="GW 1"), "gateway"),
        (changed(version=-1), "version"),
        (changed(programs=[]), "no program saving-summer"),
        (changed(calendars=[]), "assignment 1: no calendar seasons"),
        (changed(calendars=[]), "circuit circuit-2: no calendar half-night-loop"),
        (changed(groups=[]), "assignment 1: no group main"),
        (changed(groups=SAMPLE.as_json()["groups"] * 2), "group main stands twice"),
        (changed(overrides=[{"id": "x"}]), "overrides[0]"),
        (changed(groups=[{"id": "main", "devices": ["lamp 1"]}]), r"groups[0].devices[0]"),
        (changed(scenes=[{"id": "s", "cues": [{"after_s": 0, "level_percent": 101}]}]), "scenes[0].cues[0]"),
        (
            changed(
                scenes=[{"id": "s", "cues": [{"after_s": 5, "level_percent": 1}, {"after_s": 4, "level_percent": 1}]}]
            ),
            "not in order of time",
        ),
        (
            changed(programs=[{"id": "p", "levels": {"level_percent": 100}, "begins": {"by": "moon"}}]),
            "programs[0].begins",
        ),
        (
            changed(
                programs=[{"id": "p", "levels": {"level_percent": 100}, "ends": {"by": "clock", "at": "24:00:00"}}]
            ),
            "ends",
        ),
        (
            changed(calendars=[{"id": "c", "default_program": "half-night", "rules": [{"id": "r", "program": "x"}]}]),
            "calendar c, rule r: no program x",
        ),
    ],
)
def test_a_plan_with_anything_wrong_is_refused_and_the_place_is_named(document, says):
    refusal = read_plan(document)
    assert isinstance(refusal, Refusal)
    assert says in refusal.detail


def test_more_than_a_megabyte_is_refused():
    refusal = decode_plan(b" " * (MAX_DOCUMENT_BYTES + 1))
    assert isinstance(refusal, Refusal)
    assert refusal.reason is Reason.TOO_LARGE


def test_ten_thousand_lamps_fit_in_a_plan():
    lamps = tuple(f"lamp-{n:05}-{n:05}" for n in range(10_000))
    large = msgspec.structs.replace(
        SAMPLE,
        groups=(Group("all", lamps),),
        assignments=(Assignment("seasons", groups=("all",)),),
        circuits=(),
        scenes=(),
        adaptive=(),
    )
    payload = encode_plan(large)
    assert len(payload) < MAX_DOCUMENT_BYTES / 2
    assert decode_plan(payload) == large


@pytest.mark.parametrize(
    ("gateway", "in_force", "reason"),
    [("gw-1", 0, None), ("gw-1", 7, None), ("gw-1", 8, Reason.PLAN_VERSION), ("gw-2", 0, Reason.ADDRESS)],
)
def test_a_plan_of_another_gateway_or_an_older_one_is_not_taken(gateway, in_force, reason):
    refusal = unfit(SAMPLE, gateway, in_force)
    assert (refusal.reason if refusal else None) is reason


def test_unknown_fields_are_ignored_within_a_version():
    assert read_plan(changed(tomorrow=1)) == SAMPLE


@settings(deadline=None)
@given(st.recursive(st.none() | st.integers() | st.text(max_size=5), lambda inner: st.lists(inner, max_size=3)))
def test_nonsense_in_a_plan_is_a_refusal(nonsense):
    for field in ("programs", "calendars", "assignments", "zone", "overrides"):
        read = read_plan(changed(**{field: nonsense}))
        assert isinstance(read, Refusal | Plan)


@pytest.mark.parametrize(
    ("document", "says"),
    [
        ({"v": 2}, "v is 2"),
        ({"v": 1, "gateway": "g", "version": 1}, "signals"),
        ({"v": 1, "gateway": "G 1", "version": 1, "signals": []}, "gateway"),
        ({"v": 1, "gateway": "g", "version": 1, "signals": [{"name": "a", "value": 1, "until": 5}]}, "until"),
        (
            {
                "v": 1,
                "gateway": "g",
                "version": 1,
                "signals": [{"name": "a", "value": 1, "until": 1_771_230_000_000}] * 2,
            },
            "twice",
        ),
    ],
)
def test_signals_with_anything_wrong_are_refused(document, says):
    refusal = read_signals(document)
    assert isinstance(refusal, Refusal)
    assert says in refusal.detail
