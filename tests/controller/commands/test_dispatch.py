"""Stories of commands, on both ledgers: what is stored, sent, sent again, answered, late, lost and restarted."""

import asyncio

import pytest
from sqlalchemy import update

from lamplighter_contract.commands.command import Operation
from lamplighter_contract.commands.results import Result
from lamplighter_contract.commands.states import CommandState as S
from lamplighter_contract.errors import Reason, Refusal
from lamplighter_controller.commands import store
from lamplighter_controller.commands.model import CommandRequest, Submitted
from lamplighter_controller.events import CommandChanged
from lamplighter_controller.security import audit
from tests.controller.commands.city import until


async def test_a_command_goes_from_stored_to_verified(city):
    with city.events.subscribe(CommandChanged) as news:
        submitted = await city.light("lamp-1-1", level=40)
        assert submitted.state is S.SENT
        await until(lambda: city.boxes["gw-1"].spool)
        await city.carry()
        told = [event for event in list(news.queue._queue) if isinstance(event, CommandChanged)]
    assert [event.state for event in told] == [S.SENT, S.ACCEPTED, S.VERIFIED]
    assert told[-1].devices == (("lamp-1-1", S.VERIFIED, ""),)
    assert await city.state(submitted) is S.VERIFIED
    assert city.boxes["gw-1"].levels == {"lamp-1-1": 40}
    found = await city.dispatch.request(submitted.request.id)
    assert found.orders[0].parts["lamp-1-1"].reading == {"level_percent": 40}
    assert city.dispatch.open_count == 0


async def test_a_request_over_two_gateways_is_two_commands(city):
    submitted = await city.light("lamp-1-1", "lamp-2-1", "lamp-2-2")
    assert {order.gateway: list(order.parts) for order in submitted.orders} == {
        "gw-1": ["lamp-1-1"],
        "gw-2": ["lamp-2-1", "lamp-2-2"],
    }
    await until(lambda: city.boxes["gw-1"].spool and city.boxes["gw-2"].spool)
    await city.carry()
    assert await city.state(submitted) is S.VERIFIED


async def test_numbers_rise_by_one_per_gateway(city):
    first = await city.light("lamp-1-1", "lamp-2-1")
    second = await city.light("lamp-1-1", "lamp-2-1")
    for before, after in zip(first.orders, second.orders, strict=True):
        assert after.seq == before.seq + 1


async def test_numbers_go_on_above_what_the_gateway_has_seen(city):
    first = await city.light("lamp-1-1")
    ahead = first.orders[0].seq + 5_000_000
    city.boxes["gw-1"].highest = ahead
    assert (await city.light("lamp-1-1")).orders[0].seq > ahead
    await city.dispatch.take_results(
        [("gw-1", Result(first.orders[0].id, 1, 1, S.REJECTED, "sequence", highest_seq=2**50))]
    )
    city.boxes["gw-1"].highest = 0
    assert (await city.light("lamp-1-1")).orders[0].seq == 2**50 + 1


@pytest.mark.parametrize("told", [2**52, 2**53, 2**63])
async def test_an_impossible_number_told_by_a_gateway_is_not_learned(city, told):
    first = await city.light("lamp-1-1")
    city.boxes["gw-1"].highest = told
    lie = Result("no-such-command", 1, 1, S.REJECTED, "sequence", highest_seq=told)
    assert len(await city.dispatch.take_results([("gw-1", lie)])) == 1
    assert (await city.light("lamp-1-1")).orders[0].seq == first.orders[0].seq + 1


async def test_a_stored_command_that_cannot_be_signed_ends_failed_and_its_neighbours_are_sent(city):
    await city.stop()
    first = await city.light("lamp-1-1")
    order = first.orders[0]
    await city.ledger.write(
        lambda c: c.execute(update(store.command_table).where(store.command_table.c.id == order.id).values(seq=2**53))
    )
    await city.restart()
    city.clock.advance(1)
    second = await city.light("lamp-1-2")
    await city.until_state(first, S.FAILED)
    await until(lambda: city.boxes["gw-1"].spool)
    await city.carry()
    assert await city.state(second) is S.VERIFIED
    assert city.dispatch.open_count == 0
    rows = await city.ledger.read(lambda c: audit.newest(c, limit=50))
    assert any(row.entry.action == "command.fail" for row in rows)


async def test_the_same_key_is_the_same_request(city):
    first = await city.light("lamp-1-1", key="tap-1")
    again = await city.light("lamp-1-1", key="tap-1")
    assert again.repeated
    assert again.request == first.request
    await until(lambda: city.boxes["gw-1"].acted)
    assert sum(city.boxes["gw-1"].acted.values()) == 1
    other = await city.light("lamp-1-2", key="tap-1")
    assert isinstance(other, Refusal)
    assert other.reason is Reason.REPLAYED


