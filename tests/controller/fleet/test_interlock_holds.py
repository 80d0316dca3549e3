"""No command that limits a truck leaves the centre without the interlock's yes, whatever is asked, told and lost."""

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lamplighter_contract.truck import interlock
from lamplighter_contract.truck.interlock import Bounds, Known, Send
from lamplighter_controller.fleet.limits import judging
from lamplighter_controller.fleet.limits.judging import Sight
from lamplighter_controller.fleet.limits.limit import Limit, LimitState, What
from lamplighter_controller.fleet.limits.wish import Wish
from tests.controller.fleet.town import open_town

NOW_MS = 1_763_650_000_000
BOUNDS = Bounds(lift_lock=True)

values = st.fixed_dictionaries(
    {},
    optional={
        "latitude": st.just(36.6),
        "longitude": st.just(117.1),
        "speed_kmh": st.floats(0, 150),
        "lift": st.sampled_from([0.0, 1.0, 2.0, 3.0]),
        "ignition": st.sampled_from([0.0, 1.0]),
        "speed_limited": st.sampled_from([0.0, 1.0]),
        "lift_limited": st.sampled_from([0.0, 1.0]),
    },
)
ages = st.none() | st.integers(-30_000, 120_000)


@settings(max_examples=2_000, deadline=None)
@given(
    st.sampled_from(list(What)),
    st.floats(0, 120),
    values,
    ages,
    ages,
    st.booleans(),
    st.booleans(),
    st.integers(-1, 100),
)
def test_a_yes_of_the_centre_is_a_yes_of_the_rules(what, target, shown, age_ms, warned_ms, tunnel, ours, hours):
    sight = Sight(None if age_ms is None else NOW_MS - age_ms, shown)
    limit = Limit(
        "l",
        "truck",
        "t",
        what,
        LimitState.WAITING,
        NOW_MS,
        target=target,
        until_ms=NOW_MS + hours * 3_600_000,
        warned_ms=None if warned_ms is None else NOW_MS - warned_ms,
    )
    before = replace(limit, state=LimitState.IN_EFFECT, target=30.0) if ours else None
    foreign = judging.is_foreign(sight, what, ours=ours, ended_ms=None)
    truck = judging.known(sight, what, ours=before, foreign=foreign, forbids=lambda *_: tunnel)
    if not isinstance(judging.verdict(limit, truck, (NOW_MS, NOW_MS), BOUNDS), Send):
        return
    assert 0 < hours <= 72
    assert foreign is False
    loosens = truck.limit_kmh is not None and what is What.SPEED and target >= truck.limit_kmh
    if loosens:
        return
    assert age_ms is not None
    assert abs(age_ms) <= 10_000
    assert {"latitude", "longitude", "speed_kmh"} <= shown.keys()
    assert not tunnel
    assert warned_ms is not None
    assert warned_ms >= 10_000
    if what is What.SPEED:
        assert target >= 10
        assert target > 20 or shown["speed_kmh"] <= 1
    else:
        assert shown["lift"] == 0.0


steps = st.lists(
    st.tuples(
        st.sampled_from(
            ["ask", "tell", "blind", "wait", "speak", "limit", "release", "kill", "allow", "effect", "lost"]
        ),
        st.sampled_from([1, 2]),
        st.sampled_from([15.0, 30.0, 60.0]),
    ),
    max_size=25,
)


@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture]
)
@given(steps)
async def test_whatever_happens_nothing_leaves_unasked(tmp_path_factory, taken):
    async with open_town(tmp_path_factory.mktemp("town"), stands=("companies", "trucks")) as town:
        asked = []
        genuine = interlock.speed_limit

        def watched(target_kmh, truck: Known, now_ms, **more):
            verdict = genuine(target_kmh, truck, now_ms, **more)
            if isinstance(verdict, Send):
                asked.append(target_kmh)
            return verdict

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(interlock, "speed_limit", watched)
            for what, truck, number in taken:
                await _happen(town, what, truck, number)
                await town.fleet.step()
                sent = [known.args["limit_kmh"] for known in town.sent("truck.limit_speed")]
                assert len(sent) <= len(asked)
                assert set(sent) <= set(asked)
                assert all(town.fleet.keeper.book.limits[one.id].sent_ms for one in _at_the_truck(town))


def _at_the_truck(town):
    return [one for one in town.fleet.keeper.book.limits.values() if one.state is LimitState.SENT]


async def _happen(town, what, truck, number):
    """Something that a terminal or time does; else something that a person does."""
    match what:
        case "tell" | "effect":
            await town.tell(f"t-{truck}", speed_kmh=number, speed_limited=what == "effect")
        case "blind":
            await town.tell(f"t-{truck}", fix=0.0, latitude=None, longitude=None, speed_kmh=None)
        case "wait":
            town.clock.advance(number)
        case "speak" | "limit":
            await town.answer("truck.speak" if what == "speak" else "truck.limit_speed")
        case "lost":
            await town.happened(f"t-{truck}", "truck.limit_not_in_effect", what="speed")
        case _:
            await _do(town, what, truck, number)


async def _do(town, what, truck, number):
    limits = town.fleet.limits
    match what:
        case "ask":
            await limits.ask(Wish((f"truck-{truck}",), What.SPEED, "case", 3600, number), "token:wang")
        case "release":
            for limit in list(town.fleet.keeper.book.limits.values()):
                if limit.state is not LimitState.FOREIGN:
                    await limits.release(limit.id, "token:li", "enough")
        case _:
            await limits.throw("limits", "token:li", "test", thrown=what == "kill")
