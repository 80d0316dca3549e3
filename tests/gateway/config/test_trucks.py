"""The wires of trucks in the configuration: what is right is read, every mistake is named."""

import pytest

from lamplighter_gateway.config.model import Config, RelayServer
from tests.gateway.config.test_load import GOOD, load_tree

TRACKERS = {"id": "trackers", "wire": "jt808", "host": "127.0.0.1", "port": 7611}
VENDOR = {"id": "vendor", "wire": "relay", "port": 7612, "secret_file": "vendor.secret"}
TRUCK = {"id": "truck-1", "bus": "trackers", "profile": "zt-8f", "address": "013964000001"}
SEEN = {"id": "truck-2", "bus": "vendor", "profile": "truck-relay", "address": "鲁A12345"}


def trucks(folder, *devices, buses=(TRACKERS, VENDOR), **more):
    (folder / "vendor.secret").write_text("agreed")
    return load_tree(folder, GOOD | {"buses": list(buses), "devices": list(devices)} | more)


def test_terminals_and_forwarded_trucks_are_read(tmp_path):
    config = trucks(tmp_path, TRUCK, SEEN, trucks={"lift_lock": True})
    assert isinstance(config, Config), "\n".join(map(str, config))
    vendor = config.buses[1]
    assert isinstance(vendor, RelayServer)
    assert (vendor.host, vendor.port, vendor.secret_file.name) == ("127.0.0.1", 7612, "vendor.secret")
    assert [device.address for device in config.devices] == ["013964000001", "鲁A12345"]
    assert config.trucks.lift_lock


@pytest.mark.parametrize(
    ("buses", "device", "words"),
    [
        ([TRACKERS, VENDOR | {"secret_file": None}], SEEN, "secret_file"),
        ([TRACKERS, VENDOR | {"secret_file": "gone.secret"}], SEEN, "a file that is there"),
        ([TRACKERS, VENDOR | {"certificate": "vendor.secret"}], SEEN, "certificate and key together"),
        ([TRACKERS, VENDOR | {"host": "127.0.0.1", "port": 7611}], SEEN, "an endpoint that bus trackers does not use"),
        ([TRACKERS, VENDOR], SEEN | {"profile": "zt-8f"}, "a profile with a relay part"),
        ([TRACKERS, VENDOR], TRUCK | {"profile": "truck-relay"}, "a profile with a jt808 part"),
        ([TRACKERS, VENDOR], {name: SEEN[name] for name in ("id", "bus", "profile")}, "its plate as a rule"),
        ([TRACKERS, VENDOR], TRUCK | {"address": "12a"}, "a phone number"),
    ],
)
def test_a_mistake_is_named_with_what_was_expected(tmp_path, buses, device, words):
    cleaned = [{key: value for key, value in bus.items() if value is not None} for bus in buses]
    found = trucks(tmp_path, device, buses=cleaned)
    assert not isinstance(found, Config)
    assert any(words in str(one) for one in found), found


def test_two_trucks_have_two_names_at_their_platform(tmp_path):
    found = trucks(tmp_path, SEEN, SEEN | {"id": "truck-3"})
    assert not isinstance(found, Config)
    assert any("an address that truck-2 does not have" in str(one) for one in found)
