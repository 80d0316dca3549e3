"""A road's night from the command line."""

from pathlib import Path

from tests.controller.api.world import LAMPS
from tests.controller.cli.conftest import Terminal
from tests.controller.cli.test_inventory import LUMINAIRES, ROADS, WHY, written
from tests.controller.cli.test_plan import lit


async def test_lamps_with_the_same_night_stand_together(terminal: Terminal, tmp_path: Path):
    files = written(tmp_path, roads=ROADS, luminaires=LUMINAIRES)
    await terminal.shown("inventory", "import", *files, "--crs", "wgs84", *WHY, who="admin")
    before = await terminal.json("road", "tonight", "spruce")
    assert (before["nights"], before["without_plan"]) == ([], LAMPS)
    await lit(terminal)
    shown = await terminal.shown("road", "tonight", "spruce")
    assert "spruce  (main): 10 lamps" in shown or "spruce (main): 10 lamps" in shown
    found = await terminal.json("road", "tonight", "spruce", "--day", "2026-06-21")
    assert sum(len(alike["lamps"]) for alike in found["nights"]) == 10
    assert found["nights"][0]["changes"][1]["why"]["program"] == "saving-summer"
    by_hand = await terminal.json("override", "set", "30", "--lamp", LAMPS[2], *WHY)
    assert by_hand["state"] == "given"
    assert (await terminal.run("road", "tonight", "no-road")).exit_code == 1
    assert (await terminal.run("road", "tonight", "spruce", "--day", "1999-01-01")).exit_code == 1


async def test_history_and_who_changed_a_lamp(terminal: Terminal):
    await lit(terminal)
    rows = (await terminal.shown("lamp", "history", LAMPS[0], "--hours", "1")).splitlines()
    assert rows[0].split() == ["time", "level_percent", "power_w"]
    assert len(rows) == 61
    assert "plan 1 was given by token:operator" in await terminal.shown("lamp", "why", LAMPS[0])
