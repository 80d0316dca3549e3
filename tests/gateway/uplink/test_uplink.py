"""The conversation with the centre, on a broker in memory."""

import asyncio
import json
from functools import partial

import pytest

from lamplighter_contract.wire import documents
from lamplighter_contract.wire.ack import Ack
from lamplighter_contract.wire.documents import ControllerState
from lamplighter_contract.wire.topics import CONTROLLER_STATE, Down
from lamplighter_gateway.spool.frames import Class
from lamplighter_gateway.uplink import pace, uplink
from lamplighter_gateway.uplink.centre import Centre
from tests.gateway.fakes import until
from tests.gateway.rig import LAMPS, Rig


@pytest.fixture
def rig(tmp_path, monkeypatch):
    monkeypatch.setattr(pace, "RECONNECT_FIRST_S", 0.02)
    return Rig(tmp_path)


def state(*, online=True, storing=True, epoch=1):
    return ControllerState("c", "b", epoch, online, storing)


def say(rig, controller):
    rig.link.send_to(CONTROLLER_STATE, documents.encode(controller))


async def test_acks_of_other_boots_and_lower_epochs_are_for_others(rig):
    rig.link.acking = False
    async with rig.running() as gateway:
        await until(lambda: len(rig.link.frames) >= 1)
        seq = rig.link.frames[0].envelope.seq
        say(rig, state(epoch=5))
        for boot, epoch in (("another-boot", 5), (gateway.boot, 4)):
            rig.link.send(Down.ACK, Ack("c", epoch, boot, ((0, 2**52),)).encode())
        rig.link.send(Down.ACK, b"[1")
        await until(lambda: gateway._counters["acks_not_ours"] == 2 and gateway._counters["refused_malformed"] == 1)
        assert gateway.spool.status().waiting >= 1
        rig.link.send(Down.ACK, Ack("c", 5, gateway.boot, ((seq, seq),)).encode())
        await until(lambda: gateway._counters["frames_stored_by_centre"] == 1)


async def test_a_centre_that_does_not_store_gets_results_but_no_readings(rig):
    async with rig.running() as gateway:
        say(rig, state(storing=False))
        await until(lambda: gateway.uplink.controller is not None)
        await until(lambda: gateway.spool.status().waiting > 1)
        before = rig.link.lanes().count("live")
        result = await rig.centre.final(rig.centre.send(rig.centre.light_set(60)))
        assert result["state"] == "verified"
        assert rig.link.lanes().count("live") == before
        say(rig, state(storing=True))
        await until(lambda: gateway.spool.status().waiting <= 1)
        assert "backlog" in rig.link.lanes()


async def test_after_an_outage_results_and_live_come_before_backlog_and_all_of_it_comes(rig):
    async with rig.running() as gateway:
        await until(lambda: "live" in rig.link.lanes())
        rig.link.cut()
        await until(lambda: not gateway.uplink.connected)
        kept = len(rig.reports.offered)
        for number in range(60):
            await gateway.spool.put(Class.READING, b'{"kind":"lamp","device":[],"time":[],"n":%d}' % number)
        await gateway.spool.put(Class.EVENT, b'{"kind":"event","events":[]}')
        await until(lambda: len(rig.reports.offered) > kept + 2 * len(LAMPS))
        start = len(rig.link.published)
        rig.link.reachable = True
        await until(lambda: rig.link.lanes()[-1:] == ["live"] and gateway.spool.status().waiting <= 1)
        lanes = [channel for channel, _, _ in rig.link.published[start:] if channel in ("urgent", "live", "backlog")]
        assert lanes[0] == "urgent"
        assert lanes.count("backlog") >= 60
        rig.bus.silent.update(LAMPS)
        await until(lambda: rig.reports.offered <= received(rig))


async def test_a_session_that_was_of_use_ends_the_row_of_failures(rig, monkeypatch):
    asked: list[int] = []

    def soon(failures, _jitter):
        asked.append(failures)
        return 0.01

    monkeypatch.setattr(uplink, "reconnect_s", soon)
    async with rig.running() as gateway:
        for session in range(1, 4):
            await until(partial(acked_in_session, gateway, session))
            rig.link.cut()
            await until(lambda: not gateway.uplink.connected)
            rig.link.reachable = True
    assert asked.count(0) >= 3


