"""The command line, and the gateway it assembles."""

import json
import os
import signal
import subprocess
import sys
import time
from datetime import datetime
from pathlib import Path

import pytest
from click.testing import CliRunner

from lamplighter_gateway.assembly import UnusableFileError, build, entry
from lamplighter_gateway.cli import program as cli
from lamplighter_gateway.cli.program import main
from lamplighter_gateway.config.load import load
from lamplighter_gateway.config.model import Config
from tests.system.process import free_port

EXAMPLE = Path(__file__).parents[2] / "config" / "gateway" / "example.yaml"


def invoke(*args):
    return CliRunner().invoke(main, [str(arg) for arg in args])


def config(tmp_path, **environment):
    found = load(EXAMPLE, {"LAMPLIGHTER_DATA": str(tmp_path / "data"), **environment})
    assert isinstance(found, Config)
    return found


def test_check_says_what_is_good():
    result = invoke("check", EXAMPLE)
    assert result.exit_code == 0
    assert "3 buses, 165 devices" in result.output


def test_check_and_run_name_every_mistake_at_once_and_start_nothing(tmp_path):
    text = EXAMPLE.read_text().replace("keepalive_s: 30", "keepalive_s: no").replace("gateway: gw-1", "gateway: GW 1")
    wrong = tmp_path / "wrong.yaml"
    wrong.write_text(text.replace("../profiles", str(EXAMPLE.parents[1] / "profiles")))
    for command in ("check", "run", "status"):
        result = invoke(command, wrong)
        assert result.exit_code == 2
        assert "wrong.yaml: gateway: value 'GW 1', expected" in result.output
        assert "uplink.keepalive_s" in result.output
    assert [path.name for path in tmp_path.iterdir()] == ["wrong.yaml"]


def test_asking_where_nobody_answers(tmp_path):
    for args in (("status",), ("read", "lamp-1"), ("write", "lamp-1", 50, "--minutes", 1)):
        result = invoke(*args, "--data", tmp_path)
        assert result.exit_code == 1
        assert "no gateway answers" in result.output
        assert invoke(*args).exit_code == 2


async def test_the_gateway_is_what_its_configuration_says(tmp_path):
    gateway = build(config(tmp_path))
    assert list(gateway.registry.drivers) == ["cab-01", "cab-04", "field"]
    lamp = gateway.registry.entries["lamp-01-007"]
    assert (lamp.address, lamp.capabilities) == ("cab-01/7", ("light.set", "light.resume", "light.identify"))
    assert gateway.registry.entries["circuit-01-b"].address == "cab-01/240+110"
    assert gateway.registry.entries["circuit-01-b"].capabilities == ("supply.isolate", "supply.restore")


def test_entries_carry_place_and_name(tmp_path):
    cabinet = next(device for device in config(tmp_path).devices if device.id == "cab-01")
    assert (entry(cabinet).latitude, entry(cabinet).longitude) == (36.6512, 117.1201)


async def test_a_password_file_that_cannot_be_read_is_named(tmp_path):
    binary = tmp_path / "password"
    binary.write_bytes(b"\xff\xfe")
    with pytest.raises(UnusableFileError, match=r"uplink\.password_file"):
        build(config(tmp_path, LAMPLIGHTER_UPLINK_PASSWORD_FILE=str(binary)))


