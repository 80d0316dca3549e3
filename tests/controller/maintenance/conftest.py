"""A city under maintenance."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from lamplighter_contract.clock import ManualClock
from lamplighter_contract.quantities import Kind
from tests.controller.api.world import LAMPS, RATE, entry, open_world
from tests.controller.maintenance.yard import CIRCUIT, Yard


@pytest.fixture
async def yard(tmp_path: Path) -> AsyncIterator[Yard]:
    """Ten lamps on one circuit of one road, one crew that works everywhere at every hour."""
    served = {"gw-1": [*map(entry, LAMPS), entry("cab-01", Kind.CABINET), entry(CIRCUIT, Kind.CIRCUIT)]}
    async with open_world(tmp_path, ManualClock(rate=RATE), served, tmp_path / "web") as world:
        yard = Yard(world)
        await yard.enter()
        crew = {"id": "east-1", "name": "东区一班", "company": "red"}
        answer = await world.send("PUT", "/crews", {"reason": "test", "crew": crew}, "operator")
        assert answer.status_code == 200, answer.text
        yield yard
