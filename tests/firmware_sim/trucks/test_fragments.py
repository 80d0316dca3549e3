"""Which terminals send long messages, and what they send again."""

from itertools import pairwise

import numpy as np
import pytest

from lamplighter_firmware_sim.trucks.wire.fragments import MOST_KEPT, Kept
from lamplighter_firmware_sim.trucks.wire.frames import MOST_BODY
from lamplighter_firmware_sim.trucks.wire.quirks import Quirks, Sickness, quirks

FRAMES = [b"one", b"two", b"three"]


@pytest.mark.parametrize(
    ("body", "new", "found"),
    [
        ("0007010002", False, [b"two"]),
        ("000700020001" + "0003", True, [b"one", b"three"]),
        ("00070300010002", False, [b"one", b"two"]),
        ("000703000000040003", False, [b"three"]),
        ("0008010002", False, []),
        ("00070100", False, []),
        ("0007", True, []),
        ("", False, []),
    ],
)
def test_what_is_asked_for_is_sent_again_as_it_was(body, new, found):
    kept = Kept()
    kept.keep(7, FRAMES)
    assert kept.again(bytes.fromhex(body), new=new) == found
    assert kept.resent == len(found)


def test_only_the_newest_messages_are_kept():
    kept = Kept()
    for serial in range(MOST_KEPT + 1):
        kept.keep(serial, FRAMES)
    found = [bool(kept.again(serial.to_bytes(2) + bytes.fromhex("010001"), new=False)) for serial in (0, 1, MOST_KEPT)]
    assert found == [False, True, True]


def test_some_terminals_of_a_fleet_fragment_by_its_seed():
    fleet = [quirks(7, truck) for truck in range(124)]
    wordy = [one for one in fleet if one.frame_bytes < MOST_BODY]
    assert 15 <= len(wordy) <= 50
    assert all(one.photo_every_s > 0 and one.fragments_lost > 0 and one.batch > 20 for one in wordy)
    assert fleet == [quirks(7, truck) for truck in range(124)]


def test_a_photo_is_due_once_in_its_interval_and_what_is_whole_loses_nothing():
    sickness = Sickness(Quirks(photo_every_s=60, fragments_lost=1.0), np.random.default_rng(1))
    due = [second for second in range(1, 601) if sickness.photographs(second * 1000)]
    assert {later - earlier for earlier, later in pairwise(due)} == {60}
    assert sickness.loses(1) is None
    assert {sickness.loses(3) for _ in range(100)} == {0, 1, 2}
