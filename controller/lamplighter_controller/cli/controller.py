"""The command line: `lamplighter-controller run|check|keys|status|enrol|gateway|token|backup|restore|release`."""

import asyncio
import getpass
import logging
import os
import secrets
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final, NoReturn, TypeVar

import click
from sqlalchemy import Connection

from lamplighter_contract.clock import SystemClock
from lamplighter_contract.commands.signing import encode_key
from lamplighter_controller import actions, backup, broker_files, control, first_start
from lamplighter_controller.config import Config, ConfigWrong, read_config
from lamplighter_controller.errors import ControllerError
from lamplighter_controller.first_start import FolderTaken
from lamplighter_controller.ledger.engine import open_ledger
from lamplighter_controller.rollout.files import Bundles
from lamplighter_controller.security import credentials
from lamplighter_controller.security import keys as key_files
from lamplighter_controller.security.rights import Right

T = TypeVar("T")
WRONG_CONFIG = 2
STARTING_S: Final = 10.0  # a controller that holds its folder and does not listen yet, or no more
FILE = click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
REASON = click.option("--reason", required=True, help="Stands in the audit trail.")


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """The centre of a city's street lamps."""


@main.command()
@FILE
@click.option("--verbose", is_flag=True, help="Tell more.")
def run(file: Path, verbose: bool) -> None:
    """Run until SIGTERM or SIGINT."""
    from lamplighter_controller.app import supervise  # noqa: PLC0415 - the other commands need no web server

    logging.basicConfig(
        level=logging.DEBUG if verbose else logging.INFO,
        format="%(asctime)s %(levelname)-7s %(name)s: %(message)s",
        stream=sys.stderr,
    )
    for chatty in ("alembic", "apscheduler", "uvicorn"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    code = supervise(_read(file), _tell)
    logging.shutdown()
    sys.stdout.flush()
    os._exit(code)  # a thread that waits for a hung store would hold up a usual exit for as long as the store hangs


@main.command()
@FILE
def check(file: Path) -> None:
    """Tell every mistake of a configuration."""
    config = _read(file)
    rate = config.scale().rate
    click.echo(f"{file} is right: {config.controller}, data in {config.data.resolve()}, civil time x{rate:g}")


@main.command()
@FILE
def keys(file: Path) -> None:
    """Make the keys if there are none, and print the root's public half for the gateways' configuration."""
    config = _read(file)
    made = _or_fail(lambda: first_start.make_keys(config, SystemClock().wall_ms()))
    click.echo(encode_key(made.root_public))
    if (config.keys_folder / "root.key").exists():
        click.echo(f"move {config.keys_folder / 'root.key'} to a safe place away from this machine", err=True)


@main.command(name="rotate-keys")
@FILE
@click.option("--root-key", required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--overlap-h", default=24.0, show_default=True, type=click.FloatRange(0, 8_760), help="0 = at once.")
def rotate_keys(file: Path, root_key: Path, overlap_h: float) -> None:
    """Sign commands with a new key; the old one is in force for the overlap, or with 0 no more: it was stolen."""
    config, now_ms = _read(file), SystemClock().wall_ms()
    made = _or_fail(
        lambda: key_files.rotate(
            config.keys_folder,
            key_files.load_key(root_key),
            now_ms=now_ms,
            ends_ms=now_ms + first_start.KEY_LIFE_MS,
            overlap_ms=round(overlap_h * 3_600_000),
            random=secrets.token_bytes,
        )
    )
    try:
        control.ask(config.control_socket, {"do": "keys", "who": getpass.getuser()})
        click.echo(f"commands are signed by {made.signer.kid}")
    except control.NotRunning:
        click.echo(f"commands will be signed by {made.signer.kid}: no controller runs")
    except ControllerError as error:
        _fail(error)


@main.command()
@FILE
def status(file: Path) -> None:
    """How the running controller fares."""
    for name, value in _ask(_read(file), {"do": "status"}).items():
        if isinstance(value, Mapping):
            click.echo(f"{name}:")
            for key, text in value.items():
                click.echo(f"  {key}: {text}")
        else:
            click.echo(f"{name}: {value}")


@main.command()
@FILE
@click.argument("gateway")
@REASON
def enrol(file: Path, gateway: str, reason: str) -> None:
    """Listen to a gateway from now on."""
    wanted = {"do": "enrol", "gateway": gateway, "reason": reason}
    answer = _ask_or_do(_read(file), wanted, actions.change_enrolment)
    click.echo(f"{answer['gateway']} is enrolled, generation {answer['generation']}")


@main.group()
def gateway() -> None:
    """Gateways that are enrolled."""


gateway.add_command(enrol)


@gateway.command()
@FILE
@click.argument("name")
@REASON
def replace(file: Path, name: str, reason: str) -> None:
    """Put another box in a gateway's place."""
    wanted = {"do": "replace", "gateway": name, "reason": reason}
    answer = _ask_or_do(_read(file), wanted, actions.change_enrolment)
    click.echo(f"{answer['gateway']} is another box, generation {answer['generation']}")
    _of_the_broker(file, "give it a password of its own at the broker: the old box still has the old one")


@gateway.command()
@FILE
@click.argument("name")
@REASON
def revoke(file: Path, name: str, reason: str) -> None:
    """Listen to a gateway no more; its history stays."""
    wanted = {"do": "revoke", "gateway": name, "reason": reason}
    answer = _ask_or_do(_read(file), wanted, actions.change_enrolment)
    click.echo(f"{answer['gateway']} is not listened to any more")
    _of_the_broker(file, "take its password from the broker, too")


@main.command()
@FILE
@click.argument("path", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def bundle(file: Path, path: Path) -> None:
    """Keep the bundle at PATH, so that gateways can be updated with it, and print its name."""
    bundles = Bundles(_read(file).data)
    click.echo(_or_fail(lambda: bundles.add(path)))


@gateway.command()
@FILE
@click.argument("name")
@click.option("--code", is_flag=True, help="A code the box itself exchanges for its password, once, within a day.")
@REASON
def rotate(file: Path, name: str, code: bool, reason: str) -> None:
    """Give a gateway a new password at the broker; it is shown this one time, and the one before ends."""
    config = _read(file)
    wanted = {"do": "credential", "gateway": name, "code": code, "reason": reason}
    click.echo(_ask_or_do(config, wanted, actions.make_credential)["secret"])
    if config.broker.files is None:
        click.echo("broker.files names no folder: give the broker this password yourself", err=True)


@main.command()
@FILE
@click.argument("name")
@click.argument("rights", nargs=-1, required=True, type=click.Choice([str(right) for right in Right]))
@REASON
def token(file: Path, name: str, rights: tuple[str, ...], reason: str) -> None:
    """Make an API token; it is shown this one time."""
    wanted = {"do": "token", "name": name, "rights": rights, "reason": reason}
    click.echo(_ask_or_do(_read(file), wanted, actions.make_token)["token"])


@main.command(name="backup")
@FILE
@click.option("--to", "target", required=True, type=click.Path(path_type=Path), help="A folder that is not there yet.")
def back_up(file: Path, target: Path) -> None:
    """Have the running controller copy its stores."""
    click.echo(_ask(_read(file), {"do": "backup", "to": str(target.absolute())})["backup"])


@main.command()
@FILE
@click.option("--from", "source", required=True, type=click.Path(exists=True, file_okay=False, path_type=Path))
def restore(file: Path, source: Path) -> None:
    """Put a backup into an empty data folder; the controller then starts held."""
    config = _read(file)
    elsewhere = _or_fail(lambda: backup.put_back(config, source))
    for name in elsewhere:
        click.echo(f"the {name} is not in the backup: put it back with its server's own tools before the start")
    click.echo("held: it will store and acknowledge, and command nobody until `lamplighter-controller release`")


@main.command()
@FILE
@click.option("--anyway", is_flag=True, help="Do not wait for gateways that were not heard since the start.")
@REASON
def release(file: Path, anyway: bool, reason: str) -> None:
    """End the hold of a restored controller, after a person has looked at it running."""
    answer = _ask(_read(file), {"do": "release", "anyway": anyway, "reason": reason})
    click.echo("released" if answer["released"] else "it was not held")


def _read(file: Path) -> Config:
    try:
        config = read_config(file, os.environ)
        config.scale()
        config.series_settings()
        config.broker_password()
    except ConfigWrong as error:
        for problem in error.problems:
            click.echo(problem, err=True)
        sys.exit(WRONG_CONFIG)
    except OSError as error:
        click.echo(f"{file}: {error}", err=True)
        sys.exit(WRONG_CONFIG)
    return config


def _of_the_broker(file: Path, advice: str) -> None:
    """What a person has to do at a broker whose files are not ours."""
    if _read(file).broker.files is None:
        click.echo(advice, err=True)


def _tell(text: str) -> None:
    click.echo(text)
    sys.stdout.flush()


def _ask(config: Config, wanted: Mapping[str, Any]) -> Mapping[str, Any]:
    return _or_fail(lambda: control.ask(config.control_socket, {**wanted, "who": getpass.getuser()}))


Offline = Callable[[Connection, Mapping[str, Any], int], Mapping[str, Any]]


def _ask_or_do(config: Config, wanted: Mapping[str, Any], offline: Offline) -> Mapping[str, Any]:
    """Ask the running controller; when none runs, do it on its ledger."""
    wanted = {**wanted, "who": getpass.getuser()}
    deadline_s = time.monotonic() + STARTING_S
    while True:
        try:
            return _ask_running_or_do(config, wanted, offline)
        except FolderTaken as error:
            if time.monotonic() > deadline_s:
                _fail(error)
            time.sleep(0.2)
        except ControllerError as error:
            _fail(error)


def _ask_running_or_do(config: Config, wanted: Mapping[str, Any], offline: Offline) -> Mapping[str, Any]:
    try:
        return control.ask(config.control_socket, wanted)
    except control.NotRunning:
        wall_ms = SystemClock().wall_ms()
        return asyncio.run(_on_ledger(config, lambda connection: offline(connection, wanted, wall_ms)))


async def _on_ledger(config: Config, work: Callable[[Connection], T]) -> T:
    with first_start.own_folder(config.data):
        ledger = await open_ledger(config.ledger_url)
        try:
            done = await ledger.write(work)
            ours, lines = await ledger.read(lambda read: (credentials.known(read), credentials.lines(read)))
            broker_files.apply(config.broker, ours, lines)
            return done
        finally:
            await ledger.close()


def _or_fail(work: Callable[[], T]) -> T:
    try:
        return work()
    except ControllerError as error:
        _fail(error)


def _fail(error: ControllerError) -> NoReturn:
    click.echo(str(error), err=True)
    sys.exit(1)
