"""The small world of the API's own tests."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from lamplighter_contract.clock import ManualClock
from lamplighter_contract.quantities import Kind
from tests.controller.api.world import LAMPS, RATE, World, entry, open_world


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    """Two gateways with five lamps each and one cabinet, by a clock that stands still; no console was built."""
    served = {
        "gw-1": [*map(entry, LAMPS[:5]), entry("cab-01", Kind.CABINET)],
        "gw-2": list(map(entry, LAMPS[5:])),
    }
    async with open_world(tmp_path, ManualClock(rate=RATE), served, tmp_path / "web") as world:
        yield world
