"""A relay's rest and its count of a day go on over a restart of the gateway."""

from collections import defaultdict

from lamplighter_contract.clock import ManualClock
from lamplighter_contract.level import Level, Why, Winner
from lamplighter_gateway.commands.journal import Journal
from lamplighter_gateway.disk import DiskFullError
from lamplighter_gateway.light.reconcile import Shown
from lamplighter_gateway.light.switch_notes import SwitchNotes
from lamplighter_gateway.light.switching import Relays, Switching
from tests.gateway.fakes import until
from tests.gateway.rig import Rig

LIMITS = Switching(dwell_s=60, most_a_day=3)
OFF = Level(0.0, Why(Winner.PROGRAM, "night"))
LIT = Shown(100.0, 0.0)


async def restarted(journal: Journal, clock: ManualClock) -> dict[str, list[float]]:
    switched_s: dict[str, list[float]] = defaultdict(list)
    await SwitchNotes(journal, clock, LIMITS.day_s, switched_s).open()
    return switched_s


async def test_rest_and_count_go_on_for_a_day_and_no_longer(tmp_path):
    clock = ManualClock()
    journal = Journal(tmp_path, clock)
    await journal.open()
    notes = SwitchNotes(journal, clock, LIMITS.day_s, defaultdict(list))
    relays = Relays(LIMITS)
    for _ in range(3):
        await notes.keep(["lamp-1"])
        clock.advance(30)
    kept = (await restarted(journal, clock))["lamp-1"]
    assert [round(clock.monotonic_s() - at_s) for at_s in kept] == [90, 60, 30]
    assert not relays.may("bus-1", OFF, LIT, kept, clock.monotonic_s()), "it has not rested"
    clock.advance(60)
    kept = (await restarted(journal, clock))["lamp-1"]
    assert not relays.may("bus-1", OFF, LIT, kept, clock.monotonic_s()), "it has switched often enough today"
    clock.advance(LIMITS.day_s)
    assert await restarted(journal, clock) == {}
    await notes.keep(["lamp-2"])
    assert [device for device, _ in await journal.switchings()] == ["lamp-2"]
    await journal.close()


async def test_after_a_clock_was_set_back_a_relay_rests_from_the_start(tmp_path):
    clock = ManualClock()
    journal = Journal(tmp_path, clock)
    await journal.open()
    await SwitchNotes(journal, clock, LIMITS.day_s, defaultdict(list)).keep(["lamp-1"])
    early = ManualClock(clock.wall_ms() - 3_600_000)
    assert (await restarted(journal, early))["lamp-1"] == [early.monotonic_s()]
    await journal.close()


async def test_a_full_disk_is_told_once_and_stops_nothing(tmp_path, caplog, monkeypatch):
    clock = ManualClock()
    journal = Journal(tmp_path, clock)

    async def full(*_):
        raise DiskFullError("the disk is full")

    monkeypatch.setattr(journal, "switched", full)
    notes = SwitchNotes(journal, clock, LIMITS.day_s, defaultdict(list))
    await notes.keep(["lamp-1"])
    await notes.keep(["lamp-1"])
    assert sum("no room to note" in record.message for record in caplog.records) == 1


async def test_a_gateway_knows_after_a_restart_when_it_switched(tmp_path):
    rig = Rig(tmp_path)
    async with rig.running():
        await until(lambda: "live" in rig.link.lanes())
        await rig.centre.final(rig.centre.send(rig.centre.light_set(0)))
    again = Rig(tmp_path)
    again.levels = rig.levels
    async with again.running():
        await until(lambda: "live" in again.link.lanes())
        assert len(again.gateway.actuator.switched_s["lamp-1"]) == 1
