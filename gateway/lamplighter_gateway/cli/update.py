"""`lamplighter-gateway start|update|bundle`: the launcher, a bundle into the spare slot, and making one."""

import asyncio
import json
import logging
import os
import platform
import sys
from pathlib import Path
from typing import Final, NoReturn

import click
import msgspec

from lamplighter_contract.clock import SystemClock
from lamplighter_contract.commands.signing import decode_key
from lamplighter_contract.errors import Refusal
from lamplighter_gateway.about import VERSION
from lamplighter_gateway.change.starting import data_folder
from lamplighter_gateway.config.load import load
from lamplighter_gateway.config.model import Config
from lamplighter_gateway.control import NotRunningError, ask
from lamplighter_gateway.update.building import NotBuildableError, build
from lamplighter_gateway.update.installing import install
from lamplighter_gateway.update.launcher import Launcher
from lamplighter_gateway.update.manifest import ARCHITECTURES
from lamplighter_gateway.update.place import Place
from lamplighter_gateway.update.slots import Installed

EXIT_FAILED: Final = 1
EXIT_CONFIG: Final = 2
S_PER_MIN: Final = 60.0
_FILE: Final = click.Path(path_type=Path)
_EXISTING: Final = click.Path(path_type=Path, exists=True)


@click.command()
@click.argument("file", type=_FILE)
@click.option("--verbose", is_flag=True, help="Log details too.")
def start(file: Path, verbose: bool) -> None:
    """Run the gateway of FILE from the slot that is good, or on trial; goes back by itself. For the service manager."""
    os.umask(0o077)
    logging.basicConfig(
        level=logging.INFO, format="%(asctime)s %(levelname)-7s %(name)s: %(message)s", stream=sys.stderr
    )
    place = Place(data_folder(file, os.environ), VERSION)
    arguments = ["run", str(file), *(["--verbose"] if verbose else [])]
    raise SystemExit(Launcher(place, arguments, SystemClock()).run())


@click.command()
@click.argument("bundle", type=_EXISTING)
@click.option("--config", "file", type=_FILE, required=True, help="The configuration of the gateway that is updated.")
@click.option("--older", is_flag=True, help="Take a version that is not newer, too.")
def update(bundle: Path, file: Path, older: bool) -> None:
    """Install BUNDLE into the spare slot, with no network, and have it run on trial; cut off, it is begun again."""
    os.umask(0o077)
    config = _config(file)
    place = Place(config.data, VERSION)
    try:
        with place.alone():
            installed = install(bundle, place, decode_key(config.root_key), older=older)
    except (BlockingIOError, OSError) as error:
        _fail(f"not installed: {error}")
    if isinstance(installed, Refusal):
        _fail(f"refused ({installed.reason}): {installed.detail}; the version that runs stays")
    _switch(config, place, installed)


@click.command()
@click.argument("wheels", type=_EXISTING)
@click.option("--key", type=_EXISTING, required=True, help="The file of the root key.")
@click.option("--output", type=_FILE, required=True)
@click.option("--architecture", type=click.Choice(ARCHITECTURES), default=platform.machine(), show_default=True)
@click.option("--python", default=f"{sys.version_info.major}.{sys.version_info.minor}", show_default=True)
def bundle(wheels: Path, key: Path, output: Path, architecture: str, python: str) -> None:
    """Make a signed bundle of a folder of WHEELS."""
    try:
        version = build(wheels, output, key, architecture=architecture, python=python)
    except NotBuildableError as error:
        _fail(str(error))
    click.echo(f"{output}: version {version} for {architecture}, {output.stat().st_size} bytes")


def _switch(config: Config, place: Place, installed: Installed) -> None:
    request = {"do": "switch", "installed": msgspec.to_builtins(installed)}
    try:
        answer = asyncio.run(ask(config.data, request))
    except NotRunningError:
        health_s = config.updating.health_min * S_PER_MIN
        place.save(place.load().tries(installed, (False, False), health_s))
        answer = {"outcome": "on trial at the next start", "version": installed.version, "health_s": health_s}
    click.echo(json.dumps(answer, indent=2))
    if "error" in answer:
        raise SystemExit(EXIT_FAILED)


def _config(file: Path) -> Config:
    found = load(file, os.environ)
    if isinstance(found, Config):
        return found
    for problem in found:
        click.echo(str(problem), err=True)
    raise SystemExit(EXIT_CONFIG)


def _fail(words: str) -> NoReturn:
    click.echo(words, err=True)
    raise SystemExit(EXIT_FAILED)
