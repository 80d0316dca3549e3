"""Which line a tool is to speak on: a bus of a configuration, or one named on the command line; never one in use."""

import asyncio
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NoReturn, TypeVar

import click

from lamplighter_contract.clock import SystemClock
from lamplighter_gateway.change.starting import Found, data_folder, of_file
from lamplighter_gateway.change.store import ConfigStore
from lamplighter_gateway.commissioning.wire.port import Line, Setting
from lamplighter_gateway.commissioning.wire.serial_line import SerialLine
from lamplighter_gateway.commissioning.wire.tcp_line import TcpLine
from lamplighter_gateway.config.model import Config, Device, Parity, SerialBus, TcpBus
from lamplighter_gateway.config.problem import Problem
from lamplighter_gateway.control import NotRunningError, ask
from lamplighter_gateway.profiles.load import load_profiles
from lamplighter_gateway.profiles.model import Profile

EXIT_FAILED: Final = 1
EXIT_CONFIG: Final = 2
_TIMEOUT_S: Final = 0.3
F = TypeVar("F", bound=Callable[..., Any])
_PATH: Final = click.Path(path_type=Path)


@dataclass(frozen=True, slots=True)
class Chosen:
    """A line, what it is believed to be, and who is believed to be on it."""

    line: Line
    setting: Setting | None
    timeout_s: float
    devices: Sequence[Device]
    profiles: Sequence[Profile]


def line_options(command: F) -> F:
    """BUS with --config, or --port, or --host."""
    options = (
        click.argument("bus", required=False),
        click.option("--config", "file", type=_PATH, help="The configuration that BUS stands in."),
        click.option("--port", "device", help="A serial port, without a configuration."),
        click.option("--baud", type=click.IntRange(300, 4_000_000), default=9600, show_default=True),
        click.option("--parity", type=click.Choice([str(one) for one in Parity]), default="N", show_default=True),
        click.option("--stop-bits", type=click.IntRange(1, 2), default=1, show_default=True),
        click.option("--host", help="A Modbus TCP endpoint, without a configuration."),
        click.option("--tcp-port", type=click.IntRange(1, 65_535), default=502, show_default=True),
        click.option("--timeout-s", type=click.FloatRange(0.02, 5), help="How long a unit may think."),
        click.option("--profiles", "folder", type=_PATH, help="Folder of device profiles, without a configuration."),
    )
    for option in reversed(options):
        command = option(command)
    return command


def chosen(
    bus: str | None,
    file: Path | None,
    device: str | None,
    baud: int,
    parity: str,
    stop_bits: int,
    host: str | None,
    tcp_port: int,
    timeout_s: float | None,
    folder: Path | None,
) -> Chosen:
    """The line that the options name; the program ends with what is wrong with them."""
    if sum(part is not None for part in (bus, device, host)) != 1:
        _end("which line? BUS with --config FILE, or --port, or --host: one of them")
    if bus is not None:
        return _of_config(bus, file, timeout_s)
    problems: list[Problem] = []
    profiles = tuple(load_profiles(folder, problems).values()) if folder else ()
    if problems:
        _end(*map(str, problems))
    clock, patience_s = SystemClock(), timeout_s or _TIMEOUT_S
    if host is not None:
        return Chosen(TcpLine(host, tcp_port, clock), None, patience_s, (), profiles)
    setting = Setting(baud, Parity(parity), stop_bits)
    return Chosen(SerialLine(device or "", clock), setting, patience_s, (), profiles)


def config_of(file: Path | None) -> Config:
    """The configuration in a file, with what the centre said last where the file lets it rule.

    The program ends with everything that is wrong with it.
    """
    if file is None:
        _end("which configuration? name it with --config FILE")
    central = ConfigStore(data_folder(file, os.environ)).load().central
    found = of_file(file, central, os.environ)
    if not isinstance(found, Found):
        _end(*map(str, found))
    return found.config


def _of_config(name: str, file: Path | None, timeout_s: float | None) -> Chosen:
    config = config_of(file)
    bus = next((one for one in config.buses if one.id == name), None)
    if not isinstance(bus, TcpBus | SerialBus):
        modbus = [one.id for one in config.buses if isinstance(one, TcpBus | SerialBus)]
        _end(f"{name!r} is no Modbus bus of {file}; expected one of {', '.join(modbus) or 'none'}")
    _stop_if_running(config, name)
    clock = SystemClock()
    devices = config.devices_on(name)
    profiles = tuple(
        {device.profile.name: device.profile for device in config.devices if device.profile.modbus}.values()
    )
    patience_s = timeout_s or bus.timeout_s
    if isinstance(bus, TcpBus):
        return Chosen(TcpLine(bus.host, bus.port, clock), None, patience_s, devices, profiles)
    setting = Setting(bus.baud, bus.parity, bus.stop_bits)
    return Chosen(SerialLine(bus.device, clock), setting, patience_s, devices, profiles)


def _stop_if_running(config: Config, bus: str) -> None:
    """A bus has one master: while the gateway runs, it is the gateway."""
    try:
        asyncio.run(ask(config.data, {"do": "status"}))
    except NotRunningError:
        return
    click.echo(
        f"the gateway {config.gateway} is running and is the master of bus {bus}; stop it first: "
        "systemctl stop lamplighter-gateway",
        err=True,
    )
    raise SystemExit(EXIT_FAILED)


def _end(*lines: str) -> NoReturn:
    for line in lines:
        click.echo(line, err=True)
    raise SystemExit(EXIT_CONFIG)
