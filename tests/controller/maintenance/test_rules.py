"""The rules by themselves: the life of an order and its clock, crews, trips, urgency, proof, locks, stock."""

import datetime as dt
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lamplighter_contract.commands.states import CommandState
from lamplighter_contract.quality import Quality
from lamplighter_contract.quantities import Kind
from lamplighter_controller.diagnosis.findings import Element, ElementKind, EvidenceLine
from lamplighter_controller.diagnosis.incidents.clock import Sla
from lamplighter_controller.diagnosis.incidents.incident import Incident
from lamplighter_controller.diagnosis.incidents.incident import State as IncidentState
from lamplighter_controller.maintenance.orders.crews import Crew, chosen
from lamplighter_controller.maintenance.orders.life import RULES, Action, Wish, taken
from lamplighter_controller.maintenance.orders.locks import Lock, LockState, followed
from lamplighter_controller.maintenance.orders.opening import NOWHERE, Place, Wanted, kind_of_proof, opened
from lamplighter_controller.maintenance.orders.order import RUNNING, Order, ProofKind, State
from lamplighter_controller.maintenance.orders.proof import Asked, Outcome, judged, leak_limit_ma, meter_step
from lamplighter_controller.maintenance.orders.trips import Trip, cannot_go, proposals
from lamplighter_controller.maintenance.parts.part import Move, cannot_take, stock_of
from lamplighter_controller.maintenance.refused import Refused
from lamplighter_controller.series.port import Readings

ZONE = "Asia/Shanghai"
HOUR_MS = 3_600_000
MINUTE_MS = 60_000
BEGIN_MS = round(datetime(2026, 3, 5, 20, tzinfo=ZoneInfo(ZONE)).timestamp() * 1000)
LAMP = Element(ElementKind.LAMP, "lamp-1")
TOLD: dict[Action, dict[str, Any]] = {
    Action.ASSIGN: {"crew": "a"},
    Action.TAKE: {"crew": "a"},
    Action.ARRIVE: {"latitude": 36.6, "longitude": 117.1},
    Action.FINISH: {"done": "x"},
    Action.DUPLICATE: {"of": "WO-2"},
    Action.PROVE: {"kind": "telemetry", "text": "lit"},
    Action.SEND_BACK: {"text": "dark"},
}


def order(**told: object) -> Order:
    made = opened("WO-1", Wanted(LAMP, "lamp_dead", 3, "", BEGIN_MS - HOUR_MS, BEGIN_MS), Sla(zone=ZONE), BEGIN_MS)
    return msgspec.structs.replace(made, **told)


@given(st.lists(st.tuples(st.sampled_from(list(Action)), st.integers(0, 10 * HOUR_MS)), max_size=40))
def test_whatever_is_done_the_clock_counts_running_time_alone(steps: Sequence[tuple[Action, int]]) -> None:
    now, now_ms, ran_ms = order(), BEGIN_MS, 0
    for action, later_ms in steps:
        before = now
        wish = Wish(action, "token:li", now_ms + later_ms, "reason", TOLD.get(action, {}))
        after = taken(now, wish, now_ms + later_ms)
        if isinstance(after, Refused):
            assert before.state not in RULES[action].after, after
            continue
        ran_ms += later_ms if before.state in RUNNING else 0
        now, now_ms = after, now_ms + later_ms
        assert after.state is RULES[action].to
        assert (after.paused_since_ms > 0) == (after.state not in RUNNING)
        stood_ms = after.paused_ms + (now_ms - after.paused_since_ms if after.paused_since_ms else 0)
        assert stood_ms + ran_ms == now_ms - BEGIN_MS
        assert after.due_ms - after.paused_ms == order().due_ms
        assert (after.done_ms > 0) == (after.state in {State.DONE, State.PROVED} or after.outcome == "proved")


def test_every_state_can_be_reached_and_left_but_the_last() -> None:
    reached = {State.NEW} | {rule.to for rule in RULES.values()}
    left = {state for rule in RULES.values() for state in rule.after}
    assert (reached, left) == (set(State), set(State) - {State.CLOSED})


@pytest.mark.parametrize(
    ("severity", "road_class", "priority", "due"),
    [
        (5, "", 5, "2026-03-05 21:00"),
        (3, "branch", 3, "2026-03-06 20:00"),
        (2, "branch", 2, "2026-03-11 20:00"),  # Friday is a holiday, then a weekend: Monday to Wednesday
        (2, "main", 3, "2026-03-06 20:00"),
        (1, "expressway", 1, None),
    ],
)
def test_urgency_follows_severity_and_road_and_the_calendar(
    severity: int, road_class: str, priority: int, due: str | None
) -> None:
    sla = Sla(holidays=frozenset({dt.date(2026, 3, 6)}), zone=ZONE)
    made = opened("WO-1", Wanted(LAMP, "x", severity, place=Place(road_class=road_class)), sla, BEGIN_MS)
    shown = (
        datetime.fromtimestamp(made.due_ms / 1000, ZoneInfo(ZONE)).strftime("%Y-%m-%d %H:%M") if made.due_ms else None
    )
    assert (made.priority, shown) == (priority, due)


