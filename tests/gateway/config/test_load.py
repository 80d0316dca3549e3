import base64
from pathlib import Path

import pytest
import yaml

from lamplighter_gateway.config.load import load
from lamplighter_gateway.config.model import Config, FieldBroker, SerialBus, TcpBus

EXAMPLE = Path(__file__).parents[3] / "config" / "gateway" / "example.yaml"
PROFILES = Path(__file__).parents[3] / "config" / "profiles"

GOOD = {
    "gateway": "gw-1",
    "data": "run/gw-1",
    "profiles": str(PROFILES),
    "root_key": base64.b64encode(bytes(32)).decode(),
    "uplink": {"host": "127.0.0.1", "port": 1883},
    "buses": [
        {"id": "tcp", "wire": "modbus-tcp", "host": "127.0.0.1", "port": 15001},
        {"id": "rtu", "wire": "modbus-rtu", "device": "/dev/ttyS1"},
        {"id": "field", "wire": "mqtt", "host": "127.0.0.1"},
    ],
    "devices": [{"id": "lamp-1", "bus": "tcp", "profile": "lamp-single", "unit": 1}],
}


def changed(path, value, tree=None):
    """GOOD with the value at a dotted path replaced; None removes it."""
    tree = yaml.safe_load(yaml.safe_dump(GOOD)) if tree is None else tree
    *heads, last = [int(part) if part.isdigit() else part for part in path.split(".")]
    inner = tree
    for head in heads:
        inner = inner[head]
    if value is None:
        del inner[last]
    elif isinstance(inner, list) and last == len(inner):
        inner.append(value)
    else:
        inner[last] = value
    return tree


def load_tree(folder, tree, environment=None):
    path = folder / "gateway.yaml"
    path.write_text(tree if isinstance(tree, str) else yaml.safe_dump(tree), encoding="utf-8")
    return load(path, environment or {})


def device(**keys):
    return {"id": "d", "bus": "tcp", "profile": "lamp-single", "unit": 9} | keys


def test_what_costs_bytes_is_configuration(tmp_path):
    day = {"interval_s": 600, "heartbeat_s": 7200}
    config = load_tree(tmp_path, GOOD | {"report": {"compress": True, "gather_s": 60, "health_s": 3600, "day": day}})
    assert isinstance(config, Config), "\n".join(map(str, config))
    report = config.report
    assert (report.compress, report.gather_s, report.health_s) == (True, 60, 3600)
    assert (report.day_interval_s, report.day_heartbeat_s) == (600, 7200)
    assert (report.interval_s, report.heartbeat_s) == (60, 900)


def test_the_example_is_good_and_its_rows_are_expanded():
    config = load(EXAMPLE, {})
    assert isinstance(config, Config), "\n".join(map(str, config))
    lamps = config.devices_on("cab-04")
    assert [lamps[0].id, lamps[0].unit, lamps[-1].id, lamps[-1].unit] == ["lamp-04-001", 1, "lamp-04-060", 60]
    assert len(config.devices_on("cab-01")) == 104
    assert config.devices_on("field")[0].address == "05-001"
    assert [type(bus) for bus in config.buses] == [TcpBus, SerialBus, FieldBroker]


def test_the_environment_overrides_addresses(tmp_path):
    environment = {"LAMPLIGHTER_UPLINK_HOST": "broker", "LAMPLIGHTER_UPLINK_PORT": "8883", "LAMPLIGHTER_DATA": "spool"}
    config = load_tree(tmp_path, GOOD, environment)
    assert isinstance(config, Config)
    assert (config.uplink.host, config.uplink.port, config.data) == ("broker", 8883, tmp_path / "spool")


def test_the_version_follows_the_file(tmp_path):
    first, second = load_tree(tmp_path, GOOD), load_tree(tmp_path, changed("gateway", "gw-2"))
    assert first.version != second.version
    assert load_tree(tmp_path, GOOD).version == first.version


