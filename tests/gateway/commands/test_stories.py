"""Commands lost, doubled, reordered, late, forged, retained, cut off by a crash: each with its right end."""

import asyncio

import pytest

from lamplighter_contract.clock import SystemClock
from lamplighter_contract.commands.command import Operation
from lamplighter_contract.commands.signing import Signer
from lamplighter_contract.commands.states import CommandState
from lamplighter_contract.wire.topics import Down
from lamplighter_gateway.app import Ending
from lamplighter_gateway.commands.progress import Progress
from lamplighter_gateway.faults import ACTED, STORED, TOLD
from tests.gateway.fakes import until
from tests.gateway.rig import Rig, keys_document


@pytest.fixture
def rig(tmp_path):
    return Rig(tmp_path)


class PowerCutError(Exception):
    """The process ends here."""


def cut_at(point):
    """The fault that ends the process at one point."""

    def cut(at):
        if at == point:
            raise PowerCutError(at)

    return cut


async def test_a_repeat_acts_once_and_is_answered_again(rig):
    async with rig.running():
        command = rig.centre.send(rig.centre.light_set(80))
        await rig.centre.final(command)
        writes = len(rig.bus.writes)
        before = len(rig.link.published)
        for _ in range(5):
            rig.centre.send(command)
        await until(lambda: any(c == "urgent" and command.id.encode() in p for c, p, _ in rig.link.published[before:]))
        assert len(rig.bus.writes) == writes


async def test_reordered_commands_end_at_the_newest(rig):
    async with rig.running():
        older, newer = rig.centre.light_set(20), rig.centre.light_set(90)
        rig.centre.send(newer)
        rig.centre.send(older)
        assert (await rig.centre.final(older))["state"] == "superseded"
        assert (await rig.centre.final(newer))["state"] == "verified"
        assert rig.bus.levels["lamp-1"] == 90


async def test_a_level_that_a_newer_one_has_replaced_is_not_told_as_verified(rig):
    async with rig.running():
        write, may_go = rig.bus.write, asyncio.Event()

        async def held_up(*args, **kwargs):
            await may_go.wait()
            return await write(*args, **kwargs)

        rig.bus.write = held_up
        older = rig.centre.send(rig.centre.light_set(20))
        newer = rig.centre.send(rig.centre.light_set(90))
        await until(lambda: rig.link.results(older.id) and rig.link.results(newer.id))
        may_go.set()
        assert (await rig.centre.final(newer))["state"] == "verified"
        assert (await rig.centre.final(older))["state"] == "superseded"
        assert rig.bus.levels["lamp-1"] == 90


async def test_what_is_superseded_while_another_part_is_told_is_not_written(rig, monkeypatch):
    async with rig.running() as gateway:
        last_of, tell = gateway.journal.memory.last_of, gateway._answers.tell
        command = rig.centre.light_set(20, ("lamp-1", "lamp-2", "lamp-3"))
        last_of["lamp-1"] = command.seq + 1

        async def slow_tell(result, *, final):
            last_of["lamp-2"] = command.seq + 1
            await tell(result, final=final)

        monkeypatch.setattr(gateway._answers, "tell", slow_tell)
        progress = Progress(command, 1, dict.fromkeys(command.target.devices, CommandState.ACCEPTED))
        await gateway._execution.carry_out(progress)
        assert {write.device for write in rig.bus.writes} == {"lamp-3"}
        assert progress.states["lamp-2"] is CommandState.SUPERSEDED


async def test_forged_late_retained_and_foreign_commands_never_act(rig):
    async with rig.running() as gateway:
        centre = rig.centre
        forged = centre.send(centre.light_set(1), signer=Signer("k1", bytes(32)))
        now = rig.clock.wall_ms()
        late = centre.send(centre.light_set(2, issued=now - 1000, expires=now - 1))
        retained = centre.send(centre.light_set(3), retained=True)
        foreign = centre.send(centre.light_set(4, gateway="gw-8"))
        rig.link.send(Down.COMMAND, b"\x00 not JSON")
        result = await centre.final(late)
        assert (result["state"], result["reason"]) == ("expired", "expired")
        told = {f"command.refused.{why}" for why in ("signature", "retained", "address", "malformed", "expired")}
        await until(lambda: told <= {event["event"] for event in rig.link.events()})
        assert rig.bus.writes == []
        assert {result["id"] for result in rig.link.results()} == {late.id}
        assert not {forged.id, retained.id, foreign.id} & gateway.journal.memory.seen


