"""Lamps that owe a level are asked more often than a driver asks the silent."""

import pytest

from lamplighter_gateway.light import autonomy, debts
from lamplighter_gateway.light.debts import EVERY_S, Debts
from lamplighter_gateway.light.reconcile import Shown, Tried
from tests.gateway.fakes import until
from tests.gateway.rig import Rig

LAMPS = ("lamp-1", "lamp-2", "lamp-3")


def due(book, at_s, shown, tried, bus="bus-1"):
    return book.due(bus, LAMPS, shown, tried, at_s)


@pytest.mark.parametrize(
    ("shown", "tried", "owes"),
    [
        (None, None, True),
        (Shown(40, 10.0), None, False),
        (Shown(40, 10.0), Tried(11.0, 0), False),
        (Shown(40, 10.0), Tried(11.0, 1), True),
        (Shown(40, 12.0), Tried(11.0, 1), False),
    ],
)
def test_who_owes(shown, tried, owes):
    book = Debts()
    spoken = dict.fromkeys(LAMPS, Shown(100, 99.0))
    mine = spoken | {"lamp-2": shown} if shown else {lamp: spoken[lamp] for lamp in LAMPS if lamp != "lamp-2"}
    told = {"lamp-2": tried} if tried else {}
    assert due(book, 0.0, mine, told) is None, "the driver asks everybody at the start"
    assert due(book, EVERY_S, mine, told) == ("lamp-2" if owes else None)


def test_they_take_turns_and_no_bus_is_asked_too_often():
    book = Debts()
    asked = [due(book, float(second), {}, {}) for second in range(round(6 * EVERY_S))]
    turns = [lamp for lamp in asked if lamp is not None]
    assert turns == [*LAMPS, *LAMPS[:2]]
    assert due(book, 0.0, {}, {}, "bus-2") is None
    assert due(book, EVERY_S, {}, {}, "bus-2") == "lamp-3"


async def test_stale_overrides_of_a_silent_lamp_never_act_and_it_gets_what_is_wanted_then(tmp_path, monkeypatch):
    monkeypatch.setattr(autonomy, "TICK_S", 0.02)
    monkeypatch.setattr(debts, "EVERY_S", 0.05)
    rig = Rig(tmp_path)
    async with rig.running():
        await until(lambda: "live" in rig.link.lanes())
        rig.bus.silent.add("lamp-1")
        for percent in range(30, 50):
            last = rig.centre.send(rig.centre.light_set(percent, last_s=3600))
            await rig.centre.final(last)
        asked = rig.bus.reads.count("lamp-1")
        await until(lambda: rig.bus.reads.count("lamp-1") > asked + 3)
        rig.bus.writes.clear()
        rig.bus.silent.discard("lamp-1")
        await until(lambda: rig.bus.levels["lamp-1"] == 49, timeout_s=4)
        assert {write.value for write in rig.bus.writes} == {49}
