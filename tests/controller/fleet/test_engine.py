"""Trucks live: judged as they report, recorded once, warned, limited and released; what came late only corrects."""

from dataclasses import replace

import pytest

from lamplighter_contract.commands.states import CommandState
from lamplighter_contract.truck import interlock
from lamplighter_controller.fleet.judging.violations import Class
from lamplighter_controller.fleet.limits.desk import NotNow, Unusable
from lamplighter_controller.fleet.limits.limit import AskState, LimitState, What
from lamplighter_controller.fleet.limits.wish import Wish
from lamplighter_controller.fleet.policies.policy import Policy
from lamplighter_controller.fleet.violations import records as violation_records
from lamplighter_controller.fleet.violations.records import Wanted
from lamplighter_controller.fleet.violations.violation import State, Step
from tests.controller.fleet.days import Day
from tests.controller.fleet.town import STALE, open_town

COVER = Policy("cover", (Class.COVER_OPEN,), "请关闭密闭盖", limit_kmh=30.0, patience_s=30, for_s=3600)


@pytest.fixture
async def town(tmp_path):
    async with open_town(tmp_path) as opened:
        yield opened


async def violations(town, **wanted):
    ledger = town.fleet.violations.ledger
    found, _ = await ledger.read(lambda connection: violation_records.some(connection, Wanted(**wanted), 0, 100))
    return found


def loaded(truck=1):
    day = Day(truck=truck).stand(200)
    day.now["load"] = 2
    return day.stand(30)


def speed(*trucks, target=30.0, for_s=3600, **more):
    return Wish(tuple(trucks), What.SPEED, "case 7", for_s, target, **more)


async def test_an_episode_becomes_one_violation_with_its_end(town):
    day = loaded().drive(3_000, -3_000, 28.0, cover=1).stand(200, cover=0)
    await town.live(day)
    [found] = await violations(town)
    assert (found.truck, found.company, found.kind, found.times) == ("truck-1", "red", "cover_open", 1)
    assert found.last_ms is not None
    assert found.last_ms > found.first_ms


async def test_the_end_of_an_episode_leaves_what_a_person_said_of_it(town):
    day = loaded().drive(3_000, -3_000, 28.0, cover=1)
    await town.live(day)
    [found] = await violations(town)
    said = Step(State.VALID, town.clock.wall_ms(), "token:wang", "seen")
    await town.fleet.violations.ledger.write(lambda connection: violation_records.step(connection, found.id, said))
    after = Day(1, day.east_m, day.north_m, day.time_ms, day.now, odometer_km=day.odometer_km)
    await town.live(after.stand(100, cover=0))
    [found] = await violations(town)
    assert found.last_ms is not None
    assert found.state is State.VALID


async def test_equal_episodes_soon_after_each_other_are_one_violation(town):
    day = loaded().drive(1_000, -1_000, 28.0, cover=1).stand(100, cover=0).drive(3_000, -3_000, 28.0, cover=1)
    await town.live(day.stand(100, cover=0))
    [found] = await violations(town)
    assert found.times == 2


async def test_a_policy_tried_and_switched_on_warns_limits_and_releases(town):
    policies = town.fleet.policies
    assert await policies.put(COVER, "token:wang", "first") == 1
    with pytest.raises(NotNow, match="tried"):
        await policies.switch_on("cover", "token:li", "go")
    await policies.try_out("cover", 7)
    with pytest.raises(NotNow, match="second person"):
        await policies.switch_on("cover", "token:wang", "go")
    await policies.switch_on("cover", "token:li", "go")

    async def terminal(town):
        await town.answer("truck.speak")

    day = loaded().drive(3_000, -3_000, 28.0, cover=1)
    await town.live(day, before=terminal)
    [told, warned] = town.sent("truck.speak")
    assert told.args["text"] == COVER.text
    assert "30" in warned.args["text"]
    [limited] = town.sent("truck.limit_speed")
    assert limited.args["limit_kmh"] == 30.0
    assert limited.who == "policy:cover"
    await town.answer("truck.limit_speed")
    [limit] = town.fleet.keeper.book.limits.values()
    assert limit.state is LimitState.IN_EFFECT
    after = Day(
        truck=1, east_m=day.east_m, north_m=day.north_m, time_ms=day.time_ms, now=day.now, odometer_km=day.odometer_km
    )
    await town.live(after.stand(100, cover=0, speed_limited=1), before=terminal)
    assert town.sent("truck.release")
    await town.answer("truck.release")
    assert not town.fleet.keeper.book.limits
    [found] = await violations(town)
    assert found.acted


