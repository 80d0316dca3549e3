"""The command line: check a configuration, run a gateway, ask a running one."""

import asyncio
import json
import logging
import os
import socket
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, NoReturn

import click

from lamplighter_gateway.change.starting import Start, start
from lamplighter_gateway.cli.commission import commission
from lamplighter_gateway.cli.jt808 import jt808
from lamplighter_gateway.cli.probe import probe
from lamplighter_gateway.cli.scan import scan
from lamplighter_gateway.cli.update import bundle, update
from lamplighter_gateway.cli.update import start as launch
from lamplighter_gateway.config.load import load
from lamplighter_gateway.config.model import Config
from lamplighter_gateway.config.problem import Problems
from lamplighter_gateway.control import LONGEST_MIN, Answer, NotRunningError, ask

EXIT_FAILED: Final = 1
EXIT_CONFIG: Final = 2


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="lamplighter-gateway")
def main() -> None:
    """Lamplighter's edge gateway."""


main.add_command(jt808)
main.add_command(commission)
main.add_command(probe)
main.add_command(scan)
main.add_command(launch)
main.add_command(update)
main.add_command(bundle)


@main.command()
@click.argument("file", type=click.Path(path_type=Path))
def check(file: Path) -> None:
    """Check a configuration file and everything it names; nothing is started."""
    config = _config(file)
    click.echo(f"{file}: good; {len(config.buses)} buses, {len(config.devices)} devices, version {config.version}")


@main.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--verbose", is_flag=True, help="Log details too.")
def run(file: Path, verbose: bool) -> None:
    """Run a gateway until it is told to stop; where FILE is of no use, by the last configuration that proved good."""
    found = start(file, os.environ)
    if not isinstance(found, Start):
        _mistaken(found)
    os.umask(0o077)  # what it keeps is nobody else's to read
    logging.basicConfig(
        level=logging.DEBUG if verbose else logging.INFO,
        format="%(asctime)s %(levelname)-7s %(name)s: %(message)s",
        stream=sys.stderr,
    )
    # Imported late: the other commands are quick without the wires' libraries.
    from lamplighter_gateway.supervisor import Exit, supervise  # noqa: PLC0415

    end = asyncio.run(supervise(found, os.environ))
    if end is Exit.RESTART:
        os.execv(sys.executable, [sys.executable, "-m", "lamplighter_gateway", *sys.argv[1:]])  # noqa: S606 - our own command line again
    raise SystemExit(end.value)


_MINUTES = click.FloatRange(0, LONGEST_MIN, min_open=True)
_DATA = click.option("--data", type=click.Path(path_type=Path), help="The data folder, instead of a configuration.")
_FILE = click.option(
    "--config", "file", type=click.Path(path_type=Path), help="The configuration whose gateway is asked."
)


@main.command()
@click.argument("file", required=False, type=click.Path(path_type=Path))
@_DATA
@click.option("--json", "as_json", is_flag=True, help="The whole answer as JSON.")
def status(file: Path | None, data: Path | None, as_json: bool) -> None:
    """Show how a running gateway fares."""
    answer = _ask(file, data, {"do": "status"})
    click.echo(json.dumps(answer, indent=2) if as_json else _overview(answer))


@main.command()
@click.argument("file", required=False, type=click.Path(path_type=Path))
@_DATA
def page(file: Path | None, data: Path | None) -> None:
    """Show how crews open the local page of a running gateway: address, fingerprint, access code."""
    answer = _ask(file, data, {"do": "page"})
    if "error" in answer:
        _show(answer)
    everywhere = answer["host"] in {"0.0.0.0", "::"}  # noqa: S104 - compared, nothing is bound here
    host = socket.gethostname() if everywhere else answer["host"]
    click.echo(f"https://{host}:{answer['port']}/" + ("  (or any address of this box)" if everywhere else ""))
    click.echo(f"SHA-256 {answer['fingerprint']}")
    click.echo(f"access code {answer['code']}")


@main.command()
@click.argument("device")
@_FILE
@_DATA
def read(device: str, file: Path | None, data: Path | None) -> None:
    """Read one device now, through the running gateway."""
    _show(_ask(file, data, {"do": "read", "device": device}))


@main.command()
@click.argument("device")
@click.argument("level", type=click.FloatRange(0, 100))
@click.option("--minutes", type=_MINUTES, required=True, help="How long it holds.")
@_FILE
@_DATA
def write(device: str, level: float, minutes: float, file: Path | None, data: Path | None) -> None:
    """Bring a lamp to LEVEL percent for some minutes, through the running gateway."""
    _show(_ask(file, data, {"do": "write", "device": device, "level_percent": level, "minutes": minutes}))


@main.command()
@click.argument("file", type=click.Path(path_type=Path))
def reload(file: Path) -> None:
    """Have the running gateway try FILE as it is now, bus by bus; what cuts something off is taken back by itself."""
    _show(_ask(file, None, {"do": "reload"}))


