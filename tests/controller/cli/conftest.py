"""The command line of people against an API on a real socket."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from lamplighter_contract.clock import ManualClock
from lamplighter_contract.quantities import Kind
from lamplighter_controller.cli.lamplighter import main
from tests.controller.api.serving import serving
from tests.controller.api.world import LAMPS, RATE, World, entry, open_world


@dataclass
class Terminal:
    """A person who calls the command line."""

    world: World
    url: str

    async def run(self, *words: str, who: str = "operator") -> Result:
        """The call and what it showed, in a thread of its own: the app answers in this one."""
        environment = {"LAMPLIGHTER_URL": self.url, "LAMPLIGHTER_TOKEN": self.world.secret[who]}
        return await asyncio.to_thread(CliRunner().invoke, main, words, env=environment)

    async def shown(self, *words: str, who: str = "operator") -> str:
        """What a call that succeeds shows."""
        result = await self.run(*words, who=who)
        assert result.exit_code == 0, result.output
        return str(result.stdout)

    async def json(self, *words: str, who: str = "operator") -> Any:
        """What a call that succeeds answers to a program."""
        return json.loads(await self.shown(*words, "--json", who=who))


@pytest.fixture
async def terminal(tmp_path: Path) -> AsyncIterator[Terminal]:
    """Two gateways with five lamps each, at 22:46 of a November night."""
    served = {
        "gw-1": [*map(entry, LAMPS[:5]), entry("circuit-01-a", Kind.CIRCUIT)],
        "gw-2": list(map(entry, LAMPS[5:])),
    }
    async with (
        open_world(tmp_path, ManualClock(rate=RATE), served, tmp_path / "web") as world,
        serving(world.app) as address,
    ):
        yield Terminal(world, f"http://{address}")
