"""Commands lost, doubled, reordered, late, forged, replayed, for another gateway, retained: on a real broker."""

import base64
import secrets
import sqlite3
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any

import orjson
import pytest
from msgspec.structs import replace

from lamplighter_contract.commands.command import Command, Operation, Target
from lamplighter_contract.commands.signing import Signer
from lamplighter_contract.commands.states import CommandState
from lamplighter_contract.errors import Reason
from lamplighter_contract.ids import uuid7
from lamplighter_contract.wire.topics import Down, down
from lamplighter_controller.control import ask
from lamplighter_controller.security.keys import load_key, rotate
from tests.system.world import World
from tests.system.world_api import eventually
from tests.system.world_checks import all_ended
from tests.system.world_rogue import Heard, Rogue

pytestmark = [pytest.mark.fault, pytest.mark.system, pytest.mark.timeout(180)]

SOON_S = 20.0
BACK_S = 60.0
COMMAND = down("gw-1", Down.COMMAND)


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    """Two gateways behind links; in the end every request the API took has ended and is told of."""
    with World(linked=True) as running:
        yield running
        all_ended(running.api, [found["request"] for found in running.api.requests()], BACK_S)


@pytest.fixture
def rogue(world: World) -> Iterator[Rogue]:
    """Somebody with full rights on the broker."""
    with Rogue(world.broker.port) as client:
        yield client


@pytest.fixture
def lamp(world: World, request: pytest.FixtureRequest) -> str:
    """A lamp of gw-1 that no other test of this file uses."""
    names = [item.name for item in request.session.items if item.path == request.path]
    return world.city.lamps("gw-1")[names.index(request.node.name)]


def _written(world: World, lamp: str) -> list[tuple[str, float]]:
    """What the lamp took from its wire."""
    return [(write.what, write.value) for write in world.city.writes() if write.device == lamp]


def _blinks_once(world: World, lamp: str, seconds: int) -> bool:
    return _written(world, lamp) == [("identify", seconds)]


def _counted(world: World, name: str, gateway: int = 1) -> int:
    """A counter of a gateway."""
    count: int = world.gateway(gateway).ask("status").get("counters", {}).get(name, 0)
    return count


def _reported(world: World, reason: Reason, gateway: str = "gw-1") -> bool:
    """The centre was told of a refusal."""
    with closing(sqlite3.connect(f"file:{world.controller.data / 'ledger.sqlite'}?mode=ro", uri=True)) as ledger:
        query = "SELECT count(*) FROM gateway_event WHERE gateway = ? AND event = ?"
        found: tuple[int] = ledger.execute(query, (gateway, f"command.refused.{reason}")).fetchone()
    return found[0] > 0


def _audited(world: World, reason: Reason, gateway: int = 1) -> int:
    """Rows of the centre's audit trail that tell of commands a gateway refused for that reason."""
    trail = world.api.audit(f"gateway:gw-{gateway}")
    return sum(row["action"] == "command.refuse" and row["reason"].startswith(f"{reason}: ") for row in trail)


def _refuses(world: World, reason: Reason, before: int, gateway: int = 1) -> None:
    """The gateway has refused one more for that reason, the centre knows, and its audit trail says so."""
    name = f"command_refused_{reason}"
    eventually(lambda: _counted(world, name, gateway) > before, SOON_S, f"{name} counts up")
    eventually(lambda: _reported(world, reason, f"gw-{gateway}"), SOON_S, "the centre is told of it")
    eventually(lambda: _audited(world, reason, gateway) > 0, SOON_S, "the audit trail tells of it")


def _sent(rogue: Rogue, lamp: str) -> Heard:
    """The newest command for a lamp as the controller sent it."""
    return rogue.wait_for(COMMAND, lambda message: lamp in message.document()["target"]["devices"])


def _signer(world: World) -> Signer:
    """The controller's own key: for commands that are authentic, and wrong all the same."""
    return load_key(world.controller.data / "keys" / "commands.key")


def _made(world: World, lamp: str, seconds: int, **other: Any) -> Command:
    """A command as the controller would make it."""
    wall_ms = world.clock.wall_ms()
    fields = {
        "id": uuid7(wall_ms, secrets.token_bytes(10)),
        "seq": world.gateway().ask("status")["highest_seq"] + 1,
        "gateway": "gw-1",
        "issued": wall_ms,
        "expires": wall_ms + 60_000,
        "by": "user:rogue",
        "reason": "none",
        "target": Target((lamp,)),
        "op": Operation.LIGHT_IDENTIFY,
        "args": {"seconds": seconds},
    }
    return Command(**{**fields, **other})


def _prove_alive(world: World, gateway: int = 1) -> None:
    """What was said before has been looked at: a command that came after it has been carried out."""
    lamp = world.city.lamps(f"gw-{gateway}")[-1]
    done = world.api.ended(world.api.command("device.read", lamp)["request"], SOON_S)
    assert done["state"] == CommandState.VERIFIED, done


