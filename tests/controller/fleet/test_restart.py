"""What outlives the controller: limits, what was learned, loads on their way; and what was stored while it was down."""

from lamplighter_controller.fleet.limits.limit import LimitState, What
from lamplighter_controller.fleet.limits.wish import Wish
from lamplighter_controller.fleet.trips import records as trips
from lamplighter_controller.fleet.violations import records as violations
from lamplighter_controller.fleet.violations.records import Wanted
from lamplighter_controller.fleet.waybills import records as waybills
from lamplighter_controller.fleet.waybills.records import Wanted as Filed
from tests.controller.fleet.days import MORNING_MS, Day
from tests.controller.fleet.town import MemorySeries, open_town


def loaded():
    day = Day(truck=1).stand(200)
    day.now["load"] = 2
    return day.stand(30)


def on_from(day):
    return Day(1, day.east_m, day.north_m, day.time_ms, dict(day.now), odometer_km=day.odometer_km)


def dumped(day):
    return day.stand(60, lift=1).stand(20, load=0).stand(60, lift=0)


async def kept(town, work):
    return await town.fleet.violations.ledger.read(work)


async def test_a_load_that_arrives_where_its_permit_says_closes_its_waybill(tmp_path):
    async with open_town(tmp_path) as town:
        await town.live(dumped(loaded().drive(10_000, 0, 50.0)))
        [trip] = await kept(town, lambda ledger: trips.trips(ledger, None, 0, 2**52, 10))
        [[waybill], _] = await kept(town, lambda ledger: waybills.some(ledger, Filed(0, 2**52), 0, 9))
    assert (trip.site, trip.ground) == ("site", "ground")
    assert trip.loaded_ms < trip.left_ms < trip.unloaded_ms
    assert (waybill.permit, waybill.site, waybill.ground, waybill.closed) == ("p-1", "seven", "east", True)


async def test_a_load_that_goes_elsewhere_leaves_its_waybill_open_and_is_a_violation(tmp_path):
    async with open_town(tmp_path) as town:
        await town.live(dumped(loaded().drive(7_000, 5_000, 50.0)))
        [[waybill], _] = await kept(town, lambda ledger: waybills.some(ledger, Filed(0, 2**52), 0, 9))
        found, _ = await kept(town, lambda ledger: violations.some(ledger, Wanted(), 0, 9))
    assert not waybill.closed
    assert waybill.unloaded_ms is not None
    assert [(one.kind, one.permit) for one in found] == [("dump_outside", "p-1")]


async def test_what_was_stored_while_nobody_judged_is_judged_at_the_start_and_limits_nobody(tmp_path):
    series = MemorySeries()
    async with open_town(tmp_path, series=series) as town:
        day = loaded()
        await town.live(day)
        await town.fleet.keep()
        meanwhile = dumped(on_from(day).drive(7_000, 5_000, 50.0))
        for row in meanwhile.rows:
            truck, time_ms, latitude, longitude, speed_kmh, odometer_km, now = row
            await town.tell(
                f"t-{truck}", time_ms=time_ms, latitude=latitude, longitude=longitude, speed_kmh=speed_kmh,
                odometer_km=odometer_km, lift=now["lift"], load=[0.0, 1.0, 2.0][now["load"]],
            )  # fmt: skip
    async with open_town(tmp_path, series=series, now_ms=meanwhile.time_ms + 60_000) as town:
        found, _ = await kept(town, lambda ledger: violations.some(ledger, Wanted(), 0, 9))
        assert [(one.kind, one.late) for one in found] == [("dump_outside", True)]
        assert not town.commands.taken


async def test_limits_outlive_a_restart_and_due_ones_are_released_at_once(tmp_path):
    async with open_town(tmp_path) as town:
        await town.fleet.limits.ask(Wish(("truck-1",), What.SPEED, "case", 600, 30.0), "token:wang")
        for _ in range(2):
            await town.tell("t-1", speed_kmh=20.0)
            await town.fleet.step()
            await town.answer("truck.speak")
            town.clock.advance(11)
        await town.tell("t-1", speed_kmh=20.0)
        await town.fleet.step()
        await town.answer("truck.limit_speed")
        assert [one.state for one in town.fleet.keeper.book.limits.values()] == [LimitState.IN_EFFECT]
    async with open_town(tmp_path, now_ms=MORNING_MS + 3_600_000) as town:
        assert [one.state for one in town.fleet.keeper.book.limits.values()] == [LimitState.IN_EFFECT]
        await town.fleet.step()
        await town.fleet.step()
        assert [one.args for one in town.sent("truck.release")] == [{"what": "speed"}]
        town.clock.advance(20)
        await town.tell("t-1", speed_limited=0)
        await town.fleet.step()
        assert not town.fleet.keeper.book.limits


async def test_a_load_that_leaves_on_a_red_alert_day_is_on_record_and_has_no_waybill(tmp_path):
    async with open_town(tmp_path) as town:
        await town.fleet.limits.throw("red_alert", "token:wang", "heavy air", thrown=True)
        await town.live(dumped(loaded().drive(10_000, 0, 28.0)))
        found, _ = await kept(town, lambda ledger: violations.some(ledger, Wanted(), 0, 9))
        papers, _ = await kept(town, lambda ledger: waybills.some(ledger, Filed(0, 2**52), 0, 9))
    assert [(one.kind, one.evidence["permit"], one.rules) for one in found] == [("permit_suspended", "p-1", 2)]
    assert papers == []
