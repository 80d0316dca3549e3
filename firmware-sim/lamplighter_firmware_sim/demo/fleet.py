"""The demo's trucks stand in the register: imported by command line at the first start, as people do it."""

import asyncio
from pathlib import Path
from typing import Final

from lamplighter_firmware_sim.demo.lighting import CommandLine
from lamplighter_firmware_sim.trucks import files
from lamplighter_firmware_sim.trucks.fleet import Fleet

REASON: Final = "sample fleet of the demo"
ISSUED: Final = "2026-01-01"
EXPIRES: Final = "2036-12-31"


async def is_registered(call: CommandLine) -> bool:
    """True when trucks stand in the register, by an earlier run or by a person."""
    return bool(await call.json("fleet", "list", "trucks"))


async def register(call: CommandLine, fleet: Fleet, folder: Path) -> None:
    """Import companies, trucks, places, objects and permits.

    Raises:
        SimError: something was refused.
    """
    for path in await asyncio.to_thread(files.write, folder, fleet, ISSUED, EXPIRES):
        await call("fleet", "import", path.stem, str(path), "--crs", "wgs84", "--reason", REASON)
