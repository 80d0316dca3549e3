"""Acknowledgements and topic names."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lamplighter_contract.errors import Reason, Refusal
from lamplighter_contract.ids import is_id, uuid7
from lamplighter_contract.wire import topics
from lamplighter_contract.wire.ack import Ack, decode_ack, ranges


@given(st.lists(st.integers(0, 60)))
def test_ranges_hold_exactly_the_numbers(numbers):
    merged = ranges(numbers)
    assert {n for first, last in merged for n in range(first, last + 1)} == set(numbers)
    assert all(later[0] > earlier[1] + 1 for earlier, later in pairwise(merged))


def test_an_ack_survives_the_wire():
    ack = Ack("centre", 4, "boot", ((81_730, 81_731), (81_734, 81_734)))
    assert decode_ack(ack.encode()) == ack


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (b"{}", Reason.MALFORMED),
        (b'{"v":2,"controller":"c","epoch":1,"boot":"b","seq":[]}', Reason.VERSION),
        (b'{"v":1,"controller":"c","epoch":1,"boot":"b","seq":[[2,1]]}', Reason.MALFORMED),
        (b'{"v":1,"controller":"c","epoch":1,"boot":"b","seq":[[-1,1]]}', Reason.MALFORMED),
        (b'{"v":1,"controller":"c","epoch":1,"boot":"b","seq":[[1,1,1]]}', Reason.MALFORMED),
        (b" " * 300_000, Reason.TOO_LARGE),
    ],
)
def test_a_bad_ack_is_refused(payload, reason):
    refusal = decode_ack(payload)
    assert isinstance(refusal, Refusal)
    assert refusal.reason is reason


def test_topics_are_read_as_they_are_written():
    assert topics.parse_up(topics.up("gw-7", topics.Up.LIVE)) == ("gw-7", topics.Up.LIVE)
    assert topics.parse_down(topics.down("gw-7", topics.Down.ACK)) == ("gw-7", topics.Down.ACK)


@pytest.mark.parametrize(
    "topic", ["", "lamplighter/1/up/gw-7", "lamplighter/2/up/gw-7/live", "lamplighter/1/up/gw/x", "a/b/c/d/e"]
)
def test_foreign_topics_are_known_as_such(topic):
    assert topics.parse_up(topic) is None
    assert topics.parse_down(topic) is None


@pytest.mark.parametrize(
    ("text", "good"),
    [
        ("lamp-7-001", True),
        ("7", True),
        ("-a", False),
        ("A", False),
        ("a" * 65, False),
        ("a/b", False),
        ("", False),
        ("a\n", False),
        (7, False),
    ],
)
def test_ids(text, good):
    assert is_id(text) is good


def test_uuid7_is_ordered_by_time_and_marked_as_version_7():
    early, late = uuid7(1_763_650_000_000, b"\xff" * 10), uuid7(1_763_650_000_001, b"\x00" * 10)
    assert early < late
    assert early[14] == "7"
    assert early[19] in "89ab"
