"""What gateways may do at a real Mosquitto with the files the controller makes, and how fast that ends."""

import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import paho.mqtt.client as mqtt
import pytest
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

from lamplighter_contract.wire.topics import ROOT, Down, Up, down, up
from lamplighter_controller.broker_files import apply
from lamplighter_controller.config import BrokerConfig
from lamplighter_controller.security import mosquitto
from lamplighter_controller.security.mosquitto import password_line
from tests.system.servers import Mosquitto
from tests.system.world_api import eventually

pytestmark = [pytest.mark.fault, pytest.mark.system, pytest.mark.timeout(120)]

GATEWAYS: Final = [f"gw-{number}" for number in range(1, 21)]
PATIENCE_S: Final = 60.0
NOT_AUTHORIZED: Final = 0x87
OUT_S: Final = 1.0


def word(user: str) -> str:
    return f"password of {user}"


class Client:
    """One user's connection; what it hears, and what it is denied."""

    def __init__(self, broker: Mosquitto, user: str, password: str | None = None, client: str = "") -> None:
        self.heard: list[str] = []
        self.denied: list[str] = []
        self.gone_s: float | None = None
        self.code: int | None = None
        self._answered, self._subscribed = threading.Event(), threading.Event()
        self._waiting: dict[int, str] = {}
        self._client = mqtt.Client(CallbackAPIVersion.VERSION2, client, protocol=MQTTProtocolVersion.MQTTv5)
        self._client.username_pw_set(user, password or word(user))
        self._client.on_connect = self._connected
        self._client.on_message = lambda _client, _data, message: self.heard.append(message.topic)
        self._client.on_publish = self._published
        self._client.on_subscribe = lambda *_: self._subscribed.set()
        self._client.on_disconnect = self._disconnected
        self._client.reconnect_delay_set(30, 30)
        self._client.connect("127.0.0.1", broker.port)
        self._client.loop_start()
        assert self._answered.wait(PATIENCE_S), f"{user} is not answered"

    def hear(self, *topics: str) -> None:
        self._subscribed.clear()
        self._client.subscribe([(topic, 1) for topic in topics])
        assert self._subscribed.wait(PATIENCE_S)

    def say(self, topic: str) -> None:
        self._waiting[self._client.publish(topic, b"{}", 1).mid] = topic

    def said(self) -> bool:
        """True when the broker has answered everything that was said."""
        return not self._waiting

    def leave(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def _connected(self, _client, _data, _flags, reason, _properties) -> None:
        self.code = reason.value
        self._answered.set()

    def _disconnected(self, _client, _data, _flags, _reason, _properties) -> None:
        self.gone_s = self.gone_s or time.monotonic()

    def _published(self, _client, _data, mid, reason, _properties) -> None:
        eventually(lambda: mid in self._waiting, PATIENCE_S, "the number of what was said")
        topic = self._waiting.pop(mid)
        if reason.value == NOT_AUTHORIZED:
            self.denied.append(topic)


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> BrokerConfig:
    folder: Path = tmp_path_factory.mktemp("broker")
    return BrokerConfig(user="controller", files=folder, pid_file=folder / "pid")


def lines(*users: str) -> dict[str, str]:
    return {user: password_line(user, word(user), os.urandom(12)) for user in users}


@pytest.fixture(scope="module")
def broker(files: BrokerConfig) -> Iterator[Mosquitto]:
    """A Mosquitto with our files and the limits of the city's configuration."""
    assert files.files is not None
    (files.files).mkdir(exist_ok=True)
    (files.files / mosquitto.PASSWORDS).write_text("\n".join(lines("controller").values()) + "\n")
    mosquitto.write(files.files, "controller", frozenset(GATEWAYS), lines(*GATEWAYS))
    city = Path(__file__).parents[2] / "config" / "broker" / "mosquitto.conf"
    limits = [line for line in city.read_text().splitlines() if line.startswith(("max_", "use_username"))]
    own = [
        f"password_file {files.files / 'passwords'}",
        f"acl_file {files.files / 'acl'}",
        f"pid_file {files.pid_file}",
    ]
    with Mosquitto(lines=["allow_anonymous false", *own, *limits]) as running:
        yield running


def test_nobody_speaks_or_hears_in_anothers_name(broker: Mosquitto):
    centre = Client(broker, "controller")
    centre.hear(f"{ROOT}/up/#")
    everyone = {gateway: Client(broker, gateway) for gateway in GATEWAYS}
    for client in everyone.values():
        client.hear("#", f"{ROOT}/down/+/#", *(down(other, Down.COMMAND) for other in GATEWAYS))
    for client in everyone.values():
        for other in GATEWAYS:
            client.say(up(other, Up.LIVE))
        client.say(down("gw-1", Down.COMMAND))
    eventually(lambda: all(client.said() for client in everyone.values()), PATIENCE_S, "all answers")
    for gateway, client in everyone.items():
        foreign = [up(other, Up.LIVE) for other in GATEWAYS if other != gateway]
        assert sorted(client.denied) == sorted([*foreign, down("gw-1", Down.COMMAND)])
    eventually(lambda: len(centre.heard) >= len(GATEWAYS), PATIENCE_S, "each in its own name")
    assert sorted(centre.heard) == sorted(up(gateway, Up.LIVE) for gateway in GATEWAYS)
    for gateway in GATEWAYS:
        centre.say(down(gateway, Down.COMMAND))
    eventually(lambda: all(client.heard for client in everyone.values()), PATIENCE_S, "each what is for it")
    heard = {gateway: set(client.heard) for gateway, client in everyone.items()}  # one for each filter that fits
    assert heard == {gateway: {down(gateway, Down.COMMAND)} for gateway in GATEWAYS}
    thief = Client(broker, "gw-2", client="gw-1")  # its id at the broker is its user name, whatever it says
    assert thief.code == 0
    everyone["gw-1"].say(up("gw-1", Up.LIVE))
    eventually(everyone["gw-1"].said, PATIENCE_S, "the robbed one is still there")
    assert everyone["gw-1"].gone_s is None
    for client in (centre, thief, *everyone.values()):
        client.leave()


def test_whoever_is_revoked_is_out_within_the_second_and_stays_out(broker: Mosquitto, files: BrokerConfig):
    revoked, other = Client(broker, "gw-3"), Client(broker, "gw-4")
    assert revoked.code == other.code == 0
    begun_s = time.monotonic()
    rest = {gateway: line for gateway, line in _current(files).items() if gateway != "gw-3"}
    apply(files, frozenset(GATEWAYS), rest)
    eventually(lambda: revoked.gone_s is not None, PATIENCE_S, "the end of the revoked one's connection")
    assert revoked.gone_s is not None
    assert revoked.gone_s - begun_s <= OUT_S
    again = Client(broker, "gw-3")
    assert again.code != 0
    other.say(up("gw-4", Up.LIVE))
    eventually(other.said, PATIENCE_S, "the other one is still there")
    assert (other.gone_s, other.denied) == (None, [])
    for client in (revoked, again, other):
        client.leave()


def test_a_new_password_ends_the_one_before(broker: Mosquitto, files: BrokerConfig):
    apply(files, frozenset(GATEWAYS), {**_current(files), "gw-5": password_line("gw-5", "another", os.urandom(12))})
    eventually(lambda: _code(broker, "gw-5", "another") == 0, PATIENCE_S, "the new password")
    assert _code(broker, "gw-5", word("gw-5")) != 0


def test_nobody_without_a_name_and_nothing_too_large(broker: Mosquitto):
    assert _code(broker, "nobody", "x") != 0
    giant = Client(broker, "gw-6")
    giant._client.publish(up("gw-6", Up.LIVE), bytes(8_000_000), 1)
    eventually(lambda: giant.gone_s is not None, PATIENCE_S, "the end of who says too much")
    giant.leave()
    assert _code(broker, "gw-7", word("gw-7")) == 0


def _current(files: BrokerConfig) -> dict[str, str]:
    assert files.files is not None
    found = (line for line in (files.files / "passwords").read_text().splitlines() if line)
    return {line.partition(":")[0]: line for line in found if not line.startswith("controller:")}


def _code(broker: Mosquitto, user: str, password: str) -> int | None:
    client = Client(broker, user, password)
    client.leave()
    return client.code
