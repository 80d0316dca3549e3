"""Scenes at the gateway: run from the plan without anybody, refused where a wire is too slow, over by themselves."""

import json

import pytest

from lamplighter_contract.commands.command import Operation
from lamplighter_contract.level import Winner
from lamplighter_contract.light.plans.plan import Group, Output
from lamplighter_contract.light.scenes import Cue, Scene
from lamplighter_contract.wire.documents import BusEntry
from lamplighter_contract.wire.topics import Down
from lamplighter_gateway.app import Gateway
from lamplighter_gateway.light import autonomy
from lamplighter_gateway.light.switching import Switching
from lamplighter_gateway.settings import Settings
from tests.gateway.fakes import lamp_entry, until
from tests.gateway.plans import signed, steady
from tests.gateway.rig import FAST, GATEWAY, LAMPS, ROOT, Rig

SLOW = BusEntry("bus", "modbus-rtu", 1_200, broadcast=False)
ALL = Group("all", LAMPS)


class ShowRig(Rig):
    """The gateway with a declared bus and inrush spreading."""

    def build(self, fault=None):
        settings = Settings(
            GATEWAY, self.folder, ROOT.public, timing=FAST, buses=(SLOW,), switching=Switching(60, self.ons_per_s)
        )
        self.gateway = Gateway(
            settings,
            [lamp_entry(lamp) for lamp in LAMPS],
            dict.fromkeys(LAMPS, "bus-1"),
            self._drivers,
            self.link,
            self.clock,
            self.reports,
        )
        return self.gateway

    ons_per_s = 0.0


@pytest.fixture
def rig(tmp_path, monkeypatch):
    monkeypatch.setattr(autonomy, "TICK_S", 0.02)
    return ShowRig(tmp_path)


def levels(rig):
    return [rig.bus.levels[lamp] for lamp in LAMPS]


def show(rig, *cues, starts_in_s=1.5, lasts_s=2.0):
    starts_ms = rig.clock.civil_ms() + round(starts_in_s * 1000)
    return Scene("festival", cues, starts=starts_ms, ends=starts_ms + round(lasts_s * 1000))


async def give(rig, plan):
    rig.link.send(Down.PLAN, signed(plan), retained=True)
    await until(lambda: rig.gateway._plans.version == plan.version)


async def test_a_show_plays_at_its_time_with_nobody_there_and_gives_the_lamps_back(rig):
    scene = show(rig, Cue(0, 20, groups=("all",)), Cue(0.8, 50, devices=("lamp-2",)))
    async with rig.running() as gateway:
        await give(rig, steady(groups=(ALL,), scenes=(scene,)))
        await until(lambda: levels(rig) == [70, 70, 70])
        rig.link.cut()
        await until(lambda: levels(rig) == [20, 20, 20])
        assert gateway._wanted.level("lamp-1").why.winner is Winner.SCENE
        await until(lambda: levels(rig) == [20, 50, 20])
        await until(lambda: levels(rig) == [70, 70, 70])
        assert gateway._wanted.level("lamp-1").why.winner is Winner.PROGRAM
        assert rig.clock.civil_ms() >= scene.ends


async def test_a_show_that_a_wire_cannot_carry_is_refused_by_name_and_the_plan_in_force_stays(rig):
    async with rig.running() as gateway:
        await give(rig, steady(1))
        slow = show(rig, Cue(0, 20, groups=("all",)), Cue(0.3, 50, groups=("all",)))
        rig.link.send(Down.PLAN, signed(steady(2, groups=(ALL,), scenes=(slow,))), retained=True)
        await until(lambda: any(event["event"] == "plan.refused.capacity" for event in rig.link.events()))
        told = next(event for event in rig.link.events() if event["event"] == "plan.refused.capacity")
        assert "bus gw-7/bus" in told["detail"]["detail"]
        assert "lamp-2 is the first" in told["detail"]["detail"]
        assert "festival" in told["detail"]["detail"]
        assert gateway._plans.version == 1
        over = Scene("last-year", slow.cues, starts=slow.starts - 10_000_000, ends=slow.starts - 9_000_000)
        await give(rig, steady(3, groups=(ALL,), scenes=(over,)))


