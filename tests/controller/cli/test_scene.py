"""Shows of light from the command line."""

from pathlib import Path

from tests.controller.api.world import LAMPS
from tests.controller.cli.conftest import Terminal
from tests.controller.cli.test_plan import lit

WHY = ("--reason", "new year")
CUES = f"after_s,level_percent,ramp_s,devices,city\n0,30,5,,yes\n60,100,0,{LAMPS[0]};{LAMPS[1]},\n"


async def test_a_cue_list_is_imported_rehearsed_started_and_stopped(terminal: Terminal, tmp_path: Path):
    await lit(terminal)
    cues = tmp_path / "cues.csv"
    cues.write_text(CUES)
    taken = await terminal.shown("scene", "import", "new-year", str(cues), "--length", "600", *WHY)
    assert taken == "scene new-year is at version 1\n"
    listed = (await terminal.shown("scene", "list")).splitlines()
    assert listed[1].split()[:4] == ["new-year", "-", "2", "600"]
    assert f"{LAMPS[0]}, {LAMPS[1]}" in await terminal.shown("scene", "show", "new-year")
    at = ("--at", "2025-11-20 23:00:00")
    shown = await terminal.shown("scene", "rehearse", "new-year", *at, "--lamp", LAMPS[0])
    assert shown.startswith("new-year from 2025-11-20 23:00:00 to 2025-11-20 23:10:00: it can")
    assert "scene" in shown.partition(LAMPS[0])[2]
    started = await terminal.json("scene", "start", "new-year", *at, *WHY)
    assert started["playing"] is False
    assert started["id"] in await terminal.shown("scene", "showings")
    assert "stopped" in await terminal.shown("scene", "stop", started["id"], *WHY)


async def test_every_mistake_of_a_cue_list_is_told(terminal: Terminal, tmp_path: Path):
    cues = tmp_path / "cues.csv"
    cues.write_text("after_s,level_percent,colour\nsoon,30,red\n0,full,\n")
    wrong = await terminal.run("scene", "import", "s", str(cues), "--length", "60", *WHY)
    assert wrong.exit_code == 2
    assert [word in wrong.stderr for word in ("line 2, after_s", "line 2, colour", "line 3, level_percent")] == [
        True
    ] * 3
    cues.write_text(CUES)
    assert (await terminal.run("scene", "import", "s", str(cues), *WHY)).exit_code == 2
    assert (await terminal.run("scene", "start", "no-such", *WHY)).exit_code == 1
    assert (await terminal.run("scene", "start", "s", "--at", "tonight", *WHY)).exit_code == 2