def acked_in_session(gateway, session):
    return gateway._counters["uplink_sessions"] == session and gateway.uplink._of_use


def received(rig):
    return {
        pair
        for frame in rig.link.frames
        if hasattr(frame, "device")
        for pair in zip(frame.device, frame.time_ms, strict=True)
    }


async def test_frames_not_acked_are_sent_again_and_the_repeat_is_equal(rig):
    rig.link.acking = False
    async with rig.running() as gateway:
        await until(lambda: gateway._counters["frames_not_acked_in_time"] > 0)
        rig.link.acking = True
        await until(lambda: gateway.spool.status().waiting <= 1, 20)
    bodies: dict[int, object] = {}
    for channel, payload, _ in rig.link.published:
        if channel in ("urgent", "live", "backlog"):
            frame = json.loads(payload)
            frame.pop("sent")
            assert bodies.setdefault(frame["seq"], frame) == frame


async def test_resend_brings_stored_frames_again(rig):
    async with rig.running() as gateway:
        await until(lambda: gateway._counters["frames_stored_by_centre"] >= 2)
        first = rig.link.frames[0].envelope.seq
        command = rig.centre.command("gateway.resend", {"from": first, "to": first})
        result = await rig.centre.final(rig.centre.send(command))
        assert result["detail"] == "1 frames"
        await until(lambda: [f.envelope.seq for f in rig.link.frames].count(first) == 2)


async def test_a_denied_publish_is_counted_and_told_in_the_log(rig, caplog):
    rig.link.denied = {"live", "backlog"}
    async with rig.running() as gateway:
        await until(lambda: gateway._counters["publish_denied"] >= 2)
        assert gateway.uplink.connected
        assert gateway.spool.status().waiting >= 1
    assert [record.message for record in caplog.records if "denies" in record.message]


def told(rig, channel, times):
    return [name for name, _, _ in rig.link.published].count(channel) >= times


async def test_every_session_begins_with_birth_devices_and_health_and_has_a_will_of_its_boot(rig):
    async with rig.running() as gateway:
        for sessions in (1, 2):
            await until(partial(told, rig, "health", sessions))
            if sessions == 1:
                rig.link.cut()
                await until(lambda: not gateway.uplink.connected)
                rig.link.reachable = True
        births = [json.loads(p) for c, p, retain in rig.link.published if c == "state" and retain]
        assert [b["online"] for b in births] == [True, True]
        will = json.loads(rig.link.will.payload)
        assert (will["boot"], will["online"]) == (gateway.boot, False)
        devices = next(json.loads(p) for c, p, retain in rig.link.published if c == "devices" and retain)
        assert [entry["device"] for entry in devices["devices"]] == list(LAMPS)


async def test_the_stop_loses_nothing_and_takes_less_than_two_seconds(rig):
    rig.link.acking = False
    async with rig.running() as gateway:
        await until(lambda: len(rig.reports.offered) > 10)
        began = asyncio.get_running_loop().time()
        gateway.stop()
        await until(lambda: not gateway.uplink.connected)
    assert asyncio.get_running_loop().time() - began < 2
    offered = set(rig.reports.offered)
    rig.link.acking = True
    rig.link.frames.clear()
    async with rig.running():
        await until(lambda: offered <= received(rig))


def test_the_newest_epoch_is_never_unlearned():
    centre = Centre("boot")
    assert centre.hear(state(epoch=3))
    assert not centre.hear(state(epoch=2))
    assert not centre.counts(Ack("c", 2, "boot", ()))
    assert centre.counts(Ack("c", 4, "boot", ()))
    assert not centre.counts(Ack("c", 3, "boot", ()))
    centre.forget()
    assert not centre.hear(state(epoch=3))


@pytest.mark.parametrize(
    ("said", "urgent", "readings"),
    [
        (None, True, True),
        (state(), True, True),
        (state(storing=False), True, False),
        (state(online=False), False, False),
    ],
)
def test_what_the_centre_takes(said, urgent, readings):
    centre = Centre("boot")
    if said is not None:
        centre.hear(said)
    assert (centre.urgent, centre.readings) == (urgent, readings)
