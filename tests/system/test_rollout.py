"""Updates from the centre, on a real broker and real programs: in pieces, answered, stopped by a failure."""

import base64
import hashlib
import platform
import random
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

from lamplighter_contract.commands.signing import Signer
from lamplighter_contract.wire.files import decode_part
from lamplighter_contract.wire.limits import MAX_PIECE_BYTES
from lamplighter_controller.rollout.files import Bundles
from lamplighter_controller.security.keys import load_key
from lamplighter_firmware_sim.scenario.model import Wire
from lamplighter_gateway.update.bundle import write
from tests.system.world import World
from tests.system.world_api import eventually
from tests.system.world_rogue import Rogue

pytestmark = [pytest.mark.system, pytest.mark.timeout(300)]

PATIENCE_S = 90.0
NEW = "99.0.0"
PIECES = 6  # more than one asking
STRANGER = Signer("root", bytes(range(32)))
PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"


def small_wheel(folder: Path) -> Path:
    """A new version in a few hundred kB: its name and number, and the way to the program that runs these tests."""
    name, installed = f"lamplighter_gateway-{NEW}", sysconfig.get_path("purelib")
    files = {
        "lamplighter_gateway_program.pth": f"import site; site.addsitedir({installed!r})\n".encode(),
        "ballast.bin": random.Random(5).randbytes(PIECES * MAX_PIECE_BYTES - MAX_PIECE_BYTES // 2),
        f"{name}.dist-info/METADATA": f"Metadata-Version: 2.1\nName: lamplighter-gateway\nVersion: {NEW}\n".encode(),
        f"{name}.dist-info/WHEEL": b"Wheel-Version: 1.0\nGenerator: t\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = [f"{path},sha256={_digest(content)},{len(content)}\n" for path, content in files.items()]
    files[f"{name}.dist-info/RECORD"] = "".join([*record, f"{name}.dist-info/RECORD,,\n"]).encode()
    wheel = folder / f"{name}-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        for path, content in files.items():
            archive.writestr(path, content)
    return wheel


def _digest(content: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()


class Depot:
    """Bundles of one wheel, and the centre that sends them."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.wheel = small_wheel(world.folder)
        self.root = load_key(world.controller.data / "keys" / "root.key")

    def make(self, *, signer: Signer | None = None, architecture: str = platform.machine()) -> Path:
        """A new bundle."""
        target = self.world.folder / "new.bundle"
        write(target, [self.wheel], version=NEW, architecture=architecture, python=PYTHON, signer=signer or self.root)
        return target

    def put(self, bundle: Path) -> str:
        """The name of a bundle, put where the centre keeps them."""
        return str(Bundles(self.world.controller.data).add(bundle))

    def bring(self, bundle: Path) -> str:
        """The name of a bundle that a person has brought."""
        done = self.world.controller.tool("bundle", str(self.world.controller.config_file), str(bundle))
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def begin(self, bundle: str, *gateways: str) -> str:
        """Send it, one canary first; the rollout's id."""
        wish = {"bundle": bundle, "gateways": gateways, "canaries": 1, "reason": "a new version"}
        identity: str = self.world.api.ask("POST", "/rollouts", json=wish)["id"]
        return identity

    def ended(self, identity: str):
        """A rollout that goes no further."""

        def look():
            [found] = [one for one in self.world.api.get("/rollouts") if one["id"] == identity]
            return found if found["state"] != "running" else None

        return eventually(look, PATIENCE_S, "the rollout ends")

    def alarm(self, identity: str) -> str:
        """What people are told of a rollout that stopped by itself."""
        return eventually(lambda: self.world.api.alarms().get(f"rollout:{identity}"), PATIENCE_S, "an alarm")


def pieces(broker: Rogue, gateway: str, bundle: str) -> list[int]:
    """Which pieces of a bundle went over the broker to a gateway, in this order; one sent again counts once."""
    parts = [decode_part(heard.payload) for heard in broker.on(f"lamplighter/1/down/{gateway}/file")]
    return list(dict.fromkeys(part[1] for part in parts if isinstance(part, tuple) and f"{part[0]}:" in bundle))


def came_in_pieces(broker: Rogue, gateway: str, bundle: str) -> bool:
    """True once a whole bundle was heard on its way to a gateway."""
    wanted = list(range(PIECES))
    return eventually(lambda: pieces(broker, gateway, bundle) == wanted, PATIENCE_S, f"pieces for {gateway}")


def test_an_update_from_the_centre_is_installed_and_one_that_does_not_fit_is_refused_and_goes_no_further() -> None:
    with (
        World(cabinets=((Wire.MODBUS_TCP, 2),), launched=True) as world,
        Rogue(world.broker.port) as broker,
    ):
        depot = Depot(world)
        before = {name: box.ask("status") for name, box in world.gateways.items()}
        other = "aarch64" if platform.machine() == "x86_64" else "x86_64"
        foreign, forged = depot.put(depot.make(architecture=other)), depot.put(depot.make(signer=STRANGER))
        refused = {depot.begin(foreign, "gw-1", "gw-2"): (foreign, f"it is for {other}")}
        refused[depot.begin(forged, "gw-2", "gw-1")] = (forged, "signature")

        for rollout, (bundle, why) in refused.items():
            stopped = depot.ended(rollout)
            assert stopped["state"] == "stopped", stopped
            [asked] = stopped["sent"]
            assert asked["state"] == "failed", stopped
            assert why in asked["why"]
            assert why in depot.alarm(rollout)
            [spared] = stopped["waiting"]
            assert came_in_pieces(broker, asked["gateway"], bundle)
            assert pieces(broker, spared, bundle) == []
        for name, box in world.gateways.items():
            status = box.ask("status")
            assert [status[key] for key in ("version", "boot")] == [before[name][key] for key in ("version", "boot")]
            assert status["update"]["trial"] is None

        good = depot.bring(depot.make())
        done = depot.ended(depot.begin(good, "gw-1"))
        assert (done["state"], done["sent"][0]["state"]) == ("done", "verified"), done
        assert came_in_pieces(broker, "gw-1", good)
        status = world.gateway(1).ask("status")
        assert (status["version"], status["update"]["good"]["slot"]) == (NEW, "a")
        assert status["boot"] != before["gw-1"]["boot"]
        assert world.gateway(2).ask("status")["boot"] == before["gw-2"]["boot"]
        world.wait_for_news(within_s=PATIENCE_S)
