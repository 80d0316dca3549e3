"""A ledger that does not answer: nothing is sent that is not stored, nothing is lost."""

import asyncio

import pytest

from lamplighter_contract.commands.results import DeviceResult, Result
from lamplighter_contract.commands.states import CommandState as S
from lamplighter_controller.ledger.errors import LedgerUnavailable
from tests.controller.commands.city import City, until


class Breakable:
    """A ledger that can be made to fail before a write, or after it: committed, and nobody was told."""

    def __init__(self, ledger):
        self.ledger = ledger
        self.before = self.after = False
        self.tries = 0

    async def read(self, work):
        return await self.ledger.read(work)

    async def write(self, work):
        self.tries += 1
        if self.before:
            raise LedgerUnavailable("made to fail")
        result = await self.ledger.write(work)
        if self.after:
            raise LedgerUnavailable("made to forget")
        return result


@pytest.fixture
async def breakable(ledger):
    broken = Breakable(ledger)
    city = City(broken)
    await city.start()
    yield city
    await city.stop()


async def test_nothing_is_sent_that_is_not_stored(breakable):
    breakable.ledger.before = True
    with pytest.raises(LedgerUnavailable):
        await breakable.light("lamp-1-1", key="tap-1")
    assert not breakable.wire.published
    breakable.ledger.before = False
    submitted = await breakable.light("lamp-1-1", key="tap-1")
    assert not submitted.repeated
    await until(lambda: breakable.boxes["gw-1"].spool)


async def test_a_command_stored_without_anybody_knowing_is_sent_all_the_same(breakable):
    breakable.ledger.after = True
    with pytest.raises(LedgerUnavailable):
        await breakable.light("lamp-1-1", key="tap-1")
    breakable.ledger.after = False
    await until(lambda: breakable.boxes["gw-1"].spool)
    again = await breakable.light("lamp-1-1", key="tap-1")
    assert again.repeated
    await breakable.carry()
    assert await breakable.state(again) is S.VERIFIED
    assert list(breakable.boxes["gw-1"].acted.values()) == [1]


@pytest.mark.parametrize("when", ["before", "after"])
async def test_results_that_could_not_be_stored_may_be_given_again(breakable, when):
    submitted = await breakable.light("lamp-1-1")
    await until(lambda: breakable.boxes["gw-1"].spool)
    told = [("gw-1", one) for one in breakable.boxes["gw-1"].spool]
    setattr(breakable.ledger, when, True)
    with pytest.raises(LedgerUnavailable):
        await breakable.dispatch.take_results(told)
    setattr(breakable.ledger, when, False)
    assert await breakable.dispatch.take_results(told) == ()
    assert await breakable.state(submitted) is S.VERIFIED
    await until(lambda: breakable.dispatch.open_count == 0)


async def test_time_goes_on_when_the_ledger_is_back(breakable):
    submitted = await breakable.light("lamp-1-1")
    breakable.ledger.before = True
    await breakable.pass_time(121)
    await asyncio.sleep(0.02)
    assert await breakable.state(submitted) is S.SENT
    for _ in range(20):  # whatever happens meanwhile, the ledger is asked again once a second
        breakable.dispatch.wake()
        await asyncio.sleep(0.005)
    assert breakable.ledger.tries == 2
    breakable.ledger.before = False
    await breakable.until_state(submitted, S.UNCONFIRMED)


async def test_a_commit_that_ends_after_everybody_gave_up_is_found_later(breakable):
    hidden = []

    async def hang(work):
        hidden.append(work)
        raise LedgerUnavailable("made to hang")

    write, breakable.ledger.write = breakable.ledger.write, hang
    with pytest.raises(LedgerUnavailable):
        await breakable.light("lamp-1-1")
    breakable.ledger.write = write
    await until(lambda: not breakable.dispatch._doubtful)
    await breakable.ledger.write(hidden[0])
    await breakable.pass_time(31)
    await until(lambda: breakable.boxes["gw-1"].spool)


async def test_results_of_many_gateways_are_taken_together_each_with_its_own_end(city):
    city.wire.drop = 1.0
    first, second = await city.light("lamp-1-1", "lamp-1-2"), await city.light("lamp-2-1")
    one, other = first.orders[0].id, second.orders[0].id
    ends = (DeviceResult("lamp-1-1", S.VERIFIED, "", {"level_percent": 60.0}), DeviceResult("lamp-1-2", S.UNCONFIRMED))
    told = [
        ("gw-1", Result(one, 1, 1, S.ACCEPTED)),
        ("gw-2", Result(other, 1, 1, S.ACCEPTED)),
        ("gw-1", Result(one, 2, 2, S.UNCONFIRMED, devices=ends)),
        ("gw-2", Result(one, 3, 2, S.VERIFIED)),
    ]
    ((gateway, stranger, _),) = await city.dispatch.take_results(told)
    assert (gateway, stranger.n) == ("gw-2", 3)
    found = await city.dispatch.request(first.request.id)
    parts = found.orders[0].parts
    assert {device: part.state for device, part in parts.items()} == {"lamp-1-1": S.VERIFIED, "lamp-1-2": S.UNCONFIRMED}
    assert parts["lamp-1-1"].reading == {"level_percent": 60.0}
    assert await city.state(second) is S.ACCEPTED
