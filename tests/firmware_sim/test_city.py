import math

import pytest
import yaml

from lamplighter_firmware_sim.city import City, build_city
from lamplighter_firmware_sim.endpoints import endpoints_at
from lamplighter_firmware_sim.errors import SimError
from lamplighter_firmware_sim.gateway_config import GatewayOptions, gateway_config
from lamplighter_firmware_sim.inventory_json import city_document
from lamplighter_firmware_sim.scenario import Scenario, Wire

OPTIONS = GatewayOptions(data="run/gw-1", root_key="key", profiles="../profiles", metrics_port=9101)


@pytest.fixture
def city(sample: Scenario) -> City:
    return build_city(sample)


def test_the_sample_city_has_the_size_it_says(city: City) -> None:
    assert city.gateways == ("gw-1", "gw-2", "gw-3", "gw-4")
    assert [len(city.cabinets), len(city.circuits), len(city.lamps)] == [20, 60 + 8, 1808]
    wires = [cabinet.wire for cabinet in city.cabinets if cabinet.gateway == "gw-2"]
    assert wires == [Wire.MODBUS_TCP] * 3 + [Wire.MODBUS_RTU, Wire.MQTT]


def test_equal_scenarios_make_equal_cities(sample: Scenario, city: City) -> None:
    assert build_city(sample) == city


def test_ids_are_unique_and_name_their_cabinet(city: City) -> None:
    assert len(city.places) == 20 + 60 + 8 + 1808
    assert city.lamps[0].id == "lamp-01-001"
    assert all(lamp.id.startswith(city.cabinets[lamp.cabinet].id.replace("cab", "lamp")) for lamp in city.lamps)


def test_no_two_slaves_share_a_unit_on_a_bus(city: City) -> None:
    for index, cabinet in enumerate(city.cabinets):
        units = [city.lamps[i].unit for i in city.lamps_of(index)] + [cabinet.unit]
        assert len(set(units)) == len(units)


def test_lamps_hang_on_their_phase_in_a_row_without_gaps(city: City) -> None:
    feeders: dict[tuple[int, int], list[int]] = {}
    for lamp in city.lamps:
        assert city.circuits[lamp.circuit].cabinet == lamp.cabinet
        feeders.setdefault((lamp.circuit, lamp.branch), []).append(lamp.order)
    assert all(sorted(orders) == list(range(len(orders))) for orders in feeders.values())


def test_the_city_lies_around_its_place_and_no_two_lamps_stand_on_one_spot(city: City) -> None:
    place = city.scenario.place
    spots = {(lamp.position.latitude, lamp.position.longitude) for lamp in city.lamps}
    assert len(spots) == len(city.lamps)
    for latitude, longitude in spots:
        north_m = (latitude - place.latitude) * 111_320
        east_m = (longitude - place.longitude) * 111_320 * math.cos(math.radians(latitude))
        assert math.hypot(north_m, east_m) < 4000


def test_the_inventory_as_json_names_circuit_and_model(city: City) -> None:
    document = city_document(city)
    assert document["lamps"][0]["circuit"].startswith("circuit-01-")
    assert document["lamps"][0]["name"]["zh"]


def test_a_gateway_file_names_every_device_of_its_part_once(city: City, tmp_path) -> None:
    endpoints = endpoints_at(city, "127.0.0.1", 15_000, tmp_path, ("127.0.0.1", 1884))
    document = yaml.safe_load(gateway_config(city, "gw-1", endpoints, OPTIONS))
    ids = [device["id"] for device in document["devices"]]
    assert len(ids) == len(set(ids)) == 5 + 15 + 2 + 3 * 100 + 60 + 92
    assert {device["bus"] for device in document["devices"]} == {bus["id"] for bus in document["buses"]}
    assert document["buses"][3]["device"] == str(tmp_path / "rtu-cab-04")
    assert document["buses"][0]["port"] == 15_001
    assert document["devices"][0]["name"]["en"].endswith("supply point")


def test_a_gateway_file_with_ranges_is_short(city: City, tmp_path) -> None:
    endpoints = endpoints_at(city, "127.0.0.1", 15_000, tmp_path, ("127.0.0.1", 1884))
    ranges = GatewayOptions(data="d", root_key="k", profiles="p", ranges=True)
    document = yaml.safe_load(gateway_config(city, "gw-1", endpoints, ranges))
    rows = [device for device in document["devices"] if "units" in device]
    assert [(row["id"], row["units"]) for row in rows][-1] == ("lamp-04-{n:03}", "1-60")


def test_mqtt_lamps_without_a_field_broker_are_refused(city: City, tmp_path) -> None:
    endpoints = endpoints_at(city, "127.0.0.1", 15_000, tmp_path, None)
    with pytest.raises(SimError, match="field broker"):
        gateway_config(city, "gw-1", endpoints, OPTIONS)
