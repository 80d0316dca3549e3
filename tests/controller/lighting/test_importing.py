"""CSV and GeoJSON come in whole or not at all; what went out comes back the same."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lamplighter_contract.geo.box import Box
from lamplighter_contract.geo.systems import System, from_wgs84
from lamplighter_contract.light.plans.programs import RoadClass
from lamplighter_controller.lighting import exporting, importing
from lamplighter_controller.lighting.faults import MOST_FAULTS, Fault
from lamplighter_controller.lighting.importing import Known
from lamplighter_controller.lighting.inventory import Cabinet, Group, Luminaire, Model, Phase, Road, Structure, power_w
from lamplighter_controller.lighting.placing import Frame, frame_of

CITY = Box(36.5, 116.9, 36.7, 117.2)
KNOWN = Known(
    {
        "roads": frozenset({"spruce-road"}),
        "cabinets": frozenset({"cab-01"}),
        "districts": frozenset({"east"}),
        "luminaires": frozenset({"l-1", "l-2"}),
    },
    {"lamp-01-009": "l-9"},
)


def test_a_file_with_mistakes_lists_all_of_them_by_line_and_gives_nothing():
    text = (
        "id,latitude,longitude,device,road,phase\n"
        "l-1,36.65,117.12,lamp-01-001,spruce-road,a\n"
        "L 2,96.65,east,lamp-01-001,spruce-road,q\n"
        "\n"
        "l-3,36.65,117.12,,no-road,\n"
        "l-4,36.65,,lamp-01-009,,\n"
        "l-5,36.65\n"
        "l-1,36.65,117.12,lamp-01-009,,\n"
    )
    found = importing.from_csv(text, Luminaire, KNOWN)
    assert found.things == ()
    assert [(fault.line, fault.key, fault.value) for fault in found.faults] == [
        (3, "id", "L 2"),
        (3, "latitude", "96.65"),
        (3, "longitude", "east"),
        (3, "phase", "q"),
        (3, "device", "lamp-01-001"),
        (5, "road", "no-road"),
        (6, "longitude", ""),
        (7, "", "2 cells"),
        (8, "id", "l-1"),
        (8, "device", "lamp-01-009"),
    ]
    assert "already" in found.faults[4].expected
    assert found.faults[3].expected == "one of a, b, c, abc"
    assert not any(fault.expected.startswith("Expected") for fault in found.faults)
    assert all(fault.expected for fault in found.faults)


@pytest.mark.parametrize(
    ("text", "key", "expected"),
    [
        ("", "", "a line of column names"),
        ("id,id,latitude,longitude\n", "id", "each column once"),
        ("id,colour,latitude,longitude\n", "colour", "one of id"),
        ("id,latitude\n", "longitude", "needed"),
        ('id,latitude,longitude\n"l-1,1,2\n', "", "CSV"),
    ],
)
def test_a_file_of_another_form_is_refused(text: str, key: str, expected: str):
    (fault,) = importing.from_csv(text, Luminaire, KNOWN).faults
    assert (fault.key, expected in fault.expected) == (key, True), fault


def test_a_device_of_another_luminaire_is_refused_unless_that_one_gives_it_up_in_the_same_file():
    text = "id,latitude,longitude,device\nl-1,36,117,lamp-01-009\n"
    (fault,) = importing.from_csv(text, Luminaire, KNOWN).faults
    assert fault == Fault(2, "device", "lamp-01-009", "a device of no other luminaire; l-9 has it")
    assert importing.from_csv(text + "l-9,36,117,\n", Luminaire, KNOWN).faults == ()


def test_of_very_many_mistakes_the_first_thousand_are_told():
    text = "id,latitude,longitude\n" + "".join(f"l-{number},x,117\n" for number in range(MOST_FAULTS + 50))
    faults = importing.from_csv(text, Luminaire, KNOWN).faults
    assert len(faults) == MOST_FAULTS + 1
    assert faults[-1].expected == "no more than 1000 mistakes are listed"


def test_lists_in_cells_are_parted_and_their_references_checked():
    good = importing.from_csv("id,luminaires,road_classes\nschools,l-1; l-2,main;branch\n", Group, KNOWN)
    assert good.things == (
        Group("schools", luminaires=("l-1", "l-2"), road_classes=(RoadClass.MAIN, RoadClass.BRANCH)),
    )
    bad = importing.from_csv("id,luminaires\nschools,l-1;l-7\n", Group, KNOWN)
    assert [(fault.line, fault.value) for fault in bad.faults] == [(2, "l-7")]


@pytest.mark.parametrize("system", [None, "", "WGS 84", "epsg:4490"])
def test_positions_of_no_known_system_are_refused(system: str | None):
    fault = frame_of(system, None)
    assert isinstance(fault, Fault)
    assert "one of wgs84, cgcs2000, gcj02, bd09" in fault.expected


@pytest.mark.parametrize("system", list(System))
def test_positions_of_every_system_are_kept_in_wgs84(system: System):
    latitude, longitude = from_wgs84(system, np.array([36.65]), np.array([117.12]))
    text = f"id,latitude,longitude\nl-1,{latitude[0]},{longitude[0]}\n"
    (kept,) = importing.from_csv(text, Luminaire, KNOWN, Frame(system, CITY)).things
    assert isinstance(kept, Luminaire)
    assert [kept.latitude, kept.longitude] == pytest.approx([36.65, 117.12], abs=1e-6)
    bare = importing.from_csv("id\ncab-7\n", Cabinet, KNOWN, Frame(system, CITY))
    assert bare.things == (Cabinet("cab-7"),)


def test_a_file_outside_the_city_says_how_it_was_probably_meant():
    found = importing.from_csv("id,latitude,longitude\nl-1,36.7006,117.2\n", Luminaire, KNOWN, Frame(System.BD09, CITY))
    assert found.faults == ()
    (fault,) = importing.from_csv(
        "id,latitude,longitude\nl-1,36.7006,117.2\n", Luminaire, KNOWN, Frame(System.WGS84, CITY)
    ).faults
    assert (fault.line, fault.key, fault.value) == (2, "position", "36.7006, 117.2")
    assert fault.expected.endswith("the file fits better read as bd09")
    (swapped,) = importing.from_csv(
        "id,latitude,longitude\nl-1,50,36.65\n", Luminaire, KNOWN, Frame(System.WGS84, CITY)
    ).faults
    assert swapped.expected == f"a place in the city ({CITY})"


def test_geojson_mistakes_name_their_feature():
    point = {"type": "Point", "coordinates": [117.12, 36.65]}
    features = [
        {"type": "Feature", "geometry": point, "properties": {"id": "l-1", "road": None, "phase": "a"}},
        {"type": "Feature", "geometry": {"type": "LineString", "coordinates": []}, "properties": {"id": "l-2"}},
        {"type": "Feature", "geometry": point, "properties": {"id": "l-3", "colour": "red"}},
        7,
    ]
    text = json.dumps({"type": "FeatureCollection", "features": features}).encode()
    found = importing.from_geojson(text, Luminaire, KNOWN)
    assert [(fault.line, fault.key) for fault in found.faults] == [(2, "geometry"), (3, "colour"), (4, "geometry")]
    whole = json.dumps({"type": "FeatureCollection", "features": features[:1]}).encode()
    assert importing.from_geojson(whole, Luminaire, KNOWN).things == (Luminaire("l-1", 36.65, 117.12, phase=Phase.A),)
    for strange in (b"\xff", b"[]", b"{}", b'{"type":"FeatureCollection","features":{}}'):
        assert importing.from_geojson(strange, Luminaire, KNOWN).faults


labels = st.text(st.characters(exclude_categories=["C", "Z"]), max_size=20)
luminaires = st.builds(
    Luminaire,
    id=st.from_regex(r"[a-z0-9][a-z0-9-]{0,20}", fullmatch=True),
    latitude=st.floats(-90, 90).map(lambda value: round(value, 6)),
    longitude=st.floats(-180, 180).map(lambda value: round(value, 6)),
    road=st.sampled_from([None, "spruce-road"]),
    cabinet=st.sampled_from([None, "cab-01"]),
    phase=st.sampled_from([None, *Phase]),
    feeder=labels,
    pole=labels,
    pole_order=st.none() | st.integers(0, 10_000),
    grid_cell=labels,
    in_service=st.sampled_from([None, "2024-02-29"]),
)


@settings(max_examples=60, deadline=None)
@given(st.lists(luminaires, max_size=5, unique_by=lambda one: one.id))
def test_what_is_exported_comes_back_the_same(things: list[Luminaire]):
    back = importing.from_csv(exporting.to_csv(things, Luminaire), Luminaire, KNOWN)
    assert (back.faults, back.things) == ((), tuple(things))
    placed = importing.from_geojson(exporting.to_geojson(things), Luminaire, KNOWN)
    assert (placed.faults, placed.things) == ((), tuple(things))


def test_other_kinds_go_out_and_come_back_too():
    tunnel = Road("r-3", RoadClass.MAIN, structure=Structure.TUNNEL)
    things = [Road("r-1", RoadClass.MAIN, "云杉路, east", "east"), Road("r-2", RoadClass.ALLEY), tunnel]
    assert importing.from_csv(exporting.to_csv(things, Road), Road, KNOWN).things == tuple(things)
    assert b'"features":[]' in exporting.to_geojson([Cabinet("cab-01")])


def test_a_road_is_built_as_one_of_few_things():
    found = importing.from_csv("id,road_class,structure\nr-1,main,tunnel\nr-2,main,cave\n", Road, KNOWN)
    assert [(fault.line, fault.key, fault.value) for fault in found.faults] == [(3, "structure", "cave")]


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=200) | st.text('id,latude\n";.0', max_size=200))
def test_no_text_is_too_strange(text: str):
    importing.from_csv(text, Luminaire, KNOWN)
    importing.from_geojson(text.encode("utf-8", "replace"), Luminaire, KNOWN)


@pytest.mark.parametrize(
    ("curve", "level", "watts"),
    [
        ((), 50, 60),
        (("50:45", "100:118"), 0, 0),
        (("50:45", "100:118"), 25, 22.5),
        (("50:45", "100:118"), 75, 81.5),
        (("100:118", "0:4", "50:45"), 0, 4),
        (("0:4", "50:45", "100:118"), 100, 118),
    ],
)
def test_power_follows_the_curve_and_without_one_the_level(curve: tuple[str, ...], level: float, watts: float):
    assert power_w(Model("m", 120, curve=curve), level) == pytest.approx(watts)