def test_rows_count_in_every_form(tmp_path):
    row = device(id="x-{n}", units="1-3, 7,9-10")
    del row["unit"]
    config = load_tree(tmp_path, changed("devices.0", row))
    assert [one.id for one in config.devices] == ["x-1", "x-2", "x-3", "x-7", "x-9", "x-10"]


@pytest.mark.parametrize(
    ("path", "value", "key", "shown", "expected"),
    [
        ("colour", "red", "colour", "'red'", "no such key"),
        ("uplink.prot", 1, "uplink.prot", "1", "no such key"),
        ("gateway", "GW 1", "gateway", "'GW 1'", "an id of at most 64"),
        ("gateway", None, "gateway", "missing", "an id of at most 64"),
        ("root_key", "abc", "root_key", "'abc'", "32 bytes in base64"),
        ("uplink", [], "uplink", "[]", "a mapping"),
        ("uplink.port", "1883", "uplink.port", "'1883'", "1 to 65535"),
        ("uplink.port", True, "uplink.port", "True", "1 to 65535"),
        ("uplink.port", 70_000, "uplink.port", "70000", "1 to 65535"),
        ("uplink.password_file", "/nowhere", "uplink.password_file", "'/nowhere'", "a file that is there"),
        ("uplink.tls", {"key": "/k"}, "uplink.tls.ca", "missing", "certificate authority"),
        ("report", {"interval_s": -1}, "report.interval_s", "-1", "0 to 86400"),
        ("report", {"heartbeat_s": 5}, "report.heartbeat_s", "5", "at least interval_s"),
        ("report", {"interval_s": float("nan")}, "report.interval_s", "nan", "a number"),
        ("buses.0.window", 0, "buses[0].window", "0", "1 to 32"),
        ("report", {"gather_s": 0}, "report.gather_s", "0", "1 to 3600"),
        ("report", {"health_s": 5}, "report.health_s", "5", "10 to 86400"),
        (
            "report",
            {"day": {"interval_s": 900, "heartbeat_s": 60}},
            "report.day.heartbeat_s",
            "60",
            "at least interval_s",
        ),
        ("spool", {"max_mib": 0}, "spool.max_mib", "0", "1 to"),
        ("profiles", "nowhere", "profiles", "missing", "a folder of device profiles"),
        ("buses.0.wire", "can", "buses[0].wire", "'can'", "modbus-tcp, modbus-rtu, mqtt"),
        ("buses.0.timeout_s", 0, "buses[0].timeout_s", "0", "0.02 to 30"),
        ("buses.0.baud", 9600, "buses[0].baud", "9600", "no such key"),
        ("buses.1.parity", "X", "buses[1].parity", "'X'", "N, E, O"),
        ("buses.1.id", "tcp", "buses[1].id", "'tcp'", "no other bus has"),
        (
            "buses.3",
            {"id": "two", "wire": "modbus-tcp", "host": "127.0.0.1", "port": 15001},
            "buses[3].id",
            "'two'",
            "an endpoint",
        ),
        ("devices", "lamp", "devices", "'lamp'", "a list"),
        ("devices.0.profile", "lamp-double", "devices[0].profile", "'lamp-double'", "one of cabinet-meter"),
        ("devices.0.bus", "bus-9", "devices[0].bus", "'bus-9'", "id of a bus"),
        ("devices.0.bus", "field", "devices[0].profile", "'lamp-single'", "an mqtt part"),
        ("devices.0.profile", "lamp-mqtt", "devices[0].profile", "'lamp-mqtt'", "a modbus part"),
        ("devices.0.unit", 300, "devices[0].unit", "300", "1 to 255"),
        ("devices.0.unit", None, "devices[0].unit", "missing", "1 to 255"),
        ("devices.0.poll_s", "often", "devices[0].poll_s", "'often'", "0 to 86400"),
        ("devices.0.latitude", 36.6, "devices[0].longitude", "missing", "together"),
        ("devices.0.latitude", 136.6, "devices[0].latitude", "136.6", "-90 to 90"),
        ("devices.0.id", "Lamp_1", "devices[0].id", "'Lamp_1'", "lower-case"),
        ("devices.1", device(id="lamp-1"), "devices[1].id", "'lamp-1'", "stands twice"),
        ("devices.1", device(unit=1), "devices[1].unit", "1", "registers of unit 1 on tcp that lamp-1 does not use"),
        ("devices.1", device(unit=1, offset=20), "devices[1].unit", "1", "lamp-1 does not use"),
        ("devices.1", device(units="1-4"), "devices[1].units", "'1-4'", "not both"),
        (
            "devices.1",
            {"id": "x-{n}", "bus": "tcp", "profile": "lamp-single", "units": "4-1"},
            "devices[1].units",
            "'4-1'",
            "ranges",
        ),
        (
            "devices.1",
            {"id": "x", "bus": "tcp", "profile": "lamp-single", "units": "2-4"},
            "devices[1].id",
            "'x'",
            "{n}",
        ),
        ("devices.1", device(bus="rtu", unit=248), "devices[1].unit", "248", "1 to 247"),
        (
            "devices.1",
            {"id": "m", "bus": "field", "profile": "lamp-mqtt"},
            "devices[1].address",
            "missing",
            "its topics",
        ),
        (
            "devices.1",
            {"id": "m", "bus": "field", "profile": "lamp-mqtt", "address": "a/b"},
            "devices[1].address",
            "'a/b'",
            "one topic level",
        ),
    ],
)
def test_one_mistake_is_named_with_file_key_value_and_what_was_expected(tmp_path, path, value, key, shown, expected):
    problems = load_tree(tmp_path, changed(path, value))
    assert isinstance(problems, tuple)
    found = [problem for problem in problems if problem.key == key]
    assert found, "\n".join(map(str, problems))
    assert found[0].file.endswith("gateway.yaml") or key == "profiles"
    assert found[0].value == shown
    assert expected in found[0].expected


