"""Another box takes a gateway's place in the middle of a night, on real brokers, wires and programs."""

import os
import shutil
import subprocess
import sys
import tarfile
import time

import pytest

from tests.system.world_api import eventually
from tests.system.world_night import WHY, Night, at

pytestmark = [pytest.mark.system, pytest.mark.timeout(300)]

NIGHT = at("2026-06-20 21:15")
NEWS_S = 60.0
FOLLOWS_S = 5.0
CLI = "from lamplighter_controller.cli.lamplighter import main; main()"


def test_a_gateway_replaced_in_the_middle_of_a_night_with_one_circuit_isolated_it_stays_isolated() -> None:
    with Night(NIGHT, gateways=1) as night:
        world, box = night.world, night.world.gateway(1)
        night.add_circuits("gw-1")
        isolated, *others = [circuit.id for circuit in night.circuits("gw-1")]

        opened = world.api.ended(world.api.command("supply.isolate", isolated)["request"])
        assert opened["state"] == "verified", opened

        box.kill()
        shutil.rmtree(box.data)
        written = len(world.city.writes())
        replaced = world.api.ask("POST", "/gateways/gw-1/replace", json=WHY)
        assert replaced["generation"] == 2
        box.start()

        status = eventually(lambda: _follows(box), NEWS_S, "the new box follows the plan")
        assert [(hold["device"], hold["kind"]) for hold in status["holds"]] == [(isolated, "isolated")]
        waked = [lamp for circuit in night.circuits("gw-1") if circuit.id in others for lamp in circuit.lamps]
        eventually(lambda: all(world.city.lamp(lamp).level_percent for lamp in waked), NEWS_S, "its lamps are lit")
        time.sleep(FOLLOWS_S)  # several looks of its loop, each of which would close what the plan has closed
        moves = [write for write in world.city.writes()[written:] if write.device == isolated]
        assert [write.value for write in moves if write.value] == []
        eventually(
            lambda: world.api.get("/gateways/gw-1")["state"]["isolated"] == [isolated],
            NEWS_S,
            "the centre sees it held",
        )

        bundle = box.folder / "support.tar.gz"
        support(world, "gw-1", bundle)
        with tarfile.open(bundle) as archive:
            assert sorted(archive.getnames()) == ["config.json", "log.txt", "status.json"]

        confirmed = {"confirmation": "pole 7, cover closed"}
        closed = world.api.ended(world.api.command("supply.restore", isolated, args=confirmed)["request"])
        assert closed["state"] == "verified", closed
        assert any(write.value for write in world.city.writes()[written:] if write.device == isolated)


def support(world, gateway, output):
    """As a person far away asks for it."""
    command = [sys.executable, "-c", CLI, "--url", world.controller.url.removesuffix("/api/v1")]
    command += ["gateway", "support", gateway, "--output", str(output), "--reason", "where does it hang"]
    environment = {**os.environ, "LAMPLIGHTER_TOKEN": world.controller.token}
    subprocess.run(command, check=True, timeout=60, env=environment)


def _follows(box):
    status = box.ask("status")
    return status if status["plan_version"] and status["holds"] else None
