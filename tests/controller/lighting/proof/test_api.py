"""Proof through the API: figures, lists, bills, hours, as JSON and as files; what is refused and why."""

import csv
import io
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from lamplighter_contract.clock import ManualClock
from lamplighter_contract.light.plans.programs import RoadClass
from lamplighter_contract.quantities import Kind
from lamplighter_controller.events import ElementReplaced
from lamplighter_controller.lighting import inventory as things
from lamplighter_controller.lighting import store as inventory_store
from lamplighter_controller.lighting.proof import records, store
from lamplighter_controller.lighting.proof.burning import Burning, Source
from lamplighter_controller.lighting.proof.light.listing import LampNight
from lamplighter_controller.lighting.proof.light.tally import By, Proof, Tally
from lamplighter_controller.lighting.proof.power.energy import CabinetNight
from lamplighter_controller.lighting.proof.power.tariff import Used
from tests.controller.api.world import LAMPS, World, entry, open_world
from tests.controller.lighting.proof.city import END_MS, NOON_MS, at
from tests.controller.lighting.proof.test_desk import NIGHT

MIN = 60_000.0


def tally(key, lamps, lit, dark, unknown):
    lamp_night = 720 * MIN
    return Tally(
        key,
        lamps,
        lamps * lamp_night,
        lit * lamp_night,
        dark * lamp_night,
        unknown * lamp_night,
        (lit + dark) * lamp_night,
        0.0,
        0.0,
        dark,
        unknown,
    )


def kept(connection):
    inventory_store.put(connection, [things.Road("oak", RoadClass.MAIN, "橡树路")])
    store.put_night(connection, store.Night(NIGHT, NOON_MS, END_MS, END_MS, 1, 1, due=False))
    oak, elm = tally("oak", 90, 86, 3, 1), tally("", 10, 10, 0, 0)
    store.put_tallies(connection, NIGHT, {By.CITY: [tally("city", 100, 96, 3, 1)], By.ROAD: [elm, oak]})
    store.put_lamps(
        connection,
        NIGHT,
        [
            LampNight(
                f"l-{number}", None, "oak", "main", "", "cab-1", Proof.OWN_POWER, at(8), 720 * MIN, 0, 720 * MIN, 0
            )
            for number in range(3)
        ]
        + [LampNight("l-9", "lamp-9", "oak", "main", "", "cab-1", Proof.NONE, at(6), 720 * MIN, 0, 0, 720 * MIN)],
    )

    def cabinet(name, account, metered):
        used = (Used("2025-11-20", "day", metered - 10), Used("2025-11-21", "valley", 10.0))
        return CabinetNight(name, account, "street", 50, 0, metered, 0, used, 200, 100, 95, 60, 2, 1)

    store.put_energy(
        connection, NIGHT, [cabinet("cab-1", "a-1", 60.0), cabinet("cab-2", "a-1", 61.0), cabinet("cab-3", "", 62.0)]
    )
    records.put_burning(
        connection, [Burning("l-1", "lamp-1", Source.COUNTER, at(20), at(0), 500.0, 40.0, 512.25, 41.0)]
    )


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    served = {"gw-1": [*map(entry, LAMPS), entry("cab-01", Kind.CABINET)]}
    async with open_world(tmp_path, ManualClock(at(27)), served, tmp_path / "web") as opened:
        await opened.ledger.write(kept)
        yield opened


def table(text):
    return list(csv.DictReader(io.StringIO(text)))


async def test_the_last_night_is_shown_when_none_is_named(world: World):
    answer = (await world.get("/rates")).json()
    assert (answer["night"], answer["over"], answer["by"]) == ("2025-11-20", True, "city")
    (city,) = answer["items"]
    assert (city["reported_percent"], city["worst_percent"], city["best_percent"]) == (96.97, 96, 97)
    assert city["proof"] == {
        "own_power_percent": 99,
        "patrol_percent": 0,
        "cabinet_meter_percent": 0,
        "none_percent": 1,
    }
    assert city["rule"] is None


async def test_roads_have_names_and_their_rule(world: World):
    nameless, oak = (await world.get("/rates?night=2025-11-20&by=road")).json()["items"]
    assert (oak["key"], oak["name"], oak["rule"]) == (
        "oak",
        "橡树路",
        {"limit": 2, "in_percent": False, "verdict": "missed"},
    )
    assert nameless["rule"] is None
    rows = table((await world.get("/rates?night=2025-11-20&by=road&form=csv")).text)
    assert [row["rule_verdict"] for row in rows] == ["", "missed"]
    assert rows[1]["worst_percent"] == str(oak["worst_percent"])


