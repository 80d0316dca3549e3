"""Bad input from people and from the wire: told in full or refused with a reason, and nobody else notices."""

import json
import random
import subprocess
import sys
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from lamplighter_contract.quantities import Kind
from lamplighter_contract.wire.frame import Envelope, readings_body, seal
from lamplighter_contract.wire.topics import CONTROLLER_STATE, ROOT, Down, Up, down, up
from tests.system.world import PROFILES, World
from tests.system.world_api import eventually
from tests.system.world_checks import nothing_lost
from tests.system.world_rogue import Rogue

pytestmark = [pytest.mark.fault, pytest.mark.system, pytest.mark.timeout(180)]

SOON_S = 20.0
BACK_S = 45.0
GROWTH_BYTES = 64 * 1_048_576
WRONG_CONFIG = 2

GATEWAY_FILE = """
gateway: GW 1
data: {data}
profiles: {profiles}
root_key: c2hvcnQ=
uplink: {{host: 127.0.0.1, port: 99999}}
buses:
  - {{id: cab-01, wire: modbus-tcp, host: 127.0.0.1, port: 15001, timeout: 3}}
devices:
  - {{id: lamp-01-001, bus: cab-01, profile: lamp-single, unit: 1}}
  - {{id: lamp-01-002, bus: cab-01, profile: lamp-single, unit: 1}}
  - {{id: lamp-01-003, bus: cab-01, profile: lamp-triple, unit: 3}}
  - {{id: circuit-01-a, bus: cab-01, profile: circuit-contactor, unit: 240, offset: 100}}
  - {{id: circuit-01-b, bus: cab-01, profile: circuit-contactor, unit: 240, offset: 102}}
  - {{id: lamp-01-004, bus: cab-09, profile: lamp-single, unit: 4}}
"""
GATEWAY_MISTAKES = (
    "GW 1",
    "root_key",
    "99999",
    "timeout",
    "devices[1].unit",
    "lamp-triple",
    "devices[4].unit",
    "cab-09",
)
CONTROLLER_FILE = """
controller: Centre 1
data: {data}
colour: red
broker: {{port: 0, keepalive_s: 1}}
series: {{url: "ftp://nowhere"}}
ledger: mysql://nowhere
http: {{port: 99999}}
city: {{zone: Mars/Olympus}}
"""
CONTROLLER_MISTAKES = ("Centre 1", "colour", "broker.port", "keepalive_s", "ftp://nowhere", "mysql", "99999", "Mars")


@pytest.mark.parametrize("word", ["check", "run"])
@pytest.mark.parametrize(
    ("module", "text", "mistakes"),
    [
        ("lamplighter_gateway", GATEWAY_FILE, GATEWAY_MISTAKES),
        ("lamplighter_controller", CONTROLLER_FILE, CONTROLLER_MISTAKES),
    ],
)
def test_every_mistake_of_a_configuration_is_told_and_nothing_starts(
    tmp_path: Path, module: str, text: str, mistakes: tuple[str, ...], word: str
) -> None:
    file, data = tmp_path / "config.yaml", tmp_path / "data"
    file.write_text(text.format(data=data, profiles=PROFILES))
    told = subprocess.run(
        [sys.executable, "-m", module, word, str(file)], capture_output=True, text=True, timeout=60, check=False
    )
    assert told.returncode == WRONG_CONFIG, told.stderr
    assert not [mistake for mistake in mistakes if mistake not in told.stderr], told.stderr
    assert len(told.stderr.splitlines()) >= len(mistakes)
    assert "Traceback" not in told.stderr
    assert not data.exists()


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    """Two gateways; at the end nothing acknowledged may be missing."""
    with World() as running:
        yield running
        assert nothing_lost(running).acknowledged > 20


@pytest.fixture
def rogue(world: World) -> Iterator[Rogue]:
    """Somebody with full rights on the broker."""
    with Rogue(world.broker.port) as client:
        yield client


def _frame(world: World, devices: list[str], seq: int, time_ms: int | None = None) -> bytes:
    """A frame of gw-1 that the gateway never made."""
    now_ms = world.clock.civil_ms() - 1_000 if time_ms is None else time_ms
    rows = len(devices)
    body = readings_body(Kind.LAMP, devices, [now_ms] * rows, {"power_w": [50.0] * rows}, [0] * rows)
    return seal(body, Envelope(seq, "rogue", world.clock.wall_ms()))


