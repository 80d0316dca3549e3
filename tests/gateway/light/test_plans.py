"""Plans and signals as they reach a gateway: taken, refused, kept over restarts, and overrides under them."""

import json
from functools import partial

import pytest

from lamplighter_contract.clock import SystemClock
from lamplighter_contract.commands.command import Operation
from lamplighter_contract.commands.signing import Signer, encode_key
from lamplighter_contract.level import Level, Why, Winner
from lamplighter_contract.light.adaptive import Fog
from lamplighter_contract.light.plans.programs import Levels
from lamplighter_contract.light.signals import Signal
from lamplighter_contract.wire.limits import MAX_DOCUMENT_BYTES
from lamplighter_contract.wire.topics import Down
from lamplighter_gateway.drivers.port import Point
from lamplighter_gateway.light import autonomy
from tests.gateway.fakes import until
from tests.gateway.plans import override, signals, signed, steady
from tests.gateway.rig import KEY, LAMPS, ROOT, Rig, keys_document


@pytest.fixture
def rig(tmp_path, monkeypatch):
    monkeypatch.setattr(autonomy, "TICK_S", 0.02)
    return Rig(tmp_path)


def births(rig):
    return [json.loads(payload) for channel, payload, _ in rig.link.published if channel == "state"]


def shows(rig, *percents):
    return [rig.bus.levels[lamp] for lamp in LAMPS] == list(percents or (70, 70, 70))


async def give(rig, plan):
    rig.link.send(Down.PLAN, signed(plan), retained=True)
    await until(lambda: plan.version in {birth.get("plan_version") for birth in births(rig)[-1:]})


async def test_a_plan_is_kept_before_it_is_in_force_and_the_birth_is_said_again(rig):
    async with rig.running() as gateway:
        await until(lambda: "live" in rig.link.lanes())
        assert rig.bus.writes == [], "a gateway that never had a plan writes nothing"
        await give(rig, steady(5))
        assert await gateway.journal.plan() is not None
        await until(lambda: shows(rig))
        assert rig.bus.broadcasts == 1
        await until(lambda: "plan.accepted" in {event["event"] for event in rig.link.events()})


async def test_a_restart_keeps_the_plan_and_changes_no_lamp_though_nobody_is_there_and_the_key_is_gone(rig):
    async with rig.running():
        await give(rig, steady(5))
        await until(lambda: shows(rig))
        rig.link.send(Down.KEYS, ROOT.sign({"v": 1, "version": 2, "keys": []}), retained=True)
        rig.link.send(Down.PLAN, signed(steady(6, 10)), retained=True)
        await until(lambda: "plan.refused.key" in {event["event"] for event in rig.link.events()})
    rig.link.reachable = False
    async with rig.running() as gateway:
        await until(lambda: set(gateway.actuator.shown) == set(LAMPS))
        assert gateway._plans.version == 5
        assert rig.bus.writes == []
        rig.bus.levels["lamp-2"] = 0.0
        await until(lambda: shows(rig))
        assert [write.device for write in rig.bus.writes] == ["lamp-2"]


