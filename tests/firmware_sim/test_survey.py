"""What a surveyor hands in of the sample city."""

import csv
import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from lamplighter_contract.geo.systems import System
from lamplighter_firmware_sim.city import City
from lamplighter_firmware_sim.cli import main
from lamplighter_firmware_sim.loading import load_city
from lamplighter_firmware_sim.survey.files import shifted
from lamplighter_firmware_sim.survey.tables import tables

CITY = Path("config/sim/city.yaml")
WHOLE = Path("config/sim/whole-city.yaml")


@pytest.fixture(scope="module")
def city() -> City:
    found = load_city(CITY)
    assert isinstance(found, City)
    return found


def test_every_lamp_stands_in_it_on_a_road_of_a_class_in_a_district(city: City):
    survey = tables(city)
    assert {row["device"] for row in survey["luminaires"] if "device" in row} == {lamp.id for lamp in city.lamps}
    roads = {row["id"]: row for row in survey["roads"]}
    assert len(roads) == 10
    assert {row["road_class"] for row in roads.values()} == {"expressway", "main", "secondary", "branch", "alley"}
    assert {row["district"] for row in roads.values()} == {row["id"] for row in survey["districts"]}
    assert {row["road"] for row in survey["luminaires"]} == roads.keys()
    assert len({row["account"] for row in survey["cabinets"]}) == 10
    assert all(len(row["component_code"]) == 16 for row in survey["luminaires"])
    assert [row["clo"] for row in survey["luminaire-models"]] == [["0:85", "50000:100"], [], []]


def test_poles_on_a_feeder_stand_in_order(city: City):
    feeder = [row for row in tables(city)["luminaires"] if (row["cabinet"], row["feeder"]) == ("cab-01", "A1")]
    assert sorted(row["pole_order"] for row in feeder) == list(range(len(feeder)))


def test_a_whole_city_has_lamps_without_a_controller_on_loops():
    found = load_city(WHOLE)
    assert isinstance(found, City)
    survey = tables(found)
    assert (len(survey["cabinets"]), len(survey["luminaires"])) == (1_389, 130_566)
    bare = [row for row in survey["luminaires"] if "device" not in row]
    assert len(bare) == 1_389 * 6
    loops = {row["id"]: row["calendar"] for row in survey["circuits"]}
    assert {loops[row["circuit"]] for row in bare} == {"all-night-loop", "half-night-loop"}
    for rows in survey.values():
        assert len({row["id"] for row in rows}) == len(rows)


@pytest.mark.parametrize("system", [System.GCJ02, System.BD09])
def test_positions_are_written_in_the_system_that_is_asked_for(city: City, system: System):
    rows = tables(city)["cabinets"]
    other = shifted(rows, system)
    assert all(abs(row["longitude"] - there["longitude"]) > 0.004 for row, there in zip(rows, other, strict=True))
    assert shifted(rows, System.WGS84) == rows


def test_it_is_written_as_files(tmp_path: Path):
    words = ["inventory", "--scenario", str(CITY), "--to", str(tmp_path / "out")]
    result = CliRunner().invoke(main, [*words, "--geojson", "--crs", "bd09"])
    assert result.exit_code == 0, result.output
    written = [Path(line) for line in result.output.split()]
    kinds = ["districts", "roads", "cabinets", "circuits", "luminaire-models", "luminaires", "groups"]
    assert [path.stem for path in written] == kinds
    features = json.loads(written[5].read_text())["features"]
    assert len(features) == 1_808 + 48
    with written[3].open() as file:
        assert next(csv.DictReader(file)) == {
            "id": "circuit-01-a",
            "cabinet": "cab-01",
            "phase": "a",
            "calendar": "always",
        }
