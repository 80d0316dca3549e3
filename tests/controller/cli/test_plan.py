"""A city lit by plan from the command line."""

from tests.controller.api.world import LAMPS
from tests.controller.cli.conftest import Terminal

WHY = ("--reason", "winter hours")


async def lit(terminal: Terminal) -> None:
    for words in (("preset",), ("draft",), ("validate", "1"), ("publish", "1")):
        await terminal.shown("plan", *words, *WHY)


async def test_from_the_presets_to_a_lamp_and_why_it_has_its_level(terminal: Terminal):
    own = await terminal.shown("lamp", "why", LAMPS[0])
    assert own.startswith(f"{LAMPS[0]}  -  own")
    await lit(terminal)
    terminal.world.light([LAMPS[0]], 50, 44, desired_percent=50)
    why = await terminal.shown("lamp", "why", LAMPS[0])
    assert why.startswith(f"{LAMPS[0]}  50 %  program: saving-winter, step 1\n")
    assert "plan version 1, its gateway says none\n" in why
    assert (await terminal.json("lamp", "why", LAMPS[0]))["agrees"] is True
    night = (await terminal.shown("lamp", "tonight", LAMPS[0])).splitlines()
    assert (night[0].split(), len(night)) == (["from", "level", "because"], 8)
    assert "2025-11-20 22:31  50 %   program: saving-winter, step 1" in "\n".join(night)


async def test_a_draft_says_what_it_would_change(terminal: Terminal):
    await lit(terminal)
    await terminal.shown("plan", "draft", "--reason", "the same again")
    shown = await terminal.shown("plan", "diff", "2")
    assert shown.startswith("0 lamps, 0 kW -> 0 kW")
    assert "10 lamps without a model" in shown
    assert (await terminal.json("plan", "diff", "2"))["lamps"] == 10


async def test_steps_that_cannot_be_taken_are_refused_with_their_reason(terminal: Terminal):
    await terminal.shown("plan", "preset", *WHY)
    await terminal.shown("plan", "draft", *WHY)
    refused = await terminal.run("plan", "publish", "1", *WHY)
    assert refused.exit_code == 1
    assert "not validated" in refused.stderr
    assert (await terminal.run("plan", "back", *WHY)).exit_code == 1


async def test_which_gateway_runs_which_plan(terminal: Terminal):
    await lit(terminal)
    first, *rows = (await terminal.shown("plan", "versions")).splitlines()
    assert first.split()[:3] == ["gateway", "plan", "version"]
    assert [row.split()[:3] for row in rows] == [["gw-1", "1", "1"], ["gw-2", "1", "1"]]
    assert len((await terminal.json("plan", "versions", "--gateway", "gw-1"))["items"]) == 1
    assert "published" in await terminal.shown("plan", "list")
    assert "assignments: whole-city" in await terminal.shown("plan", "show", "1")


async def test_what_a_lamp_is_known_to_do(terminal: Terminal):
    terminal.world.light([LAMPS[0]], 60, 55)
    shown = await terminal.shown("lamp", "show", LAMPS[0])
    assert shown.startswith(f"{LAMPS[0]}  on  Spruce Road\n")
    assert "level_percent 60" in shown
    listed = (await terminal.shown("lamp", "list", "--state", "on")).splitlines()
    assert [line.split()[0] for line in listed] == ["lamp", LAMPS[0]]
    assert len(await terminal.json("lamp", "list")) == 10