def too_large():
    return b'{"v":1,"x":"' + b"x" * MAX_DOCUMENT_BYTES + b'"}'


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (signed(steady(9), Signer("k1", bytes(32))), "signature"),
        (signed(steady(9), Signer("k9", bytes(32))), "key"),
        (signed(steady(9, gateway="gw-8")), "address"),
        (signed(steady(4)), "plan-version"),
        (signed(steady(5, 20)), "plan-version"),
        (too_large(), "too-large"),
        (b"", "malformed"),
        (b"\x00 not JSON", "malformed"),
        (KEY.sign({"v": 1, "gateway": "gw-7"}), "malformed"),
        (KEY.sign(steady(9, calendars=()).as_json()), "malformed"),
        (KEY.sign(steady(9).as_json() | {"v": 2}), "version"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
async def test_what_is_refused_changes_nothing(rig, payload, reason):
    async with rig.running() as gateway:
        await give(rig, steady(5))
        await until(lambda: shows(rig))
        rig.link.send(Down.PLAN, payload, retained=True)
        await until(lambda: f"plan.refused.{reason}" in {event["event"] for event in rig.link.events()})
        assert gateway._counters[f"plan_refused_{reason}"] == 1
        assert gateway._plans.version == 5
        assert gateway._wanted.level("lamp-1").level_percent == 70
        assert shows(rig)


async def test_a_plan_that_comes_before_its_key_waits_for_it(rig):
    async with rig.running() as gateway:
        await give(rig, steady(5))
        newer = Signer("k2", bytes(range(2, 34)))
        rig.link.send(Down.PLAN, signed(steady(6, 30), newer), retained=True)
        await until(lambda: gateway._counters["plan_refused_key"] == 1)
        keys = json.loads(keys_document(version=2))

        keys["keys"].append(keys["keys"][0] | {"kid": "k2", "public": encode_key(newer.public)})
        rig.link.send(Down.KEYS, ROOT.sign(keys), retained=True)
        await until(lambda: shows(rig, 30, 30, 30))


async def test_an_override_over_the_plan_ends_back_on_the_plan(rig):
    async with rig.running():
        await give(rig, steady())
        await until(lambda: shows(rig))
        result = await rig.centre.final(rig.centre.send(rig.centre.light_set(20, last_s=0.5)))
        assert result["devices"][0]["reading"]["level_percent"] == 20
        await until(lambda: shows(rig))
        assert {write.point for write in rig.bus.writes} == {Point.LEVEL}, "under a plan no lamp is handed back"


async def test_a_resume_brings_the_lamp_to_the_plan_at_once(rig):
    async with rig.running() as gateway:
        await give(rig, steady())
        await rig.centre.final(rig.centre.send(rig.centre.light_set(20)))
        resume = rig.centre.send(rig.centre.command(Operation.LIGHT_RESUME, {}, ("lamp-1",)))
        result = await rig.centre.final(resume)
        assert (result["state"], result["devices"][0]["reading"]["level_percent"]) == ("verified", 70)
        assert gateway.journal.desired.resumed == {"lamp-1": resume.seq}
    async with rig.running() as gateway:
        assert gateway.journal.desired.resumed == {"lamp-1": resume.seq}


async def test_an_emergency_stands_above_newer_overrides_and_restarts(rig):
    async with rig.running():
        await give(rig, steady())
        wish = rig.centre.light_set(100)
        emergency = rig.centre.command(Operation.LIGHT_SET, {**wish.args, "emergency": True}, ("lamp-1",))
        await rig.centre.final(rig.centre.send(emergency))
        plain = rig.centre.send(rig.centre.light_set(30, last_s=7200))
        result = await rig.centre.final(plain)
        assert result["devices"][0]["reading"]["level_percent"] == 100
    async with rig.running() as gateway:
        level = gateway._wanted.level("lamp-1")
        assert (level.level_percent, level.why.winner, level.why.source) == (100, Winner.EMERGENCY, emergency.id)
        assert {record.id for record in gateway.journal.desired.overrides()} == {emergency.id, plain.id}


async def test_a_plan_says_which_overrides_go_on(rig):
    async with rig.running() as gateway:
        await give(rig, steady(1))
        ends_ms = rig.clock.civil_ms() + 3_600_000
        old = rig.centre.send(rig.centre.light_set(20, ("lamp-1",)))
        await rig.centre.final(old)
        new = rig.centre.send(rig.centre.light_set(30, ("lamp-2",)))
        await rig.centre.final(new)
        listed = override("told-by-plan", old.seq, 40, ends_ms, "lamp-3", "lamp-of-another-gateway")
        await give(rig, steady(2, as_of_seq=old.seq, overrides=(listed,)))
        await until(lambda: shows(rig, 70, 30, 40))
        kept = {record.id for record in gateway.journal.desired.overrides()}
        assert kept == {new.id, "told-by-plan"}
    async with rig.running() as gateway:
        assert {record.id for record in gateway.journal.desired.overrides()} == kept
        assert {record.device for record in gateway.journal.desired.overrides()} == {"lamp-2", "lamp-3"}


async def test_an_untrusted_clock_means_full_light_but_never_on_a_gateway_without_a_plan(rig, monkeypatch):
    async with rig.running() as gateway:
        monkeypatch.setattr(gateway._wanted, "_clock_trusted", lambda: False)
        await until(lambda: "live" in rig.link.lanes())
        assert rig.bus.writes == []
        await give(rig, steady())
        await until(lambda: shows(rig, 100, 100, 100))
        monkeypatch.setattr(gateway._wanted, "_clock_trusted", lambda: True)
        await until(lambda: shows(rig))


async def test_a_kept_plan_that_cannot_be_read_means_full_light_until_a_new_one_comes(rig):
    async with rig.running() as gateway:
        await gateway.journal.keep_plan(b'{"v":1}', list)
    async with rig.running():
        await until(lambda: shows(rig, 100, 100, 100))
        await until(lambda: "plan.unusable" in {event["event"] for event in rig.link.events()})
        await give(rig, steady(1))
        await until(lambda: shows(rig))


class NeverSet(SystemClock):
    """A box without a battery that has just got power."""

    def civil_ms(self):
        return 1_000

    def wall_ms(self):
        return 1_000


async def test_without_a_clock_and_without_a_plan_there_is_full_light(rig):
    async with rig.running() as gateway:
        await gateway.journal.keep_plan(b'{"v":1}', list)
    rig.clock = NeverSet()
    rig.link.reachable = False
    async with rig.running() as gateway:
        await until(lambda: shows(rig, 100, 100, 100))
        assert gateway._wanted.level("lamp-1") == Level(100, Why(Winner.FAIL_SAFE, "no trusted clock"))


async def test_a_plan_lost_with_the_ledger_means_full_light_but_only_where_there_was_one(rig):
    async with rig.running():
        assert rig.bus.writes == []
    (rig.folder / "desired.db").unlink()
    async with rig.running():
        await until(lambda: "live" in rig.link.lanes())
        assert rig.bus.writes == [], "there never was a plan"
        await give(rig, steady())
        await until(lambda: shows(rig))
    for file in rig.folder.glob("desired.db*"):
        file.unlink()
    async with rig.running() as gateway:
        await until(lambda: shows(rig, 100, 100, 100))
        assert gateway._wanted.level("lamp-1").why.winner is Winner.FAIL_SAFE
        await give(rig, steady(1))
        await until(lambda: shows(rig))


FOGGY = steady(adaptive=(Fog("fog", "fog", Levels(90), devices=LAMPS),))


async def test_a_signal_counts_until_its_end_and_over_a_restart(rig):
    async with rig.running():
        await give(rig, FOGGY)
        ends_ms = rig.clock.civil_ms() + 2_500
        rig.link.send(Down.SIGNAL, signals(Signal("fog", 1.0, ends_ms)), retained=True)
        await until(lambda: shows(rig, 90, 90, 90))
    rig.link.reachable = False
    async with rig.running() as gateway:
        await until(lambda: gateway._wanted.commissioned)
        assert gateway._wanted.level("lamp-1").why.winner is Winner.ADAPTIVE
        await until(lambda: shows(rig))
        assert gateway._wanted.level("lamp-1").why.unused == ("fog: signal fog has ended",)


def counted(gateway, counter, wanted):
    return gateway._counters[counter] == wanted


async def test_signals_are_refused_as_plans_are(rig):
    async with rig.running() as gateway:
        await give(rig, FOGGY)
        ends_ms = rig.clock.civil_ms() + 3_600_000
        rig.link.send(Down.SIGNAL, signals(Signal("fog", 0.0, ends_ms), version=5), retained=True)
        await until(lambda: gateway._counters["signals_accepted"] == 1)
        fog = Signal("fog", 1.0, ends_ms)
        for payload, reason in (
            (signals(fog, version=4), "replayed"),
            (signals(fog, version=6, gateway="gw-8"), "address"),
            (signals(fog, fog, version=6), "malformed"),
            (signals(fog, version=6)[:-20], "malformed"),
            (Signer("k1", bytes(32)).sign(json.loads(signals(fog, version=6))), "signature"),
        ):
            counter = f"signal_refused_{reason}"
            wanted = gateway._counters[counter] + 1
            rig.link.send(Down.SIGNAL, payload, retained=True)
            await until(partial(counted, gateway, counter, wanted))
        assert gateway._wanted.level("lamp-1").level_percent == 70
