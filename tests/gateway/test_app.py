"""The whole gateway on in-memory ports."""

import json

import pytest

from lamplighter_contract.commands.command import Operation
from lamplighter_contract.quality import Quality
from tests.gateway.fakes import until
from tests.gateway.rig import Rig


@pytest.fixture
def rig(tmp_path):
    return Rig(tmp_path)


async def test_readings_arrive_and_a_lamp_obeys(rig):
    async with rig.running() as gateway:
        await until(lambda: "live" in rig.link.lanes())
        command = rig.centre.send(rig.centre.light_set(80))
        result = await rig.centre.final(command)
        assert result["state"] == "verified"
        assert result["devices"][0]["reading"]["level_percent"] == 80
        assert rig.bus.levels["lamp-1"] == 80
        await until(lambda: gateway.spool.status().waiting == 0)
    state = [json.loads(p) for c, p, _ in rig.link.published if c == "state"]
    assert state[0]["online"]
    assert not state[-1]["online"]
    assert state[0]["boot"] == state[-1]["boot"]


async def test_a_lamp_that_falls_silent_is_told_as_not_read(rig):
    async with rig.running():
        await until(lambda: "live" in rig.link.lanes())
        rig.bus.silent.add("lamp-2")
        await until(lambda: "lamp-2" in _not_read(rig))
        rig.bus.silent.clear()
        rig.bus.connected = False
        await until(lambda: {"lamp-1", "lamp-2"} <= _not_read(rig))


def _not_read(rig):
    frames = [json.loads(payload) for channel, payload, _ in rig.link.published if channel == "live"]
    rows = [(frame, row, device) for frame in frames for row, device in enumerate(frame["device"])]
    return {
        device
        for frame, row, device in rows
        if frame["quality"][row] & Quality.STALE and frame.get("level_percent", [None] * (row + 1))[row] is None
    }


async def test_every_operation_offered_ends_verified(rig):
    async with rig.running():
        centre = rig.centre
        for operation, args, devices in (
            (Operation.LIGHT_RESUME, {}, ("lamp-1",)),
            (Operation.LIGHT_IDENTIFY, {"seconds": 5}, ("lamp-1",)),
            (Operation.DEVICE_READ, {}, ("lamp-1", "lamp-2")),
            (Operation.GATEWAY_PROBE, {"bus": "bus-1"}, ()),
            (Operation.GATEWAY_RESEND, {"from": 0, "to": 2**52}, ()),
        ):
            result = await centre.final(centre.send(centre.command(operation, args, devices)))
            assert result["state"] == "verified", (operation, result)


async def test_a_probe_asks_the_bus_itself(rig):
    async with rig.running():
        centre = rig.centre

        async def probe():
            return await centre.final(centre.send(centre.command(Operation.GATEWAY_PROBE, {"bus": "bus-1"})))

        rig.bus.silent.add("lamp-2")
        result = await probe()
        assert (result["state"], sorted(rig.bus.reads)) == ("verified", ["lamp-1", "lamp-2", "lamp-3"])
        assert result["detail"] == "2 of 3 devices asked answered; no answer: lamp-2"
        rig.bus.silent.update(("lamp-1", "lamp-3"))
        result = await probe()
        assert (result["state"], result["reason"]) == ("failed", "nobody answers")
