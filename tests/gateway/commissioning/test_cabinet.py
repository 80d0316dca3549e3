"""A cabinet of 92 lamps is put into service on a real pty, with five wrong poles and one swapped phase."""

import csv

import pytest

from lamplighter_contract.geo.systems import System
from lamplighter_controller.lighting.importing import Known, from_csv
from lamplighter_controller.lighting.inventory import Luminaire
from lamplighter_controller.lighting.placing import Frame
from lamplighter_firmware_sim.survey.tables import tables
from tests.gateway.commissioning.cabinet import LAMPS, MIXED, cabinet, lamp


@pytest.mark.system
@pytest.mark.timeout(300)
async def test_the_sheet_of_a_cabinet_with_five_wrong_poles_and_one_swapped_phase(tmp_path):
    async with cabinet(tmp_path) as street:
        began = await street.commission(
            "begin", "--luminaires", str(street.luminaires), "--circuits", str(street.circuits)
        )
        assert began[0] == 0, began[1]
        assert f"{LAMPS} lamps and 3 circuits expected" in began[1]

        before = await street.walk(answers=40)
        assert before == 40
        (tmp_path / "data" / "control.sock").unlink()  # left by the kill
        async with street.service():
            after = await street.walk()
            assert after == LAMPS - 40  # nothing that was answered before the kill is asked again
            code, told = await street.commission("feeders", "--yes")
            assert code == 0, told + (tmp_path / "service.log").read_text()
            assert set(closed(street).values()) == {True}

        sheet = await street.sheet()
        assert sheet["counts"] == {"lamps": LAMPS, "right": LAMPS - 5, "wrong": 5, "dark": 0, "left": 0}
        found = {(one["finding"], one["subject"]): (one["expected"], one["found"]) for one in sheet["conflicts"]}
        assert {subject for kind, subject in found if kind == "wrong-pole"} == {lamp(unit) for unit in MIXED}
        assert [its for (kind, _), its in found.items() if kind == "wrong-phase"] == [("c", "b")]
        assert ("wrong-phase", "circuit-01-b") in found
        assert {kind for kind, _ in found} == {"wrong-pole", "wrong-phase", "wrong-circuit"}
        await exported_inventory_is_right(street)


async def exported_inventory_is_right(street):
    """With the corrected files every controller is where its lamp really hangs."""
    folder = street.folder / "back"
    paths = ("--luminaires", str(street.luminaires), "--circuits", str(street.circuits))
    code, told = await street.without_a_gateway("export", *paths, "--to", str(folder))
    assert code == 0, told
    with (folder / "luminaires.csv").open(encoding="utf-8") as file:
        rows = {row["device"]: row for row in csv.DictReader(file)}
    turned = dict(zip(MIXED, (*MIXED[1:], MIXED[0]), strict=True))
    assert {device: row["pole"] for device, row in rows.items()} == {
        lamp(unit): street.pole_of[lamp(hangs_at)] for unit, hangs_at in turned.items()
    }
    the_centre_takes_it(street, (folder / "luminaires.csv").read_text("utf-8"))
    with (folder / "circuits.csv").open(encoding="utf-8") as file:
        assert [(row["id"], row["phase"]) for row in csv.DictReader(file)] == [("circuit-01-b", "b")]


def the_centre_takes_it(street, text):
    """Five controllers that change places are one import without a mistake."""
    stands = tables(street.city.simulation.city)
    ids = {kind: frozenset(str(row["id"]) for row in rows) for kind, rows in stands.items()}
    holders = {str(row["device"]): str(row["id"]) for row in stands["luminaires"]}
    imported = from_csv(text, Luminaire, Known(ids, holders), Frame(System.WGS84))
    assert imported.faults == ()
    assert len(imported.things) == len(MIXED)


def closed(street):
    city = street.city.simulation
    return {circuit.id: bool(city.plant.circuits.closed[index]) for index, circuit in enumerate(city.city.circuits)}