async def test_a_policy_may_keep_the_body_down_where_the_bureau_switched_that_on(tmp_path):
    policy = Policy("dump", (Class.DUMP_OUTSIDE,), "请勿违规倾倒", what=What.LIFT, patience_s=0, insist=True)
    async with open_town(tmp_path) as town:
        await town.fleet.policies.put(policy, "token:wang", "first")
        await town.fleet.policies.try_out("dump", 7)
        with pytest.raises(NotNow, match="not switched on here"):
            await town.fleet.policies.switch_on("dump", "token:li", "go")
    async with open_town(tmp_path, bounds=replace(interlock.DEFAULT, lift_lock=True)) as town:
        await town.fleet.policies.switch_on("dump", "token:li", "go")

        async def terminal(town):
            await town.answer("truck.speak")

        day = loaded().drive(7_000, 5_000, 50.0).stand(60, lift=1).stand(20, load=0).stand(60, lift=0)
        await town.live(day.drive(3_000, 3_000, 40.0).stand(60), before=terminal)
        [limited] = town.sent("truck.limit_lift")
        assert (limited.who, "limit_kmh" in limited.args) == ("policy:dump", False)


async def test_what_came_late_is_recorded_and_limits_nobody(town):
    await town.fleet.policies.put(COVER, "token:wang", "first")
    await town.fleet.policies.try_out("cover", 7)
    await town.fleet.policies.switch_on("cover", "token:li", "go")
    day = loaded().drive(3_000, -3_000, 28.0, cover=1).stand(100, cover=0)
    for truck, time_ms, latitude, longitude, speed_kmh, odometer_km, now in day.rows:
        await town.tell(
            f"t-{truck}", live=False, time_ms=time_ms, latitude=latitude, longitude=longitude, speed_kmh=speed_kmh,
            odometer_km=odometer_km, lift=now["lift"], cover=now["cover"], load=now["load"],
        )  # fmt: skip
    town.clock.advance(3_600)
    await town.fleet.step()
    [found] = await violations(town)
    assert found.late
    assert not town.commands.taken


async def test_reports_that_came_late_close_a_gap(town):
    day = Day(truck=1).stand(60).away(1_800)
    day.east_m += 6_000
    await town.live(day.stand(60))
    [gap] = await violations(town)
    assert gap.kind == "position_gap"
    missing = Day(truck=1, time_ms=gap.first_ms + 10_000).drive(6_000, 0, 12.0)
    for truck, time_ms, latitude, longitude, speed_kmh, odometer_km, _ in missing.rows:
        await town.tell(
            f"t-{truck}", quality=STALE, time_ms=time_ms, latitude=latitude, longitude=longitude,
            speed_kmh=speed_kmh, odometer_km=odometer_km,
        )  # fmt: skip
    town.clock.advance(60)
    await town.fleet.step()
    assert [one.state for one in await violations(town)] == ["reviewed_invalid"]


async def test_a_limit_waits_for_a_fresh_position_and_a_warned_driver(town):
    await town.fleet.limits.ask(speed("truck-1"), "token:wang")
    await town.fleet.step()
    assert [one.op for one in (known.request for known in town.commands.taken.values())] == ["truck.locate"]
    await town.tell("t-1", speed_kmh=28.0)
    await town.fleet.step()
    assert len(town.sent("truck.speak")) == 1
    await town.answer("truck.speak")
    town.clock.advance(5)
    await town.tell("t-1", speed_kmh=28.0)
    await town.fleet.step()
    assert not town.sent("truck.limit_speed")
    town.clock.advance(6)
    await town.tell("t-1", speed_kmh=28.0)
    await town.fleet.step()
    assert len(town.sent("truck.limit_speed")) == 1


async def test_without_a_fix_nothing_is_known_whatever_was_known_before(town):
    await town.fleet.limits.ask(speed("truck-1"), "token:wang")
    await town.tell("t-1", speed_kmh=28.0)
    await town.fleet.step()
    await town.answer("truck.speak")
    town.clock.advance(11)
    await town.tell("t-1", fix=0.0, latitude=None, longitude=None, speed_kmh=None)
    await town.fleet.step()
    assert not town.sent("truck.limit_speed")


async def sent_limit(town, device="t-1", truck="truck-1", **more):
    ask = await town.fleet.limits.ask(speed(truck, **more), "token:wang")
    await town.tell(device, speed_kmh=20.0)
    await town.fleet.step()
    await town.answer("truck.speak")
    town.clock.advance(11)
    await town.tell(device, speed_kmh=20.0)
    await town.fleet.step()
    return next(one for one in town.fleet.keeper.book.limits.values() if one.ask == ask.id)


async def test_acknowledged_is_not_in_effect_and_has_an_alarm_of_its_own(town):
    limit = await sent_limit(town)
    assert limit.state is LimitState.SENT
    await town.happened("t-1", "truck.limit_not_in_effect", what="speed")
    assert town.alarms.is_raised("limit-not-in-effect:truck-1")
    assert town.fleet.keeper.book.limits[limit.id].state is LimitState.NOT_IN_EFFECT
    await town.happened("t-1", "truck.limit_in_effect", what="speed")
    assert not town.alarms.is_raised("limit-not-in-effect:truck-1")
    assert town.fleet.keeper.book.limits[limit.id].state is LimitState.IN_EFFECT