def test_all_mistakes_are_listed_at_once(tmp_path):
    tree = changed("uplink.port", 0)
    tree = changed("buses.0.timeout_s", "x", tree)
    tree = changed("devices.0.unit", 999, tree)
    tree = changed("nonsense", 1, tree)
    problems = load_tree(tmp_path, tree, {"LAMPLIGHTER_METRICS_PORT": "high"})
    keys = {problem.key for problem in problems}
    assert keys == {"uplink.port", "buses[0].timeout_s", "devices[0].unit", "nonsense", "LAMPLIGHTER_METRICS_PORT"}


@pytest.mark.parametrize(
    ("text", "key", "expected"),
    [
        ("gateway: [", "line 1", "YAML"),
        ("gateway: a\ngateway: b", "line 2", "key 'gateway' twice"),
        ("- a\n- b", "document", "a mapping"),
        ("", "document", "a mapping"),
        ("gateway: !!python/object/apply:os.system [ls]", "line 1", "YAML"),
    ],
)
def test_files_that_are_no_configuration(tmp_path, text, key, expected):
    (problem,) = load_tree(tmp_path, text)
    assert problem.key == key
    assert expected in problem.expected


def test_a_missing_file_is_a_problem_and_no_exception(tmp_path):
    missing = load(tmp_path / "none.yaml", {})
    assert isinstance(missing, tuple)
    assert "No such file" in str(missing[0])
    binary = load_bytes(tmp_path, b"\xff\xfe\x00")
    assert "UTF-8" in str(binary[0])


def load_bytes(folder, content):
    (folder / "gateway.yaml").write_bytes(content)
    return load(folder / "gateway.yaml", {})


def test_a_problem_reads_as_one_line(tmp_path):
    (problem,) = load_tree(tmp_path, changed("uplink.port", 0))
    assert str(problem).endswith("gateway.yaml: uplink.port: value 0, expected a whole number, 1 to 65535")
