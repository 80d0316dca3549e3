"""Who is on a simulated bus, as seen by scan and by probe on the command line, and units that get another number."""

import asyncio
import json
import re
from unittest.mock import ANY

import pytest
import yaml
from click.testing import CliRunner

from lamplighter_contract.clock import SystemClock
from lamplighter_firmware_sim.gateway_config import GatewayOptions, gateway_config
from lamplighter_firmware_sim.serve import running_city
from lamplighter_gateway.change.store import ConfigStore, Kept
from lamplighter_gateway.cli.program import main
from lamplighter_gateway.commands.journal import Journal
from lamplighter_gateway.commands.ledger import Change
from lamplighter_gateway.commissioning.addressing import Outcome, give_number
from lamplighter_gateway.commissioning.language import Language, units_text
from lamplighter_gateway.commissioning.scan.conflicts import Conflict, differences
from lamplighter_gateway.commissioning.scan.run import Scan
from lamplighter_gateway.commissioning.scan.signatures import Refused, contradictions, recognised
from lamplighter_gateway.commissioning.wire.serial_line import SerialLine
from lamplighter_gateway.commissioning.wire.tcp_line import TcpLine
from lamplighter_gateway.config.candidate import with_central
from lamplighter_gateway.profiles.model import Table
from lamplighter_gateway.safety.holds import Hold, HoldKind
from tests.firmware_sim.conftest import scenario_of
from tests.gateway.commissioning.cabinet import PROFILES as FOLDER
from tests.gateway.commissioning.lines import N1, FaultyLine
from tests.gateway.drivers.rig import PROFILES, lamps
from tests.gateway.drivers.units import LAMP, Units

MODBUS = [profile for profile in PROFILES.values() if profile.modbus]
SMALL = """
scenario: small
seed: 7
place: {latitude: 36.65, longitude: 117.12}
gateways: 1
cabinets: [{wire: modbus-tcp, count: 1, lamps_each: 6}]
lamps: [{model: LED 100, technology: led, rated_w: 100, share: 1}]
roads: [{zh: 云杉路, en: Spruce Road}]
"""


@pytest.fixture
async def city(tmp_path):
    async with running_city(scenario_of(SMALL), tmp_path) as running:
        yield running


def line_to(city):
    return TcpLine("127.0.0.1", city.endpoints.ports["cab-01"], SystemClock())


def config_file(city, folder, change=lambda text: text):
    options = GatewayOptions(
        data=str(folder / "data"), root_key="11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=", profiles=str(FOLDER)
    )
    text = gateway_config(city.simulation.city, "gw-1", city.endpoints, options)
    file = folder / "gateway.yaml"
    file.write_text(change(text), "utf-8")
    return file


async def command(*args):
    """The command line in a thread: the city lives in this loop."""
    result = await asyncio.to_thread(CliRunner().invoke, main, [str(arg) for arg in args])
    return result.exit_code, result.output


async def scanned(line, units, devices=(), setting=None, timeout_s=0.4):
    assert await line.open(setting) is None
    try:
        return await Scan(line, units, MODBUS, devices, timeout_s).run()
    finally:
        line.close()


async def test_lamps_and_the_cabinet_are_recognised_by_their_registers(city):
    found = await scanned(line_to(city), range(1, 9)) + await scanned(line_to(city), range(240, 241))
    assert {one.unit: one.profile for one in found} == dict.fromkeys(range(1, 7), "lamp-single") | {
        240: "cabinet-meter"
    }


async def test_a_bus_as_configured_has_no_differences_and_others_are_named(city, tmp_path):
    file = config_file(city, tmp_path)
    code, told = await command("scan", "cab-01", "--config", file, "--units", "1-8")
    assert code == 0, told
    assert "As configured." in told

    def changed(text):
        return re.sub(r"  - \{id: lamp-01-002.*\n", "", text).replace("unit: 6", "unit: 8")

    file = config_file(city, tmp_path, changed)
    code, told = await command("scan", "cab-01", "--config", file, "--units", "1-8", "--json", "--timeout-s", "0.5")
    assert code == 1
    found = {(one["conflict"], one["unit"]) for one in json.loads(told)["differences"]}
    assert found == {("stranger", 2), ("stranger", 6), ("missing", 8)}
    code, told = await command("scan", "cab-01", "--config", file, "--units", "1-8", "--language", "zh")
    assert "从站 8（lamp-01-006）已配置，但没有应答" in told


