"""Who serves a device that two gateways list: the one that has it, for as long as it is there."""

from pathlib import Path

from lamplighter_contract.quantities import Kind
from lamplighter_contract.wire.topics import Up
from lamplighter_controller.security import enrolment
from lamplighter_controller.twin import store as twin_store
from tests.controller.intake.stand_ins import Centre, centre, frame, until


def owners(here: Centre, *devices: str) -> list[str | None]:
    return [here.twin.gateway_of(device) for device in devices]


async def test_nobody_takes_the_devices_of_a_gateway_that_is_there(tmp_path: Path) -> None:
    async with centre(tmp_path, "gw-1", "gw-2") as here:
        assert owners(here, "lamp-1") == ["gw-1"]  # not heard yet since our start, and kept all the same
        for status in ("unknown", "online"):
            here.devices("lamp-1", "lamp-21", gateway="gw-2")
            assert owners(here, "lamp-1", "lamp-21") == ["gw-1", "gw-2"], status
            here.birth()
        assert here.intake.alarms.is_raised("devices-disputed:gw-2")
        here.send(Up.LIVE, frame(1, "lamp-1"))
        await until(lambda: here.acked() == {1})
        await here.intake.farewell()
        stored = await here.ledger.read(twin_store.every)
        assert [entry.device for entry in stored["gw-2"]] == ["lamp-21"]
        assert "lamp-1" in [entry.device for entry in stored["gw-1"]]


async def test_the_newcomer_gets_them_when_their_gateway_has_gone(tmp_path: Path) -> None:
    async with centre(tmp_path, "gw-1", "gw-2") as here:
        here.birth()
        here.devices("lamp-1", gateway="gw-2")
        here.birth(online=False)
        here.intake.reception.tick()
        assert owners(here, "lamp-1", "lamp-2") == ["gw-2", "gw-1"]
        assert here.intake.alarms.is_raised("devices-claimed:gw-2")
        assert not here.intake.alarms.is_raised("devices-disputed:gw-2")


async def test_the_newcomer_gets_them_when_their_gateway_is_revoked(tmp_path: Path) -> None:
    async with centre(tmp_path, "gw-1", "gw-2") as here:
        here.birth()
        here.devices("lamp-1", gateway="gw-2")
        await here.ledger.write(lambda c: enrolment.revoke(c, "gw-1", who="t", reason="t", time_ms=1))
        await here.intake.enrolment_changed()
        here.intake.reception.tick()
        assert owners(here, "lamp-1") == ["gw-2"]


async def test_a_device_that_moved_is_taken_once_its_former_gateway_gives_it_up(tmp_path: Path) -> None:
    async with centre(tmp_path, "gw-1", "gw-2") as here:
        here.birth()
        here.devices("lamp-1", gateway="gw-2")
        here.devices("lamp-2")
        here.intake.reception.tick()
        assert owners(here, "lamp-1", "lamp-2") == ["gw-2", "gw-1"]
        assert here.twin.rows("gw-2", Kind.LAMP, ["lamp-1"]).tolist() == [0]
        assert not here.intake.alarms.is_raised("devices-disputed:gw-2")
        assert not here.intake.alarms.is_raised("devices-claimed:gw-2")


async def test_a_claimant_that_is_revoked_is_forgotten(tmp_path: Path) -> None:
    async with centre(tmp_path, "gw-1", "gw-2") as here:
        here.devices("lamp-1", gateway="gw-2")
        await here.ledger.write(lambda c: enrolment.revoke(c, "gw-2", who="t", reason="t", time_ms=1))
        await here.intake.enrolment_changed()
        here.intake.reception.tick()
        assert not here.intake.alarms.is_raised("devices-disputed:gw-2")
        assert owners(here, "lamp-1") == ["gw-1"]


async def test_readings_that_waited_for_the_store_reach_no_device_that_got_the_row_meanwhile(tmp_path: Path) -> None:
    async with centre(tmp_path) as here:
        here.series.open.clear()
        here.send(Up.LIVE, frame(1, "lamp-1", "lamp-2"))
        await until(lambda: not len(here.intake.readings.live))  # the store has it and hangs
        here.devices("lamp-2", "lamp-3", "lamp-4", "lamp-5")
        here.series.open.set()
        await until(lambda: here.acked() == {1})
        state = here.twin.state("lamp-5")
        assert state is not None
        assert state.values == {}
        assert here.twin.rows("gw-1", Kind.LAMP, ["lamp-5"]).tolist() == [0]  # it was lamp-1's
