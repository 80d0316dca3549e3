"""Limits brought into effect and ended, with trucks that drive, lie, go out of reach and come back."""

import asyncio
import contextlib
import itertools
from dataclasses import replace

import pytest

from lamplighter_contract.clock import SystemClock
from lamplighter_contract.commands.states import CommandState
from lamplighter_contract.truck.interlock import DEFAULT
from lamplighter_gateway.drivers.port import Trackers
from lamplighter_gateway.trucks import keeper as keeping
from lamplighter_gateway.trucks.keeper import LimitKeeper
from lamplighter_gateway.trucks.limits import Limit, What
from tests.gateway.fakes import until
from tests.gateway.trucks.trucks import Disk, MemoryTrackers

QUICK = replace(DEFAULT, warning_s=0.05, ramp_kmh_per_s=400.0, lift_lock=True)
HOUR_MS = 3_600_000


class Yard:
    """A keeper, its disk and its trucks."""

    def __init__(self):
        self.clock = SystemClock()
        self.disk = Disk()
        self.bus = MemoryTrackers(self.clock, "truck-1", "truck-2")
        self.truck = self.bus.trucks["truck-1"]
        self.events = []
        self.begin()

    def begin(self):
        self.keeper = LimitKeeper(
            self.disk, lambda _device: self.bus, self.clock, 1.0, lambda *event, **_: self.events.append(event), QUICK
        )
        self.bus.attach(None, None, self.keeper.look_again)

    @contextlib.asynccontextmanager
    async def running(self):
        task = asyncio.create_task(self.keeper.run(), name="limits")
        try:
            yield self
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    def limit(self, target=40.0, *, what=What.SPEED, lasts_ms=HOUR_MS, expires_ms=HOUR_MS, command="c1"):
        now_ms = self.clock.wall_ms()
        limit = Limit("truck-1", what, target, self.clock.civil_ms() + lasts_ms, now_ms + expires_ms, command, 1)
        self.disk.put(limit)
        waiting = self.keeper.outcome(command, "truck-1")
        self.keeper.look_again("truck-1")
        return waiting

    def sent(self, bound, confirmed=None):
        """What the last process start has sent for the limit."""
        [(key, limit)] = self.disk.limits.items()
        self.disk.limits[key] = replace(limit, sent=bound, confirmed=confirmed)

    async def state(self, waiting):
        async with asyncio.timeout(5):
            state, reason = await waiting
        return state, reason


@pytest.fixture
def yard(monkeypatch):
    for name, value in {"STEP_S": 0.01, "WATCH_S": 0.02, "RELEASE_AGAIN_S": 0.05, "OUTLIVED_S": 0.1}.items():
        monkeypatch.setattr(keeping, name, value)
    return Yard()


def test_the_bus_of_the_tests_is_one_of_trackers(yard):
    assert isinstance(yard.bus, Trackers)


async def test_a_driver_is_told_first_then_the_limit_comes_down_by_steps_and_holds(yard):
    async with yard.running():
        assert await yard.state(yard.limit(25.0)) == (CommandState.VERIFIED, "")
    assert yard.truck.said == ["平台即将限速25公里每小时,请平稳减速"]
    assert yard.truck.bounds[0] == 60.0
    assert yard.truck.bounds[-1] == 25.0
    assert all(before - after <= 10 for before, after in zip(yard.truck.bounds, yard.truck.bounds[1:], strict=False))
    assert yard.disk.limits


async def test_nothing_is_tightened_while_it_is_not_known_where_the_truck_is(yard):
    yard.truck.speed_kmh = None
    async with yard.running():
        waiting = yard.limit(expires_ms=300)
        state, reason = await yard.state(waiting)
        assert (state, yard.truck.bounds) == (CommandState.FAILED, [])
        assert "unknown" in reason


