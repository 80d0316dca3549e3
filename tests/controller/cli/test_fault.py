"""Faults from the command line: parts that were replaced."""

from lamplighter_controller.diagnosis.assembling import Places, assemble
from lamplighter_controller.diagnosis.places import LampPlace
from tests.controller.api.world import LAMPS
from tests.controller.cli.conftest import Terminal

WHY = ("--reason", "WO-7")


async def test_parts_that_were_replaced_are_told_and_unknown_ones_refused(terminal: Terminal) -> None:
    terminal.world.services.diagnosis.desk.topology = assemble(Places([LampPlace(LAMPS[0], LAMPS[0], "cab-01")]))
    assert "1 replaced" in await terminal.shown("fault", "replaced", LAMPS[0], *WHY)
    unknown = await terminal.run("fault", "replaced", "nobody", *WHY)
    assert unknown.exit_code == 1
    assert "nobody" in unknown.stderr
