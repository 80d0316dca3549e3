import asyncio

import pytest

from lamplighter_contract.commands.signing import Signer
from lamplighter_contract.wire.topics import Down
from lamplighter_gateway.app import Ending
from tests.gateway.change.site import TRIAL_S, Site, bus, lamp, tree
from tests.gateway.fakes import until


@pytest.fixture
def site(tmp_path, monkeypatch):
    return Site(tmp_path, monkeypatch)


async def test_an_unchanged_bus_goes_on_undisturbed(site):
    site.write(tree())
    async with site.running() as gateway:
        await site.proven()
        west = site.bus("west")
        site.write(tree(buses=[bus("east", 1601), bus("west", 1502)]))
        answer = await site.reload()
        assert (answer["outcome"], answer["buses"]) == ("on trial", ["east"])
        assert gateway.registry.drivers["west"] is west
        assert len(site.buses) == 3
        await site.proven()
        await until(lambda: len(site.said("config.proven")) >= 1)


async def test_devices_come_and_go_with_their_bus(site):
    site.write(tree())
    async with site.running() as gateway:
        await site.proven()
        site.write(tree(buses=[bus("west", 1502), bus("new", 1503)], devices=[lamp("lamp-n", "new")]))
        await site.reload()
        assert set(gateway.registry.entries) == {"lamp-n"}
        devices = [payload for channel, payload, _ in site.link.published if channel == "devices"]
        await until(lambda: len([1 for channel, _, _ in site.link.published if channel == "devices"]) > len(devices))
        assert b"lamp-n" in [payload for channel, payload, _ in site.link.published if channel == "devices"][-1]
        read = await gateway.actuator.read("lamp-e")
        assert "no longer a device" in read.reason


async def test_a_bad_configuration_takes_itself_back(site):
    site.write(tree())
    async with site.running() as gateway:
        await site.proven()
        good = site.about()["version"]
        dead = [bus("east", 1501, "dead"), bus("west", 1502, "dead")]
        site.write(tree(buses=dead))
        assert (await site.reload())["outcome"] == "on trial"
        bad = site.about()["version"]
        site.clock.advance(TRIAL_S / 2)
        await asyncio.sleep(0)
        assert site.about()["version"] == bad
        site.clock.advance(TRIAL_S / 2 + 1)
        await until(lambda: site.about()["version"] == good)
        assert site.about()["taken_back"] == [bad]
        assert "bus" in site.about()["instead"][0]
        assert not gateway.registry.drivers["east"].silent
        await until(lambda: bool(site.said("config.taken_back")))
    assert site.start().config.version == good, "the next start does not try it again"


async def test_one_that_cuts_the_uplink_off_takes_itself_back_over_a_restart(site):
    site.write(tree())
    async with site.running() as gateway:
        await site.proven()
        await until(lambda: gateway.uplink.heard_s >= 0)
        site.write(tree(uplink={"host": "wrong.example", "port": 1883}))
        assert (await site.reload())["outcome"] == "restarts"
        assert await site.ending is Ending.RESTART
    site.link.cut()
    async with site.running():
        await until(lambda: site.about()["trial"])
        site.clock.advance(TRIAL_S + 1)
        assert await site.ending is Ending.RESTART
    site.link.reachable = True
    async with site.running():
        assert site.start().config.uplink.host == "127.0.0.1"


async def test_a_file_with_mistakes_changes_nothing_and_names_them_all(site):
    site.write(tree())
    async with site.running():
        await site.proven()
        version = site.about()["version"]
        site.write(tree(buses=[bus("east", 0)], devices=[lamp("lamp-e", "east", unit=300)]))
        answer = await site.reload()
        assert len(answer["problems"]) == 2
        assert all(": value " in problem and ", expected " in problem for problem in answer["problems"])
        assert site.about()["version"] == version
        assert len(site.buses) == 2


async def test_the_file_rules_and_the_centre_is_refused(site):
    site.write(tree())
    async with site.running():
        await site.proven()
        site.link.send(Down.CONFIG, site.central(5), retained=True)
        await until(lambda: bool(site.said("config.refused.operation")))
        assert site.about()["rules"] == "local"


async def test_the_centre_rules_where_the_file_says_so(site):
    site.write(tree(config={"rules": "central"}, buses=None, devices=None, profiles=None))
    async with site.running() as gateway:
        await site.proven()
        site.link.send(Down.CONFIG, site.central(5), retained=True)
        await until(lambda: set(gateway.registry.entries) == {"lamp-e", "lamp-w"})
        await site.proven()
        birth = gateway._about.birth()
        assert (birth.config_source, birth.config_version) == ("central", 5)
        site.link.send(Down.CONFIG, site.central(4), retained=True)
        await until(lambda: bool(site.said("config.refused.replayed")))
        site.link.send(Down.CONFIG, site.central(6, devices=[{"id": "x"}]), retained=True)
        await until(lambda: bool(site.said("config.refused.malformed")))
        assert "devices[0].bus" in site.said("config.refused.malformed")[0]["detail"]["detail"]
        assert gateway._about.birth().config_version == 5
    async with site.running() as gateway:
        assert set(gateway.registry.entries) == {"lamp-e", "lamp-w"}, "it is kept"


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (b"{", "malformed"),
        (b'{"v":1}', "key"),
        (
            Signer("k1", bytes(32)).sign({"v": 1, "gateway": "gw-7", "version": 9, "buses": [], "devices": []}),
            "signature",
        ),
    ],
)
async def test_what_the_centre_did_not_sign_is_refused(site, payload, reason):
    site.write(tree(config={"rules": "central"}, buses=None, devices=None, profiles=None))
    async with site.running():
        await site.proven()
        site.link.send(Down.CONFIG, payload, retained=True)
        await until(lambda: bool(site.said(f"config.refused.{reason}")))
        assert site.about()["number"] == 0