async def test_a_profile_that_contradicts_its_device_is_named_with_address_and_type(city, tmp_path):
    profiles = tmp_path / "profiles"
    profiles.mkdir()
    for path in FOLDER.glob("*.yaml"):
        (profiles / path.name).write_text(path.read_text("utf-8"), "utf-8")
    lamp = yaml.safe_load((FOLDER / "lamp-single.yaml").read_text("utf-8"))
    for field in lamp["modbus"]["read"]:
        if field["quantity"] == "tilt_deg":
            field["register"] = 20
        if field["quantity"] == "power_factor":
            field["register"], field["scale"] = 16, 0.001
    (profiles / "lamp-single.yaml").write_text(yaml.safe_dump(lamp), "utf-8")
    file = config_file(city, tmp_path, lambda text: text.replace(str(FOLDER), str(profiles)))
    code, told = await command("probe", "cab-01", "--config", file)
    assert code == 1, told
    assert "tilt_deg of profile lamp-single at holding register 20, expected int16, found illegal data address" in told
    assert "power_factor of profile lamp-single at holding register 16, expected int16" in told


async def test_probe_on_the_command_line_says_good_and_refuses_beside_a_running_gateway(city, tmp_path):
    file = config_file(city, tmp_path)
    assert (await command("probe", "cab-01", "--config", file))[0] == 0
    city.faults.add("silent", "lamp-01-004", None, None)
    code, told = await command("probe", "cab-01", "--config", file, "--json")
    assert code == 1
    document = json.loads(told)
    assert [(one["fault"], one["units"]) for one in document["findings"]] == [("units-silent", [4])]
    assert (await command("probe", "nowhere", "--config", file))[0] == 2
    assert (await command("probe"))[0] == 2

    (tmp_path / "data").mkdir()

    async def answer(reader, writer):
        await reader.readline()
        writer.write(b'{"gateway": "gw-1"}\n')
        await writer.drain()
        writer.close()

    async with await asyncio.start_unix_server(answer, str(tmp_path / "data" / "control.sock")):
        code, told = await command("probe", "cab-01", "--config", file)
    assert code == 1
    assert "stop it first" in told


async def test_two_devices_of_one_number_are_visible_and_cost_their_neighbours_nothing():
    spoilt = FaultyLine(Units(), spoil=lambda frame: frame[:-2] + b"\x00\x01" if frame[0] == 3 else frame)
    async with spoilt as line:
        found = await scanned(SerialLine(line.device, SystemClock()), range(1, 6), lamps(4), N1, 0.4)
    assert [(one.unit, one.double) for one in found] == [(1, False), (2, False), (3, True), (4, False)]
    (difference,) = differences(found, lamps(4), range(1, 6))
    assert (difference.conflict, difference.unit) == (Conflict.DOUBLE, 3)


async def test_a_unit_gets_another_number_and_answers_to_it_alone(city):
    line = line_to(city)
    assert await line.open(None) is None
    lamp = PROFILES["lamp-single"]
    try:
        assert (await give_number(line, lamp, 2, 3, 0.4)).outcome is Outcome.TAKEN
        assert (await give_number(line, lamp, 9, 10, 0.4)).outcome is Outcome.NOBODY
        assert (await give_number(line, lamp, 2, 0, 0.4)).outcome is Outcome.OUT_OF_RANGE
        wrong = await give_number(line, lamp, 240, 10, 0.4)
        assert wrong.outcome is Outcome.OTHER_DEVICE
        assert wrong.contradictions
        assert (await give_number(line, PROFILES["cabinet-meter"], 240, 10, 0.4)).outcome is Outcome.NOT_POSSIBLE
        assert (await give_number(line, lamp, 2, 77, 0.4)).outcome is Outcome.DONE
    finally:
        line.close()
    assert {one.unit for one in await scanned(line, range(1, 4))} == {1, 3}
    assert {one.unit for one in await scanned(line, range(77, 78))} == {77}


