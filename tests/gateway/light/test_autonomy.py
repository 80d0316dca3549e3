"""The life of an override: kept over restarts, brought to lamps that come back, ended and handed back once."""

import pytest

from lamplighter_contract.commands.command import Operation
from lamplighter_gateway import control
from lamplighter_gateway.drivers.port import Point
from lamplighter_gateway.light import autonomy
from tests.gateway.fakes import until
from tests.gateway.rig import LAMPS, Rig


@pytest.fixture
def rig(tmp_path, monkeypatch):
    monkeypatch.setattr(autonomy, "TICK_S", 0.02)
    return Rig(tmp_path)


def points(rig):
    return [(write.device, write.point) for write in rig.bus.writes]


async def test_an_override_ends_by_itself_and_the_lamp_is_handed_back_once(rig):
    async with rig.running() as gateway:
        command = rig.centre.send(rig.centre.light_set(90, last_s=0.5))
        await rig.centre.final(command)
        await until(lambda: gateway.journal.desired.held == set())
        assert points(rig) == [("lamp-1", Point.LEVEL), ("lamp-1", Point.RESUME)]
        assert rig.bus.levels["lamp-1"] == 40
    async with rig.running():
        await until(lambda: "live" in rig.link.lanes())
        assert rig.bus.writes == []


async def test_a_restart_changes_no_lamp_and_the_override_holds(rig):
    async with rig.running():
        await rig.centre.final(rig.centre.send(rig.centre.light_set(90)))
    async with rig.running() as gateway:
        await until(lambda: "lamp-1" in gateway.actuator.shown)
        assert rig.bus.writes == []
        rig.bus.levels["lamp-1"] = 10.0
        await until(lambda: rig.bus.levels["lamp-1"] == 90)


async def test_an_override_that_ended_while_the_gateway_was_down_never_acts(rig):
    async with rig.running():
        rig.bus.silent.add("lamp-1")
        await rig.centre.final(rig.centre.send(rig.centre.light_set(90, last_s=0.3)))
    rig.levels["lamp-1"] = 40.0
    ended_ms = rig.clock.civil_ms() + 300
    await until(lambda: rig.clock.civil_ms() > ended_ms)
    async with rig.running() as gateway:
        await until(lambda: gateway.journal.desired.held == set())
        assert points(rig) == [("lamp-1", Point.RESUME)]


async def test_resume_ends_overrides_and_frames_carry_what_is_desired(rig):
    async with rig.running() as gateway:
        await rig.centre.final(rig.centre.send(rig.centre.light_set(90)))
        await until(lambda: desired(rig).get("lamp-1") == 90)
        resume = rig.centre.send(rig.centre.command(Operation.LIGHT_RESUME, {}, ("lamp-1",)))
        assert (await rig.centre.final(resume))["state"] == "verified"
        assert gateway.journal.desired.overrides() == []
        await until(lambda: desired(rig).get("lamp-1", 0) is None)


def desired(rig):
    frames = [frame for frame in rig.link.frames if hasattr(frame, "columns")]
    found: dict[str, float | None] = {}
    for frame in frames:
        found.update(zip(frame.device, frame.columns.get("desired_percent", [None] * len(frame.device)), strict=True))
    return found


async def test_a_whole_bus_is_dimmed_by_one_broadcast(rig):
    async with rig.running():
        await rig.centre.final(rig.centre.send(rig.centre.light_set(30, LAMPS)))
        assert rig.bus.broadcasts == 1
        await rig.centre.final(rig.centre.send(rig.centre.light_set(31, LAMPS[:2])))
        assert rig.bus.broadcasts == 1


async def test_a_person_on_site_reads_and_writes_through_the_daemon(rig):
    rig.link.reachable = False
    async with rig.running() as gateway:
        await until((rig.folder / "control.sock").exists)
        read = await control.ask(rig.folder, {"do": "read", "device": "lamp-2"})
        assert read["values"]["level_percent"] == 40
        written = await control.ask(rig.folder, {"do": "write", "device": "lamp-2", "level_percent": 75, "minutes": 5})
        assert written["outcome"] == "verified"
        status = await control.ask(rig.folder, {"do": "status"})
        assert [(o["device"], o["level_percent"]) for o in status["overrides"]] == [("lamp-2", 75)]
        assert not status["uplink"]
        for wrong in (
            {"do": "dance", "device": "lamp-2"},
            {"do": "read", "device": "lamp-99"},
            {"do": "write", "device": "lamp-2", "level_percent": 75},
            {"do": "write", "device": "lamp-2", "level_percent": 175, "minutes": 5},
        ):
            assert "error" in await control.ask(rig.folder, wrong)
        assert (rig.folder / "control.sock").stat().st_mode & 0o777 == 0o600
        assert gateway.journal.desired.level("lamp-2", rig.clock.civil_ms()).level_percent == 75
        rig.link.reachable = True
        await until(lambda: any(e["event"] == "local.override" for e in rig.link.events()))
        event = next(e for e in rig.link.events() if e["event"] == "local.override")
        assert event["detail"]["by"].startswith("local:")
    with pytest.raises(control.NotRunningError):
        await control.ask(rig.folder, {"do": "status"})
