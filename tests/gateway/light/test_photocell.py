"""Light sensors in place of plan and clock."""

import pytest

from lamplighter_contract.commands.command import Operation
from lamplighter_contract.level import Winner
from lamplighter_contract.light.plans.plan import Assignment, Circuit
from lamplighter_contract.quality import Quality
from lamplighter_contract.quantities import Kind
from lamplighter_contract.wire.documents import DeviceEntry
from lamplighter_contract.wire.topics import Down
from lamplighter_gateway.drivers.port import Reading
from lamplighter_gateway.light import autonomy
from lamplighter_gateway.light.photocell import BRIGHT_FOR_S, FRESH_S, Dusk, Photocell
from tests.gateway.fakes import until
from tests.gateway.plans import signed, steady
from tests.gateway.rig import LAMPS, Rig

DUSK = Dusk(50, 100)


def lux(*values, quality=0):
    return [Reading(f"cab-{n}", Kind.CABINET, 0, {"lux": value}, quality) for n, value in enumerate(values)]


@pytest.mark.parametrize(
    ("seen", "dark"),
    [
        ([], None),
        (lux(None), None),
        (lux(0.1, quality=Quality.FROZEN), None),
        ([Reading("lamp-1", Kind.LAMP, 0, {"level_percent": 3})], None),
        (lux(49), True),
        (lux(70), True),
        (lux(101), False),
        (lux(3, 8, 50_000), True),
        (lux(3, 20_000, 50_000), False),
    ],
)
def test_at_first_sight(seen, dark):
    photocell = Photocell(DUSK)
    photocell.observe(seen, 0.0)
    assert photocell.dark(1.0) is dark


def test_dark_counts_at_once_and_bright_only_after_a_while():
    photocell = Photocell(DUSK)
    said = []
    for at_s, value in ((0, 500), (10, 40), (20, 9_000), (30, 40), (40, 99), (50, 9_000), (60, 9_000)):
        photocell.observe(lux(value), at_s)
        said.append(photocell.dark(at_s))
    assert said == [False, True, True, True, True, True, True]
    photocell.observe(lux(9_000), 50 + BRIGHT_FOR_S)
    assert photocell.dark(50 + BRIGHT_FOR_S) is False
    photocell.observe(lux(70), 60 + BRIGHT_FOR_S)
    assert photocell.dark(60 + BRIGHT_FOR_S) is False, "between the two it stays as it is"


def test_a_sensor_that_fell_silent_counts_no_more():
    photocell = Photocell(DUSK)
    photocell.observe(lux(20_000), 0.0)
    assert photocell.dark(FRESH_S - 1) is False
    assert photocell.dark(FRESH_S) is None


@pytest.fixture
def rig(tmp_path, monkeypatch):
    monkeypatch.setattr(autonomy, "TICK_S", 0.02)
    return Rig(tmp_path)


def shows(rig, percent):
    return [rig.bus.levels[lamp] for lamp in LAMPS] == [percent] * 3


def sees(gateway, value):
    gateway.sink(lux(value))


async def test_without_a_clock_the_light_sensor_decides_and_full_light_by_hand_stands_above_it(rig, monkeypatch):
    async with rig.running() as gateway:
        rig.link.send(Down.PLAN, signed(steady()), retained=True)
        await until(lambda: shows(rig, 70))
        monkeypatch.setattr(gateway._wanted, "_clock_trusted", lambda: False)
        await until(lambda: shows(rig, 100))
        assert gateway._wanted.level("lamp-1").why.winner is Winner.FAIL_SAFE
        sees(gateway, 20_000)
        await until(lambda: shows(rig, 0))
        assert gateway._wanted.level("lamp-1").why.winner is Winner.PHOTOCELL
        args = {**rig.centre.light_set(100).args, "emergency": True}
        emergency = rig.centre.send(rig.centre.command(Operation.LIGHT_SET, args, ("lamp-1",)))
        assert (await rig.centre.final(emergency))["state"] == "verified"
        assert [rig.bus.levels[lamp] for lamp in LAMPS] == [100, 0, 0]
        sees(gateway, 3)
        winners = [(its.level_percent, its.why.winner) for its in map(gateway._wanted.level, LAMPS)]
        assert winners == [(100, Winner.EMERGENCY), (100, Winner.PHOTOCELL), (100, Winner.PHOTOCELL)]


async def test_a_dim_level_by_hand_does_not_count_without_a_clock(rig, monkeypatch):
    async with rig.running() as gateway:
        rig.link.send(Down.PLAN, signed(steady()), retained=True)
        await until(lambda: shows(rig, 70))
        await rig.centre.final(rig.centre.send(rig.centre.light_set(20)))
        monkeypatch.setattr(gateway._wanted, "_clock_trusted", lambda: False)
        await until(lambda: shows(rig, 100))


async def test_a_contactor_follows_the_sensor_but_not_away_from_a_lamp_that_is_wanted_lit(rig, monkeypatch):
    circuit = Circuit("circuit-1", lamps=LAMPS)
    async with rig.running() as gateway:
        wanted = gateway._wanted
        wanted._entries["circuit-1"] = DeviceEntry("circuit-1", Kind.CIRCUIT, "circuit-contactor", "cab/240")
        plan = steady(circuits=(circuit,), assignments=(Assignment("all", devices=LAMPS),))
        rig.link.send(Down.PLAN, signed(plan), retained=True)
        await until(lambda: wanted.commissioned)
        monkeypatch.setattr(wanted, "_clock_trusted", lambda: False)
        assert wanted.all()["circuit-1"].level_percent == 100
        sees(gateway, 20_000)
        assert wanted.all()["circuit-1"].level_percent == 0
        await rig.centre.final(rig.centre.send(rig.centre.light_set(100, ("lamp-2",))))
        assert wanted.all()["circuit-1"].level_percent == 100


async def test_without_a_usable_plan_every_contactor_is_closed_for_a_lamp_that_is_lit(rig):
    async with rig.running() as gateway:
        await gateway.journal.keep_plan(b'{"v":1}', list)
        gateway._wanted._entries["circuit-1"] = DeviceEntry("circuit-1", Kind.CIRCUIT, "circuit-contactor", "cab/240")
        gateway._wanted.follow(None)
        assert gateway._wanted.all()["circuit-1"].level_percent == 100
        sees(gateway, 20_000)
        assert gateway._wanted.all()["circuit-1"].level_percent == 0
        await rig.centre.final(rig.centre.send(rig.centre.light_set(30, ("lamp-2",))))
        assert gateway._wanted.all()["circuit-1"].level_percent == 100