async def test_the_list_behind_the_figures(world: World):
    dark = (await world.get("/rates/2025-11-20/list?state=dark&road=oak&limit=2")).json()
    assert (dark["total"], [one["lamp"] for one in dark["items"]]) == (3, ["l-0", "l-1"])
    assert (dark["items"][0]["since_ms"], dark["items"][0]["dark_min"]) == (at(8), 720)
    (unknown,) = (await world.get("/rates/2025-11-20/list?state=unknown")).json()["items"]
    assert (unknown["lamp"], unknown["proof"]) == ("l-9", "none")
    assert len(table((await world.get("/rates/2025-11-20/list?form=csv")).text)) == 4
    assert (await world.get("/rates/2025-11-20/list?road_class=alley")).json()["total"] == 0


async def test_tonight_is_worked_out_when_it_is_asked_for(world: World):
    answer = (await world.get("/rates?night=2025-11-21")).json()
    assert (answer["over"], answer["through_ms"]) == (False, at(27))
    assert answer["items"][0]["lamps"] == len(LAMPS)
    nights = (await world.get("/rates/nights?limit=1")).json()
    assert (nights["items"][0]["night"], nights["next_before"]) == ("2025-11-21", "2025-11-21")
    assert (await world.get("/rates/nights?before=2025-11-21")).json()["items"][0]["night"] == "2025-11-20"


async def test_a_person_has_a_night_worked_out_again(world: World):
    answer = await world.post("/rates/2025-11-20/work-out", {"reason": "late readings"})
    assert answer.json()["passes"] == 2
    assert (await world.post("/rates/2024-01-01/work-out", {"reason": "curious"})).status_code == 409
    assert (await world.post("/rates/2025-11-20/work-out", {"reason": "x"}, name="reader")).status_code == 403


async def test_the_bill_reconciles_and_what_has_no_account_is_shown(world: World):
    body = {
        "valid_from": "2025-01-01",
        "currency": "CNY",
        "prices": {"day": 0.5, "valley": 0.3},
        "hours": [
            {"band": "valley", "begins": "00:00", "ends": "07:00"},
            {"band": "day", "begins": "07:00", "ends": "24:00"},
        ],
    }
    put = await world.send("PUT", "/energy/tariffs/street", {"reason": "as agreed", "body": body})
    assert put.status_code == 200
    answer = (await world.get("/energy?from=2025-11-20&to=2025-11-21")).json()
    assert (answer["nights"], answer["missing"], answer["total_kwh"], answer["unallocated_kwh"]) == (
        1,
        ["2025-11-21"],
        183,
        62,
    )
    unallocated, account = answer["items"]
    assert (unallocated["key"], account["key"], account["metered_kwh"]) == ("", "a-1", 121)
    assert account["cabinets"] == ["cab-1", "cab-2"]
    assert account["cost"] == {"CNY": 101 * 0.5 + 20 * 0.3}
    saving = account["saving"]
    assert (saving["led_kwh"], saving["dark_kwh"], saving["claimed_kwh"]) == (200, 4, 275)
    rows = table((await world.get("/energy?from=2025-11-20&to=2025-11-20&by=cabinet&form=csv")).text)
    assert [row["key"] for row in rows] == ["cab-1", "cab-2", "cab-3"]
    gone = await world.send("DELETE", "/energy/tariffs/street?valid_from=2025-01-01&reason=never+agreed")
    assert gone.status_code == 204
    account = (await world.get("/energy?from=2025-11-20&to=2025-11-20")).json()["items"][1]
    assert (account["cost"], account["unpriced_kwh"]) == ({}, 121)
    assert (await world.send("DELETE", "/energy/tariffs/street?valid_from=2025-01-01&reason=again")).status_code == 404


async def test_all_that_is_wrong_with_a_tariff_is_told(world: World):
    body = {
        "valid_from": "2025-01-01",
        "currency": "CNY",
        "prices": {"day": 0.5},
        "hours": [{"band": "x", "begins": "07:00", "ends": "06:00"}],
    }
    answer = (await world.send("PUT", "/energy/tariffs/street", {"reason": "r", "body": body})).json()
    told = " ".join(fault["detail"] for fault in answer["errors"])
    assert answer["status"] == 422
    for part in ("no price for 'x'", "not before", "'day' has no hours", "month 12"):
        assert part in told
    assert (await world.get("/energy/tariffs")).json()["items"] == []
    for wrong in (
        {"hours": 1},
        {"strange": 1},
        body | {"hours": [{"band": "day", "begins": "25:00", "ends": "26:00"}]},
    ):
        assert (await world.send("PUT", "/energy/tariffs/s", {"reason": "r", "body": wrong})).status_code == 422


