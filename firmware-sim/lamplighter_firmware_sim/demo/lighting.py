"""The demo's city is lit by plan: its survey is imported and a plan published, by command line as people do it."""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from lamplighter_contract.geo.systems import System
from lamplighter_firmware_sim.city import City
from lamplighter_firmware_sim.errors import SimError
from lamplighter_firmware_sim.survey import files
from lamplighter_firmware_sim.survey.tables import ALWAYS, tables

REASON: Final = "sample city of the demo"
CALL_TIMEOUT_S: Final = 120.0
SYSTEM: Final = System.WGS84
LIBRARY: Final = {
    "programs": {"levels": {"level_percent": 100}},
    "calendars": {"default_program": ALWAYS},
}  # of contactors whose lamps have controllers: these are to answer by day, too


@dataclass(frozen=True, slots=True)
class CommandLine:
    """`lamplighter` with the demo's address and token."""

    program: Path
    url: str
    token_file: Path

    async def __call__(self, *words: str) -> str:
        """What it prints.

        Raises:
            SimError: it was refused, or did not end; with what it said.
        """
        connection = ("--url", self.url, "--token-file", str(self.token_file))
        process = await asyncio.create_subprocess_exec(
            self.program, *connection, *words, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
        )
        try:
            async with asyncio.timeout(CALL_TIMEOUT_S):
                said, complaint = await process.communicate()
        except TimeoutError as error:
            raise SimError(f"lamplighter {' '.join(words)}: no end in {CALL_TIMEOUT_S:g} s") from error
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        if process.returncode:
            raise SimError(f"lamplighter {' '.join(words)}: {complaint.decode(errors='replace').strip()}")
        return said.decode()

    async def json(self, *words: str) -> Any:
        """What it answers to a program."""
        return json.loads(await self(*words, "--json"))


async def is_planned(call: CommandLine) -> bool:
    """True when some gateway was given a plan, by an earlier run or by a person."""
    return bool((await call.json("plan", "versions"))["items"])


async def serves_all(call: CommandLine, city: City) -> bool:
    """True when the centre knows every lamp from its gateway."""
    return len(await call.json("lamp", "list")) >= len(city.lamps)


async def light_by_plan(call: CommandLine, city: City, folder: Path) -> int:
    """Import the city's survey and publish the presets; returns the plan's number.

    Raises:
        SimError: something was refused.
    """
    written = await asyncio.to_thread(files.write, folder, tables(city), SYSTEM, geojson=False)
    why = ("--reason", REASON)
    await call("inventory", "import", *map(str, written), "--crs", SYSTEM, *why)
    await call("plan", "preset", *why)
    for shelf, body in _written(folder):
        await call("library", "put", shelf, ALWAYS, str(body), *why)
    number: int = (await call.json("plan", "draft", *why))["number"]
    for step in ("validate", "publish"):
        await call("plan", step, str(number), *why)
    return number


def _written(folder: Path) -> Sequence[tuple[str, Path]]:
    found = []
    for shelf, body in LIBRARY.items():
        path = folder / f"{shelf}-{ALWAYS}.json"
        path.write_text(json.dumps(body))
        found.append((shelf, path))
    return found
