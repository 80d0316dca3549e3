"""The life of incidents: one per element and class, told once, urgent by their neighbours, over by evidence."""

import datetime as dt
import itertools
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lamplighter_contract.errors import Refusal
from lamplighter_controller.diagnosis.catalogue.faults import catalogue
from lamplighter_controller.diagnosis.findings import Element, ElementKind, EvidenceLine, Finding
from lamplighter_controller.diagnosis.incidents import handling
from lamplighter_controller.diagnosis.incidents.book import Book, Surroundings
from lamplighter_controller.diagnosis.incidents.clock import Sla
from lamplighter_controller.diagnosis.incidents.incident import Incident, State, Trial
from lamplighter_controller.diagnosis.incidents.windows import Window, covers
from lamplighter_controller.diagnosis.trials.judging import concluded, judge
from lamplighter_controller.diagnosis.trials.sequence import is_worth_testing
from tests.controller.diagnosis.street import street

HOUR_MS = 3_600_000
TOPOLOGY = street(cabinets=2)
AROUND = Surroundings(TOPOLOGY, catalogue())


def local_ms(text: str) -> int:
    return round(dt.datetime.fromisoformat(text).replace(tzinfo=ZoneInfo("Asia/Shanghai")).timestamp() * 1000)


NIGHT_MS = local_ms("2025-11-20T22:00")  # a Thursday


def book() -> Book:
    numbers = itertools.count(1)
    return Book(lambda: f"i-{next(numbers)}")


def lamp(name: str) -> Element:
    return Element(ElementKind.LAMP, name)


def finding(element: Element, class_id: str = "lamp_dead", *, share: float = 0.95, is_open: bool = True) -> Finding:
    rest = () if share == 1 else (("meter_bad", 1 - share),)
    line = EvidenceLine("power", 1.0, 100.0, 3.0, 2, "W")
    return Finding(element, ((class_id, share), *rest), NIGHT_MS - 1000, NIGHT_MS, (line,), open=is_open)


A = lamp("cab-1-a-1")


def test_a_finding_is_one_incident_however_often_it_is_told() -> None:
    mine = book()
    (raised,) = mine.take([finding(A)], AROUND, NIGHT_MS)
    (again,) = mine.take([finding(A, share=0.8)], AROUND, NIGHT_MS + HOUR_MS)
    assert (again.id, again.raised_ms, again.confidence) == (raised.id, NIGHT_MS, 0.8)
    assert raised.state is State.RAISED
    assert raised.due_ms == NIGHT_MS + 24 * HOUR_MS
    assert raised.evidence[0].expected == 100.0


def test_another_class_of_the_same_element_in_the_same_step_is_the_same_incident_seen_better() -> None:
    mine = book()
    (raised,) = mine.take([finding(A, "node_comm")], AROUND, NIGHT_MS)
    step = [finding(A, "node_comm", is_open=False), finding(A, "lamp_dead")]
    (better,) = mine.take(step, AROUND, NIGHT_MS + HOUR_MS)
    assert (better.id, better.class_id, better.state) == (raised.id, "lamp_dead", State.RAISED)


def test_two_complaints_of_one_element_are_two() -> None:
    mine = book()
    assert len(mine.take([finding(A, "led_partial"), finding(A, "leak")], AROUND, NIGHT_MS)) == 2


def test_evidence_clears_and_what_comes_back_is_the_same_incident_until_it_is_closed() -> None:
    mine = book()
    mine.take([finding(A)], AROUND, NIGHT_MS)
    (cleared,) = mine.take([finding(A, is_open=False)], AROUND, NIGHT_MS + HOUR_MS)
    assert (cleared.state, cleared.cleared_ms) == (State.CLEARED, NIGHT_MS + HOUR_MS)
    (back,) = mine.take([finding(A)], AROUND, NIGHT_MS + 2 * HOUR_MS)
    assert (back.id, back.state, back.returned) == (cleared.id, State.RAISED, 1)
    mine.take([finding(A, is_open=False)], AROUND, NIGHT_MS + 3 * HOUR_MS)
    (closed,) = mine.tick(AROUND, NIGHT_MS + 28 * HOUR_MS)
    assert (closed.state, closed.closed_by) == (State.CLOSED, "rule:evidence")
    (new,) = mine.take([finding(A)], AROUND, NIGHT_MS + 29 * HOUR_MS)
    assert new.id != back.id


def test_what_is_judged_again_after_a_restart_is_not_raised_again() -> None:
    mine = book()
    (raised,) = mine.take([finding(A)], AROUND, NIGHT_MS)
    closed = handling.close(raised, "user:li", "lamp replaced", NIGHT_MS + HOUR_MS)
    assert isinstance(closed, Incident)
    again = book()
    again.load([closed])
    assert again.take([finding(A)], AROUND, NIGHT_MS) == []
    assert len(again.take([finding(A)], AROUND, NIGHT_MS + 2 * HOUR_MS)) == 1


