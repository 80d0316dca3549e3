"""Trucks from the command line: the register from files, limits, policies, figures."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tests.controller.cli.conftest import Terminal
from tests.controller.fleet.town import entry

WHY = ("--reason", "storm")


async def stocked(terminal: Terminal, folder: Path) -> None:
    world = terminal.world
    world.twin.adopt("gw-1", [entry("t-1"), entry("t-2")])
    await world.services.fleet._begin()
    files = {
        "companies": "id,name\nred,Red\n",
        "trucks": "id,plate,company,device\ntruck-1,鲁A1,red,t-1\ntruck-2,鲁A2,red,t-2\n",
        "objects": "id,kind,name\nsite-7,site,Seven\nground-2,ground,East\n",
        "permits": "id,truck,site,ground,issued,expires\np-1,truck-1,site-7,ground-2,2025-01-01,2027-01-01\n",
    }
    for kind, text in files.items():
        file = folder / f"{kind}.csv"
        file.write_text(text)
        query = ("--crs", "wgs84") if kind == "permits" else ()
        await terminal.shown("fleet", "import", kind, str(file), *query, *WHY, who="admin")
    await world.services.fleet.step()


async def test_a_fleet_is_imported_limited_and_told_of(terminal: Terminal, tmp_path: Path):
    await stocked(terminal, tmp_path)
    assert "truck-1" in await terminal.shown("truck", "list")
    asked = await terminal.shown("truck", "limit", "truck-1", "--kmh", "40", *WHY)
    assert "40 km/h for 1 trucks, given" in asked
    assert "waiting" in await terminal.shown("truck", "limits")
    refused = await terminal.run("truck", "limit", "truck-9", "--kmh", "40", *WHY)
    assert (refused.exit_code, "no such truck" in refused.stderr) == (1, True)
    assert "p-1: suspended" in await terminal.shown("permit", "suspend", "p-1", *WHY)
    assert (await terminal.json("permit", "list"))[0]["thing"]["suspended"] is True
    assert "no permit holds" in await terminal.shown("permit", "red-alert", *WHY)
    assert "1 released" in await terminal.shown("policy", "kill", "--release", *WHY)
    assert "red" in await terminal.shown("waybill", "figures")


async def test_waybills_sites_and_strangers(terminal: Terminal, tmp_path: Path):
    await stocked(terminal, tmp_path)
    file = tmp_path / "waybills.csv"
    now = datetime.fromtimestamp(terminal.world.clock.civil_ms() / 1000, UTC)
    loaded, unloaded = (f"{now - timedelta(minutes=minutes):%Y-%m-%dT%H:%M:%S+00:00}" for minutes in (90, 30))
    file.write_text(
        f"id,truck,site,ground,loaded,unloaded,volume_m3\nLD-1,truck-1,site-7,ground-2,{loaded},{unloaded},9\n"
    )
    assert "1 rows, 1 added" in await terminal.shown("waybill", "import", str(file), *WHY)
    assert "LD-1" in await terminal.shown("waybill", "list")
    assert "by declared, number LD-1" in await terminal.shown("waybill", "show", "LD-1")
    assert "100.0%" in await terminal.shown("waybill", "closure", "--by", "ground")
    assert "1 loads, 9 m3" in await terminal.shown("fleet", "object", "ground-2")
    assert await terminal.json("truck", "cards", "truck-1") == []
    file.write_text("id,truck,site,ground,loaded\nLD-2,truck-9,site-7,ground-2,yesterday\n")
    wrong = await terminal.run("waybill", "import", str(file), "--dry-run", *WHY)
    assert (wrong.exit_code, "line 2, loaded" in wrong.output) == (1, True)
    terminal.world.twin.adopt("gw-1", [entry("t-1"), entry("t-2"), entry("t-3")])
    terminal.world.services.fleet.register_changed()
    await terminal.world.services.fleet.step()
    assert "t-3" in await terminal.shown("fleet", "strangers")
    adopted = ("fleet", "adopt", "t-3", "--truck", "truck-3", "--plate", "鲁A3", "--company", "red", *WHY)
    assert "truck-3 is in the register" in await terminal.shown(*adopted, who="admin")


async def test_a_policy_is_written_tried_and_switched_on(terminal: Terminal, tmp_path: Path):
    await terminal.world.services.fleet._begin()
    file = tmp_path / "cover.json"
    file.write_text(json.dumps({"id": "cover", "classes": ["cover_open"], "limit_kmh": 30, "text": "请关闭密闭盖"}))
    assert "version 1, off" in await terminal.shown("policy", "put", str(file), *WHY, who="admin")
    assert "0 trucks, 0 times" in await terminal.shown("policy", "try", "cover")
    assert "cover: on" in await terminal.shown("policy", "on", "cover", *WHY)
    assert "cover_open" in await terminal.shown("policy", "list")
