"""Presence as a table: what was heard, and what may be said then."""

import pytest

from lamplighter_controller.intake.presence import (
    OUT_OF_SIGHT_S,
    Presence,
    Status,
    asked_again,
    born,
    heard,
    out_of_sight,
    passed,
    vouched,
    willed,
)

TABLE = [
    # steps, each (what, boot, seconds); status, doubled at the end
    ([], Status.UNKNOWN, False),
    ([("passed", "", 1000)], Status.UNKNOWN, False),
    ([("again", "", 10), ("passed", "", 54)], Status.UNKNOWN, False),
    ([("again", "", 10), ("passed", "", 55)], Status.OFFLINE, False),
    ([("again", "", 10), ("passed", "", 55), ("born", "a", 60)], Status.ONLINE, False),
    ([("born", "a", 0)], Status.ONLINE, False),
    ([("born", "a", 0), ("will", "a", 1)], Status.OFFLINE, False),
    ([("born", "a", 0), ("will", "old", 1)], Status.ONLINE, False),
    ([("born", "a", 0), ("born", "b", 1), ("will", "a", 2)], Status.ONLINE, False),
    ([("born", "a", 0), ("born", "a", 1)], Status.ONLINE, False),
    ([("born", "a", 0), ("born", "b", 1), ("born", "a", 2)], Status.ONLINE, True),
    ([("born", "a", 0), ("born", "b", 1), ("heard", "a", 5)], Status.ONLINE, False),
    ([("born", "a", 0), ("born", "b", 1), ("heard", "a", 12)], Status.ONLINE, True),
    ([("born", "a", 0), ("born", "b", 1), ("heard", "a", 12), ("passed", "", 133)], Status.ONLINE, False),
    ([("born", "a", 0), ("passed", "", 449)], Status.ONLINE, False),
    ([("born", "a", 0), ("passed", "", 450)], Status.STALE, False),
    ([("born", "a", 0), ("passed", "", 450), ("heard", "a", 451)], Status.ONLINE, False),
    ([("born", "a", 0), ("again", "", 10), ("passed", "", 54)], Status.ONLINE, False),
    ([("born", "a", 0), ("again", "", 10), ("passed", "", 55)], Status.STALE, False),
    ([("born", "a", 0), ("again", "", 10), ("heard", "a", 20), ("passed", "", 60)], Status.ONLINE, False),
    ([("born", "a", 0), ("will", "a", 1), ("heard", "a", 2)], Status.OFFLINE, False),
    ([("born", "a", 0), ("cut", "", 10)], Status.UNKNOWN, False),
    ([("born", "a", 0), ("passed", "", 450), ("cut", "", 460)], Status.UNKNOWN, False),
    ([("born", "a", 0), ("will", "a", 1), ("cut", "", 10)], Status.OFFLINE, False),
    ([("born", "a", 0), ("cut", "", 10), ("passed", "", 9999)], Status.UNKNOWN, False),
    ([("again", "", 0), ("cut", "", 10), ("passed", "", 9999)], Status.UNKNOWN, False),
    ([("born", "a", 0), ("cut", "", 10), ("again", "", 60), ("passed", "", 105)], Status.OFFLINE, False),
    ([("born", "a", 0), ("cut", "", 10), ("again", "", 60), ("born", "a", 61)], Status.ONLINE, False),
    ([("born", "a", 0), ("cut", "", 10), ("again", "", 60), ("heard", "a", 61)], Status.ONLINE, False),
    ([("born", "a", 0), ("cut", "", 10), ("again", "", 60), ("heard", None, 61)], Status.UNKNOWN, False),
    ([("again", "", 0), ("heard", "a", 1)], Status.UNKNOWN, False),
]


@pytest.mark.parametrize(("steps", "status", "doubled"), TABLE)
def test_presence(steps, status: Status, doubled: bool) -> None:
    known = Presence()
    for what, boot, now_s in steps:
        match what:
            case "born":
                known = born(known, boot, now_s)
            case "heard":
                known = heard(known, boot, now_s)
            case "will":
                known = willed(known, boot)
            case "cut":
                known = out_of_sight(known, now_s)
            case "again":
                known = asked_again(known, now_s)
            case "passed":
                known = passed(known, now_s)
    assert (known.status, known.doubled) == (status, doubled)


def test_only_some_boots_are_remembered() -> None:
    known = Presence()
    for number in range(100):
        known = born(known, str(number), number)
    assert len(known.former) == 8


def test_devices_are_vouched_for_while_their_gateway_is_there_and_for_a_while_out_of_sight() -> None:
    there = born(Presence(), "a", 0)
    unseen = out_of_sight(out_of_sight(there, 10), 50)  # the loss counts from its beginning
    assert vouched(Presence(), 1000)
    assert vouched(there, 1000)
    assert vouched(unseen, 10 + OUT_OF_SIGHT_S)
    assert not vouched(unseen, 11 + OUT_OF_SIGHT_S)
    assert vouched(born(unseen, "a", 200), 200)
    assert vouched(heard(unseen, "a", 200), 200)
    assert not vouched(willed(there, "a"), 1)
    assert not vouched(passed(there, 450), 450)