@contextmanager
def _away(world: World) -> Iterator[None]:
    """The broker believes that gw-1 is there, and nothing reaches it; at the end of the block it is back."""
    sessions = _counted(world, "uplink_sessions")
    world.links["gw-1"].swallow()
    try:
        yield
    finally:
        world.links["gw-1"].heal()
    eventually(lambda: _counted(world, "uplink_sessions") > sessions, BACK_S, "the gateway is connected again")


def test_a_lost_command_is_sent_again(world: World, rogue: Rogue, lamp: str) -> None:
    with _away(world):
        request = world.api.identify(lamp, 11)
        _sent(rogue, lamp)
    assert world.api.ended(request, BACK_S)["state"] == CommandState.VERIFIED
    assert _blinks_once(world, lamp, 11)


def test_a_doubled_command_acts_once(world: World, rogue: Rogue, lamp: str) -> None:
    request = world.api.identify(lamp, 12)
    message = _sent(rogue, lamp)
    before = _counted(world, "commands_repeated")
    for _ in range(20):
        rogue.say(COMMAND, message.payload)
    assert world.api.ended(request)["state"] == CommandState.VERIFIED
    eventually(lambda: _counted(world, "commands_repeated") >= before + 20, SOON_S, "each repeat is counted")
    assert _blinks_once(world, lamp, 12)
    trail = world.api.audit(f"command:{world.api.request(request)['commands'][0]['id']}")
    assert [row["result"] for row in trail].count(CommandState.VERIFIED) == 1
    eventually(lambda: _audited(world, Reason.REPEATED) > 0, SOON_S, "the audit trail tells of repeats")


def test_an_override_issued_twice_late_forged_and_elsewhere_acts_once(world: World, rogue: Rogue, lamp: str) -> None:
    request = world.api.set_level(35, lamp)
    message = _sent(rogue, lamp)
    assert world.api.ended(request)["state"] == CommandState.VERIFIED
    until_ms = world.clock.civil_ms() + 600_000
    late = _made(world, lamp, 0, op=Operation.LIGHT_SET, args={"level_percent": 5, "until": until_ms})
    late = replace(late, seq=late.seq - 1, issued=late.issued - 20_000, expires=late.issued - 10_000)
    before = {name: _counted(world, f"command_refused_{name}") for name in (Reason.EXPIRED, Reason.SIGNATURE)}
    elsewhere = _counted(world, "command_refused_address", 2)
    rogue.say(COMMAND, message.payload)
    rogue.say(COMMAND, _signer(world).sign(late.as_json()))
    rogue.say(COMMAND, _borrowed_name(world, replace(late, expires=late.issued + 60_000)))
    rogue.say(down("gw-2", Down.COMMAND), message.payload)
    for reason, count in before.items():
        _refuses(world, reason, count)
    _refuses(world, Reason.ADDRESS, elsewhere, 2)
    _prove_alive(world)
    assert _written(world, lamp) == [("level_percent", 35)]


def test_a_replay_after_a_restart_of_the_gateway_does_nothing(world: World, rogue: Rogue, lamp: str) -> None:
    request = world.api.identify(lamp, 13)
    message = _sent(rogue, lamp)
    assert world.api.ended(request)["state"] == CommandState.VERIFIED
    world.gateway().kill()
    world.gateway().start()
    eventually(lambda: world.gateway().ask("status")["uplink"], BACK_S, "the gateway is connected again")
    rogue.say(COMMAND, message.payload)
    eventually(lambda: _counted(world, "commands_repeated") >= 1, SOON_S, "the repeat is counted")
    assert _blinks_once(world, lamp, 13)
    assert world.api.request(request)["state"] == CommandState.VERIFIED


def test_of_two_reordered_commands_the_newer_wins(world: World, rogue: Rogue, lamp: str) -> None:
    with ExitStack() as hung:
        with _away(world):
            older, newer = world.api.set_level(30, lamp), world.api.set_level(60, lamp)
            rogue.wait_for(COMMAND, lambda message: message.document()["args"].get("level_percent") == 60)
            messages = {message.document()["args"].get("level_percent"): message for message in rogue.on(COMMAND)}
            world.controller.pause()  # it would send the older one first
            hung.callback(world.controller.resume)
        for percent in (60, 30):
            rogue.say(COMMAND, messages[percent].payload)
        eventually(lambda: _counted(world, "command_refused_superseded") > 0, SOON_S, "the older one is refused")
    assert world.api.ended(newer, BACK_S)["state"] == CommandState.VERIFIED
    assert world.api.ended(older, BACK_S)["state"] == CommandState.SUPERSEDED
    assert _written(world, lamp) == [("level_percent", 60)]


def test_a_late_command_is_expired_and_never_acts(world: World, rogue: Rogue, lamp: str) -> None:
    with _away(world):
        request = world.api.identify(lamp, 14, expires_s=3)
        message = _sent(rogue, lamp)
        time.sleep(max(0.0, (message.document()["expires"] - world.clock.wall_ms()) / 1000))
    before = _counted(world, "command_refused_expired")
    rogue.say(COMMAND, message.payload)
    _refuses(world, Reason.EXPIRED, before)
    assert world.api.ended(request, BACK_S)["state"] == CommandState.EXPIRED
    assert _written(world, lamp) == []