async def test_a_terminal_that_lies_is_told_of_and_its_limit_is_not_in_effect(yard):
    yard.truck.obeys = False
    async with yard.running():
        state, _ = await yard.state(yard.limit(expires_ms=300))
    assert state is CommandState.FAILED
    assert ("truck.limit_not_in_effect", "truck-1") in yard.events


async def test_the_end_is_sent_until_the_trucks_own_status_shows_it(yard):
    async with yard.running():
        await yard.state(yard.limit(lasts_ms=600))
        yard.truck.obeys = False
        await until(lambda: ("truck.limit_outlived", "truck-1") in yard.events)
        assert yard.disk.limits
        yard.truck.obeys = True
        await until(lambda: not yard.disk.limits)
    assert yard.truck.limit == 0
    assert ("truck.limit_released", "truck-1") in yard.events


async def test_a_truck_out_of_reach_at_the_end_is_released_when_it_logs_in(yard, monkeypatch):
    monkeypatch.setattr(keeping, "RELEASE_AGAIN_S", 60.0)
    async with yard.running():
        await yard.state(yard.limit(lasts_ms=600))
        yard.truck.online = False
        await until(lambda: all(limit.due(yard.clock.civil_ms()) for limit in yard.disk.limits.values()))
        assert yard.truck.limit == 40
        yard.bus.log_in("truck-1")
        await until(lambda: not yard.disk.limits)
    assert yard.truck.limit == 0


async def test_after_a_restart_nothing_changes_until_the_end_and_then_it_is_sent(yard):
    async with yard.running():
        await yard.state(yard.limit(lasts_ms=1_000, expires_ms=500))
    await asyncio.sleep(0.5)
    yard.truck.bounds.clear()
    yard.begin()
    async with yard.running():
        await asyncio.sleep(0.1)
        assert (yard.truck.bounds, yard.truck.limit) == ([], 40.0)
        await until(lambda: not yard.disk.limits)
    assert yard.truck.bounds == [0.0]


async def test_a_restart_just_after_a_limit_came_into_effect_sends_nothing(yard):
    async with yard.running():
        await yard.state(yard.limit(40.0))
    yard.truck.bounds.clear()
    yard.truck.said.clear()
    yard.bus.readings.clear()
    yard.begin()
    async with yard.running():
        waiting = yard.keeper.outcome("c1", "truck-1")
        assert (await yard.state(waiting))[0] is CommandState.VERIFIED
        yard.bus.log_in("truck-1")
        await asyncio.sleep(0.1)
    assert (yard.truck.bounds, yard.truck.said, yard.truck.limit) == ([], [], 40.0)
    assert not [limit for limit in yard.disk.limits.values() if limit.released]


async def test_a_restart_on_the_way_goes_on_from_the_bound_that_is_in_force(yard):
    yard.truck.speed_kmh, yard.truck.limit = 50.0, 50.0
    waiting = yard.limit(30.0)
    yard.sent(40.0, confirmed=50.0)
    async with yard.running():
        assert (await yard.state(waiting))[0] is CommandState.VERIFIED
    assert yard.truck.bounds == [40.0, 30.0]


async def test_a_step_that_got_lost_is_taken_again_before_the_next_one(yard):
    yard.bus.losing = 2
    async with yard.running():
        assert (await yard.state(yard.limit(25.0)))[0] is CommandState.VERIFIED
    taken = yard.truck.bounds
    assert taken == sorted(taken, reverse=True)
    assert all(before - after <= 10 for before, after in itertools.pairwise(taken)), taken


async def test_a_limit_released_before_it_was_sent_sends_nothing_at_all(yard):
    yard.truck.speed_kmh = None
    async with yard.running():
        waiting = yard.limit(40.0)
        await until(lambda: bool(yard.events))
        [key] = yard.disk.limits
        await yard.disk.release(key)
        yard.keeper.look_again("truck-1")
        assert (await yard.state(waiting))[0] is CommandState.FAILED
        await until(lambda: not yard.disk.limits)
    assert yard.truck.bounds == []