def _garbage(chance: random.Random, good: bytes) -> list[bytes]:
    """Everything that is no message: noise, wrong forms, wrong sizes, wrong depths, and nearly right ones."""
    place = chance.randrange(len(good))
    flipped = good[:place] + bytes([good[place] ^ 0xFF]) + good[place + 1 :]
    return [
        b"\x00",
        chance.randbytes(chance.randrange(1, 4_000)),
        b"null",
        b"[]",
        b'"text"',
        b"{}",
        b"{" * 100_000,
        b"[" * 100_000 + b"]" * 100_000,
        b'{"v":"\xcf"}',  # a decoder may take it for text until it looks
        b'{"v":1,"seq":NaN,"boot":"x","sent":1}',
        b'{"v":99,"seq":1,"boot":"x","sent":1,"kind":"lamp"}',
        b'{"v":1,"seq":-1,"boot":"x","sent":1,"kind":"lamp"}',
        b'{"v":1,"seq":7,"boot":"x","sent":1,"kind":"dragon"}',
        b'{"v":1,"seq":8,"boot":"x","sent":1,"kind":"lamp","device":["a"],"time":[]}',
        b'{"v":1,"seq":9,"boot":"x","sent":1,"kind":"event","events":{}}',
        json.dumps({"v": 1, "seq": 10, "boot": "x", "sent": 1, "kind": "x" * 300_000}).encode(),
        zlib.compress(b"\x00" * 50_000_000),
        good[: len(good) // 2],
        flipped,
    ]


def _alive(world: World) -> dict[str, int]:
    return {"controller": world.controller.pid, **{name: gateway.pid for name, gateway in world.gateways.items()}}


def test_garbage_on_every_topic(world: World, rogue: Rogue) -> None:
    chance = random.Random(7)
    pids, before_bytes = _alive(world), world.controller.rss_bytes
    good = _frame(world, world.city.lamps("gw-1")[:3], 11)
    topics = [
        *(up(gateway, channel) for gateway in ("gw-1", "gw-77", "NOT AN ID") for channel in Up),
        *(down("gw-1", channel) for channel in Down),
        CONTROLLER_STATE,
        f"{ROOT}/up",
        f"{ROOT}/up/gw-1/live/deeper",
        f"{ROOT}/up/gw-1/dreams",
        f"{ROOT}/down/gw-1/dreams",
        "lamplighter/2/up/gw-1/live",
    ]
    for topic in topics:
        for payload in _garbage(chance, good):
            rogue.say(topic, payload)
    world.wait_for_news(within_s=BACK_S)
    assert _alive(world) == pids
    assert world.controller.rss_bytes - before_bytes < GROWTH_BYTES
    assert "Traceback" not in world.controller.log + world.gateway().log
    done = world.api.ended(world.api.set_level(40, world.city.lamps("gw-1")[0]))
    assert done["state"] == "verified"


def test_what_was_refused_is_counted_and_shown(world: World, rogue: Rogue) -> None:
    rogue.say(up("gw-1", Up.LIVE), b'{"v":1,"seq":12,"boot":"rogue","sent":1,"kind":"dragon"}')
    rogue.say(up("gw-1", Up.LIVE), b"no JSON at all")
    rogue.say(down("gw-1", Down.COMMAND), b"no JSON at all")
    rogue.say(down("gw-1", Down.ACK), b"no JSON at all")
    rogue.say(up("gw-78", Up.LIVE), b"no JSON at all")

    def letter() -> bool:
        return "unknown-kind" in {letter["reason"] for letter in world.api.dead_letters()}

    eventually(letter, SOON_S, "the frame is a dead letter")
    alarms = world.api.alarms()
    assert "refused:gw-1:live:malformed" in alarms
    assert "gateway-unknown:gw-78" in alarms
    counters = world.gateway().ask("status")["counters"]
    assert counters["command_refused_malformed"] > 0
    assert counters["refused_malformed"] > 0
    status = world.controller.tool("status", str(world.controller.config_file))
    assert "refused-malformed" in status.stdout
    strangers = [gateway["gateway"] for gateway in world.api.get("/gateways")["items"] if not gateway["enrolled"]]
    assert "gw-78" in strangers


def _power_w(world: World, lamp: str, time_ms: int) -> list[float]:
    """What is stored of a lamp at a civil time."""
    path = f"/devices/{lamp}/history"
    past = world.api.get(path, start=time_ms, end=time_ms + 1, quantities="power_w")
    watts: list[float] = past["values"]["power_w"]
    return watts


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (lambda frame: frame["device"].__setitem__(1, "lamp-99-999"), "unknown-device"),
        (lambda frame: frame["time"].__setitem__(1, 5), "absurd-time"),
        (lambda frame: frame["time"].__setitem__(1, 4_000_000_000_000), "absurd-time"),
        (lambda frame: frame["power_w"].__setitem__(1, 1e12), "out-of-bounds"),
        (lambda frame: frame["power_w"].__setitem__(1, "bright"), "wrong-type"),
        (lambda frame: frame.__setitem__("happiness", [1, 2, 3, 4]), "unknown-quantity"),
    ],
    ids=["device", "past", "future", "bounds", "type", "quantity"],
)
def test_one_bad_item_never_stops_its_neighbours(world: World, rogue: Rogue, spoil, reason: str) -> None:
    lamps = world.city.lamps("gw-1")[5:9]
    time_ms = world.clock.civil_ms() - 600_000 + random.randrange(1_000)
    frame = json.loads(_frame(world, lamps, 13, time_ms))
    spoil(frame)
    before = {letter["id"] for letter in world.api.dead_letters()}
    rogue.say(up("gw-1", Up.BACKLOG), json.dumps(frame))

    def fresh() -> set[str]:
        return {letter["reason"] for letter in world.api.dead_letters() if letter["id"] not in before}

    eventually(lambda: reason in fresh(), SOON_S, f"a dead letter: {reason}")

    def stored() -> bool:
        return all(_power_w(world, lamp, time_ms) == [50.0] for lamp in (lamps[0], lamps[2], lamps[3]))

    eventually(stored, SOON_S, "the neighbours are stored all the same")


def test_a_frame_of_mostly_unknown_devices_is_not_acknowledged(world: World, rogue: Rogue) -> None:
    rogue.say(up("gw-1", Up.LIVE), _frame(world, [*(f"lamp-98-{n:03}" for n in range(8)), world.lamps[0]], 14))
    eventually(lambda: "gateway-devices:gw-1" in world.api.alarms(), SOON_S, "the alarm")
    acks = [message.document() for message in rogue.on(down("gw-1", Down.ACK))]
    assert not [ack for ack in acks if ack["boot"] == "rogue" and [14, 14] in ack["seq"]]
