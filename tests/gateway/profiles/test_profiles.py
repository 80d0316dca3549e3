from pathlib import Path

import pytest
import yaml

from lamplighter_gateway.config.problem import Problem
from lamplighter_gateway.drivers.port import Point
from lamplighter_gateway.profiles.load import load_profiles, read_profile
from lamplighter_gateway.profiles.model import Type

PROFILES = Path(__file__).parents[3] / "config" / "profiles"


def problems_of(tree):
    problems: list[Problem] = []
    read_profile("p.yaml", tree, problems)
    return problems


def modbus(*read, **more):
    return {"profile": "p", "kind": "lamp", "modbus": {"read": list(read)} | more}


POWER = {"quantity": "power_w", "register": 4, "type": "uint16"}


def test_the_shipped_profiles_are_good():
    problems: list[Problem] = []
    profiles = load_profiles(PROFILES, problems)
    assert not problems
    assert {"lamp-single", "cabinet-meter", "circuit-contactor", "lamp-mqtt"} <= set(profiles)
    lamp, mqtt = profiles["lamp-single"], profiles["lamp-mqtt"].mqtt
    assert lamp.modbus is not None
    assert mqtt is not None
    level = lamp.modbus.write[Point.LEVEL]
    assert level.read_back is not None
    assert level.broadcast
    assert level.read_back.quantity == "level_percent"
    assert lamp.deadbands["power_w"] == 1.0
    assert lamp.deadbands["switched_on"] is None
    assert next(one for one in lamp.modbus.read if one.quantity.name == "energy_kwh").register.type is Type.UINT32
    assert mqtt.heartbeat_s == 60


@pytest.mark.parametrize(
    ("tree", "key", "expected"),
    [
        (modbus(POWER | {"quantity": "power_kw"}), "modbus.read[0].quantity", "a quantity of a lamp"),
        (modbus(POWER | {"quantity": "lux"}), "modbus.read[0].quantity", "a quantity of a lamp"),
        (modbus(POWER | {"type": "double"}), "modbus.read[0].type", "one of flag, uint16"),
        (modbus(POWER | {"type": "flag"}), "modbus.read[0].type", "for power_w"),
        (modbus({"quantity": "switched_on", "register": 0, "type": "uint16"}), "modbus.read[0].type", "bits, flag"),
        (modbus({"quantity": "fault_bits", "register": 0, "type": "float32"}), "modbus.read[0].type", "uint32"),
        (
            modbus({"quantity": "fault_bits", "register": 0, "type": "uint16", "scale": 2}),
            "modbus.read[0].scale",
            "no scale",
        ),
        (modbus(POWER | {"scale": 0}), "modbus.read[0].scale", "other than 0"),
        (modbus(POWER | {"register": 65_536}), "modbus.read[0].register", "0 to 65535"),
        (modbus(POWER | {"register": 65_535, "type": "uint32"}), "modbus.read[0].register", "0 to 65534"),
        (modbus(POWER | {"order": "ACBD"}), "modbus.read[0].order", "ABCD, DCBA, BADC, CDAB"),
        (modbus(POWER | {"table": "coil"}), "modbus.read[0].type", "flag in table coil"),
        (modbus(POWER | {"colour": 1}), "modbus.read[0].colour", "no such key"),
        (modbus(POWER, POWER | {"quantity": "voltage_v"}), "modbus.read[1].register", "that power_w does not use"),
        (modbus(POWER, POWER | {"register": 9}), "modbus.read[1].quantity", "read twice"),
        (
            modbus(POWER | {"type": "uint32"}, {"quantity": "voltage_v", "register": 5, "type": "uint16"}),
            "modbus.read[1].register",
            "that power_w does not use",
        ),
        (modbus(POWER, max_registers=126), "modbus.max_registers", "2 to 125"),
        (
            modbus(
                POWER,
                hears_broadcast=False,
                write={"resume": {"register": 33, "type": "uint16", "value": 1, "broadcast": True}},
            ),
            "modbus.hears_broadcast",
            "true",
        ),
        (modbus(), "modbus.read", "at least one quantity"),
        (modbus(POWER, write={"brightness": {}}), "modbus.write.brightness", "no such key"),
        (
            modbus(POWER, write={"level_percent": {"register": 32, "type": "uint16"}}),
            "modbus.write.level_percent.minimum",
            "a number",
        ),
        (
            modbus(POWER, write={"resume": {"register": 33, "type": "uint16", "value": 1, "read_back": "lux"}}),
            "modbus.write.resume.read_back",
            "a quantity this profile reads",
        ),
        (
            modbus(POWER, write={"resume": {"register": 33, "type": "uint16", "value": 1, "table": "input"}}),
            "modbus.write.resume.table",
            "holding or coil",
        ),
        (
            modbus(POWER, unit_number={"register": 35, "type": "uint32", "minimum": 1, "maximum": 247}),
            "modbus.unit_number.type",
            "uint16",
        ),
        (
            modbus(POWER, unit_number={"register": 35, "type": "uint16", "minimum": 0, "maximum": 247}),
            "modbus.unit_number.maximum",
            "1 to 247",
        ),
        ({"profile": "p", "kind": "lamp"}, "modbus", "modbus, mqtt, jt808, relay or several of them"),
        ({"profile": "p", "kind": "tree"} | {"modbus": {"read": [POWER]}}, "kind", "one of lamp"),
        (
            {
                "profile": "p",
                "kind": "lamp",
                "mqtt": {"state_topic": "lamps/+/x", "read": [{"quantity": "power_w", "field": "p"}]},
            },
            "mqtt.state_topic",
            "{address}",
        ),
        (
            {"profile": "p", "kind": "lamp", "mqtt": {"state_topic": "a/{address}", "read": [{"quantity": "power_w"}]}},
            "mqtt.read[0].field",
            "a text",
        ),
    ],
)
def test_one_mistake_in_a_profile(tree, key, expected):
    found = [problem for problem in problems_of(tree) if problem.key == key]
    assert found, "\n".join(map(str, problems_of(tree)))
    assert expected in found[0].expected


def test_bits_may_share_a_register_but_not_a_bit():
    first = {"quantity": "switched_on", "register": 1, "type": "bits", "bit": 0}
    second = {"quantity": "fault_bits", "register": 1, "type": "bits", "bit": 8, "width": 8}
    assert not problems_of(modbus(first, second))
    assert problems_of(modbus(first, second | {"bit": 0}))


def test_a_sensor_declares_its_own_quantities():
    tree = {
        "profile": "bin",
        "kind": "sensor",
        "modbus": {"read": [{"quantity": "fill_percent", "register": 0, "type": "uint16"}]},
    }
    assert not problems_of(tree)


def test_two_files_may_not_have_one_name(tmp_path):
    for name in ("a.yaml", "b.yaml"):
        (tmp_path / name).write_text(yaml.safe_dump(modbus(POWER)))
    problems: list[Problem] = []
    load_profiles(tmp_path, problems)
    assert [problem.key for problem in problems] == ["profile"]
