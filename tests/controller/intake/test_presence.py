"""Presence as a table: what was heard, and what may be said then."""

import pytest

from lamplighter_controller.intake.presence import Presence, Status, asked_again, born, heard, passed, willed

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