def _unsigned(_: World, command: Command) -> bytes:
    return orjson.dumps(command.as_json())


def _strange_key(_: World, command: Command) -> bytes:
    return Signer("rogue-1", secrets.token_bytes(32)).sign(command.as_json())


def _borrowed_name(world: World, command: Command) -> bytes:
    return Signer(_signer(world).kid, secrets.token_bytes(32)).sign(command.as_json())


def _one_bit(world: World, command: Command) -> bytes:
    document = orjson.loads(_signer(world).sign(command.as_json()))
    signature = bytearray(base64.b64decode(document["sig"]))
    signature[7] ^= 1
    return orjson.dumps(document | {"sig": base64.b64encode(signature).decode()})


def _other_words(world: World, command: Command) -> bytes:
    document = orjson.loads(_signer(world).sign(command.as_json()))
    return orjson.dumps(document | {"args": {"seconds": 600}})


@pytest.mark.parametrize(
    ("forge", "reason"),
    [
        (_unsigned, Reason.KEY),
        (_strange_key, Reason.KEY),
        (_borrowed_name, Reason.SIGNATURE),
        (_one_bit, Reason.SIGNATURE),
        (_other_words, Reason.SIGNATURE),
    ],
)
def test_a_forged_command_never_acts(world: World, rogue: Rogue, lamp: str, forge: Any, reason: Reason) -> None:
    before = _counted(world, f"command_refused_{reason}")
    rogue.say(COMMAND, forge(world, _made(world, lamp, 15)))
    _refuses(world, reason, before)
    _prove_alive(world)
    assert _written(world, lamp) == []


def test_a_command_for_another_gateway_never_acts(world: World, rogue: Rogue, lamp: str) -> None:
    request = world.api.identify(lamp, 16)
    message = _sent(rogue, lamp)
    before = _counted(world, "command_refused_address", 2)
    rogue.say(down("gw-2", Down.COMMAND), message.payload)
    _refuses(world, Reason.ADDRESS, before, 2)
    _prove_alive(world, 2)
    assert world.api.ended(request)["state"] == CommandState.VERIFIED, "what gw-2 says of it changes nothing"
    assert _blinks_once(world, lamp, 16)


def test_a_used_number_never_acts_again(world: World, rogue: Rogue, lamp: str) -> None:
    used = world.gateway().ask("status")["highest_seq"]
    before = _counted(world, "command_refused_sequence")
    rogue.say(COMMAND, _signer(world).sign(_made(world, lamp, 17, seq=used).as_json()))
    _refuses(world, Reason.SEQUENCE, before)
    rogue.say(COMMAND, _signer(world).sign(_made(world, lamp, 18, seq=used - 2_000).as_json()))
    eventually(lambda: _counted(world, "command_refused_sequence") > before + 1, SOON_S, "too old a number, too")
    _prove_alive(world)
    assert _written(world, lamp) == []


def test_a_retained_command_never_acts(world: World, rogue: Rogue, lamp: str) -> None:
    command = _made(world, lamp, 19)
    world.gateway().stop()
    rogue.say(COMMAND, _signer(world).sign(command.as_json()), retain=True)
    try:
        world.gateway().start()
        _refuses(world, Reason.RETAINED, 0)
    finally:
        rogue.say(COMMAND, b"", retain=True)
    _prove_alive(world)
    assert _written(world, lamp) == []


def test_keys_exchanged_under_load_lose_no_command_and_the_old_one_is_worth_nothing(
    world: World, rogue: Rogue, lamp: str
) -> None:
    folder, stolen = world.controller.data / "keys", _signer(world)
    lamps = world.city.lamps("gw-1")[-8:]
    requests = []
    for number in range(40):
        requests.append(world.api.command("device.read", lamps[number % len(lamps)])["request"])
        if number in {10, 25}:
            _rotate(world, folder, overlap_ms=0 if number == 25 else 3_600_000)
    ends = {world.api.ended(request, BACK_S)["state"] for request in requests}
    assert ends == {CommandState.VERIFIED}
    before = _counted(world, "command_refused_key")
    rogue.say(COMMAND, stolen.sign(_made(world, lamp, 17).as_json()))
    _refuses(world, Reason.KEY, before)
    rogue.say(COMMAND, _signer(world).sign(_made(world, lamp, 18).as_json()))
    eventually(lambda: _blinks_once(world, lamp, 18), SOON_S, "the new key is the one in force")


def _rotate(world: World, folder: Path, overlap_ms: int) -> None:
    now_ms = world.clock.wall_ms()
    root = load_key(folder / "root.key")
    year_ms = 365 * 86_400_000
    rotate(folder, root, now_ms=now_ms, ends_ms=now_ms + year_ms, overlap_ms=overlap_ms, random=secrets.token_bytes)
    ask(world.controller.data / "control.sock", {"do": "keys", "who": "test"})
