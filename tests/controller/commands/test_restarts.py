"""A restart, a backup put back: what is open goes on, numbers are given once."""

from lamplighter_contract.commands.states import CommandState as S
from lamplighter_controller.commands import progress
from tests.controller.commands.city import until


async def test_a_restart_goes_on_with_what_is_open(city):
    city.wire.drop = 1.0
    sent = await city.light("lamp-1-1")
    city.gone.add("gw-2")
    waiting = await city.light("lamp-2-1")
    await until(lambda: city.wire.published)
    city.wire.drop = 0.0
    city.gone.clear()
    await city.restart()
    await until(lambda: city.boxes["gw-1"].spool and city.boxes["gw-2"].spool)
    await city.carry()
    assert await city.state(sent) is S.VERIFIED
    assert await city.state(waiting) is S.VERIFIED
    assert {box.name: sum(box.acted.values()) for box in city.boxes.values()} == {"gw-1": 1, "gw-2": 1}


async def test_a_command_that_ran_out_while_the_controller_was_down(city):
    city.gone.add("gw-2")
    sent, waiting = await city.light("lamp-1-1"), await city.light("lamp-2-1")
    await city.stop()
    city.clock.advance(3600)
    await city.restart()
    await city.until_state(sent, S.UNCONFIRMED)
    await city.until_state(waiting, S.EXPIRED)


async def test_what_waits_in_a_backup_may_have_been_sent_since(city):
    city.gone.add("gw-1")
    submitted = await city.light("lamp-1-1")
    await city.stop()
    await city.ledger.write(lambda connection: progress.distrust(connection, city.clock.wall_ms()))
    await city.restart()
    await city.pass_time(121)
    await city.until_state(submitted, S.UNCONFIRMED)


async def test_numbers_given_after_a_backup_are_not_given_again(city):
    in_backup = (await city.light("lamp-1-1")).orders[0].seq
    await city.stop()
    city.clock.advance(60)
    await city.ledger.write(lambda connection: progress.distrust(connection, city.clock.wall_ms()))
    await city.restart()
    after = (await city.light("lamp-1-1")).orders[0].seq
    assert after > max(in_backup + 1, city.clock.wall_ms() - 60_000)
    assert (await city.light("lamp-1-1")).orders[0].seq == after + 1
