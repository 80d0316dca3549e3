"""Lit rate, energy and hours from the command line."""

from pathlib import Path

from tests.controller.api.world import LAMPS
from tests.controller.cli.conftest import Terminal
from tests.controller.cli.test_plan import lit

WHY = ("--reason", "again")


async def test_a_night_is_worked_out_and_shown(terminal: Terminal):
    await lit(terminal)
    assert "looked at until" in await terminal.shown("rate", "work-out", "2025-11-20", *WHY)
    shown = (await terminal.shown("rate", "show", "--night", "2025-11-20", "--by", "city")).splitlines()
    assert shown[0].startswith("night of 2025-11-20")
    assert shown[1].split()[:3] == ["city", "lamps", "reported"]
    assert "2025-11-20" in await terminal.shown("rate", "nights")
    assert isinstance(await terminal.json("rate", "list", "2025-11-20"), list)
    assert (await terminal.run("rate", "show", "--night", "2024-01-01")).exit_code == 1


async def test_energy_and_hours(terminal: Terminal):
    shown = await terminal.shown("rate", "energy", "--from", "2025-11-01", "--to", "2025-11-03")
    assert "0 kWh in 0 nights, 3 nights are missing" in shown
    assert (await terminal.shown("rate", "hours")).split()[0] == "lamp"


async def test_what_a_patrol_saw(terminal: Terminal, tmp_path: Path):
    seen = tmp_path / "patrol.csv"
    seen.write_text(f"lamp,time,lit\n{LAMPS[0]},2025-11-20 21:30,no\n")
    assert await terminal.shown("rate", "patrol", str(seen), *WHY) == "1 sightings were taken\n"
    seen.write_text(f"lamp,time,lit\n{LAMPS[0]},2025-11-20,maybe\n")
    wrong = await terminal.run("rate", "patrol", str(seen), *WHY)
    assert (wrong.exit_code, "line 2" in wrong.stderr) == (2, True)