async def test_a_forged_message_with_the_id_of_a_live_command_says_nothing_about_it(rig):
    """Whoever may publish on the broker must not be able to have a command told as rejected that acts."""
    async with rig.running():
        command = rig.centre.light_set(80)
        rig.centre.send(command, signer=Signer("k1", bytes(32)))
        rig.centre.send(command, signer=Signer("k2", bytes(32)))
        rig.centre.send(command, retained=True)
        rig.centre.send(rig.centre.light_set(80, id=command.id, gateway="gw-8"))
        await until(lambda: "command.refused.address" in {event["event"] for event in rig.link.events()})
        rig.centre.send(command)
        await until(lambda: any(result["state"] == "verified" for result in rig.link.results(command.id)))
        assert {result["state"] for result in rig.link.results(command.id)} <= {"accepted", "applied", "verified"}


class UnsetClock(SystemClock):
    """A board without a battery: its time begins at 1970."""

    def wall_ms(self):
        return round(self.monotonic_s() * 1000)


async def test_a_gateway_that_knows_no_time_takes_full_light(rig):
    rig.clock = UnsetClock()
    async with rig.running():
        now = rig.centre.clock.wall_ms()
        rig.link.send(Down.KEYS, keys_document(version=2, begins=now - 86_400_000, ends=now + 86_400_000))
        dim = rig.centre.send(rig.centre.light_set(30))
        assert (await rig.centre.final(dim))["reason"] == "clock"
        full = rig.centre.send(rig.centre.light_set(100))
        assert (await rig.centre.final(full))["state"] == "verified"
        assert rig.bus.levels["lamp-1"] == 100


class AheadClock(SystemClock):
    """Ten years fast, as long as nobody has set it."""

    def wall_ms(self):
        return super().wall_ms() + 10 * 365 * 86_400_000


async def test_a_clock_that_was_ahead_at_the_first_start_locks_no_command_out(rig):
    right = rig.clock
    rig.clock = AheadClock()
    async with rig.running():
        await until(lambda: "live" in rig.link.lanes())
    rig.clock = right
    for _ in range(2):  # the first start with the right clock is behind what it lived through, and knows it
        async with rig.running() as gateway:
            result = await rig.centre.final(rig.centre.send(rig.centre.light_set(50)))
    assert result["state"] == "verified"
    assert gateway.journal.begins_ms <= right.wall_ms()


async def test_a_refusal_tells_the_highest_number_and_stays_refused(rig):
    async with rig.running():
        accepted = rig.centre.send(rig.centre.light_set(80))
        await rig.centre.final(accepted)
        refused = rig.centre.send(rig.centre.light_set(80, ("lamp-99",)))
        result = await rig.centre.final(refused)
        assert (result["reason"], result["highest_seq"]) == ("unknown-device", accepted.seq)
    async with rig.running():
        before = len(rig.link.published)
        rig.centre.send(refused)
        await until(lambda: any(refused.id.encode() in p for _, p, _ in rig.link.published[before:]))
        assert len(rig.link.results(refused.id)) == 1


async def test_parts_of_a_command_end_each_for_itself(rig):
    async with rig.running():
        rig.bus.silent.add("lamp-2")
        rig.bus.stuck.add("lamp-3")
        command = rig.centre.send(rig.centre.light_set(70, ("lamp-1", "lamp-2", "lamp-3", "lamp-99")))
        await rig.centre.final(command)
        states = {part["device"]: part["state"] for r in rig.link.results(command.id) for part in r["devices"]}
        assert states == {"lamp-1": "verified", "lamp-2": "unconfirmed", "lamp-3": "failed", "lamp-99": "rejected"}
        assert rig.link.results(command.id)[-1]["state"] == "unconfirmed"


async def test_a_lamp_that_was_silent_gets_its_level_on_return_and_the_doubt_ends(rig):
    async with rig.running():
        rig.bus.silent.add("lamp-1")
        command = rig.centre.send(rig.centre.light_set(70))
        assert (await rig.centre.final(command))["state"] == "unconfirmed"
        rig.bus.silent.clear()
        await until(lambda: rig.bus.levels["lamp-1"] == 70)
        await until(lambda: rig.link.results(command.id)[-1]["state"] == "verified")