def test_three_lamps_out_in_a_row_are_an_emergency_and_two_are_not() -> None:
    mine = book()
    row = [lamp(f"cab-1-a-{order}") for order in (3, 4, 5)]
    two = mine.take([finding(one) for one in row[:2]], AROUND, NIGHT_MS)
    assert {one.severity for one in two} == {3}
    three = mine.take([finding(row[2])], AROUND, NIGHT_MS + HOUR_MS)
    assert {one.severity for one in three} == {5}
    assert {one.due_ms - one.raised_ms for one in three} == {HOUR_MS}
    apart = mine.take([finding(lamp(f"cab-2-b-{order}")) for order in (1, 3, 5)], AROUND, NIGHT_MS)
    assert {one.severity for one in apart} == {3}


def test_a_single_lamp_is_worth_a_trip_in_the_second_night_a_leak_at_once() -> None:
    mine = book()
    single, leak = mine.take([finding(A), finding(lamp("cab-2-b-1"), "leak")], AROUND, NIGHT_MS)
    assert (single.trip_ms, leak.trip_ms) == (0, NIGHT_MS)
    assert mine.tick(AROUND, local_ms("2025-11-21T09:00")) == []
    assert mine.tick(AROUND, local_ms("2025-11-21T18:00")) == []
    (ready,) = mine.tick(AROUND, local_ms("2025-11-21T20:30"))
    assert (ready.id, ready.trip_ms) == (single.id, local_ms("2025-11-21T20:30"))


def test_in_a_window_nothing_is_told_and_what_is_still_wrong_afterwards_is() -> None:
    mine = book()
    around = Surroundings(TOPOLOGY, catalogue(), excused={Element(ElementKind.CABINET, "cab-1")})
    (withheld,) = mine.take([finding(A)], around, NIGHT_MS)
    assert (withheld.withheld, withheld.due_ms) == (True, 0)
    other = mine.take([finding(lamp("cab-2-a-1"))], around, NIGHT_MS)
    assert not other[0].withheld
    (told,) = mine.tick(AROUND, NIGHT_MS + HOUR_MS)
    assert (told.id, told.withheld, told.raised_ms) == (withheld.id, False, NIGHT_MS + HOUR_MS)


def test_a_part_just_replaced_raises_nothing_for_an_hour() -> None:
    mine = book()
    mine.take([finding(A)], AROUND, NIGHT_MS)
    (over,) = mine.replaced([A], NIGHT_MS + HOUR_MS)
    assert (over.state, over.note) == (State.CLEARED, "replaced")
    (quiet,) = mine.take([finding(A, "led_partial")], AROUND, NIGHT_MS + HOUR_MS + 1)
    assert quiet.withheld


@pytest.mark.parametrize(
    ("severity", "begin", "due"),
    [
        (5, "2025-11-20T22:00", "2025-11-20T23:00"),
        (3, "2025-11-20T22:00", "2025-11-21T22:00"),
        (2, "2025-11-20T22:00", "2025-11-25T22:00"),  # Friday, Monday, Tuesday
    ],
)
def test_the_clock_runs_by_severity(severity: int, begin: str, due: str) -> None:
    assert Sla().due_ms(severity, local_ms(begin)) == local_ms(due)


def test_holidays_are_no_working_days_and_information_has_no_clock() -> None:
    sla = Sla(holidays=frozenset({dt.date(2025, 11, 24)}))
    assert sla.due_ms(2, local_ms("2025-11-20T22:00")) == local_ms("2025-11-26T22:00")
    assert sla.due_ms(1, NIGHT_MS) == 0


def test_people_do_what_the_state_allows() -> None:
    (raised,) = book().take([finding(A)], AROUND, NIGHT_MS)
    seen = handling.acknowledge(raised, "user:wang", NIGHT_MS)
    assert isinstance(seen, Incident)
    assert isinstance(handling.acknowledge(seen, "user:li", NIGHT_MS), Refusal)
    shelved = handling.shelve(seen, NIGHT_MS + HOUR_MS, "road works", NIGHT_MS)
    assert isinstance(shelved, Incident)
    assert isinstance(handling.shelve(seen, NIGHT_MS - 1, "too late", NIGHT_MS), Refusal)
    working = handling.begin_work(shelved, "WO-7", NIGHT_MS)
    assert isinstance(working, Incident)
    closed = handling.close(working, "user:wang", "done", NIGHT_MS)
    assert isinstance(closed, Incident)
    assert isinstance(handling.begin_work(closed, "WO-8", NIGHT_MS), Refusal)


