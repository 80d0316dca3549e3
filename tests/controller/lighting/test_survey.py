"""The sample city's survey goes into an inventory as it is, and comes out as it went in."""

import json
from pathlib import Path

import msgspec
import pytest

from lamplighter_controller.lighting import exporting, importing
from lamplighter_controller.lighting.importing import Known
from lamplighter_controller.lighting.inventory import KINDS, PLACED, Cabinet, Luminaire, Thing
from lamplighter_firmware_sim.city import City
from lamplighter_firmware_sim.loading import load_city
from lamplighter_firmware_sim.survey import files
from lamplighter_firmware_sim.survey.tables import tables


@pytest.fixture(scope="module")
def city() -> City:
    found = load_city(Path("config/sim/city.yaml"))
    assert isinstance(found, City)
    return found


def test_each_kind_is_taken_in_the_order_it_is_written(city: City):
    ids: dict[str, frozenset[str]] = {}
    for kind, rows in tables(city).items():
        found = importing.from_csv(files.to_csv(rows), KINDS[kind], Known(ids))
        assert found.faults == ()
        assert len(found.things) == len(rows)
        ids[kind] = frozenset(one.id for one in found.things)
        assert _again(kind, found.things, ids) == found.things
        if kind in PLACED:
            assert (
                importing.from_geojson(files.to_geojson(rows).encode(), KINDS[kind], Known(ids)).things == found.things
            )
        first = json.loads(msgspec.json.encode(found.things[0]))
        assert {name: first[name] for name in rows[0] if rows[0][name] is not None} == {
            name: value for name, value in rows[0].items() if value is not None
        }


def _again(kind: str, things: tuple[Thing, ...], ids: dict[str, frozenset[str]]) -> tuple[Thing, ...]:
    text = exporting.to_csv(things, KINDS[kind])
    if kind in PLACED:
        placed = [one for one in things if isinstance(one, Luminaire | Cabinet)]
        back = importing.from_geojson(exporting.to_geojson(placed), KINDS[kind], Known(ids))
        assert back.things == things
    return importing.from_csv(text, KINDS[kind], Known(ids)).things
