"""The controller dies at every point between a commit and a publish: exactly one effect, and nothing forgotten."""

import asyncio
import itertools

import pytest

from lamplighter_contract.commands.states import CommandState as S
from lamplighter_controller.security import audit
from tests.controller.commands.city import City

POINTS = 8  # storing, sending and taking results, each before and after; two more when it is sent later
POINTS_ALWAYS_PASSED = 6


class Death(Exception):
    """The program ends here."""


class Fate:
    """Counts the points at which a program can die, and lets it die at one of them."""

    def __init__(self, at):
        self.at = at
        self.passed = itertools.count()
        self.dying = False

    def point(self):
        if next(self.passed) == self.at:
            self.dying = True
            raise Death


class MortalLedger:
    def __init__(self, ledger, fate):
        self.ledger, self.fate = ledger, fate

    async def read(self, work):
        return await self.ledger.read(work)

    async def write(self, work):
        self.fate.point()
        result = await self.ledger.write(work)
        self.fate.point()
        return result


def make_mortal(wire, fate):
    publish = wire.publish

    async def mortal(topic, payload, *, retain=False):
        fate.point()
        await publish(topic, payload, retain=retain)
        fate.point()

    wire.publish = mortal


async def live(city, fate):
    """One command's life; whoever asked asks again with the same key, the gateway tells again what was not taken."""
    submitted = await city.light("lamp-1-1", level=40, key="tap-1")
    async with asyncio.timeout(10):
        # A program that dies while it sends may have been understood: its death is waited for all the same.
        while fate.dying or await city.state(submitted) is not S.VERIFIED:
            if city.running.done():
                raise Death
            told = list(city.boxes["gw-1"].spool)
            if told:
                await city.dispatch.take_results([("gw-1", one) for one in told])
                city.boxes["gw-1"].spool = []
            await asyncio.sleep(0.002)
    return submitted


@pytest.mark.parametrize("away", [False, True], ids=["gateway there", "gateway away at first"])
@pytest.mark.parametrize("at", range(POINTS))
async def test_one_effect_wherever_the_program_dies(ledger, at, away):
    fate = Fate(at)
    city = City(MortalLedger(ledger, fate))
    make_mortal(city.wire, fate)
    await city.start()
    if away:
        city.gone.add("gw-1")
        asyncio.get_running_loop().call_later(0.01, city.appear, "gw-1")
    deaths = 0
    while True:
        try:
            submitted = await live(city, fate)
            break
        except Death:
            deaths += 1
            await city.restart()
            fate.dying = False
    assert deaths == (1 if at < POINTS_ALWAYS_PASSED else deaths)
    assert dict(city.boxes["gw-1"].acted) == {submitted.orders[0].id: 1}
    assert len(await city.dispatch.recent()) == 1
    entries = [row.entry for row in await ledger.read(audit.newest)]
    assert (entries[-1].action, entries[0].result) == ("command.create", S.VERIFIED)
    assert await ledger.read(audit.verify) is None
    await city.stop()