@pytest.mark.system
def test_the_program_serves_without_uplink_and_stops_within_two_seconds(tmp_path):
    data = tmp_path / "data"
    port = str(free_port())
    environment = {**os.environ, "LAMPLIGHTER_DATA": str(data), "LAMPLIGHTER_UPLINK_PORT": port}
    environment["LAMPLIGHTER_METRICS_PORT"] = str(free_port())
    example = tmp_path / "gateway.yaml"
    nobody = EXAMPLE.read_text().replace("port: 15001", f"port: {free_port()}")
    example.write_text(
        nobody.replace("profiles: ../profiles", f"profiles: {EXAMPLE.parent.parent.resolve() / 'profiles'}")
    )
    command = [sys.executable, "-m", "lamplighter_gateway", "run", str(example)]
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(command, env=environment, stderr=log)
    try:
        deadline = time.monotonic() + 20
        while invoke("status", "--data", data).exit_code:
            assert process.poll() is None, (tmp_path / "log").read_text()
            assert time.monotonic() < deadline
            time.sleep(0.05)
        answer = json.loads(invoke("status", "--data", data, "--json").output)
        assert (answer["gateway"], answer["uplink"]) == ("gw-1", False)
        assert answer["per_day"].keys() == {"up_bytes", "down_bytes", "flash_bytes"}
        read = invoke("read", "lamp-01-001", "--data", data)
        assert read.exit_code == 1
        second = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=20, check=False)
        assert second.returncode == 74
        assert "in use by another process" in second.stderr
    finally:
        began = time.monotonic()
        process.send_signal(signal.SIGTERM)
        code = process.wait(10)
    assert code == 0
    assert time.monotonic() - began < 2


def test_help_is_had_by_its_short_name_too():
    assert invoke("-h").output == invoke("--help").output
    assert "LEVEL percent" in invoke("write", "-h").output


@pytest.mark.parametrize(("waiting", "said"), [(0, "0 frames wait"), (1, "1 frame waits"), (2, "2 frames wait")])
def test_status_counts_frames_and_writes_times_for_people(waiting, said):
    override = {"device": "lamp-01-001", "level_percent": 40.0, "until_ms": 1_795_172_657_100}
    told = cli._overview(
        {
            "gateway": "gw-1",
            "version": "1",
            "boot": "b",
            "uplink": True,
            "controller": None,
            "spool": {"waiting": waiting},
            "buses": [],
            "overrides": [override],
        }
    )
    assert f"spool ok: {said}, 0 dropped" in told
    (line,) = [line for line in told.splitlines() if line.startswith("override")]
    assert datetime.fromisoformat(line.rpartition(" ")[2]).timestamp() == 1_795_172_657


def test_status_says_what_a_day_costs_and_what_is_wrong_with_a_line():
    bus = {"bus": "cab-04", "wire": "modbus-rtu", "connected": True, "devices": 60, "silent": [], "last_error": ""}
    told = cli._overview(
        {
            "gateway": "gw-1",
            "version": "1",
            "boot": "b",
            "uplink": True,
            "controller": None,
            "spool": {"waiting": 0},
            "overrides": [],
            "per_day": {"up_bytes": 1_540_000, "down_bytes": 320_000, "flash_bytes": 60_300_000},
            "buses": [bus | {"utilisation": 0.874, "findings": ["another master is on the line"]}],
        }
    ).splitlines()
    assert "per day: 1.54 MB up, 0.32 MB down, 60.3 MB written to the disk" in told
    assert told[-2:] == ["bus cab-04 (modbus-rtu): connected, 60 devices, 87% busy", "  another master is on the line"]


def test_status_says_what_a_bus_refused_and_who_called_without_being_configured():
    bus = {"bus": "trackers", "wire": "jt808", "connected": True, "devices": 2, "silent": [], "last_error": ""}
    told = cli._overview(
        {
            "gateway": "gw-1",
            "version": "1",
            "boot": "b",
            "uplink": True,
            "controller": None,
            "spool": {"waiting": 0},
            "overrides": [],
            "buses": [bus | {"refusals": [["checksum", 2], ["unknown_terminal", 1]]}],
            "strangers": [
                {"bus": "trackers", "wire": "jt808", "phone": "013900000000", "plate": "鲁A12345", "maker": ""}
            ],
        }
    ).splitlines()
    assert "  refused: checksum 2, unknown_terminal 1" in told
    assert "NOT CONFIGURED on trackers: 013900000000 鲁A12345" in told