async def test_the_number_is_given_on_the_command_line(city, tmp_path):
    file = config_file(city, tmp_path)
    code, told = await command("commission", "address", "cab-01", "--config", file, "--unit", 5, "--to", 99)
    assert (code, told) == (0, "unit 5 is unit 99 now, and answers as such\n")
    code, told = await command("commission", "address", "cab-01", "--config", file, "--unit", 240, "--to", 98)
    assert code == 1
    assert "names no register for the unit's number" in told


async def test_where_the_centre_rules_its_last_configuration_is_gone_by(city, tmp_path):
    file = config_file(city, tmp_path)
    tree = yaml.safe_load(file.read_text("utf-8"))
    profiles = {
        name: yaml.safe_load((FOLDER / f"{name}.yaml").read_text("utf-8"))
        for name in ("lamp-single", "cabinet-meter", "circuit-contactor")
    }
    central = {"version": 7, "profiles": profiles, "buses": tree.pop("buses"), "devices": tree.pop("devices")}
    for part in ("profiles", "report"):
        tree.pop(part)
    tree["config"] = {"rules": "central"}
    file.write_text(yaml.safe_dump(tree), "utf-8")
    assert (await command("probe", "cab-01", "--config", file))[0] == 2  # nothing was said yet
    ConfigStore(tmp_path / "data").save(Kept(good=with_central(file, tree, central)))
    assert await command("probe", "cab-01", "--config", file, "--units", "1-2") == (0, ANY)


async def test_a_unit_that_somebody_has_locked_gets_no_other_number(city, tmp_path):
    file = config_file(city, tmp_path)
    data = tmp_path / "data"
    data.mkdir()
    journal = Journal(data, SystemClock())
    await journal.open()
    await journal.want(Change(holds=(Hold("lamp-01-005", HoldKind.LOCKED, "user:li", "c", 1, 1),)), 1)
    await journal.close()
    code, told = await command("commission", "address", "cab-01", "--config", file, "--unit", 5, "--to", 99)
    assert code == 1
    assert "lamp-01-005 is locked by user:li" in told
    assert {one.unit for one in await scanned(line_to(city), range(5, 6))} == {5}


IMAGE = {(Table.HOLDING, address): value for address, value in enumerate(LAMP)}


@pytest.mark.parametrize(
    ("image", "said"),
    [
        (IMAGE, []),
        (IMAGE | {(Table.HOLDING, 15): Refused(2)}, [("tilt_deg", 15, "int16", "illegal data address")]),
        (IMAGE | {(Table.HOLDING, 0): 2312}, [("switched_on", 0, "flag", "2312 (0x0908)")]),
        (IMAGE | {(Table.HOLDING, 1): 0xFFFF}, []),  # not available is no contradiction
        (IMAGE | {(Table.HOLDING, 1): 240}, [("level_percent", 1, "uint16", "0x00F0, outside 0 to 100 %")]),
        ({}, []),  # what was not read contradicts nothing
    ],
)
def test_contradictions_name_address_and_expected_type(image, said):
    found = list(contradictions(PROFILES["lamp-single"], image, unit=7))
    assert [(one.quantity, one.address, one.type.value, one.found) for one in found] == said
    assert all("unit 7" in one.text(Language.EN) and "从站 7" in one.text(Language.ZH) for one in found)


def test_nothing_is_recognised_in_registers_that_fit_no_profile():
    assert recognised(MODBUS, {}) is None
    assert recognised(MODBUS, {(Table.HOLDING, n): 0xABCD for n in range(40)}) is None


def test_units_are_written_as_ranges():
    assert units_text((1, 2, 3, 7, 9, 10)) == "1-3, 7, 9-10"
    assert units_text(()) == ""