def _config(file: Path) -> Config:
    found = load(file, os.environ)
    return found if isinstance(found, Config) else _mistaken(found)


def _mistaken(problems: Problems) -> NoReturn:
    for problem in problems:
        click.echo(str(problem), err=True)
    raise SystemExit(EXIT_CONFIG)


def _ask(file: Path | None, data: Path | None, request: Mapping[str, Any]) -> Answer:
    if data is None and file is None:
        click.echo("which gateway? name its configuration or its data folder (--data)", err=True)
        raise SystemExit(EXIT_CONFIG)
    folder = data if data is not None else _config(file).data  # type: ignore[arg-type]  # one of both is there
    try:
        return asyncio.run(ask(folder, request))
    except NotRunningError as error:
        click.echo(str(error), err=True)
        raise SystemExit(EXIT_FAILED) from None


def _show(answer: Answer) -> None:
    click.echo(json.dumps(answer, indent=2, ensure_ascii=False))
    if "error" in answer or answer.get("outcome") in {"failed", "unconfirmed"}:
        raise SystemExit(EXIT_FAILED)


def _overview(answer: Answer) -> str:
    spool = answer["spool"]
    lines = [
        f"gateway {answer['gateway']}, version {answer['version']}, boot {answer['boot']}",
        f"uplink {'connected' if answer['uplink'] else 'NOT connected'}, controller {_controller(answer)}",
        f"spool {spool.get('state', 'ok')}: {_frames(spool['waiting'])}, {spool.get('dropped', 0)} dropped",
    ]
    lines += _config_lines(answer.get("config", {}))
    lines += _update_lines(answer.get("update", {}))
    if per_day := answer.get("per_day"):
        up, down, flash = (per_day[name] / 1e6 for name in ("up_bytes", "down_bytes", "flash_bytes"))
        lines.append(f"per day: {up:.2f} MB up, {down:.2f} MB down, {flash:.1f} MB written to the disk")
    lines += [line for bus in answer["buses"] for line in _bus_lines(bus)]
    lines += [f"{hold['kind'].upper()} {hold['device']}: by {hold['holder']}" for hold in answer.get("holds", ())]
    lines += [
        f"override {o['device']}: {o['level_percent']:g} % until {_local(o['until_ms'])}" for o in answer["overrides"]
    ]
    lines += [f"NOT CONFIGURED on {one['bus']}: {_stranger(one)}" for one in answer.get("strangers", ())]
    lines += [f"{name}: {count}" for name, count in answer.get("counters", {}).items()]
    return "\n".join(lines)


def _stranger(one: Mapping[str, Any]) -> str:
    return " ".join(
        str(one[name]) for name in ("phone", "truck", "plate", "maker", "model", "terminal") if one.get(name)
    )


def _config_lines(config: Mapping[str, Any]) -> list[str]:
    if not config:
        return []
    rules = "the centre's" if config["rules"] == "central" else "the file's"
    trial = ", on trial" if config["trial"] else ""
    return [
        f"configuration {config['version']}, {rules}{trial}",
        *(f"NOT FOLLOWED: {why}" for why in config["instead"]),
    ]


def _update_lines(update: Mapping[str, Any]) -> list[str]:
    trial, failed = update.get("trial"), update.get("failed")
    lines = [f"version {trial['version']} is ON TRIAL; {update['good']['version']} waits"] if trial else []
    return [*lines, *([f"an update was taken back: {failed[-1][1]}"] if failed else [])]


def _frames(waiting: int) -> str:
    return "1 frame waits" if waiting == 1 else f"{waiting} frames wait"


def _local(time_ms: int) -> str:
    return datetime.fromtimestamp(time_ms / 1000, UTC).astimezone().isoformat(timespec="seconds")


def _controller(answer: Answer) -> str:
    state = answer["controller"]
    if state is None:
        return "unknown"
    return ("storing" if state["storing"] else "not storing") if state["online"] else "gone"


def _bus_lines(bus: Mapping[str, Any]) -> list[str]:
    silent = f", silent: {', '.join(bus['silent'][:10])}" if bus["silent"] else ""
    trouble = f", last error: {bus['last_error']}" if bus["last_error"] else ""
    state = "connected" if bus["connected"] else "NOT connected"
    full = f", {bus['utilisation']:.0%} busy" if bus.get("utilisation") else ""
    head = f"bus {bus['bus']} ({bus['wire']}): {state}, {bus.get('devices', 0)} devices{full}{silent}{trouble}"
    refusals = ", ".join(f"{reason} {count}" for reason, count in bus.get("refusals", ()))
    return [head, *([f"  refused: {refusals}"] if refusals else []), *(f"  {one}" for one in bus.get("findings", ()))]
