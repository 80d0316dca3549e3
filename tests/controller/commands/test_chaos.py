"""Everything goes wrong at once: each command still acts at most once and ends in the state that is true."""

import asyncio

import pytest

from lamplighter_contract.commands.states import CommandState as S
from lamplighter_controller.security import audit
from tests.controller.commands.city import City, until

ACTED = {S.VERIFIED, S.SUPERSEDED}


async def disturb(city, step):
    """Gateways come and go, late copies arrive, and the controller is restarted."""
    if step % 20 == 7:
        city.gone = {"gw-1"}
    if step % 20 == 13:
        city.appear("gw-1")
    if step in {25, 45}:
        await city.restart()
    if step % 5 == 0:
        city.wire.deliver_late()


async def command(city):
    """Sixty commands for eight lamps, one a second."""
    made = []
    for step in range(60):
        made.append(await city.light(f"lamp-{1 + step % 2}-{1 + step % 4}", level=step))
        await disturb(city, step)
        await city.carry(lose=0.1, double=0.05, mix=True)
        await city.pass_time(1)
    return made


async def calm_down(city):
    """Time passes and the last results come, until nothing is open."""
    for _ in range(70):
        await city.pass_time(3)
        await city.carry(lose=0.1, mix=True)
        await asyncio.sleep(0.002)
    await until(lambda: city.dispatch.open_count == 0)
    city.wire.deliver_late()
    await city.carry()


async def the_truth(city, made):
    """Each final state is what its gateway did; returns the level each lamp should have."""
    levels: dict[str, float] = {}
    for submitted in made:
        found = await city.dispatch.request(submitted.request.id)
        assert found is not None
        (order,) = found.orders
        assert found.state in ACTED | {S.EXPIRED}
        assert (order.id in city.boxes[order.gateway].acted) == (found.state in ACTED)
        if found.state is S.VERIFIED:
            levels |= dict.fromkeys(order.parts, found.request.args["level_percent"])
    return levels


@pytest.mark.parametrize("seed", range(4))
async def test_chaos_on_the_wire(ledger, seed):
    city = City(ledger, lamps=4, seed=seed)
    city.wire.drop, city.wire.double, city.wire.delay = 0.1, 0.05, 0.1
    await city.start()
    made = await command(city)
    await calm_down(city)
    assert await the_truth(city, made) == city.boxes["gw-1"].levels | city.boxes["gw-2"].levels
    assert all(count == 1 for box in city.boxes.values() for count in box.acted.values())
    assert await ledger.read(audit.verify) is None
    await city.stop()