def test_the_kind_of_proof_follows_who_can_speak() -> None:
    assert kind_of_proof(Place(devices=("a",), meter="cab")) is ProofKind.TELEMETRY
    assert kind_of_proof(Place(meter="cab")) is ProofKind.METER
    assert kind_of_proof(NOWHERE) is ProofKind.PHOTO


@pytest.mark.parametrize(
    ("hour", "day", "works"),
    [(20, 5, True), (5, 6, True), (7, 6, False), (20, 7, False), (3, 7, True), (3, 8, False)],
)
def test_a_shift_over_midnight_belongs_to_the_day_it_began_on(hour: int, day: int, works: bool) -> None:
    crew = Crew("night", from_h=18, until_h=6, weekdays=(4, 5))  # Thursday the 5th and Friday the 6th
    now_ms = round(datetime(2026, 3, day, hour, tzinfo=ZoneInfo(ZONE)).timestamp() * 1000)
    assert crew.on_shift(now_ms, ZONE) is works


def test_the_crew_of_the_road_goes_first_then_the_one_with_least_to_do() -> None:
    crews = [
        Crew("a", districts=("east",)),
        Crew("b", districts=("east",)),
        Crew("c", roads=("r1",)),
        Crew("d", roads=("r9",)),
    ]
    on_r1, on_r2 = order(road="r1", district="east"), order(road="r2", district="east")
    load = {"a": 3, "b": 1, "c": 9}

    def pick(one: Order) -> str | None:
        crew = chosen(one, crews, load, BEGIN_MS, ZONE)
        return crew.id if crew else None

    assert (pick(on_r1), pick(on_r2), pick(order(road="r3", district="west"))) == ("c", "b", None)


def test_orders_on_one_road_are_proposed_as_one_trip_and_others_refused() -> None:
    mine = [order(id=f"WO-{n}", road="r1", priority=n) for n in (1, 3)]
    other = order(id="WO-9", road="r2")
    assert [one.orders for one in proposals([*mine, other])] == [("WO-3", "WO-1")]
    trip = Trip("t", "r1", "a")
    assert cannot_go(trip, mine) is None
    assert cannot_go(trip, [other]) == Refused("body.orders", "one-road", "WO-9 is on r2, not on r1")
    assert cannot_go(trip, [order(road="r1", state=State.ON_SITE)])


def readings(minutes: Sequence[float], device: str = "lamp-1", quality: int = 0, **values: float) -> Readings:
    n = len(minutes)
    times = np.array([BEGIN_MS + round(one * MINUTE_MS) for one in minutes], np.int64)
    columns = {name: np.full(n, value) for name, value in values.items()}
    return Readings(Kind.LAMP, [device] * n, times, columns, np.full(n, quality, np.uint8))


def incident(class_id: str, raised_ms: int = BEGIN_MS - HOUR_MS) -> Incident:
    line = EvidenceLine("leakage", 60.0, 2.0, 0.5, 9, "mA")
    return Incident("i", LAMP, ((class_id, 1.0),), IncidentState.IN_WORK, 3, 1, 1, raised_ms, raised_ms, (line,))


LONG, SHORT = (0, 15, 31), (0, 5, 10)


@pytest.mark.parametrize(
    ("class_id", "seen", "standing", "outcome"),
    [
        ("leak", readings(LONG, desired_percent=50, leakage_ma=2), [incident("leak")], Outcome.PROVED),
        ("leak", readings(SHORT, desired_percent=50, leakage_ma=2), [], Outcome.WAITING),
        ("leak", readings(LONG, desired_percent=0, leakage_ma=2), [], Outcome.WAITING),
        ("leak", readings(LONG, desired_percent=50), [], Outcome.WAITING),
        ("leak", readings((-60, -30, -1), desired_percent=50, leakage_ma=2), [], Outcome.WAITING),
        ("leak", readings(SHORT, desired_percent=50, leakage_ma=40), [], Outcome.NOT_MENDED),
        ("leak", readings((5,), desired_percent=50, leakage_ma=40), [], Outcome.WAITING),
        ("leak", readings(LONG, quality=int(Quality.STALE), desired_percent=50, leakage_ma=2), [], Outcome.WAITING),
        ("lamp_dead", readings(LONG, desired_percent=50, power_w=60), [], Outcome.PROVED),
        ("lamp_dead", readings(LONG, desired_percent=50, power_w=1), [], Outcome.NOT_MENDED),
        (
            "lamp_dead",
            readings(LONG, desired_percent=50, power_w=60),
            [incident("tilt", BEGIN_MS + 1)],
            Outcome.NOT_MENDED,
        ),
        ("pf_cap", readings(LONG, desired_percent=50, power_w=60), [], Outcome.PROVED),
        ("pf_cap", readings(LONG, desired_percent=50, power_w=60), [incident("pf_cap")], Outcome.WAITING),
        ("pf_cap", readings((0, 60, 121), desired_percent=50, power_w=60), [incident("pf_cap")], Outcome.NOT_MENDED),
    ],
)
def test_proof(class_id: str, seen: Readings, standing: list[Incident], outcome: Outcome) -> None:
    asked = Asked(class_id, BEGIN_MS, 30 * MINUTE_MS)
    assert judged(asked, seen, ["lamp-1"], standing).outcome is outcome