async def test_a_show_that_wears_relays_is_refused(rig):
    async with rig.running() as gateway:
        flashes = show(rig, Cue(0, 100, groups=("all",)), Cue(10, 0, groups=("all",)), lasts_s=60)
        rig.link.send(Down.PLAN, signed(steady(1, groups=(ALL,), scenes=(flashes,))), retained=True)
        await until(lambda: gateway._counters["plan_refused_capacity"] == 1)
        assert gateway._plans.version == 0


async def test_the_centre_is_told_of_the_buses_that_shows_are_judged_by(rig):
    async with rig.running():
        await until(lambda: any(channel == "devices" for channel, _, _ in rig.link.published))
        told = next(json.loads(payload) for channel, payload, _ in rig.link.published if channel == "devices")
        assert told["buses"] == [{"bus": "bus", "wire": "modbus-rtu", "baud": 1200}]


async def test_outputs_scale_last_and_are_stated_but_an_emergency_has_all_the_light_there_is(rig):
    outputs = (Output(80, 90, devices=("lamp-1",)),)
    scene = show(rig, Cue(0, 50, groups=("all",)), starts_in_s=0.5, lasts_s=60)
    async with rig.running() as gateway:
        await give(rig, steady(groups=(ALL,), outputs=outputs, scenes=(scene,)))
        await until(lambda: levels(rig) == pytest.approx([50 * 0.72, 50, 50]))
        why = gateway._wanted.level("lamp-1").why
        assert (why.winner, why.asked_percent, why.virtual_percent, why.constant_percent) == (Winner.SCENE, 50, 80, 90)
        args = {**rig.centre.light_set(100).args, "emergency": True}
        await rig.centre.final(rig.centre.send(rig.centre.command(Operation.LIGHT_SET, args, LAMPS)))
        assert levels(rig) == [100, 100, 100]
        assert gateway._wanted.level("lamp-1").why.beat == (Winner.SCENE, Winner.PROGRAM)


async def test_frames_carry_the_level_wanted_and_who_wants_it(rig):
    scene = show(rig, Cue(0, 20, devices=("lamp-1",)), starts_in_s=0.5, lasts_s=60)
    async with rig.running():
        await give(rig, steady(groups=(ALL,), scenes=(scene,)))
        await until(
            lambda: told(rig) == {"lamp-1": (20, "scene"), "lamp-2": (70, "program"), "lamp-3": (70, "program")}
        )


def told(rig):
    words = list(Winner)
    frames = [frame for frame in rig.link.frames if hasattr(frame, "columns") and "desired_by" in frame.columns]
    return {
        device: (percent, None if by is None else words[by].value)
        for frame in frames
        for device, percent, by in zip(
            frame.device, frame.columns["desired_percent"], frame.columns["desired_by"], strict=True
        )
    }


async def test_a_group_told_to_come_on_comes_on_one_after_the_other(rig):
    rig.ons_per_s = 4.0
    async with rig.running() as gateway:
        await give(rig, steady(level_percent=0))
        await until(lambda: levels(rig) == [0, 0, 0])
        while gateway.actuator.relays.comes_on("bus-1", rig.clock.monotonic_s()):
            pass  # as after many others
        begun_s = rig.clock.monotonic_s()
        result = await rig.centre.final(rig.centre.send(rig.centre.light_set(100, LAMPS)))
        assert result["state"] == "verified"
        assert rig.clock.monotonic_s() - begun_s >= 2 / 4.0
        assert [len([w for w in rig.bus.writes if (w.device, w.value) == (lamp, 100)]) for lamp in LAMPS] == [1, 1, 1]
        dimmed = rig.clock.monotonic_s()
        assert (await rig.centre.final(rig.centre.send(rig.centre.light_set(60, LAMPS))))["state"] == "verified"
        assert rig.clock.monotonic_s() - dimmed < 0.5, "dimming is no inrush"