async def test_the_same_key_at_the_same_moment_is_one_request(city):
    both = await asyncio.gather(*(city.light("lamp-1-1", key="tap-1") for _ in range(5)))
    assert len({submitted.request.id for submitted in both}) == 1
    assert sorted(submitted.repeated for submitted in both) == [False, True, True, True, True]


async def test_a_lost_command_is_sent_again_until_accepted(city):
    city.wire.drop = 1.0
    submitted = await city.light("lamp-1-1")
    await until(lambda: len(city.wire.published) == 1)
    await city.pass_time(3)
    await until(lambda: len(city.wire.published) == 2)
    city.wire.drop = 0.0
    await city.pass_time(6)
    await until(lambda: city.boxes["gw-1"].spool)
    await city.carry()
    assert await city.state(submitted) is S.VERIFIED
    assert len({payload for _, payload in city.wire.published}) == 1  # always the same signed bytes
    sent = len(city.wire.published)
    await city.pass_time(30)
    assert len(city.wire.published) == sent


async def test_a_command_that_nobody_answers_ends_unconfirmed_and_a_late_result_corrects_it(city):
    submitted = await city.light("lamp-1-1")
    await until(lambda: city.boxes["gw-1"].spool)
    await city.pass_time(61)
    assert await city.state(submitted) is S.SENT
    await city.pass_time(60)
    await city.until_state(submitted, S.UNCONFIRMED)
    await city.carry()
    assert await city.state(submitted) is S.VERIFIED


async def test_accepted_without_a_result_ends_unconfirmed(city):
    city.boxes["gw-1"].silent = True
    submitted = await city.light("lamp-1-1")
    await until(lambda: city.boxes["gw-1"].spool)
    await city.carry()
    assert await city.state(submitted) is S.ACCEPTED
    await city.pass_time(121)
    await city.until_state(submitted, S.UNCONFIRMED)


async def test_a_command_waits_for_its_gateway(city):
    city.gone.add("gw-1")
    submitted = await city.light("lamp-1-1", "lamp-2-1")
    assert {order.gateway: order.state for order in submitted.orders} == {"gw-1": S.CREATED, "gw-2": S.SENT}
    await until(lambda: city.boxes["gw-2"].spool)
    assert not city.boxes["gw-1"].spool
    city.appear("gw-1")
    await until(lambda: city.boxes["gw-1"].spool)
    await city.carry()
    assert await city.state(submitted) is S.VERIFIED


async def test_commands_for_a_gateway_that_stays_away_expire_and_are_never_sent(city):
    city.gone.add("gw-1")
    many = [await city.light("lamp-1-1", level=n) for n in range(20)]
    await city.pass_time(61)
    for submitted in many:
        await city.until_state(submitted, S.EXPIRED)
    city.appear("gw-1")
    await city.pass_time(1)
    newest = await city.light("lamp-1-1", level=77)
    await until(lambda: city.boxes["gw-1"].spool)
    await city.carry()
    assert await city.state(newest) is S.VERIFIED
    assert city.boxes["gw-1"].levels == {"lamp-1-1": 77}
    assert len(city.wire.published) == 1


async def test_a_broker_that_is_away_holds_commands_back(city, caplog):
    city.wire.up = False
    submitted = await city.light("lamp-1-1")
    assert submitted.state is S.CREATED
    await city.pass_time(1)
    city.wire.up = True
    await city.dispatch.link_up()
    await until(lambda: city.boxes["gw-1"].spool)
    await city.carry()
    assert await city.state(submitted) is S.VERIFIED


async def test_a_denied_publish_is_said_once_and_tried_again(city, caplog):
    city.wire.denied = True
    submitted = await city.light("lamp-1-1")
    await until(lambda: "denies" in caplog.text)
    await city.pass_time(3)
    assert caplog.text.count("denies") == 1
    city.wire.denied = False
    await city.pass_time(8)
    await until(lambda: city.boxes["gw-1"].spool)
    await city.carry()
    assert await city.state(submitted) is S.VERIFIED


async def test_no_command_to_a_gateway_that_is_in_doubt(city):
    city.refusals["gw-1"] = Refusal(Reason.UNKNOWN_GATEWAY, "two gateways, one id")
    assert await city.light("lamp-1-1") == city.refusals["gw-1"]
    both = await city.light("lamp-1-1", "lamp-2-1")
    assert {order.gateway: order.state for order in both.orders} == {"gw-1": S.REJECTED, "gw-2": S.SENT}
    assert "two gateways, one id" in both.orders[0].reason


