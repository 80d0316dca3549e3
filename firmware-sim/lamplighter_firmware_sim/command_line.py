"""What the commands of the simulator share: its inventory, its clock, addresses, and how it fails."""

import sys
from pathlib import Path
from typing import Any, Final, NoReturn

import click

from lamplighter_contract.clock import SystemClock, decode_scale
from lamplighter_firmware_sim.city import City
from lamplighter_firmware_sim.errors import SimError
from lamplighter_firmware_sim.loading import load_city

WRONG_INPUT: Final = 2


def inventory_of(path: Path) -> City:
    """The city of a scenario file; its mistakes go to the screen, and that is the end."""
    city = load_city(path)
    if isinstance(city, City):
        return city
    for problem in city:
        click.echo(str(problem), err=True)
    sys.exit(WRONG_INPUT)


def fail(error: Exception) -> NoReturn:
    """Say what went wrong, and end."""
    click.echo(str(error), err=True)
    sys.exit(WRONG_INPUT)


class Address(click.ParamType[tuple[str, int]]):
    """host:port."""

    name = "host:port"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, int]:
        """Two parts, or word of what is expected."""
        host, _, port = str(value).rpartition(":")
        if not host or not port.isdecimal() or not 0 < int(port) < 65_536:
            self.fail(f"{value!r}: expected host:port", param, ctx)
        return host, int(port)


def clock_of(path: Path | None) -> SystemClock:
    """The clock of a shared file, real time without one."""
    if path is None:
        return SystemClock()
    try:
        return SystemClock(decode_scale(path.read_bytes()))
    except (OSError, ValueError) as error:
        fail(SimError(f"{path}: {error}"))