def test_danger_cannot_be_shelved() -> None:
    (leak,) = book().take([finding(A, "leak")], AROUND, NIGHT_MS)
    assert isinstance(handling.shelve(leak, NIGHT_MS + HOUR_MS, "later", NIGHT_MS), Refusal)


def test_a_shelf_ends() -> None:
    mine = book()
    (raised,) = mine.take([finding(A)], AROUND, NIGHT_MS)
    shelved = handling.shelve(raised, NIGHT_MS + HOUR_MS, "road works", NIGHT_MS)
    assert isinstance(shelved, Incident)
    mine.put(shelved)
    assert mine.tick(AROUND, NIGHT_MS + HOUR_MS - 1) == []
    assert mine.tick(AROUND, NIGHT_MS + HOUR_MS)[0].state is State.RAISED


@pytest.mark.parametrize(
    ("element", "covered"),
    [
        (A, True),
        (Element(ElementKind.POLE, "pole-cab-1-a-1"), True),
        (Element(ElementKind.PHASE, "cab-1/b"), True),
        (Element(ElementKind.CIRCUIT, "cab-1-c"), True),
        (Element(ElementKind.CABINET, "cab-2"), False),
        (Element(ElementKind.GATEWAY, "gw-1"), True),
        (Element(ElementKind.MODEL, "new"), False),
        (lamp("nobody"), False),
    ],
)
def test_a_window_on_a_cabinet_covers_what_hangs_on_it(element: Element, covered: bool) -> None:
    assert covers(TOPOLOGY, [Element(ElementKind.CABINET, "cab-1")], element) is covered


def test_a_window_holds_from_its_start_until_before_its_end() -> None:
    window = Window("w", (A,), 10, 20, "user:li", "works")
    assert [window.holds(time) for time in (9, 10, 19, 20)] == [False, True, True, False]


DUE = {100.0: 100.0, 50.0: 52.0, 0.0: 1.0}


@pytest.mark.parametrize(
    ("powers", "expected"),
    [
        ((1.5, 1.5, 1.5), "lamp_dead"),
        ((66.0, 34.0, 1.0), "led_partial"),
        ((100.0, 99.0, 1.0), "dim_fail"),
        ((100.0, 52.0, 100.0), "relay_stuck_on"),
    ],
)
def test_levels_tell_lamp_driver_relay_and_dim_line_apart(powers: tuple[float, ...], expected: str) -> None:
    even = tuple((name, 0.25) for name in ("lamp_dead", "led_partial", "dim_fail", "relay_stuck_on"))
    judged = judge(even, list(zip(DUE, powers, strict=True)), DUE)
    assert judged.alternatives[0][0] == expected
    assert judged.alternatives[0][1] > 0.9
    assert judged.healthy < 0.05


def test_a_lamp_that_does_all_it_is_told_is_cleared_and_one_that_does_not_is_worth_a_trip() -> None:
    (raised,) = book().take([finding(A, "dim_fail", share=0.6)], AROUND, NIGHT_MS)
    assert is_worth_testing(raised)
    trial = Trial("running", NIGHT_MS, "user:li")
    good = judge(raised.alternatives, list(DUE.items()), DUE)
    passed = concluded(raised, trial, good, NIGHT_MS + 1)
    assert (passed.state, passed.trials[-1].state) == (State.CLEARED, "passed")
    bad = judge(raised.alternatives, [(100.0, 100.0), (50.0, 99.0), (0.0, 1.0)], DUE)
    failed = concluded(raised, trial, bad, NIGHT_MS + 1)
    assert (failed.class_id, failed.trials[-1].state, failed.trip_ms) == ("dim_fail", "failed", NIGHT_MS + 1)
    assert not is_worth_testing(failed)


steps = st.lists(
    st.tuples(
        st.sampled_from([A, lamp("cab-1-a-2"), Element(ElementKind.CIRCUIT, "cab-1-b")]),
        st.sampled_from(["lamp_dead", "node_comm", "feeder_trip"]),
        st.booleans(),
        st.integers(0, 6),
    ),
    max_size=40,
)


@given(steps)
def test_there_is_never_more_than_one_living_incident_per_element_and_class(
    told: list[tuple[Element, str, bool, int]],
) -> None:
    mine, now_ms = book(), NIGHT_MS
    for element, class_id, is_open, hours in told:
        now_ms += hours * HOUR_MS
        mine.take([finding(element, class_id, is_open=is_open)], AROUND, now_ms)
        mine.tick(AROUND, now_ms)
        keys = [one.key for one in mine.open()]
        assert len(keys) == len(set(keys))