async def test_a_waiting_command_is_not_sent_while_its_gateway_is_in_doubt(city):
    city.gone.add("gw-1")
    submitted = await city.light("lamp-1-1")
    city.refusals["gw-1"] = Refusal(Reason.UNKNOWN_GATEWAY, "two gateways, one id")
    city.appear("gw-1")
    await city.pass_time(61)
    await city.until_state(submitted, S.EXPIRED)
    assert not city.wire.published


async def test_results_of_unknown_commands_are_handed_back(city):
    submitted = await city.light("lamp-1-1")
    known = submitted.orders[0].id
    told = [Result("nobody-knows", 1, 1, S.VERIFIED), Result("\0", 1, 1, S.VERIFIED), Result(known, 1, 1, S.ACCEPTED)]
    strangers = await city.dispatch.take_results([("gw-1", one) for one in told])
    assert [result.id for _, result, _ in strangers] == ["nobody-knows", "\0"]
    assert await city.state(submitted) is S.ACCEPTED
    (other,) = await city.dispatch.take_results([("gw-2", Result(known, 2, 1, S.FAILED))])
    assert other[2].reason is Reason.ADDRESS
    assert await city.state(submitted) is S.ACCEPTED


async def test_any_text_a_gateway_may_say_can_be_stored(city):
    submitted = await city.light("lamp-1-1")
    told = Result(submitted.orders[0].id, 1, 1, S.FAILED, "\0灯\ufffe", "\0" * 500)
    await city.dispatch.take_results([("gw-1", told)])
    assert await city.state(submitted) is S.FAILED


async def test_every_change_is_in_the_trail(city):
    submitted = await city.light("lamp-1-1")
    await until(lambda: city.boxes["gw-1"].spool)
    await city.carry()
    subject = f"command:{submitted.orders[0].id}"
    found = await city.ledger.read(lambda connection: audit.newest(connection, subject=subject))
    assert [(row.entry.action, row.entry.who, row.entry.result) for row in reversed(found)] == [
        ("command.create", "user:li", S.SENT),
        ("command.result", "gateway:gw-1", S.ACCEPTED),
        ("command.result", "gateway:gw-1", S.VERIFIED),
    ]
    assert found[-1].entry.reason == "WO-7"
    assert found[-1].entry.detail["devices"] == ["lamp-1-1"]
    assert await city.ledger.read(audit.verify) is None


async def test_a_refused_request_leaves_nothing(city):
    wanted = CommandRequest(Operation.LIGHT_SET, ("lamp-9-9",), {"level_percent": 1, "until": 2**42})
    refusal = await city.dispatch.submit(wanted, "user:li")
    assert isinstance(refusal, Refusal)
    assert await city.dispatch.recent() == []
    assert await city.ledger.read(audit.newest) == []


async def test_recent_requests_newest_first_and_by_device(city):
    made = [await city.light(device) for device in ("lamp-1-1", "lamp-1-2", "lamp-1-1")]
    ids = [submitted.request.id for submitted in made]
    assert {overview.request.id for overview in await city.dispatch.recent()} == set(ids)
    mine = await city.dispatch.recent(device="lamp-1-1")
    assert {overview.request.id for overview in mine} == {ids[0], ids[2]}
    assert all(overview.parts == {S.SENT: 1} for overview in mine)
    assert [o.request.id for o in await city.dispatch.recent(before=min(ids))] == []
    assert len(await city.dispatch.recent(limit=2)) == 2


async def test_an_overview_names_the_device_of_a_request_for_one(city):
    await city.light("lamp-1-1")
    both = CommandRequest(Operation.LIGHT_RESUME, ("lamp-1-1", "lamp-1-2"))
    assert isinstance(await city.dispatch.submit(both, "user:li"), Submitted)
    assert {overview.device for overview in await city.dispatch.recent()} == {"lamp-1-1", None}


async def test_a_command_for_the_gateway_itself(city):
    wanted = CommandRequest(Operation.GATEWAY_RESEND, gateways=("gw-1",), args={"from": 1, "to": 2})
    submitted = await city.dispatch.submit(wanted, "user:li")
    assert isinstance(submitted, Submitted)
    await until(lambda: city.boxes["gw-1"].spool)
    await city.carry()
    assert await city.state(submitted) is S.VERIFIED
    (overview,) = await city.dispatch.recent()
    assert overview.parts == {S.VERIFIED: 1}


async def test_nothing_open_means_nothing_to_do(city):
    submitted = await city.light("lamp-1-1")
    await until(lambda: city.boxes["gw-1"].spool)
    await city.carry()
    assert await city.state(submitted) is S.VERIFIED
    assert city.dispatch._outbox.next_s() is None or city.dispatch.open_count == 0
    assert await city.ledger.read(store.open_orders) == []
