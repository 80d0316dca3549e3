"""Events on their way to the spool."""

import asyncio
import contextlib
import json

from lamplighter_contract.clock import ManualClock
from lamplighter_gateway import events as module
from lamplighter_gateway.events import MOST, Events


class Taker:
    """A spool that only remembers."""

    def __init__(self):
        self.bodies = []
        self.full = False

    @property
    def events_full(self):
        return self.full

    def offer(self, of, body):
        self.bodies.append(json.loads(body)["events"])


def test_equal_events_are_one_with_a_count():
    clock, spool = ManualClock(), Taker()
    events = Events(spool, clock)
    for i in range(5):
        events.say("device.silent", "lamp-1", n=i)
        clock.advance(1)
    events.say("device.silent", "lamp-2")
    events.say("bus.down", subject="b-1")
    events.say("bus.down", subject="b-2")
    events.flush()
    events.flush()
    (told,) = spool.bodies
    assert [(e.get("device"), e.get("count", 1)) for e in told] == [("lamp-1", 5), ("lamp-2", 1), (None, 1), (None, 1)]
    assert (told[0]["first"], told[0]["time"], told[0]["detail"]) == (clock.now_ms, clock.now_ms + 4000, {"n": 4})
    assert len({event["id"] for event in told}) == 4


def test_a_storm_of_different_events_is_bounded_and_counted():
    spool = Taker()
    events = Events(spool, ManualClock())
    for i in range(MOST + 10):
        events.say(f"e{i}", detail="x" * 1000)
    events.flush()
    assert len(spool.bodies[0]) == MOST
    assert len(spool.bodies[0][0]["detail"]["detail"]) == 500
    assert events.lost == 10


async def test_while_their_share_is_used_up_events_wait_and_are_joined(monkeypatch):
    monkeypatch.setattr(module, "RETRY_S", 0.01)
    monkeypatch.setattr(module, "FLUSH_S", 0.01)
    spool = Taker()
    spool.full = True
    events = Events(spool, ManualClock())
    task = asyncio.create_task(events.run())
    for _ in range(20):
        events.say("command.refused.signature")
        await asyncio.sleep(0.002)
    assert spool.bodies == []
    spool.full = False
    async with asyncio.timeout(5):
        while not spool.bodies:
            await asyncio.sleep(0.005)
    assert spool.bodies[0][0]["count"] == 20
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