def test_most_lamps_of_a_circuit_have_to_be_lit_again() -> None:
    names = [f"l-{number}" for number in range(20)]

    def seen(dark: int, silent: int) -> Readings:
        heard = [
            readings(LONG, name, desired_percent=50, power_w=1.0 if n < dark else 60.0) for n, name in enumerate(names)
        ]
        kept = heard[: len(heard) - silent]
        return Readings(
            Kind.LAMP,
            [name for one in kept for name in one.device],
            np.concatenate([one.time_ms for one in kept]),
            {name: np.concatenate([one.values[name] for one in kept]) for name in ("desired_percent", "power_w")},
            np.concatenate([one.quality for one in kept]),
        )

    asked = Asked("feeder_trip", BEGIN_MS, 30 * MINUTE_MS)
    assert judged(asked, seen(2, 3), names, []).outcome is Outcome.PROVED, "single lamps have faults of their own"
    assert judged(asked, seen(3, 0), names, []).outcome is Outcome.NOT_MENDED
    assert judged(asked, seen(0, 11), names, []).outcome is Outcome.WAITING


def test_a_leak_is_gone_half_way_down_and_never_above_what_hurts() -> None:
    assert leak_limit_ma(incident("leak"), of_people=True) == 30
    small = msgspec.structs.replace(incident("leak"), evidence=(EvidenceLine("leakage", 14.0, 2.0, 0.5, 9, "mA"),))
    assert leak_limit_ma(small, of_people=True) == 8
    assert leak_limit_ma(None, of_people=False) == 300


@pytest.mark.parametrize(
    ("before", "after", "missing", "outcome"),
    [(1000, 1130, 150, Outcome.PROVED), (1000, 1060, 150, Outcome.NOT_MENDED), (1000, 900, 150, Outcome.NOT_MENDED)],
)
def test_a_meter_has_to_step_up_by_most_of_what_was_missing(
    before: float, after: float, missing: float, outcome: Outcome
) -> None:
    assert meter_step(before, after, missing).outcome is outcome


@pytest.mark.parametrize(
    ("state", "told", "after"),
    [
        (LockState.ASKED, [(CommandState.SENT, "")], LockState.ASKED),
        (LockState.ASKED, [(CommandState.VERIFIED, "")], LockState.HELD),
        (LockState.ASKED, [(CommandState.REJECTED, "locked")], LockState.REFUSED),
        (LockState.ASKED, [(CommandState.UNCONFIRMED, "")], LockState.DOUBTFUL),
        (LockState.DOUBTFUL, [(CommandState.VERIFIED, "")], LockState.HELD),
        (LockState.RELEASING, [(CommandState.VERIFIED, ""), (CommandState.SENT, "")], LockState.RELEASING),
        (LockState.RELEASING, [(CommandState.VERIFIED, ""), (CommandState.FAILED, "x")], LockState.HELD),
        (LockState.RELEASING, [(CommandState.VERIFIED, "")] * 2, LockState.RELEASED),
        (LockState.HELD, [(CommandState.FAILED, "")], LockState.HELD),
    ],
)
def test_a_lock_is_what_its_gateway_has_confirmed(
    state: LockState, told: list[tuple[CommandState, str]], after: LockState
) -> None:
    lock = Lock("k", "WO-1", ("c",), "token:li", state, 1, 2, "r")
    found = followed(lock, told, 9)
    assert found.state is after
    assert found.in_force == (after not in {LockState.REFUSED, LockState.RELEASED})


def test_stock_is_what_came_less_what_went() -> None:
    moves = [Move("cable", 100.0, "b1"), Move("cable", -30.5, "b1"), Move("cable", 5.0, "b2")]
    assert stock_of(moves) == {("cable", "b1"): 69.5, ("cable", "b2"): 5.0}
    assert cannot_take("cable", "b1", 69.5, 69.5) is None
    assert cannot_take("cable", "b1", 69.6, 69.5)
    assert cannot_take("cable", "b1", -1, 69.5)