async def test_a_limit_that_outlives_its_end_is_released_again_and_again_and_has_an_alarm(town):
    limit = await sent_limit(town, for_s=600)
    await town.answer("truck.limit_speed")
    for _ in range(4):
        town.clock.advance(300)
        await town.tell("t-1", speed_kmh=20.0, speed_limited=1)
        await town.fleet.step()
        await town.answer("truck.release", CommandState.UNCONFIRMED)
    assert town.alarms.is_raised("limit-outlived:truck-1"), "by the truck's own status, were the gateway ever so silent"
    await town.happened("t-1", "truck.limit_outlived", what="speed")
    assert town.alarms.is_raised("limit-outlived:truck-1")
    assert len(town.sent("truck.release")) >= 2
    await town.happened("t-1", "truck.limit_released", what="speed")
    assert limit.id not in town.fleet.keeper.book.limits
    assert not town.alarms.is_raised("limit-outlived:truck-1")


async def test_somebody_elses_limit_is_shown_and_never_fought(town):
    await town.tell("t-1", speed_kmh=20.0, speed_limited=1, limit_kmh=40.0)
    await town.fleet.step()
    [foreign] = town.fleet.keeper.book.limits.values()
    assert (foreign.state, foreign.target) == (LimitState.FOREIGN, 40.0)
    with pytest.raises(NotNow, match="not ours"):
        await town.fleet.limits.release(foreign.id, "token:wang", "try")
    await town.fleet.limits.ask(speed("truck-1"), "token:wang")
    await town.fleet.step()
    assert not town.commands.taken
    assert [one.state for one in town.fleet.keeper.book.limits.values()] == [LimitState.FOREIGN]
    town.clock.advance(10)
    await town.tell("t-1", speed_kmh=20.0, speed_limited=0)
    await town.fleet.step()
    assert not town.fleet.keeper.book.limits


async def test_a_limit_of_many_trucks_needs_two_people_and_goes_out_at_a_pace(town):
    many = speed(*(f"truck-{number}" for number in range(1, 8)))
    ask = await town.fleet.limits.ask(many, "token:wang")
    assert ask.state is AskState.PENDING
    with pytest.raises(NotNow, match="cannot approve"):
        await town.fleet.limits.approve(ask.id, "token:wang", "me too")
    await town.fleet.limits.approve(ask.id, "token:li", "seen")
    for _ in range(2):
        for number in range(1, 8):
            await town.tell(f"t-{number}", speed_kmh=10.0)
        await town.fleet.step()
        await town.answer("truck.speak")
        town.clock.advance(11)
    for number in range(1, 8):
        await town.tell(f"t-{number}", speed_kmh=10.0)
    await town.fleet.step()
    limited = town.sent("truck.limit_speed")
    assert len(limited) == 5
    assert limited[0].approvals == ("token:li",)
    town.clock.advance(61)
    for number in range(1, 8):
        await town.tell(f"t-{number}", speed_kmh=10.0)
    await town.fleet.step()
    assert len(town.sent("truck.limit_speed")) == 7


async def test_the_kill_switch_holds_what_waits_and_lets_releases_pass(town):
    limit = await sent_limit(town)
    await town.answer("truck.limit_speed")
    await town.fleet.limits.throw("limits", "token:li", "something is wrong", thrown=True)
    await town.fleet.limits.ask(speed("truck-2"), "token:wang")
    await town.tell("t-2", speed_kmh=10.0)
    await town.fleet.step()
    assert len(town.sent("truck.speak")) == 1
    await town.fleet.limits.release(limit.id, "token:li", "all out")
    assert len(town.sent("truck.release")) == 1


async def test_everything_wrong_with_a_wish_is_told_at_once(town):
    with pytest.raises(Unusable) as refused:
        await town.fleet.limits.ask(Wish(("nobody",), What.SPEED, " ", 0, 5.0), "token:wang")
    assert {one.where for one in refused.value.wrong} == {"reason", "for_s", "limit_kmh", "trucks.nobody"}
    with pytest.raises(Unusable, match="not switched on"):
        await town.fleet.limits.ask(Wish(("truck-1",), What.LIFT, "case", 60), "token:wang")


async def test_silence_with_the_ignition_on_is_told_and_ends(town):
    await town.tell("t-1", ignition=1)
    await town.tell("t-2", ignition=0)
    await town.fleet.step()
    town.clock.advance(200)
    await town.fleet.step()
    [found] = await violations(town)
    assert (found.truck, found.kind, found.last_ms) == ("truck-1", "offline_ignition", None)
    await town.tell("t-1", ignition=1)
    await town.fleet.step()
    [found] = await violations(town)
    assert found.last_ms is not None
