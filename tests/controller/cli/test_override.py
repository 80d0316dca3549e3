"""Levels by hand from the command line."""

import json
from pathlib import Path

from lamplighter_contract.commands.states import CommandState
from tests.controller.api.world import LAMPS
from tests.controller.cli.conftest import Terminal

WHY = ("--reason", "WO-7")


async def test_a_level_is_set_listed_read_back_and_ended(terminal: Terminal):
    given = await terminal.json("override", "set", "60", "--lamp", LAMPS[0], "--lamp", LAMPS[6], "--for", "90m", *WHY)
    assert (given["state"], given["lamps"]) == ("given", 2)
    assert given["until_ms"] == terminal.world.clock.civil_ms() + 5_400_000
    terminal.world.commands.move(
        given["request"], CommandState.VERIFIED, but={LAMPS[6]: (CommandState.UNCONFIRMED, "silent")}
    )
    shown = await terminal.shown("override", "show", given["id"])
    assert "60 % for 2 lamps until 2025-11-21 00:16" in shown
    assert "1 read back, 1 not (yet)" in shown
    assert f"{LAMPS[6]} at gw-2: unconfirmed silent" in shown
    assert given["id"] in await terminal.shown("override", "list", "--past")
    assert (await terminal.run("override", "resume", "no-such", *WHY)).exit_code == 1


async def test_an_emergency_needs_an_end_and_an_area_may_be_drawn(terminal: Terminal, tmp_path: Path):
    area = tmp_path / "area.geojson"
    ring = [[117.0, 36.6], [117.2, 36.6], [117.2, 36.7], [117.0, 36.7], [117.0, 36.6]]
    area.write_text(json.dumps({"type": "Feature", "geometry": {"type": "Polygon", "coordinates": [ring]}}))
    assert (await terminal.run("override", "emergency", "--area", str(area), *WHY)).exit_code == 2
    shown = await terminal.shown("override", "emergency", "--area", str(area), "--for", "2h", *WHY)
    assert "emergency, full light for 10 lamps" in shown
    area.write_text("{")
    assert (await terminal.run("override", "set", "50", "--area", str(area), *WHY)).exit_code == 2


async def test_what_takes_much_light_away_waits_for_a_second_person(terminal: Terminal):
    words = [word for lamp in LAMPS for word in ("--lamp", lamp)]
    waits = await terminal.shown("override", "set", "0", *words, *WHY)
    assert "pending" in waits
    assert "needs a second person" in waits
    name = waits.partition(":")[0]
    assert (await terminal.run("override", "approve", name, *WHY)).exit_code == 1
    approved = await terminal.json("override", "approve", name, *WHY, who="nobody")
    assert (approved["state"], approved["approvals"]) == ("given", ["token:nobody"])


async def test_wrong_calls_and_names_are_told(terminal: Terminal):
    assert (await terminal.run("override", "set", "60", "--lamp", LAMPS[0], "--for", "soon", *WHY)).exit_code == 2
    assert (await terminal.run("override", "set", "101", "--lamp", LAMPS[0], *WHY)).exit_code == 2
    refused = await terminal.run("override", "set", "60", "--road", "no-road", *WHY)
    assert (refused.exit_code, "no-road" in refused.stderr) == (1, True)
    assert (await terminal.run("override", "set", "60", *WHY)).exit_code == 1
