"""Signals from the command line."""

import json
from pathlib import Path

from tests.controller.cli.conftest import Terminal

WHY = ("--reason", "station")


async def test_fog_is_told_and_sensors_speak(terminal: Terminal, tmp_path: Path):
    file = tmp_path / "signal.json"
    for name, body in {"fog": {"of": "fog"}, "sky": {"of": "lux", "sensors": ["lux-1", "lux-2", "lux-3"]}}.items():
        file.write_text(json.dumps(body))
        await terminal.shown("library", "put", "signals", name, str(file), *WHY)
    told = await terminal.json("signal", "fog", "fog", "on", "--hours", "2")
    assert told["until_ms"] == terminal.world.clock.civil_ms() + 7_200_000
    for number, lux in enumerate((30, 32, 31), start=1):
        await terminal.shown("signal", "say", "sky", str(lux), "--sensor", f"lux-{number}")
    listed = (await terminal.shown("signal", "list")).splitlines()
    assert [line.split()[:3] for line in listed[1:3]] == [["fog", "fog", "1"], ["sky", "lux", "31"]]
    wrong = await terminal.run("signal", "say", "sky", "5", "--sensor", "lux-9")
    assert (wrong.exit_code, "body.inputs.0.sensor" in wrong.stderr) == (1, True)