async def test_what_was_sent_to_a_truck_that_is_no_longer_configured_stays_owed(yard):
    yard.limit(lasts_ms=-1, expires_ms=-1)
    yard.sent(40.0)
    yard.keeper = LimitKeeper(yard.disk, lambda _device: None, yard.clock, 1.0, lambda *_event, **_: None, QUICK)
    async with yard.running():
        await asyncio.sleep(0.1)
    assert yard.disk.limits


async def test_a_release_that_came_due_while_nobody_ran_goes_out_first(yard):
    yard.truck.limit = 40.0
    yard.limit(lasts_ms=-1, expires_ms=-1)
    yard.sent(40.0)
    async with yard.running():
        await until(lambda: not yard.disk.limits)
    assert yard.truck.bounds == [0.0]


async def test_after_a_restart_what_is_due_goes_out_before_anything_is_tightened(yard):
    yard.truck.speed_kmh = 30.0
    yard.bus.trucks["truck-2"].limit = 40.0
    yard.limit(40.0)
    past_ms = yard.clock.civil_ms() - 1
    yard.disk.put(Limit("truck-2", What.SPEED, 40.0, past_ms, past_ms, "c2", 2, sent=40.0, confirmed=40.0))
    async with yard.running():
        await until(lambda: len(yard.bus.order) >= 2)
    assert yard.bus.order[0] == ("truck-2", 0.0)


async def test_a_terminal_that_should_end_a_limit_and_does_not_is_told_to(yard):
    yard.truck.ends_limits = True
    async with yard.running():
        await yard.state(yard.limit(lasts_ms=600))
        await until(lambda: not yard.disk.limits)
    assert yard.truck.limit == 0.0
    assert ("truck.limit_outlived", "truck-1") in yard.events


async def test_a_newer_limit_takes_the_place_of_one_under_way(yard):
    yard.truck.speed_kmh = None
    async with yard.running():
        first = yard.limit(40.0)
        await until(lambda: bool(yard.events))
        yard.truck.speed_kmh = 30.0
        second = yard.limit(50.0, command="c2")
        assert (await yard.state(first))[0] is CommandState.SUPERSEDED
        assert (await yard.state(second))[0] is CommandState.VERIFIED
    assert yard.truck.limit == 50.0


async def test_somebody_elses_limit_is_not_fought(yard):
    yard.truck.limit = 30.0
    yard.bus.report("truck-1")
    async with yard.running():
        state, reason = await yard.state(yard.limit(40.0))
        await until(lambda: not yard.disk.limits)
    assert state is CommandState.FAILED
    assert reason.startswith("foreign")
    assert (yard.truck.bounds, yard.truck.limit) == ([], 30.0)


@pytest.mark.parametrize(("lift", "state"), [("flat", CommandState.VERIFIED), ("raised", CommandState.FAILED)])
async def test_a_lift_lock_waits_for_the_body_to_be_down(yard, lift, state):
    yard.truck.lift = lift
    async with yard.running():
        found, _ = await yard.state(yard.limit(0.0, what=What.LIFT, expires_ms=400))
    assert found is state
    assert yard.truck.lift_limited is (state is CommandState.VERIFIED)


async def test_a_terminal_that_ends_limits_itself_is_only_looked_at_while_it_has_time(yard, monkeypatch):
    monkeypatch.setattr(keeping, "OUTLIVED_S", 60.0)
    yard.truck.ends_limits = True
    async with yard.running():
        await yard.state(yard.limit(lasts_ms=600))
        yard.truck.bounds.clear()
        await until(lambda: all(limit.due(yard.clock.civil_ms()) for limit in yard.disk.limits.values()))
        await asyncio.sleep(0.1)
        yard.truck.limit = 0.0
        await until(lambda: not yard.disk.limits)
    assert yard.truck.bounds == []