@pytest.mark.parametrize(
    ("point", "reasons", "writes"), [(STORED, {"interrupted", "late"}, 0), (ACTED, {"interrupted"}, 1), (TOLD, {""}, 1)]
)
async def test_a_level_cut_off_by_a_crash_is_read_back_and_verified_once_it_shows(rig, point, reasons, writes):
    gateway = rig.build(cut_at(point))
    task = asyncio.create_task(gateway.run())
    await until(lambda: gateway.uplink.connected)
    rig.link.acking = False
    rig.link.send(Down.KEYS, keys_document(), retained=True)
    command = rig.centre.send(rig.centre.light_set(80, last_s=3600))
    with pytest.raises(BaseExceptionGroup):
        await asyncio.wait_for(task, 5)
    assert len(rig.bus.writes) == writes
    rig.link.acking = True
    async with rig.running() as gateway:
        # Accepted is accepted: the level is wanted until its end, whatever became of the first attempt.
        await until(lambda: any(result["state"] == "verified" for result in rig.link.results(command.id)))
        assert rig.bus.levels["lamp-1"] == 80
        results = rig.link.results(command.id)
        assert "failed" not in {result["state"] for result in results}, "what comes into effect never failed"
        assert results[-1]["devices"][0].get("reason", "") in reasons
        if point != TOLD:
            assert rig.bus.reads == ["lamp-1"]
        assert gateway.journal.desired.level("lamp-1", rig.clock.civil_ms()).level_percent == 80


async def cut_off(rig, operation, args):
    """The gateway takes a command, and its power goes before it acts."""
    gateway = rig.build(cut_at(STORED))
    task = asyncio.create_task(gateway.run())
    await until(lambda: gateway.uplink.connected)
    rig.link.send(Down.KEYS, keys_document(), retained=True)
    command = rig.centre.send(rig.centre.command(operation, args, ("lamp-1",)))
    with pytest.raises(BaseExceptionGroup):
        await asyncio.wait_for(task, 5)
    return command


async def restarted(rig, silent=()):
    """The next start, on a bus where some lamps do not answer yet."""
    gateway = rig.build()
    rig.bus.silent.update(silent)
    task = asyncio.create_task(gateway.run())
    await until(lambda: gateway.uplink.connected)
    return gateway, task


async def test_a_level_cut_off_at_a_silent_lamp_is_in_doubt_until_it_shows(rig):
    args = {"level_percent": 80, "until": rig.clock.civil_ms() + 3_600_000}
    command = await cut_off(rig, Operation.LIGHT_SET, args)
    gateway, task = await restarted(rig, {"lamp-1"})
    result = await rig.centre.final(command)
    assert (result["state"], result["devices"][0]["reason"]) == ("unconfirmed", "interrupted")
    rig.bus.silent.clear()
    await until(lambda: rig.link.results(command.id)[-1]["state"] == "verified")
    assert rig.bus.levels["lamp-1"] == 80
    gateway.stop()
    await asyncio.wait_for(task, 5)


@pytest.mark.parametrize(
    ("operation", "args", "state"),
    [
        (Operation.LIGHT_RESUME, {}, "unconfirmed"),  # the lamp is still to be given back, and will be
        (Operation.LIGHT_IDENTIFY, {"seconds": 3}, "failed"),
        (Operation.DEVICE_READ, {}, "failed"),
    ],
)
async def test_what_was_cut_off_has_failed_only_if_it_will_not_come_about(rig, operation, args, state):
    command = await cut_off(rig, operation, args)
    gateway, task = await restarted(rig, {"lamp-1"})
    result = await rig.centre.final(command)
    assert (result["state"], result["devices"][0]["reason"]) == (state, "interrupted")
    gateway.stop()
    await asyncio.wait_for(task, 5)


async def test_restart_as_told_is_verified_by_the_next_start(rig):
    gateway = rig.build()
    task = asyncio.create_task(gateway.run())
    await until(lambda: gateway.uplink.connected)
    rig.link.send(Down.KEYS, keys_document(), retained=True)
    command = rig.centre.send(rig.centre.command(Operation.GATEWAY_RESTART, {}))
    assert (await asyncio.wait_for(task, 5)) is Ending.RESTART
    async with rig.running():
        assert (await rig.centre.final(command))["state"] == "verified"


async def test_without_keys_nothing_is_accepted_and_kept_keys_survive_a_restart(rig):
    async with rig.running():
        await rig.centre.final(rig.centre.send(rig.centre.light_set(50)))
    gateway = rig.build()
    task = asyncio.create_task(gateway.run())
    await until(lambda: gateway.uplink.connected)
    assert (await rig.centre.final(rig.centre.send(rig.centre.light_set(60))))["state"] == "verified"
    rig.link.send(Down.KEYS, keys_document(version=2, ends=1), retained=True)
    refused = rig.centre.send(rig.centre.light_set(70))
    await until(lambda: "command.refused.key" in {event["event"] for event in rig.link.events()})
    assert rig.link.results(refused.id) == []
    assert rig.bus.levels["lamp-1"] == 60
    gateway.stop()
    await asyncio.wait_for(task, 5)