async def test_the_baseline_is_stated_with_its_day(world: World):
    assert (await world.get("/energy/baseline")).json()["dusk_deg"] == -0.833
    body = {"name": "HPS", "valid_from": "2025-11-01", "former_w": {"led-100": 250}, "source": "contract"}
    put = await world.send("PUT", "/energy/baseline", {"reason": "agreed", "body": body})
    assert put.status_code == 200
    assert (await world.get("/energy/baseline")).json()["former_w"] == {"led-100": 250}
    assert (await world.get("/energy/baseline?night=2025-10-31")).json()["former_w"] == {}
    assert (
        await world.send("PUT", "/energy/baseline", {"reason": "r", "body": body}, name="operator")
    ).status_code == 403
    wrong = body | {"valid_from": "2025-02-30"}
    assert (await world.send("PUT", "/energy/baseline", {"reason": "r", "body": wrong})).status_code == 422
    audited = (await world.get("/audit", "admin")).json()["items"]
    assert [(one["action"], one["subject"]) for one in audited if one["action"] == "proof.set"] == [
        ("proof.set", "baseline")
    ]


async def test_burning_hours(world: World):
    (one,) = (await world.get("/burning-hours")).json()["items"]
    assert (one["lamp"], one["burning_h"], one["starts"], one["source"]) == ("l-1", 512.25, 41, "counter")
    assert (await world.get("/burning-hours?lamp=lamp-1")).json()["total"] == 1
    assert (await world.get("/burning-hours?lamp=lamp-2")).json()["total"] == 0
    assert table((await world.get("/burning-hours?form=csv")).text)[0]["source"] == "counter"


async def test_hours_count_anew_when_the_element_was_replaced(world: World):
    with world.services.events.subscribe(ElementReplaced) as told:
        fresh = (await world.post("/burning-hours/lamp-1/replaced", {"reason": "new driver, WO-0007"})).json()
        assert told.queue.get_nowait() == ElementReplaced((("lamp", "lamp-1"),), at(27))
    assert (fresh["lamp"], fresh["burning_h"], fresh["starts"], fresh["since_ms"]) == ("l-1", 0, 0, at(27))
    assert (await world.get("/burning-hours?lamp=l-1")).json()["items"] == [fresh]
    assert (await world.post("/burning-hours/nobody/replaced", {"reason": "r"})).status_code == 404


async def test_a_patrol_is_taken_whole_or_not_at_all(world: World):
    def seen(lamp):
        return {"lamp": lamp, "time_ms": at(8), "lit": True}

    answer = await world.post("/rates/patrols", {"reason": "r", "sightings": [seen(LAMPS[0]), seen("nobody")]})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "body.sightings.1.lamp"
    assert await world.ledger.read(lambda connection: records.sightings(connection, NOON_MS, END_MS)) == []
    taken = await world.post("/rates/patrols", {"reason": "r", "sightings": [seen(LAMPS[0])]})
    assert taken.json() == {"taken": 1}
    night = (await world.get("/rates?night=2025-11-20")).json()
    assert night["due"]


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/rates?night=2025-10-01", 404),
        ("/rates?night=1970-01-01", 404),
        ("/rates?night=tomorrow", 422),
        ("/rates?by=lamp", 422),
        ("/rates/2025-10-01/list", 404),
        ("/rates/2025-11-20/list?state=lit", 422),
        ("/energy?from=2025-11-20&to=2025-11-19", 422),
        ("/energy?from=2020-11-20&to=2025-11-19", 422),
        ("/energy?from=2025-11-20", 422),
    ],
)
async def test_what_cannot_be_answered_says_why(world: World, path, status):
    answer = await world.get(path)
    assert answer.status_code == status
    assert answer.json()["detail"]


async def test_nights_that_are_to_come_are_not_worked_out(world: World):
    tomorrow = NIGHT + timedelta(days=2)
    assert (await world.get(f"/rates?night={tomorrow}")).status_code == 404
